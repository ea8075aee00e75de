//! The demo `OpenID` provider: authorization code flow with PKCE, rotating refresh tokens, logout.
//! Everything it knows is in memory and gone when it stops.
//!
//! One endpoint a file: [`discovery`], [`authorize`], [`login`], [`token`], [`userinfo`],
//! [`revoke`], [`logout`], [`home`].

mod access_token;
mod answer;
mod authorize;
mod backchannel;
mod claims;
mod client_auth;
mod code_grant;
mod config;
mod cookies;
mod discovery;
mod expiring;
mod hint;
mod home;
mod interaction;
mod key;
mod login;
mod logout;
mod oauth_error;
mod page;
mod params;
mod refresh_grant;
mod revoke;
mod sso;
mod state;
mod token;
mod token_set;
mod userinfo;

#[cfg(test)]
pub(crate) mod browser;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::map_response,
    response::Response,
    routing::{get, post},
};
use http::{HeaderValue, header};
use parking_lot::Mutex;
use thiserror::Error;

pub use self::{
    access_token::{AccessToken, AccessTokenError, AccessTokens},
    backchannel::LogoutNotice,
    config::{ProviderConfig, RegisteredClient, User},
};
use self::{backchannel::LogoutSender, key::SigningKey, page::Pages, state::State};
use crate::sources::Sources;

/// More than any request of the protocol needs (the largest carries an ID token as a hint).
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// The provider could not be set up.
#[derive(Debug, Error)]
pub enum ProviderError {
    /// No signing key could be made.
    #[error("no ES256 key could be generated")]
    Key,
    /// The issuer has a path, a query or a fragment.
    #[error("the issuer must be an origin, such as http://idp.localhost:8081, but is {0}")]
    Issuer(String),
    /// A page template does not parse.
    #[error("a page of the demo provider is broken")]
    Page(#[from] minijinja::Error),
}

/// The provider: what it was told, its key, and what it has handed out.
pub struct Provider {
    config: ProviderConfig,
    issuer: String,
    key: SigningKey,
    pages: Pages,
    sources: Sources,
    state: Mutex<State>,
    send_logout: Option<LogoutSender>,
}

impl Provider {
    /// A provider with a fresh ES256 key.
    ///
    /// # Errors
    /// See [`ProviderError`].
    pub fn new(config: ProviderConfig, sources: Sources) -> Result<Self, ProviderError> {
        let issuer = config.issuer.origin().ascii_serialization();
        if config.issuer.as_str().trim_end_matches('/') != issuer {
            return Err(ProviderError::Issuer(config.issuer.to_string()));
        }
        Ok(Self {
            key: SigningKey::generate(sources.id()).ok_or(ProviderError::Key)?,
            pages: Pages::new()?,
            state: Mutex::default(),
            send_logout: None,
            issuer,
            config,
            sources,
        })
    }

    /// Calls `send` for each client that must hear of a logout (`OpenID` Connect Back-Channel Logout
    /// 1.0). `send` must not block: it hands the notice to a task of the caller's.
    #[must_use]
    pub fn with_logout_sender(mut self, send: impl Fn(LogoutNotice) + Send + Sync + 'static) -> Self {
        self.send_logout = Some(Box::new(send));
        self
    }

    /// The issuer identifier, without a trailing slash.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the sample API needs to verify access tokens by itself.
    #[must_use]
    pub fn access_tokens(&self) -> AccessTokens {
        AccessTokens::new(
            self.key.verifying_key(),
            self.issuer.clone(),
            self.config.audience.clone(),
            self.sources.clone(),
        )
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}

/// All endpoints of the provider.
pub fn router(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/", get(home::home))
        .route("/.well-known/openid-configuration", get(discovery::metadata))
        .route("/jwks", get(discovery::jwks))
        .route("/authorize", get(authorize::authorize).post(authorize::authorize))
        .route("/login", get(login::show).post(login::submit))
        .route("/token", post(token::token))
        .route("/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
        .route("/revoke", post(revoke::revoke))
        .route("/logout", get(logout::logout).post(logout::logout))
        .route("/logout/confirm", post(logout::confirm))
        .route("/static/{file}", get(page::asset))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(map_response(harden))
        .with_state(provider)
}

/// Headers that every answer carries. An endpoint that allows storing says so itself.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // The origin alone: a URL here may hold a hint, and no other site needs to see it.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}
