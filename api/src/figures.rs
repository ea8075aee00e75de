//! What happens by the minute.

use serde::{Deserialize, Serialize};

/// Figures of a range, the same on every node. Each list has one number a step, the oldest first; the last step is
/// still going on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figures {
    /// Sessions that are live now: all, the client's, or the provider's; absent where both are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_sessions: Option<u64>,
    /// The first moment of the first step (RFC 3339, UTC).
    pub from: String,
    /// Seconds of a step: 60 for an hour's range, 900 for a day's, 3600 for a week's.
    pub step_secs: u64,
    /// Logins that started a session.
    pub logins: Vec<u64>,
    /// Logins that were refused after the provider's answer.
    pub login_failures: Vec<u64>,
    /// Token sets that a provider renewed.
    pub refreshes: Vec<u64>,
    /// Token sets that a provider did not renew when asked.
    pub refresh_failures: Vec<u64>,
    /// Sessions that administrators ended.
    pub revocations: Vec<u64>,
    /// The moment these were read. What happened within the last five seconds may be missing.
    pub as_of: String,
}
