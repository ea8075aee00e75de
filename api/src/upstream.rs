//! Upstreams: the services that routes lead to.

use serde::{Deserialize, Serialize};

/// One upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upstream {
    /// Its id.
    pub id: String,
    /// Its origin.
    pub origin: String,
    /// How long a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer's head may take, in milliseconds.
    pub response_timeout_ms: u64,
    /// How long an answer may pause, in milliseconds.
    pub idle_timeout_ms: u64,
    /// Routes that lead there.
    pub routes: u64,
}
