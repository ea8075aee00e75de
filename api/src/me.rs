//! Who is signed in to the console, and what they may do.

use serde::{Deserialize, Serialize};

/// What an administrator may do. Each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything, changes nothing.
    Viewer,
    /// Also ends sessions.
    Operator,
    /// Also changes who may do what.
    Owner,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Owner];

    /// The role's name on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }

    /// What this role may do.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| permission.role() <= self)
    }
}

/// One thing that a role allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Permission {
    /// See sessions and the overview.
    #[serde(rename = "sessions.read")]
    SessionsRead,
    /// End sessions.
    #[serde(rename = "sessions.revoke")]
    SessionsRevoke,
    /// See the audit log, verify it and take it out as a file.
    #[serde(rename = "audit.read")]
    AuditRead,
    /// See clients, routes, providers, keys, nodes and the configuration.
    #[serde(rename = "settings.read")]
    SettingsRead,
    /// End the sessions of more than one person at once.
    #[serde(rename = "sessions.revoke_mass")]
    SessionsRevokeMass,
    /// Take out as a file what is kept of a person.
    #[serde(rename = "users.export")]
    UsersExport,
    /// Have a person forgotten.
    #[serde(rename = "users.erase")]
    UsersErase,
    /// Make service accounts, replace their tokens and disable them.
    #[serde(rename = "accounts.manage")]
    AccountsManage,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 8] = [
        Self::SessionsRead,
        Self::SessionsRevoke,
        Self::SessionsRevokeMass,
        Self::UsersExport,
        Self::UsersErase,
        Self::AccountsManage,
        Self::AuditRead,
        Self::SettingsRead,
    ];

    /// The least role that has it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::SessionsRead | Self::AuditRead | Self::SettingsRead => Role::Viewer,
            Self::SessionsRevoke | Self::UsersExport => Role::Operator,
            Self::SessionsRevokeMass | Self::UsersErase | Self::AccountsManage => Role::Owner,
        }
    }

    /// Its code on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SessionsRead => "sessions.read",
            Self::SessionsRevoke => "sessions.revoke",
            Self::AuditRead => "audit.read",
            Self::SettingsRead => "settings.read",
            Self::SessionsRevokeMass => "sessions.revoke_mass",
            Self::UsersExport => "users.export",
            Self::UsersErase => "users.erase",
            Self::AccountsManage => "accounts.manage",
        }
    }

    /// The permission of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.code() == code)
    }
}

/// The signed-in administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The person's id at the provider; a service account's id.
    pub sub: String,
    /// The provider's issuer, or `service-account`.
    pub issuer: String,
    /// Name, where the provider gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mail address, where the provider gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Role at this gateway.
    pub role: Role,
    /// All that the role allows; a service account's scopes.
    pub permissions: Vec<Permission>,
    /// The public id of the session that asks; empty for a service account.
    pub session_id: String,
    /// Seconds until that session ends if it is not used; 0 for a service account.
    pub idle_expires_in_secs: u64,
    /// Seconds until it ends in any case; 0 for a service account.
    pub expires_in_secs: u64,
    /// Where to go to sign out; same origin. Empty for a service account.
    pub logout_url: String,
    /// The name of this gateway, as its operator set it or as its host is called.
    pub instance: String,
    /// The gateway's version.
    pub version: String,
}

impl Me {
    /// Whether this person may do it.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// The name for people to read: name, else mail address, else `sub`.
    #[must_use]
    pub fn display(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or(&self.sub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_all_that_lesser_roles_may() {
        assert!(Role::Viewer.permissions().all(|permission| permission != Permission::SessionsRevoke));
        for pair in Role::ALL.windows(2) {
            for permission in pair[0].permissions() {
                assert!(pair[1].permissions().any(|p| p == permission));
            }
        }
    }

    #[test]
    fn codes_are_what_serde_writes() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.code());
        }
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.code());
            assert_eq!(Permission::from_code(permission.code()), Some(permission));
        }
    }
}
