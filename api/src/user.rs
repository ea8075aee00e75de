//! People: who has sessions, what is kept of them, and forgetting them.

use serde::{Deserialize, Serialize};

use crate::{AuditEvent, Lock, ReasonError, Session, SessionDetail, checked_reason};

/// A person, as the list shows them: at one provider (S7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// The person's id here: 64 lower-case hexadecimal digits. It tells nothing of who they are.
    pub id: String,
    /// The provider's issuer.
    pub issuer: String,
    /// The person's id there.
    pub sub: String,
    /// Name, as the provider gave it at the newest session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mail address, as the provider gave it at the newest session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How many of their sessions run.
    pub live_sessions: u64,
    /// When the newest session began (RFC 3339, UTC).
    pub signed_in_at: String,
    /// When the newest session was last used, late by at most a minute.
    pub last_seen_at: String,
    /// Whether a lock keeps them out by name.
    pub locked: bool,
}

impl User {
    /// The name for people to read: name, else mail address, else `sub`.
    #[must_use]
    pub fn display(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or(&self.sub)
    }
}

/// A person with what is kept of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserDetail {
    /// The row of the list.
    #[serde(flatten)]
    pub user: User,
    /// Their newest sessions, live and ended, at most 100; `/sessions?sub=` lists the rest.
    pub sessions: Vec<Session>,
    /// Whether there are more.
    pub more_sessions: bool,
    /// What those sessions were used from, the last seen first.
    pub devices: Vec<UserDevice>,
    /// The locks that name them, those that hold and those that did.
    pub locks: Vec<Lock>,
    /// The newest events about them, at most 50; `/audit/events?subject=` lists the rest.
    pub events: Vec<AuditEvent>,
}

/// What a person's sessions were used from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserDevice {
    /// In a few words, such as "Firefox on Linux".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The name that the person gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// How many sessions.
    pub sessions: u64,
    /// How many of them run.
    pub live_sessions: u64,
    /// The first sign-in.
    pub first_seen_at: String,
    /// The last use.
    pub last_seen_at: String,
}

/// What an administrator sends to have a person forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EraseUser {
    /// Why, for the audit log, which keeps it: 1 to 500 characters. It must not name the person.
    pub reason: String,
    /// The person's `sub`, so that nobody is forgotten by a slip.
    pub confirm_sub: String,
}

impl EraseUser {
    /// The reason without surrounding space, if it is one.
    ///
    /// # Errors
    /// [`ReasonError`] when nothing or too much was written.
    pub fn checked_reason(&self) -> Result<&str, ReasonError> {
        checked_reason(&self.reason)
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserErased {
    /// Sessions that ran until now.
    pub sessions_ended: u64,
    /// Sessions of which nothing is kept any more.
    pub sessions_deleted: u64,
    /// Sessions of which the rest goes once the provider was told of their end, within a day.
    pub sessions_waiting: u64,
    /// Locks that hold and still name the person; lifted, they go with the next erasure.
    pub locks_kept: u64,
}

/// All that is kept of a person, as the file of an export has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserExport {
    /// When it was read.
    pub as_of: String,
    /// The provider's issuer.
    pub issuer: String,
    /// The person's id there.
    pub sub: String,
    /// Locks that name them.
    pub locks: Vec<Lock>,
    /// Every session with its claims, newest first. The events of each stand below.
    pub sessions: Vec<SessionDetail>,
    /// Every event about them, newest first.
    pub events: Vec<AuditEvent>,
    /// Every event that they caused as an administrator; whom it was about is left out.
    pub acts: Vec<AuditEvent>,
}
