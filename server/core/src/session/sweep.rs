//! The sweep: rows that nobody needs any more go, in small batches, from one node.

use std::sync::Arc;

use super::Sessions;
use crate::clock::UnixMs;
use crate::store::StoreResult;

/// Rows of one batch.
const BATCH: u32 = 100;
/// No other node sweeps within this time.
const LEASE_SECS: i64 = 60;
/// A last use may reach the store late, above all where it could not be written for a while. What expired so long ago
/// is over on every node.
const SURELY_OVER_SECS: i64 = 86_400;
const DAY_SECS: i64 = 86_400;

/// What one turn of the sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Expired sessions whose token sets were deleted.
    pub expired: u32,
    /// Ended sessions that were deleted.
    pub deleted: u32,
    /// Whether there may be more.
    pub more: bool,
}

/// This node's sweep.
#[derive(Debug)]
pub struct Sweeper {
    sessions: Arc<Sessions>,
    owner: String,
    keep_ended_days: i64,
}

impl Sessions {
    /// A sweep that keeps ended sessions for so many days.
    #[must_use]
    pub fn sweeper(self: &Arc<Self>, keep_ended_days: i64) -> Sweeper {
        Sweeper { sessions: Arc::clone(self), owner: self.parts.random.token(), keep_ended_days }
    }
}

impl Sweeper {
    /// One turn: a batch of each kind, each in a unit of work of its own. Nothing where another node sweeps.
    ///
    /// # Errors
    /// As the store's; the rest waits for the next turn.
    pub async fn turn(&self) -> StoreResult<Swept> {
        let (store, now) = (self.sessions.store(), self.sessions.now());
        if !store.take_sweep(&self.owner, now, now.plus_secs(LEASE_SECS)).await? {
            return Ok(Swept::default());
        }
        let ended_before = self.keeps_from(now);
        let expired = store.end_expired(now.plus_secs(-SURELY_OVER_SECS), BATCH).await?;
        let deleted = store.delete_ended(ended_before, BATCH).await?;
        let revocations = store.delete_revocations(ended_before, BATCH).await?;
        let remembered = store.forget_remembered(now).await?;
        let more = [expired, deleted, revocations, remembered].into_iter().any(|found| found >= BATCH);
        if !more {
            // Whoever looks next may: this node may be gone by then.
            store.take_sweep(&self.owner, now, now).await?;
        }
        Ok(Swept { expired, deleted, more })
    }

    fn keeps_from(&self, now: UnixMs) -> UnixMs {
        now.plus_secs(self.keep_ended_days.saturating_mul(-DAY_SECS))
    }
}
