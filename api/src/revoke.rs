//! Ending a session.

use serde::{Deserialize, Serialize};

/// The longest reason, in characters.
pub const REASON_MAX_CHARS: usize = 500;

/// What an administrator sends to end a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Why, for the audit log: 1 to 500 characters.
    pub reason: String,
}

impl Revoke {
    /// The reason without surrounding space, if it is one.
    ///
    /// # Errors
    /// [`ReasonError`] when nothing or too much was written.
    pub fn checked_reason(&self) -> Result<&str, ReasonError> {
        checked_reason(&self.reason)
    }
}

/// A reason without surrounding space, if it is one.
///
/// # Errors
/// [`ReasonError`] when nothing or too much was written.
pub fn checked_reason(reason: &str) -> Result<&str, ReasonError> {
    let reason = reason.trim();
    match reason.chars().count() {
        0 => Err(ReasonError::Empty),
        1..=REASON_MAX_CHARS => Ok(reason),
        chars => Err(ReasonError::TooLong { chars }),
    }
}

/// Why a reason is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonError {
    /// Nothing was written.
    Empty,
    /// More than [`REASON_MAX_CHARS`].
    TooLong {
        /// How much was written.
        chars: usize,
    },
}

impl std::fmt::Display for ReasonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Write a reason: it goes into the audit log."),
            Self::TooLong { chars } => {
                write!(f, "Shorten the reason: it has {chars} characters, {REASON_MAX_CHARS} are allowed.")
            }
        }
    }
}

impl std::error::Error for ReasonError {}

/// What ending a session did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revoked {
    /// The session's public id.
    pub id: String,
    /// Whether it had ended before: then nothing was changed, and `ended_at` tells when.
    pub already_ended: bool,
    /// When it ended (RFC 3339, UTC).
    pub ended_at: String,
    /// What became of the refresh token at the provider.
    pub provider: ProviderRevocation,
    /// Seconds for which an access token that was handed to an upstream before may still be accepted there. Absent
    /// when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_left_secs: Option<u64>,
}

/// What became of a refresh token at its provider (RFC 7009).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProviderRevocation {
    /// The provider will be told.
    Queued,
    /// The provider confirmed.
    Done,
    /// The provider could not be told, or refused.
    Failed,
    /// The provider has no revocation endpoint, or the session had no refresh token.
    NotSupported,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_needs_words_and_has_a_limit() {
        let check = |reason: &str| Revoke { reason: reason.to_owned() }.checked_reason().map(str::to_owned);
        assert_eq!(check(" lost laptop \n"), Ok("lost laptop".to_owned()));
        assert_eq!(check(" \t\n"), Err(ReasonError::Empty));
        assert_eq!(check(&"é".repeat(500)), Ok("é".repeat(500)));
        assert_eq!(check(&"é".repeat(501)), Err(ReasonError::TooLong { chars: 501 }));
    }

    #[test]
    fn an_unknown_member_is_refused() {
        assert!(serde_json::from_str::<Revoke>(r#"{"reason":"x","all":true}"#).is_err());
    }
}
