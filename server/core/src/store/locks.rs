//! Locks: who is kept out, until when and why; and owners whom the host made so.

use async_trait::async_trait;

use super::revocations::{Facts, RevocationId, User};
use super::rows::{Ended, Place};
use super::{SessionRow, StoreResult};
use crate::audit::AuditRow;
use crate::clock::UnixMs;

/// A lock's id, spelt as a revocation's.
pub type LockId = RevocationId;

/// Whom a lock keeps out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locked {
    /// A person.
    User(User),
    /// Everybody at an app.
    Client(String),
    /// Everybody whom a provider signs in.
    Provider(String),
}

/// A lock as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its id.
    pub id: LockId,
    /// The fence of who locked: it touches only sessions inside it.
    pub tenant: Option<String>,
    /// Whom.
    pub whom: Locked,
    /// Why. Those whom it keeps out are told.
    pub reason: String,
    /// Who locked, for people to read.
    pub by: String,
    /// Since when.
    pub since: UnixMs,
    /// Until when; `None` for good.
    pub until: Option<UnixMs>,
    /// When it was lifted, and by whom.
    pub lifted: Option<(UnixMs, String)>,
}

impl Lock {
    /// Whether it holds now.
    #[must_use]
    pub fn holds(&self, now: UnixMs) -> bool {
        self.lifted.is_none() && self.until.is_none_or(|until| until > now)
    }

    /// Whether it keeps this session out.
    #[must_use]
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        self.tenant.as_deref().is_none_or(|tenant| tenant == facts.tenant)
            && match &self.whom {
                Locked::User(user) => user.issuer == facts.issuer && user.sub == facts.sub,
                Locked::Client(id) => id == facts.client_id,
                Locked::Provider(id) => id == facts.provider_id,
            }
    }

    /// What those read whom it keeps out.
    #[must_use]
    pub fn told(&self) -> String {
        let what = match &self.whom {
            Locked::User(_) => "your account is locked",
            Locked::Client(_) => "this app is locked",
            Locked::Provider(_) => "sign-in by this provider is blocked",
        };
        let until = self.until.map(|until| format!(" until {}", until.rfc3339())).unwrap_or_default();
        format!("{what}{until}: {}", self.reason)
    }

    /// How a session under it reads to its holder.
    #[must_use]
    pub fn as_end(&self) -> Ended {
        Ended { at: self.since, reason: "locked".to_owned(), text: Some(self.told()), by: Some(self.by.clone()) }
    }
}

/// The part of a store that keeps people out, and lets owners in.
#[async_trait]
pub trait LockStore: Send + Sync {
    /// Keeps a lock with its audit event. From then on no login that it covers is kept.
    async fn add_lock(&self, lock: Lock, event: AuditRow) -> StoreResult<()>;

    /// Lifts a lock with the audit event; answers whether it had not been lifted before.
    async fn lift_lock(&self, id: LockId, at: UnixMs, by: String, event: AuditRow) -> StoreResult<bool>;

    /// One lock.
    async fn lock(&self, id: LockId) -> StoreResult<Option<Lock>>;

    /// Up to `limit` locks, the newest first, before or behind a place: those of a tenant's administrators, or all; with
    /// `held_at`, only those that hold then.
    async fn locks(
        &self,
        tenant: Option<&str>,
        held_at: Option<UnixMs>,
        place: Option<Place>,
        limit: u32,
    ) -> StoreResult<Vec<Lock>>;

    /// The lock that keeps this session out now, the newest of several.
    async fn lock_on(&self, session: &SessionRow, now: UnixMs) -> StoreResult<Option<Lock>>;

    /// Makes a person an owner, with the audit event.
    async fn grant_owner(&self, subject: [u8; 32], at: UnixMs, event: AuditRow) -> StoreResult<()>;

    /// Whether this person was made an owner.
    async fn is_granted_owner(&self, subject: [u8; 32]) -> StoreResult<bool>;
}
