//! What the console knows of sessions and events, in words and signs.

pub(crate) mod event;
pub(crate) mod person;
pub(crate) mod revoke_flow;
pub(crate) mod session;
