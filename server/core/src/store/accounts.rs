//! Service accounts: machines that use the admin API.

use async_trait::async_trait;
use serde::Serialize;

use super::StoreResult;
use super::revocations::RevocationId;
use crate::audit::AuditRow;
use crate::clock::UnixMs;
use crate::vault::Ring;
use crate::vault::ring::Purpose;

/// A service account's id, spelt as a session's.
pub type AccountId = RevocationId;

/// A service account as kept. Its secret is not: only what it hashes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What decisions read.
    pub rights: Rights,
    /// A keyed mark over [`Account::rights`]: rights that were written by anything but this program do not count (V1).
    pub mark: [u8; 32],
    /// For people.
    pub name: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// Who made it, for people to read.
    pub created_by: String,
    /// Who disabled it.
    pub disabled_by: Option<String>,
    /// Its last use, late by at most a minute.
    pub used_at: Option<UnixMs>,
}

/// What a service account may do, and what proves that it is itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rights {
    /// Its id.
    pub id: AccountId,
    /// Goes up by one with every change.
    pub version: i64,
    /// The fence; `None`: every tenant.
    pub tenant: Option<String>,
    /// What it may do, by codes.
    pub scopes: Vec<String>,
    /// SHA-256 of its secret.
    pub secret: [u8; 32],
    /// The secret before the last rotation, as long as it still counts.
    pub previous: Option<([u8; 32], UnixMs)>,
    /// When it stops to count.
    pub expires_at: Option<UnixMs>,
    /// When it was disabled.
    pub disabled_at: Option<UnixMs>,
}

impl Rights {
    /// The mark over these rights.
    #[must_use]
    pub fn mark(&self, ring: &Ring) -> [u8; 32] {
        ring.mark(Purpose::ServiceAccount, &serde_json::to_vec(self).unwrap_or_default())
    }

    /// Whether they count at all.
    #[must_use]
    pub fn hold(&self, now: UnixMs) -> bool {
        self.disabled_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

/// The part of a store that keeps service accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Keeps a new account with its audit event.
    async fn add_account(&self, account: Account, event: AuditRow) -> StoreResult<()>;

    /// Puts an account in the place of its version before, with the audit event; answers whether that still stood.
    async fn change_account(&self, account: Account, event: AuditRow) -> StoreResult<bool>;

    /// One account.
    async fn account(&self, id: AccountId) -> StoreResult<Option<Account>>;

    /// The newest accounts, at most 500: one tenant's, or all.
    async fn accounts(&self, tenant: Option<&str>) -> StoreResult<Vec<Account>>;

    /// Notes a use.
    async fn used_account(&self, id: AccountId, at: UnixMs) -> StoreResult<()>;
}
