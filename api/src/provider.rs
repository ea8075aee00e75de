//! Identity providers.

use serde::{Deserialize, Serialize};

/// One provider: what is configured, and what is known of it at run time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Provider {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// The registrations there.
    pub registrations: Vec<Registration>,
    /// Live sessions whose people signed in there.
    pub live_sessions: u64,
    /// When this node last read its discovery document (RFC 3339, UTC); absent before the first sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovered_at: Option<String>,
    /// Why the document or the keys could not be read, if nothing was read since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<ProviderTrouble>,
}

/// A registration at a provider. Its secret is never read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Registration {
    /// Its id in the configuration.
    pub id: String,
    /// `client_id` at the provider.
    pub client_id: String,
    /// How it proves who it is: `client_secret_basic`, `client_secret_post` or `private_key_jwt`.
    pub auth: String,
    /// Scopes that are asked for.
    pub scopes: Vec<String>,
}

/// What went wrong at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderTrouble {
    /// When (RFC 3339, UTC).
    pub at: String,
    /// What.
    pub what: String,
}
