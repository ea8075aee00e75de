//! What other nodes have done: the change log of a store that several processes share.

use async_trait::async_trait;

use super::StoreResult;
use crate::session::id::SessionId;

/// A place in the log of one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Which store: another one, restored in its place, has another.
    pub incarnation: String,
    /// The last entry that is known.
    pub n: i64,
}

/// What has changed since a place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The place after it.
    pub cursor: Cursor,
    /// These sessions have ended.
    pub ended: Vec<SessionId>,
    /// Any session may have ended: many did at once, or entries are missing.
    pub any: bool,
    /// The key ring is another.
    pub keys: bool,
    /// There is more to read.
    pub more: bool,
}

/// The change log of a store that several processes share.
#[async_trait]
pub trait ChangeLog: Send + Sync {
    /// Its end.
    async fn end_of_log(&self) -> StoreResult<Cursor>;

    /// What came after a place, in the order of the commits.
    async fn changes(&self, after: &Cursor) -> StoreResult<Changes>;

    /// Those of the sessions that have not ended.
    async fn running(&self, ids: Vec<SessionId>) -> StoreResult<Vec<SessionId>>;

    /// Waits until another node hints that there is news. A hint may be lost, and says nothing itself.
    async fn hinted(&self);
}
