//! Checking an access token, as an API does (RFC 9068, 4).

use http::{HeaderMap, header};
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::key::validation;
use crate::sources::Sources;

/// Media type of JWT access tokens (RFC 9068, 2.1).
pub(super) const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// What a valid access token says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct AccessToken {
    /// The person.
    pub sub: String,
    /// The client the token was issued to.
    pub client_id: String,
    /// How surely the person signed in (RFC 9068, 2.2.1).
    pub acr: Option<String>,
    /// Granted scopes, separated by spaces.
    pub scope: String,
    /// Another one for each token: a new value shows a refresh.
    pub jti: String,
    /// Issued at, in seconds since the Unix epoch.
    pub iat: u64,
    /// Ends at, in seconds since the Unix epoch.
    pub exp: u64,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccessTokenError {
    /// There is no bearer token at all.
    #[error("no bearer token arrived")]
    Missing,
    /// Not a JWT of ours: form, type, signature, issuer, audience or claims.
    #[error("the token is not one of this issuer's for this API")]
    Foreign,
    /// It was good once.
    #[error("the token has expired")]
    Expired,
}

impl AccessTokenError {
    /// The value of `WWW-Authenticate`: no error code where no token was sent (RFC 6750, 3.1).
    #[must_use]
    pub fn challenge(self) -> &'static str {
        match self {
            Self::Missing => "Bearer",
            Self::Foreign => "Bearer error=\"invalid_token\", error_description=\"not a token for this API\"",
            Self::Expired => "Bearer error=\"invalid_token\", error_description=\"the token has expired\"",
        }
    }
}

/// Verifies access tokens with the provider's public key. Asks nobody.
#[derive(Clone)]
pub struct AccessTokens {
    key: DecodingKey,
    issuer: String,
    audience: String,
    sources: Sources,
}

impl AccessTokens {
    pub(super) fn new(key: DecodingKey, issuer: String, audience: String, sources: Sources) -> Self {
        Self { key, issuer, audience, sources }
    }

    /// Checks type, signature, issuer, audience and expiry.
    ///
    /// # Errors
    /// [`AccessTokenError::Foreign`] or [`AccessTokenError::Expired`].
    pub fn verify(&self, token: &str) -> Result<AccessToken, AccessTokenError> {
        let rules = validation(&self.issuer, &self.audience);
        let data =
            jsonwebtoken::decode::<AccessToken>(token, &self.key, &rules).map_err(|_| AccessTokenError::Foreign)?;
        // An ID token is signed by the same key; its type keeps it out (RFC 9068, 5).
        if data.header.typ.as_deref() != Some(ACCESS_TOKEN_TYPE) {
            return Err(AccessTokenError::Foreign);
        }
        if data.claims.exp <= self.sources.now_secs() {
            return Err(AccessTokenError::Expired);
        }
        Ok(data.claims)
    }

    /// Checks the token of the `Authorization` header.
    ///
    /// # Errors
    /// Any [`AccessTokenError`].
    pub fn verify_bearer(&self, headers: &HeaderMap) -> Result<AccessToken, AccessTokenError> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(AccessTokenError::Missing)?;
        self.verify(token)
    }

    /// Whole seconds until `token` ends.
    #[must_use]
    pub fn expires_in_secs(&self, token: &AccessToken) -> u64 {
        token.exp.saturating_sub(self.sources.now_secs())
    }
}
