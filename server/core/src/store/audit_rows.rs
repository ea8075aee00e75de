//! What the audit log is asked, and what it answers.

use super::rows::Count;
use crate::audit::StoredEvent;
use crate::clock::UnixMs;
use crate::session::id::SessionId;

/// What an administrator asks of the audit log: all of it must hold; an empty list asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only this tenant's; `None` sees all.
    pub tenant: Option<String>,
    /// About one of these persons: keyed hashes.
    pub subjects: Vec<[u8; 32]>,
    /// Done by one of these administrators: keyed hashes.
    pub actors: Vec<[u8; 32]>,
    /// About this session.
    pub session: Option<SessionId>,
    /// From this network address: a keyed hash.
    pub address: Option<[u8; 32]>,
    /// Of one of these kinds, by their codes.
    pub kinds: Vec<String>,
    /// Not before.
    pub from: Option<UnixMs>,
    /// Before.
    pub until: Option<UnixMs>,
}

/// A place in the log, newest first: the event of this moment that came as this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPlace {
    /// The event's moment.
    pub at: UnixMs,
    /// Its place in the order events came.
    pub place: i64,
    /// Read the page before the place instead of the one after it.
    pub backwards: bool,
}

/// One page of events, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// The events in order.
    pub rows: Vec<StoredEvent>,
    /// Whether there are events after these: older ones.
    pub more_after: bool,
    /// Whether there are events before these.
    pub more_before: bool,
    /// How many match in all.
    pub count: Count,
}
