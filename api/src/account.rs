//! Service accounts: machines that use the admin API.

use serde::{Deserialize, Serialize};

use crate::{Permission, ReasonError, checked_reason};

/// The longest name, in characters.
pub const ACCOUNT_NAME_MAX_CHARS: usize = 100;

/// A service account. Its token is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceAccount {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// The tenant that it sees; absent: every tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// Whether its token counts now.
    pub active: bool,
    /// When it was made (RFC 3339, UTC).
    pub created_at: String,
    /// Who made it, for people to read.
    pub created_by: String,
    /// When it stops to count by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Until when the token before the last rotation counts too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<String>,
    /// Its last use, late by at most a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<String>,
    /// When it was disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<String>,
    /// Who disabled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_by: Option<String>,
}

/// What an owner sends to make one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MakeServiceAccount {
    /// For people: 1 to 100 characters.
    pub name: String,
    /// What it may do: at least one. None can manage service accounts.
    pub scopes: Vec<Permission>,
    /// The tenant that it sees. Absent: all that its maker sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When it stops to count by itself (RFC 3339). Absent: when it is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// What an owner sends to replace a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateServiceAccount {
    /// How long the token before counts too, 0 (default) to 604800.
    #[serde(default)]
    pub overlap_secs: u32,
}

/// What an owner sends to disable an account, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DisableServiceAccount {
    /// Why, for the audit log: 1 to 500 characters.
    pub reason: String,
}

impl DisableServiceAccount {
    /// The reason without surrounding space, if it is one.
    ///
    /// # Errors
    /// [`ReasonError`] when nothing or too much was written.
    pub fn checked_reason(&self) -> Result<&str, ReasonError> {
        checked_reason(&self.reason)
    }
}

/// An account with its new token: the only time that it is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceAccountToken {
    /// The account.
    #[serde(flatten)]
    pub account: ServiceAccount,
    /// To be sent as `Authorization: Bearer …`. Nothing here can show it again.
    pub token: String,
}

impl std::fmt::Debug for ServiceAccountToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceAccountToken").field("account", &self.account).finish_non_exhaustive()
    }
}
