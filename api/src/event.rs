//! What happened, as the console shows it.

use serde::{Deserialize, Serialize};

/// One audit event, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// When (RFC 3339, UTC).
    pub at: String,
    /// The event's kind in the audit log, such as `session.started`.
    pub kind: String,
    /// One sentence for people.
    pub text: String,
    /// Who did it: a person's name, mail address or `sub`. Absent when the gateway itself did, or when the person
    /// was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The session it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}
