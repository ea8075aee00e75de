//! What the `cloakroom` command does beside serving.

pub mod audit;
pub mod break_glass;
pub mod check;
#[cfg(feature = "demo")]
pub mod demo;
pub mod explain;
pub mod healthcheck;
pub mod init;
pub mod keys;
pub mod migrate;
pub mod online;
pub mod remote;
pub mod sessions;
