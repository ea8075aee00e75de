//! What the console knows of sessions and events, in words and signs.

pub(crate) mod deed;
pub(crate) mod event;
pub(crate) mod facts;
pub(crate) mod field;
pub(crate) mod gate;
pub(crate) mod listing;
pub(crate) mod live_bar;
pub(crate) mod person;
pub(crate) mod reason;
pub(crate) mod revoke_flow;
pub(crate) mod session;
pub(crate) mod step_up;
