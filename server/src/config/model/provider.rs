//! Providers and their registrations.

use std::collections::BTreeMap;

use cloakroom_core::oidc::{ClaimMap, ClientAuth, Plain, RefreshReuse, ResponseMode};
use cloakroom_core::policy::MailDomain;

use crate::outbound::Egress;

/// `[providers.ID]`
#[derive(Debug)]
pub struct Provider {
    /// Its issuer, exactly.
    pub issuer: String,
    /// Its name for people.
    pub name: String,
    /// Domains whose people sign in there.
    pub mail_domains: Vec<MailDomain>,
    /// Whether its answers come to an address of its own.
    pub own_callback: bool,
    /// How far its clock may be off, in seconds.
    pub clock_skew_secs: i64,
    /// Whether a refresh may be sent again in doubt.
    pub refresh_reuse: RefreshReuse,
    /// How long an answer of its may take, in seconds.
    pub timeout_secs: u64,
    /// Claims under other names.
    pub claims: ClaimMap,
    /// Where it is asked, if it knows no OpenID Connect.
    pub plain: Option<Plain>,
    /// Whether a logout may carry the ID token through the browser.
    pub id_token_hint: bool,
    /// What its logout calls the address to come back to.
    pub logout_redirect_parameter: String,
    /// How calls to it leave this machine.
    pub egress: Egress,
    /// `[providers.ID.registrations.ID]`
    pub registrations: BTreeMap<String, Registration>,
}

/// `[providers.ID.registrations.ID]`
#[derive(Debug)]
pub struct Registration {
    /// `client_id` at the provider.
    pub client_id: String,
    /// How Cloakroom proves who it is: with a secret or a key.
    pub client_auth: ClientAuth,
    /// Scopes that are asked for.
    pub scopes: Vec<String>,
    /// Parameters of every authorization request.
    pub extra_authorize: Vec<(String, String)>,
    /// Parameters of a login's address that are handed on.
    pub login_parameters: Vec<String>,
    /// How the browser brings the answer back.
    pub response_mode: ResponseMode,
    /// Whether the userinfo endpoint is asked for claims.
    pub userinfo: bool,
}

/// A provider's registration, as clients name it: `provider.registration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationId {
    /// The provider.
    pub provider: String,
    /// The registration.
    pub registration: String,
}
