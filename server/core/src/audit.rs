//! The audit log: append-only events, personal fields sealed under a key per person, linked into a hash chain.
//!
//! The transaction of a deed inserts its event. One sequencer then gives events their number and links each to
//! the one before: `hash = SHA-256(previous hash, number, the event's bytes)`. Editing, deleting or reordering an
//! event breaks every later link.

pub mod chain;
pub mod checkpoint;
pub mod event;

use crate::clock::UnixMs;
use crate::session::id::SessionId;

/// The version of an event's fields and of the bytes that the chain covers.
pub const EVENT_VERSION: i64 = 1;

/// An event as stored. What names a person is inside the sealed fields alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// A UUID version 7.
    pub id: [u8; 16],
    /// [`EVENT_VERSION`] at the time of writing.
    pub version: i64,
    /// Tenant label.
    pub tenant: String,
    /// When.
    pub at: UnixMs,
    /// What, as a code such as `session.started`.
    pub kind: String,
    /// The session it is about.
    pub session: Option<SessionId>,
    /// The client it is about.
    pub client_id: Option<String>,
    /// The provider it is about.
    pub provider_id: Option<String>,
    /// Keyed hash of the person it is about.
    pub subject: Option<[u8; 32]>,
    /// Keyed hash of the network address that the person came from. Kept beside the log and outside of its chain, so
    /// that it can be forgotten; not read back.
    pub address: Option<[u8; 32]>,
    /// The person's fields as JSON, sealed under that person's key.
    pub subject_sealed: Vec<u8>,
    /// Keyed hash of the administrator who did it.
    pub actor: Option<[u8; 32]>,
    /// The administrator's fields as JSON, sealed under that administrator's key.
    pub actor_sealed: Vec<u8>,
    /// Facts that name nobody, as a JSON object.
    pub facts: String,
}

/// The end of the chain: the last event's number (0 when there is none) and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Number of the last linked event.
    pub seq: i64,
    /// Its hash; zeros before the first event.
    pub hash: [u8; 32],
}

/// An event's place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// The event.
    pub event: [u8; 16],
    /// Its number.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// An event read back, with its place in the chain once it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the order events came.
    pub place: i64,
    /// The event.
    pub row: AuditRow,
    /// Number and hash, once linked.
    pub link: Option<ChainLink>,
}
