//! The admin API, as the console calls it: a file per resource over one client. A resource that is read has its address
//! here; `state::loaded` asks for it.

pub(crate) mod audit;
mod client;
pub(crate) mod clients;
mod decode;
mod json;
pub(crate) mod me;
pub(crate) mod operation;
pub(crate) mod overview;
pub(crate) mod providers;
mod records;
pub(crate) mod revocations;
pub(crate) mod routes;
pub(crate) mod sessions;
mod stream;
pub(crate) mod users;

pub(crate) use client::{Failure, get};
pub(crate) use decode::Decode;
pub(crate) use json::Json;
pub(crate) use stream::listen;
