//! Revocations of many sessions, and the tokens that providers are still to be told of.
//!
//! From the commit of [`RevocationStore::begin_revocation`] until it is finished, every session that it covers reads as
//! ended, whether or not its row has been ended yet; and no login that began before is kept.

mod filter;

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::rows::{End, Ended, Place, SessionSummary};
use super::{SessionId, StoreResult};
use crate::audit::AuditRow;
use crate::audit::event::Person;
use crate::clock::UnixMs;
use crate::random::Random;
use crate::session::id::NotASessionId;
pub use filter::{Facts, Filter, Upstream, User, came_from};

/// A revocation's id: a UUID version 7, spelt as a session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevocationId(SessionId);

impl RevocationId {
    /// A new id, made at `now`.
    #[must_use]
    pub fn new(now: UnixMs, random: &dyn Random) -> Self {
        Self(SessionId::new(now, random))
    }

    /// The id's 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id that these 16 bytes spell.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(SessionId::from_bytes(bytes))
    }
}

impl FromStr for RevocationId {
    type Err = NotASessionId;

    fn from_str(text: &str) -> Result<Self, NotASessionId> {
        text.parse().map(Self)
    }
}

impl fmt::Display for RevocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A revocation as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationRow {
    /// Its id.
    pub id: RevocationId,
    /// Which sessions.
    pub filter: Filter,
    /// Who decided.
    pub actor: Person,
    /// Why.
    pub reason: String,
    /// When it was decided, and took effect.
    pub decided_at: UnixMs,
    /// How many sessions its preview showed.
    pub expected: u64,
    /// How many it has ended so far.
    pub ended: u64,
    /// When it was through.
    pub finished_at: Option<UnixMs>,
    /// What became of the sessions' tokens.
    pub telling: Telling,
}

/// What providers were told of a revocation's sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// Sessions whose provider is still to be told.
    pub queued: u64,
    /// Whose provider said that it is done.
    pub told: u64,
    /// Whose provider could not be told.
    pub untold: u64,
    /// Whose provider offers no revocation.
    pub not_supported: u64,
    /// The last moment at which an access token seen so far expires.
    pub access_until: Option<UnixMs>,
}

impl RevocationRow {
    /// Whether a session is over by it.
    #[must_use]
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        facts.created_at <= self.decided_at && self.filter.covers(facts)
    }

    /// How the sessions that it covers end.
    #[must_use]
    pub fn ended(&self) -> Ended {
        Ended {
            at: self.decided_at,
            reason: "revoked".to_owned(),
            text: Some(self.reason.clone()),
            by: Some(self.actor.display().to_owned()),
        }
    }
}

/// What a filter covers now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// Live sessions.
    pub count: u64,
    /// The same by client.
    pub by_client: Vec<(String, u64)>,
    /// The newest of them.
    pub sample: Vec<SessionSummary>,
}

/// Sessions of a revocation that are still to be ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToEnd {
    /// Some of them.
    pub sessions: Vec<SessionSummary>,
    /// Where to look for more; `None` once there are no more.
    pub next: Option<SessionId>,
}

/// A session whose provider is to be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub id: SessionId,
    /// How often it was tried, this time included.
    pub tries: u32,
}

/// How the telling of a provider came to its end.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which session.
    pub id: SessionId,
    /// What the provider said.
    pub outcome: ToldOutcome,
    /// When the access token expires, where that is known.
    pub access_until: Option<UnixMs>,
    /// The audit event.
    pub event: AuditRow,
}

/// What came of telling a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToldOutcome {
    /// It said that it is done.
    Done,
    /// It offers no revocation.
    NotSupported,
    /// It could not be told, and is not tried again.
    Failed(String),
}

/// The part of a store that revokes many sessions, and remembers what providers are to be told.
#[async_trait]
pub trait RevocationStore: Send + Sync {
    /// The live sessions that a filter covers: their number, their clients, and the newest `sample` of them.
    async fn covered(&self, filter: Filter, now: UnixMs, sample: u32) -> StoreResult<Covered>;

    /// Keeps a revocation with its audit event; where its id is known already, nothing is kept. Answers the revocation
    /// as it stands, and whether it is new.
    async fn begin_revocation(&self, row: RevocationRow, event: AuditRow) -> StoreResult<(RevocationRow, bool)>;

    /// Up to `limit` sessions behind `after` that a revocation covers and that are not ended yet.
    async fn to_end(&self, id: RevocationId, after: Option<SessionId>, limit: u32, now: UnixMs) -> StoreResult<ToEnd>;

    /// Ends sessions on behalf of a revocation; answers how many had not ended before.
    async fn end_for(&self, id: RevocationId, ends: Vec<End>) -> StoreResult<u64>;

    /// Notes that a revocation is through, with its audit event; nothing where it was before.
    async fn finish_revocation(&self, id: RevocationId, at: UnixMs, event: AuditRow) -> StoreResult<()>;

    /// One revocation.
    async fn revocation(&self, id: RevocationId) -> StoreResult<Option<RevocationRow>>;

    /// Up to `limit` revocations, the newest first, before or behind a place: those of a tenant's administrators, or all.
    async fn revocations(
        &self,
        tenant: Option<&str>,
        place: Option<Place>,
        limit: u32,
    ) -> StoreResult<Vec<RevocationRow>>;

    /// Those that are not through.
    async fn unfinished_revocations(&self) -> StoreResult<Vec<RevocationRow>>;

    /// Up to `limit` sessions of a revocation whose provider could not be told, and why.
    async fn revocation_failures(&self, id: RevocationId, limit: u32) -> StoreResult<Vec<(SessionId, String)>>;

    /// Up to `limit` ended sessions whose provider is to be told by now. Nobody else gets them until `lease_until`.
    async fn due(&self, now: UnixMs, lease_until: UnixMs, limit: u32) -> StoreResult<Vec<Due>>;

    /// Has a session's provider told again at `at`.
    async fn tell_again(&self, id: SessionId, at: UnixMs) -> StoreResult<()>;

    /// Deletes an ended session's token set, counts the outcome, and keeps the audit event.
    async fn told(&self, told: Told) -> StoreResult<()>;
}
