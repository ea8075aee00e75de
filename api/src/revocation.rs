//! Ending many sessions: previewed, decided, carried out as a job, reported.

use serde::{Deserialize, Serialize};

use crate::{Named, ReasonError, Session, checked_reason};

/// Which sessions: those that meet all that is set. With nothing set, `all` must be `true`; a filter that was misspelt
/// never means every session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RevocationFilter {
    /// Every session that you may see.
    pub all: bool,
    /// Only this person's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRef>,
    /// Only this client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Only those signed in by this provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only those that were started from this session at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_session: Option<UpstreamSession>,
    /// Only those whose sign-in came from this address or network, such as `192.0.2.0/24`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Only those whose user agent contains this, letters in either case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Only those started at this moment or later (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_from: Option<String>,
    /// Only those started before this moment (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_before: Option<String>,
    /// Only these, by their ids: at most 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Vec<String>>,
}

/// A person: who they are is said by the provider's issuer and their id there, together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UserRef {
    /// The provider's issuer.
    pub issuer: String,
    /// The person's id there.
    pub sub: String,
}

/// A session at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpstreamSession {
    /// The provider's issuer.
    pub issuer: String,
    /// Its session's id there (`sid`).
    pub sid: String,
}

/// What is asked of a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewRevocation {
    /// Which sessions.
    pub filter: RevocationFilter,
    /// End the session that asks too, where the filter covers it. Left out unless asked for.
    #[serde(default)]
    pub include_own: bool,
}

/// What a revocation would end, and what it takes to do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevocationPreview {
    /// Stands for this preview in the request that decides; good for ten minutes, for you alone, once.
    pub token: String,
    /// Live sessions that would end.
    pub count: u64,
    /// The same by client, the largest first.
    pub by_client: Vec<Named>,
    /// The newest of them.
    pub sample: Vec<Session>,
    /// What becomes of the session that asks.
    pub own_session: OwnSession,
    /// Whether it is about more than one person or named sessions: then it takes an owner who signed in lately, and the
    /// words in `confirm_with`.
    pub mass: bool,
    /// To be typed, and sent as `confirm`. Absent where nothing has to be typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_with: Option<String>,
    /// What to think of before deciding, in sentences.
    pub warnings: Vec<String>,
    /// When the token is worth nothing any more (RFC 3339, UTC).
    pub expires_at: String,
    /// The moment that was looked at.
    pub as_of: String,
}

/// What becomes of the session that asks for a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OwnSession {
    /// The filter does not cover it.
    NotCovered,
    /// The filter covers it; it is left out.
    Spared,
    /// It ends too.
    Included,
}

/// What an administrator sends to decide what a preview showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DecideRevocation {
    /// The preview's token. Sent twice, it is done once, and answered alike.
    pub token: String,
    /// Why, for the audit log and for those whose sessions end: 1 to 500 characters.
    pub reason: String,
    /// The preview's `confirm_with`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

impl DecideRevocation {
    /// The reason without surrounding space, if it is one.
    ///
    /// # Errors
    /// [`ReasonError`] when nothing or too much was written.
    pub fn checked_reason(&self) -> Result<&str, ReasonError> {
        checked_reason(&self.reason)
    }
}

/// A revocation: from `decided_at` on, every session that its filter covers is over, and no login that had begun before
/// starts one. While `state` is `running`, rows of lists are still being ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevocationReport {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub state: RevocationState,
    /// Which sessions.
    pub filter: RevocationFilter,
    /// The session that was left out: that of who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared_session: Option<String>,
    /// Why.
    pub reason: String,
    /// Who decided, for people to read.
    pub by: String,
    /// When it was decided, and took effect on this node (RFC 3339, UTC).
    pub decided_at: String,
    /// When every row was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// How many sessions the preview showed.
    pub expected: u64,
    /// How many have been ended.
    pub ended: u64,
    /// What became of their tokens at their providers.
    pub provider: ProviderProgress,
    /// Sessions whose provider could not be told, at most 100.
    pub failures: Vec<ProviderFailure>,
    /// Until when an access token of theirs may still be accepted by an upstream that asks nobody back, as far as was
    /// seen. Absent when none was seen, or none has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_tokens_until: Option<String>,
    /// The moment this was read.
    pub as_of: String,
}

/// How far a revocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RevocationState {
    /// Rows are still being ended.
    Running,
    /// Every row is ended. Providers may still be told.
    Finished,
}

/// What became of the tokens of a revocation's sessions at their providers (RFC 7009), by session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderProgress {
    /// Still to be told, or to be told again.
    pub queued: u64,
    /// Confirmed.
    pub done: u64,
    /// Given up after a day of tries; see `failures`.
    pub failed: u64,
    /// Of providers without a revocation endpoint.
    pub not_supported: u64,
}

/// A session whose provider could not be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderFailure {
    /// The session.
    pub session_id: String,
    /// Why.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_a_misspelt_filter_is_refused_and_an_empty_one_is_not_all() {
        assert!(serde_json::from_str::<RevocationFilter>(r#"{"clinet":"app"}"#).is_err());
        let empty: RevocationFilter = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, RevocationFilter::default());
        assert!(!empty.all);
        assert_eq!(serde_json::to_string(&empty).unwrap(), r#"{"all":false}"#);
    }
}
