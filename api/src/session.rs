//! Sessions: rows of the list, and one in detail.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Event;

/// The page sizes that `limit` takes; the first is the default.
pub const LIMITS: [u32; 2] = [50, 100];

/// One session, as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Public id: safe to show and log.
    pub id: String,
    /// The person's id at the provider.
    pub sub: String,
    /// The provider's issuer.
    pub issuer: String,
    /// Client.
    pub client_id: String,
    /// The client's name.
    pub client_name: String,
    /// Web or mobile.
    pub kind: Kind,
    /// Provider.
    pub provider_id: String,
    /// The person's name, where the provider gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The person's mail address, where the provider gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Tenant label.
    pub tenant: String,
    /// Network address at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// User agent at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The device in a few words, such as "Firefox on Linux".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Sign-in (RFC 3339, UTC, like all moments here).
    pub created_at: String,
    /// Last use, late by at most a minute.
    pub last_seen_at: String,
    /// When it ends if it is not used.
    pub idle_expires_at: String,
    /// When it ends in any case.
    pub expires_at: String,
    /// Whether it runs, or how it came to its end.
    pub state: SessionState,
    /// Who ended it, when and why. Absent while it runs, and when it expired by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Whether it is the session that asks.
    pub is_current: bool,
}

impl Session {
    /// The name for people to read: name, else mail address, else `sub`.
    #[must_use]
    pub fn display(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or(&self.sub)
    }
}

/// How a client holds its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// By an encrypted cookie in a browser.
    Web,
    /// By session tokens in an app.
    Mobile,
}

/// Whether a session runs, or how it came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// It runs.
    Live,
    /// Its time was over.
    Expired,
    /// The person signed out.
    SignedOut,
    /// The person ended it from another device.
    EndedByUser,
    /// The same browser signed in anew.
    Replaced,
    /// An administrator ended it.
    Revoked,
    /// The provider took the grant back.
    RefusedByProvider,
    /// The person logged out at the provider.
    LoggedOutByProvider,
    /// It ended in a way that has no code here.
    Ended,
}

impl SessionState {
    /// The state of a session that ended with this reason code.
    #[must_use]
    pub fn from_reason(code: &str) -> Self {
        match code {
            "expired" => Self::Expired,
            "signed_out" => Self::SignedOut,
            "ended_by_user" => Self::EndedByUser,
            "replaced" => Self::Replaced,
            "revoked" => Self::Revoked,
            "refused_by_provider" => Self::RefusedByProvider,
            "logged_out_by_provider" => Self::LoggedOutByProvider,
            _ => Self::Ended,
        }
    }
}

/// How a session came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ended {
    /// When.
    pub at: String,
    /// Why, as a code: `signed_out`, `revoked`, `replaced`, `refused_by_provider`, `ended_by_user`,
    /// `logged_out_by_provider`.
    pub reason_code: String,
    /// Why, in the words of whoever ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
    /// Who, for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One session with all that may be shown of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionDetail {
    /// The row of the list.
    #[serde(flatten)]
    pub session: Session,
    /// The person's claims as the provider gave them, by name.
    pub claims: Vec<Claim>,
    /// Roles found in the claims.
    pub roles: Vec<String>,
    /// When the person last proved who they are at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<String>,
    /// Authentication context class reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// What may be told of its tokens; absent when they are forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_set: Option<TokenFacts>,
    /// What happened to it, newest first.
    pub events: Vec<Event>,
}

/// One claim, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its value: a string as it is, anything else as JSON.
    pub value: String,
}

/// Facts about a session's tokens, never a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenFacts {
    /// 1 after login, one more with each refresh.
    pub generation: u64,
    /// Scopes that the provider granted.
    pub scopes: Vec<String>,
    /// When the access token expires, where the provider said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_expires_at: Option<String>,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// When this generation came.
    pub refreshed_at: String,
    /// Whether a refresh was begun and its outcome is not known.
    pub in_doubt: bool,
}

/// A value that a query parameter does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCode {
    /// The values that it takes.
    pub allowed: &'static [&'static str],
}

impl std::fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "allowed: {}", self.allowed.join(", "))
    }
}

impl std::error::Error for UnknownCode {}

/// Which sessions a list shows: `state=`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StateFilter {
    /// Those that run.
    #[default]
    Live,
    /// Those that ended or expired.
    Ended,
    /// All.
    All,
}

impl StateFilter {
    /// The value on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ended => "ended",
            Self::All => "all",
        }
    }
}

impl FromStr for StateFilter {
    type Err = UnknownCode;

    fn from_str(code: &str) -> Result<Self, UnknownCode> {
        match code {
            "live" => Ok(Self::Live),
            "ended" => Ok(Self::Ended),
            "all" => Ok(Self::All),
            _ => Err(UnknownCode { allowed: &["live", "ended", "all"] }),
        }
    }
}

/// The order of a list of sessions: `sort=`. Newest first; a list grows at its top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// By last use.
    #[default]
    LastSeen,
    /// By sign-in.
    Created,
}

impl Sort {
    /// The value on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LastSeen => "-last_seen",
            Self::Created => "-created",
        }
    }
}

impl FromStr for Sort {
    type Err = UnknownCode;

    fn from_str(code: &str) -> Result<Self, UnknownCode> {
        match code {
            "-last_seen" => Ok(Self::LastSeen),
            "-created" => Ok(Self::Created),
            _ => Err(UnknownCode { allowed: &["-last_seen", "-created"] }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back() {
        for filter in [StateFilter::Live, StateFilter::Ended, StateFilter::All] {
            assert_eq!(filter.code().parse(), Ok(filter));
        }
        for sort in [Sort::LastSeen, Sort::Created] {
            assert_eq!(sort.code().parse(), Ok(sort));
        }
        assert!("Live".parse::<StateFilter>().is_err());
        assert!("last_seen".parse::<Sort>().is_err());
    }

    #[test]
    fn reason_codes_become_states() {
        for (code, state) in [
            ("signed_out", SessionState::SignedOut),
            ("revoked", SessionState::Revoked),
            ("replaced", SessionState::Replaced),
            ("refused_by_provider", SessionState::RefusedByProvider),
            ("logged_out_by_provider", SessionState::LoggedOutByProvider),
            ("ended_by_user", SessionState::EndedByUser),
            ("something_new", SessionState::Ended),
        ] {
            assert_eq!(SessionState::from_reason(code), state);
        }
    }

    #[test]
    fn a_detail_is_a_row_with_more() {
        let json = r#"{"id":"s1","sub":"u","issuer":"https://id","client_id":"app","client_name":"App","kind":"web",
            "provider_id":"main","tenant":"","created_at":"t","last_seen_at":"t","idle_expires_at":"t",
            "expires_at":"t","state":"live","is_current":false,"claims":[],"roles":[],"amr":[],"events":[]}"#;
        let detail: SessionDetail = serde_json::from_str(json).unwrap();
        assert_eq!(detail.session.id, "s1");
        let back = serde_json::to_value(&detail).unwrap();
        assert_eq!(back["client_id"], "app", "the row's members are not nested");
        assert!(back.get("token_set").is_none());
    }
}
