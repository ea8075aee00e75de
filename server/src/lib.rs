//! Cloakroom: a Backend-for-Frontend session gateway.
//!
//! Start reading at [`app`] (what is made of what), then [`proxy::call`] (the way of a proxied call) and
//! [`web::login`], [`web::callback`], [`web::finish`] (the way of a login).

pub mod admin;
pub mod app;
pub mod clock;
pub mod command;
pub mod config;
pub mod edge;
pub mod explain;
pub mod gateway;
pub mod host;
pub mod mobile;
pub mod outbound;
pub mod proxy;
pub mod telemetry;
pub mod web;
