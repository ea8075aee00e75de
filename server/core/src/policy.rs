//! May this caller use this route? Pure: no clock, no store. Only [`decide`] makes a [`Permit`], and nothing is
//! sent upstream without one.

use std::sync::Arc;

use crate::session::open::Live;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anonymous,
    /// Callers with a live session.
    SignedIn,
}

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody known: no ticket, or a dead one.
    Anonymous,
    /// A live session.
    Session(Arc<Live>),
}

/// The right to send one request upstream.
#[derive(Debug)]
pub struct Permit {
    session: Option<Arc<Live>>,
}

impl Permit {
    /// The session whose token may be attached.
    #[must_use]
    pub const fn session(&self) -> Option<&Arc<Live>> {
        self.session.as_ref()
    }
}

/// Why a caller may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The route needs a session.
    #[error("sign in first: this address needs a session")]
    SignInNeeded,
}

/// Decides one call.
///
/// # Errors
/// [`Refusal`] with what is missing.
pub fn decide(access: Access, caller: Caller) -> Result<Permit, Refusal> {
    match (access, caller) {
        (_, Caller::Session(live)) => Ok(Permit { session: Some(live) }),
        (Access::Anonymous, Caller::Anonymous) => Ok(Permit { session: None }),
        (Access::SignedIn, Caller::Anonymous) => Err(Refusal::SignInNeeded),
    }
}
