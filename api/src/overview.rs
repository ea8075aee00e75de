//! The overview's figures.

use serde::{Deserialize, Serialize};

use crate::Event;

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    /// Sessions that are live now.
    pub live_sessions: u64,
    /// Live sessions by client, the largest first.
    pub by_client: Vec<Named>,
    /// Live sessions by provider, the largest first.
    pub by_provider: Vec<Named>,
    /// What happened over the last 24 hours.
    pub last_24_hours: Totals,
    /// The latest audit events, newest first.
    pub latest_events: Vec<Event>,
    /// The moment these figures were read (RFC 3339, UTC).
    pub as_of: String,
}

/// A number of something that has an id and a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Named {
    /// Id, as filters take it.
    pub id: String,
    /// Name for people to read.
    pub name: String,
    /// How many.
    pub n: u64,
}

/// Totals of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Totals {
    /// Logins that started a session.
    pub sign_ins: u64,
    /// Sessions that ended otherwise than by an administrator: signed out, replaced, refused by the provider.
    pub sign_outs: u64,
    /// Sessions ended by an administrator.
    pub revocations: u64,
}
