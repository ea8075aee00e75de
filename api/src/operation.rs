//! The gateway itself: its keys, nodes and configuration. For administrators of every tenant.

use serde::{Deserialize, Serialize};

/// One key of the ring that seals cookies and stored values. Never the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RingKey {
    /// Its id.
    pub id: String,
    /// Since when it seals, or sealed (RFC 3339, UTC).
    pub since: String,
    /// Whether it seals now.
    pub active: bool,
    /// Sessions, live or over, that are sealed under it.
    pub sessions: u64,
    /// Persons' audit keys that are sealed under it.
    pub audit_keys: u64,
    /// Live sessions that burning it would end.
    pub live_of_its_time: u64,
    /// Those of them that were not seen since it was replaced: their cookies are still under it.
    pub not_seen_since: u64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Node {
    /// Its host's name.
    pub host: String,
    /// Its version.
    pub version: String,
    /// When it started (RFC 3339, UTC).
    pub started_at: String,
    /// Threads that serve clients.
    pub workers: u64,
    /// Sessions in its memory.
    pub cached_sessions: u64,
    /// Whether the store takes writes.
    pub store_ready: bool,
}

/// The configuration that this node runs with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Configuration {
    /// The file.
    pub file: String,
    /// Its text as it was read, with `***` for whatever may be a secret.
    pub text: String,
    /// Variables of the environment that override it, by name.
    pub overrides: Vec<String>,
}
