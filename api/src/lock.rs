//! Locks: who is kept out, until when, and why.

use serde::{Deserialize, Serialize};

use crate::{ReasonError, UserRef, checked_reason};

/// What an administrator sends to lock: exactly one of `user`, `client` and `provider`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetLock {
    /// A person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRef>,
    /// Everybody at a client. Takes an owner who signed in lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Everybody whom a provider signs in. Takes an owner of every tenant who signed in lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Why: 1 to 500 characters. Those whom it keeps out read it.
    pub reason: String,
    /// When it ends by itself (RFC 3339). Absent: when it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl SetLock {
    /// The reason without surrounding space, if it is one.
    ///
    /// # Errors
    /// [`ReasonError`] when nothing or too much was written.
    pub fn checked_reason(&self) -> Result<&str, ReasonError> {
        checked_reason(&self.reason)
    }
}

/// What an administrator sends to lift a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LiftLock {
    /// Why, for the audit log: 1 to 500 characters.
    pub reason: String,
}

/// A lock. Sessions go on under it, but serve nobody until it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lock {
    /// Its id.
    pub id: String,
    /// Whether it holds now.
    pub holds: bool,
    /// The person, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRef>,
    /// The client, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The provider, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Why.
    pub reason: String,
    /// What those read whom it keeps out.
    pub told: String,
    /// Who locked, for people to read.
    pub by: String,
    /// Since when (RFC 3339, UTC).
    pub since: String,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// When it was lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<String>,
    /// Who lifted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_by: Option<String>,
}
