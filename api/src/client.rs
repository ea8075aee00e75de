//! Clients: the apps that sign people in here.

use serde::{Deserialize, Serialize};

use crate::Kind;

/// One client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// A browser's app or a mobile app.
    pub kind: Kind,
    /// Tenant label.
    pub tenant: String,
    /// Where it is kept.
    pub source: Source,
    /// The providers' registrations that it signs in with: `PROVIDER.REGISTRATION`.
    pub registrations: Vec<String>,
    /// The origins where it lives, or whose APIs it may call.
    pub origins: Vec<String>,
    /// Where its browser endpoints are, under each of its origins: a web client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
    /// The origin where its `/oauth` endpoints are: a mobile client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Seconds after which an unused session ends.
    pub idle_secs: u64,
    /// Seconds after which a session ends in any case.
    pub absolute_secs: u64,
    /// Other origins whose pages may call with the session.
    pub trusted_origins: Vec<String>,
    /// Addresses beside its own paths where a sign-in may lead.
    pub return_urls: Vec<String>,
    /// A mobile app's redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Its live sessions: what disabling it would end.
    pub live_sessions: u64,
}

/// Where something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In the configuration file: it is changed there alone.
    File,
}
