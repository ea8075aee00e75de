//! What goes into a store and comes back when keys are counted, added, moved away from and retired.

use super::rows::Ended;
use super::{SessionId, WrappedKeyRow};
use crate::audit::AuditRow;
use crate::clock::UnixMs;

/// Whose key a ring key wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrappedOwner {
    /// A session's data key.
    Session(SessionId),
    /// The key of a person's fields in the audit log, by the keyed hash of that person.
    Subject([u8; 32]),
}

/// A key that is wrapped by a ring key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// Whose.
    pub owner: WrappedOwner,
    /// The wrapped key.
    pub wrapped: Vec<u8>,
}

/// A key to be stored wrapped anew, if it is still wrapped as it was read.
#[derive(Clone, Debug)]
pub struct Rewrap {
    /// As it was read.
    pub from: Wrapped,
    /// The ring key that wraps it now.
    pub key_id: String,
    /// Wrapped by it.
    pub wrapped: Vec<u8>,
}

/// How much is sealed under one key of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The ring key's id.
    pub key_id: String,
    /// Sessions, live or over.
    pub sessions: u64,
    /// Persons' audit keys.
    pub subjects: u64,
}

/// The unit of work that adds a key to the ring.
#[derive(Clone, Debug)]
pub struct AddKey {
    /// The new key.
    pub key: WrappedKeyRow,
    /// The newest key as the caller knows it: nothing is added if there is a newer one.
    pub after: String,
    /// The audit event.
    pub event: AuditRow,
}

/// The unit of work that takes a key out of the ring.
#[derive(Clone, Debug)]
pub struct RetireKey {
    /// Which.
    pub id: String,
    /// Ends every session that began before then, in this way.
    pub end_begun_before: Option<(UnixMs, Ended)>,
    /// The audit event.
    pub event: AuditRow,
}

/// What a [`RetireKey`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetireOutcome {
    /// The key is gone.
    Retired {
        /// Sessions that ended with it.
        ended: u64,
    },
    /// Nothing: so much is sealed under it.
    InUse {
        /// Sessions.
        sessions: u64,
        /// Persons' audit keys.
        subjects: u64,
    },
    /// Nothing: it is the newest key, or there is none of this id.
    NotOld,
}

/// Sessions that a key's end would touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// Live sessions that began before a moment.
    pub live: u64,
    /// Those of them that were not seen since.
    pub unseen: u64,
}
