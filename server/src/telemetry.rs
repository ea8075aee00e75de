//! What operators see: logs, metrics, health.

pub mod health;
pub mod logs;
pub mod metrics;
