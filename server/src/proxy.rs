//! The proxy: the way of a call, and its pieces. Everything here runs on a worker, single-threaded.

pub mod call;
pub mod folder;
pub mod forward_auth;
pub mod hygiene;
pub mod path;
pub mod route;
pub mod send;
pub mod table;
mod turned_away;
pub(crate) mod upgrade;
pub mod upstream;
