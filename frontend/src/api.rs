//! The admin API, as the console calls it: a file per resource over one client.

mod client;
pub(crate) mod me;
pub(crate) mod overview;
pub(crate) mod sessions;

pub(crate) use client::Failure;
