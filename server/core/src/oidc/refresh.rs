//! Refreshing at the provider: one request, never repeated here, and an answer that says what surely happened (T7).

use oauth2::RefreshToken;
use serde_json::{Map, Value};

use super::answer::{NoTokens, Tokens, token_client};
use super::id_token::Expected;
use super::{LoginError, Provider, ProviderError};
use crate::clock::UnixMs;
use crate::http::HttpError;
use crate::session::record::Token;

/// Whose tokens these are: the ID token of the answer must name the same.
#[derive(Clone, Copy, Debug)]
pub struct RefreshIdentity<'a> {
    /// Issuer at login.
    pub issuer: &'a str,
    /// Person at login.
    pub sub: &'a str,
}

/// A refreshed token set.
#[derive(Debug)]
pub struct Refreshed {
    /// The new access token.
    pub access_token: Token,
    /// The new refresh token, where the provider rotates.
    pub refresh_token: Option<Token>,
    /// The granted scopes, where the answer names them; otherwise they are as before (RFC 6749 section 6).
    pub scopes: Option<Vec<String>>,
    /// When the access token expires.
    pub access_expires_at: Option<UnixMs>,
    /// The person's claims anew, where an ID token came.
    pub claims: Option<Map<String, Value>>,
}

/// Why nothing was refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshFailure {
    /// Nothing reached the provider.
    #[error("nothing was sent: {0}")]
    NotSent(ProviderError),
    /// A complete refusal (RFC 6749 section 5.2).
    #[error("the provider refused: {error}")]
    Refused {
        /// The error code, such as `invalid_grant`.
        error: String,
    },
    /// A complete answer that the provider is not available.
    #[error("the provider is not available")]
    Unavailable {
        /// `Retry-After`, in seconds.
        retry_after_secs: Option<u64>,
    },
    /// No complete answer: the provider may have used the token up.
    #[error("no whole answer came: {0}")]
    InDoubt(HttpError),
    /// A complete answer that is not usable: the provider has likely used the token up.
    #[error("the provider's answer is not usable: {0}")]
    BadAnswer(String),
    /// The answer is about somebody else (S6).
    #[error("the provider's answer names another person")]
    OtherIdentity,
}

impl Provider {
    /// Sends one refresh request.
    ///
    /// # Errors
    /// [`RefreshFailure`], which tells a refusal from doubt.
    pub async fn refresh(
        &self,
        registration: &str,
        refresh_token: &Token,
        identity: &RefreshIdentity<'_>,
    ) -> Result<Refreshed, RefreshFailure> {
        let registration = self.registration(registration).map_err(RefreshFailure::NotSent)?;
        let known = self.known().await.map_err(RefreshFailure::NotSent)?;
        let client = token_client(registration, &known).map_err(RefreshFailure::NotSent)?;
        let token = RefreshToken::new(refresh_token.reveal().to_owned());
        let call = self.call();
        let answer = client.exchange_refresh_token(&token).request_async(&call).await;
        let received_at = self.clock.now();
        let answer = answer.map_err(|error| failure(NoTokens::because(error, call.answered())))?;
        let tokens = Tokens::read(&answer, received_at).map_err(|what| RefreshFailure::BadAnswer(what.into()))?;
        let claims = match &tokens.id_token {
            None => None,
            Some(id_token) => {
                let expected = Expected {
                    client_id: &registration.client_id,
                    nonce: None,
                    access_token: tokens.access_token.reveal(),
                    code: None,
                    max_age_secs: None,
                    acr_values: None,
                };
                let verified = self.verify_id_token(id_token, &expected).await.map_err(not_the_same)?;
                if verified.issuer != identity.issuer || verified.sub != identity.sub {
                    return Err(RefreshFailure::OtherIdentity);
                }
                Some(verified.claims)
            }
        };
        Ok(Refreshed {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            scopes: tokens.scopes,
            access_expires_at: tokens.access_expires_at,
            claims,
        })
    }
}

/// A token for another issuer or client ends the session (S6). One that merely cannot be verified, because the keys
/// cannot be fetched just now, say, proves nothing of the kind.
fn not_the_same(error: LoginError) -> RefreshFailure {
    match error {
        LoginError::IdToken(fault) if fault.is_of_another_identity() => {
            tracing::warn!(%fault, "the ID token of a refresh answer is refused");
            RefreshFailure::OtherIdentity
        }
        other => RefreshFailure::BadAnswer(other.to_string()),
    }
}

fn failure(why: NoTokens) -> RefreshFailure {
    match why {
        NoTokens::NotSent(error) => RefreshFailure::NotSent(ProviderError::Http(error)),
        NoTokens::InDoubt(error) => RefreshFailure::InDoubt(error),
        NoTokens::Unavailable(answered) => RefreshFailure::Unavailable { retry_after_secs: answered.retry_after_secs },
        NoTokens::Refused(error) => RefreshFailure::Refused { error },
        NoTokens::Bad(what) => RefreshFailure::BadAnswer(what),
    }
}
