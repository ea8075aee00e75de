//! Deleting what is of no use any more, a little at a time.

use async_trait::async_trait;

use super::StoreResult;
use crate::clock::UnixMs;

/// The reason's code of sessions whose time was over ([`super::Ended::reason`]).
pub const EXPIRED: &str = "expired";

/// The part of a store that sweeps. Each answer says how many rows were found: as many as `limit` when there may be more.
#[async_trait]
pub trait SweepStore: Send + Sync {
    /// Takes the sweep, or keeps it, until a moment; answers whether it is this owner's. Of the nodes of a store one has it.
    async fn take_sweep(&self, owner: &str, now: UnixMs, until: UnixMs) -> StoreResult<bool>;

    /// Ends sessions whose time was over before a moment, at the moment at which it was, and deletes their token sets: what
    /// nobody can use any more. No audit event tells of it, and no provider.
    async fn end_expired(&self, before: UnixMs, limit: u32) -> StoreResult<u32>;

    /// Deletes sessions that ended before a moment, with whatever hangs on them but the audit log. One whose provider is
    /// still to be told stays until it was.
    async fn delete_ended(&self, before: UnixMs, limit: u32) -> StoreResult<u32>;

    /// Deletes reports of revocations that were finished before a moment, and of each its failures first.
    async fn delete_revocations(&self, before: UnixMs, limit: u32) -> StoreResult<u32>;

    /// Deletes what was remembered until now: used transactions, logout tokens, proofs, sign-ins that devices asked for, and answers to apps;
    /// of each kind a hundred at most. Answers how many of the most frequent.
    async fn forget_remembered(&self, now: UnixMs) -> StoreResult<u32>;
}
