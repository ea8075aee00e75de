//! OpenID Connect as a relying party: begin a login, redeem its code, refresh, revoke, log out.
//!
//! The `openidconnect` and `oauth2` crates carry discovery, the authorize URL, the token endpoint and the ID token's
//! signature; what they leave out (`azp`, `nbf`, leeway, duplicate claims, RFC 9207, telling a refusal from doubt) is
//! here.

mod answer;
pub mod authorize;
mod call;
pub mod claims;
pub(crate) mod client_auth;
pub mod discovery;
pub mod error;
pub mod grant;
pub mod id_token;
pub(crate) mod json;
pub mod logout;
pub mod logout_token;
pub mod plain;
pub mod probe;
pub mod redeem;
pub mod refresh;
pub(crate) mod signature;
#[cfg(test)]
mod tests;
mod userinfo;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::http::HttpClient;
use crate::policy::MailDomain;
use crate::random::Random;
use call::{Call, Timed};
use discovery::{Discovery, Known};

pub use authorize::{Begun, LoginAsk, RESERVED};
pub use claims::{ClaimMap, NotMappable};
pub use client_auth::{ClientAuth, ClientKey, NoClientKey};
pub use discovery::ProviderFacts;
pub use error::{IdTokenFault, LoginError, ProviderError, SettingsError, UserinfoFault};
pub use logout::{EndSession, Revocation, TokenKind};
pub use logout_token::{LogoutToken, LogoutTokenError, LogoutTokenFault};
pub use plain::Plain;
pub use redeem::{Redeem, VerifiedLogin};
pub use refresh::{RefreshFailure, RefreshIdentity, Refreshed, Unadopted};

/// A provider as configured.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Its id in the configuration.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Domains whose people sign in there.
    pub mail_domains: Vec<MailDomain>,
    /// Whether its answers come to an address of its own (RFC 9700 section 4.4.2.2).
    pub own_callback: bool,
    /// Its issuer, exactly as its discovery document and ID tokens name it.
    pub issuer: String,
    /// How far its clock may differ from ours, in seconds.
    pub clock_skew_secs: i64,
    /// Whether a refresh token may be sent again when an answer was lost.
    pub refresh_reuse: RefreshReuse,
    /// How long any answer of its may take, in seconds.
    pub timeout_secs: u64,
    /// Claims that apps and policies find under other names.
    pub claims: ClaimMap,
    /// Where it is asked, if it knows no OpenID Connect.
    pub plain: Option<Plain>,
    /// Whether a logout may carry the ID token through the browser as a hint (S18).
    pub id_token_hint: bool,
    /// What its logout calls the address to come back to.
    pub logout_redirect_parameter: String,
    /// How Cloakroom is registered there.
    pub registrations: Vec<Registration>,
}

/// Whether a refresh whose answer was lost may be sent again with the same token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshReuse {
    /// No: the provider would take it for theft.
    Never,
    /// Yes: the provider does not rotate.
    Always,
    /// For so many seconds after the token came.
    Grace {
        /// Seconds.
        secs: i64,
    },
}

/// One registration at a provider: a client id with its credentials.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its id in the configuration.
    pub id: String,
    /// `client_id` at the provider.
    pub client_id: String,
    /// How it proves who it is.
    pub auth: ClientAuth,
    /// Scopes that are asked for; `openid` always is.
    pub scopes: Vec<String>,
    /// Parameters added to every authorization request.
    pub extra_authorize: Vec<(String, String)>,
    /// Parameters of a login's address that are handed on.
    pub login_parameters: Vec<String>,
    /// How the browser brings the answer back.
    pub response_mode: ResponseMode,
    /// Whether claims are asked for at the userinfo endpoint too (OIDC Core section 5.3).
    pub userinfo: bool,
}

/// How the browser brings a provider's answer back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the address (OAuth 2.0 Multiple Response Types section 2.1).
    Query,
    /// In a form (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// A provider at run time. Makes no call until one is needed, so that start-up never waits for it.
pub struct Provider {
    settings: ProviderSettings,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    discovery: Discovery,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("id", &self.settings.id).finish_non_exhaustive()
    }
}

impl Provider {
    /// A provider from its settings.
    ///
    /// # Errors
    /// [`SettingsError`] when the issuer cannot be one.
    pub fn new(
        settings: ProviderSettings,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, SettingsError> {
        let discovery = match &settings.plain {
            None => Discovery::new(&settings.issuer)?,
            Some(plain) => Discovery::without(&settings.issuer, plain)?,
        };
        let http = Arc::new(Timed::new(http, Duration::from_secs(settings.timeout_secs)));
        Ok(Self { settings, http, clock, random, discovery })
    }

    /// Its id in the configuration.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.settings.id
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Domains whose people sign in there.
    #[must_use]
    pub fn mail_domains(&self) -> &[MailDomain] {
        &self.settings.mail_domains
    }

    /// Whether its answers come to an address of its own.
    #[must_use]
    pub const fn own_callback(&self) -> bool {
        self.settings.own_callback
    }

    /// Where its answers come: to the path that providers share, or to one below it.
    #[must_use]
    pub fn callback_path(&self, shared: &str) -> String {
        if self.own_callback() { format!("{shared}/{}", self.id()) } else { shared.to_owned() }
    }

    /// Its issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Claims that apps and policies find under other names.
    #[must_use]
    pub const fn claim_map(&self) -> &ClaimMap {
        &self.settings.claims
    }

    /// Whether a refresh token may be sent again in doubt.
    #[must_use]
    pub const fn refresh_reuse(&self) -> RefreshReuse {
        self.settings.refresh_reuse
    }

    /// When its discovery document was last read, and what went wrong since.
    #[must_use]
    pub fn facts(&self) -> ProviderFacts {
        self.discovery.facts()
    }

    async fn known(&self) -> Result<Arc<Known>, ProviderError> {
        self.discovery.known(&self.http, self.clock.now()).await
    }

    fn call(&self) -> Call {
        Call::new(&self.http)
    }

    /// The scopes that are asked for, each once; `openid` always is (OIDC Core section 3.1.2.1).
    fn asked_scopes(&self, registration: &Registration) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        if self.settings.plain.is_none() {
            scopes.push("openid".to_owned());
        }
        for scope in &registration.scopes {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }

    fn registration(&self, id: &str) -> Result<&Registration, ProviderError> {
        self.settings
            .registrations
            .iter()
            .find(|known| known.id == id)
            .ok_or_else(|| ProviderError::NoRegistration(id.to_owned()))
    }
}
