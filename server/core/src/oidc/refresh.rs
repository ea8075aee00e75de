//! Refreshing at the provider: one request, never repeated here, and an answer that says what surely happened (T7).

use std::time::Duration;

use oauth2::RefreshToken;
use serde_json::{Map, Value};

use super::answer::{NoTokens, Tokens, token_client};
use super::id_token::Expected;
use super::{LoginError, Provider, ProviderError, Registration, TokenKind, UserinfoFault};
use crate::clock::UnixMs;
use crate::http::HttpError;
use crate::session::record::Token;

/// How long a refresh waits for the userinfo endpoint.
const USERINFO_WAIT: Duration = Duration::from_secs(5);

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
    /// The userinfo endpoint's claims anew, where it was asked and answered.
    pub userinfo: Option<Map<String, Value>>,
}

/// The token whose revocation ends the most of what came and is not taken.
#[derive(Clone, Debug)]
pub struct Unadopted {
    /// The token.
    pub token: Token,
    /// Which it is.
    pub kind: TokenKind,
}

impl Unadopted {
    pub(super) fn of(access: Token, refresh: Option<Token>) -> Self {
        match refresh {
            Some(token) => Self { token, kind: TokenKind::Refresh },
            None => Self { token: access, kind: TokenKind::Access },
        }
    }
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
    #[error("the provider's answer is not usable: {what}")]
    BadAnswer {
        /// Why not.
        what: String,
        /// What came with it, to be revoked.
        unadopted: Option<Unadopted>,
    },
    /// The answer is about somebody else (S6).
    #[error("the provider's answer names another person")]
    OtherIdentity {
        /// What came with it, to be revoked.
        unadopted: Unadopted,
    },
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
        let mut request = client.exchange_refresh_token(&token);
        for (name, value) in self.assertion(registration, &known).map_err(RefreshFailure::NotSent)? {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&call).await;
        let received_at = self.clock.now();
        let answer = answer.map_err(|error| failure(NoTokens::because(error, call.answered())))?;
        let tokens = Tokens::read(&answer, received_at).map_err(|what| bad_answer(what, None))?;
        let everything = || Unadopted::of(tokens.access_token.clone(), tokens.refresh_token.clone());
        let claims = match self.claims_anew(registration, &tokens, identity).await {
            Ok(claims) => claims,
            Err(NotTheSame::OtherIdentity) => {
                return Err(RefreshFailure::OtherIdentity { unadopted: everything() });
            }
            Err(NotTheSame::Unusable(what)) => {
                // A provider that does not rotate may send the old token again: that one is still the session's.
                let new = tokens.refresh_token.filter(|new| new.reveal() != refresh_token.reveal());
                return Err(bad_answer(what, Some(Unadopted::of(tokens.access_token, new))));
            }
        };
        let Ok(userinfo) = self.userinfo_anew(registration, &tokens.access_token, identity).await else {
            return Err(RefreshFailure::OtherIdentity { unadopted: everything() });
        };
        Ok(Refreshed {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            scopes: tokens.scopes,
            access_expires_at: tokens.access_expires_at,
            claims,
            userinfo,
        })
    }

    /// The claims of the answer's ID token, which must be about the same person for the same client (S6).
    async fn claims_anew(
        &self,
        registration: &Registration,
        tokens: &Tokens,
        identity: &RefreshIdentity<'_>,
    ) -> Result<Option<Map<String, Value>>, NotTheSame> {
        let Some(id_token) = &tokens.id_token else { return Ok(None) };
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
            return Err(NotTheSame::OtherIdentity);
        }
        Ok(Some(verified.claims))
    }

    /// The userinfo endpoint's claims, soon or not at all: the new tokens wait to be kept. An endpoint that is away
    /// takes nothing from the session; one that speaks of somebody else ends it (L6).
    async fn userinfo_anew(
        &self,
        registration: &Registration,
        access_token: &Token,
        identity: &RefreshIdentity<'_>,
    ) -> Result<Option<Map<String, Value>>, NotTheSame> {
        if !registration.userinfo {
            return Ok(None);
        }
        let asked = self.userinfo(registration, access_token, identity.sub);
        match tokio::time::timeout(USERINFO_WAIT, asked).await {
            Ok(Ok(claims)) => Ok(Some(claims)),
            Ok(Err(LoginError::Userinfo(UserinfoFault::OtherPerson))) => Err(NotTheSame::OtherIdentity),
            Ok(Err(error)) => {
                tracing::warn!(provider = self.id(), %error, "userinfo is not read anew");
                Ok(None)
            }
            Err(_) => {
                tracing::warn!(provider = self.id(), "userinfo did not answer in time");
                Ok(None)
            }
        }
    }
}

/// Why an ID token of a refresh answer is not taken.
enum NotTheSame {
    OtherIdentity,
    Unusable(String),
}

fn bad_answer(what: impl Into<String>, unadopted: Option<Unadopted>) -> RefreshFailure {
    RefreshFailure::BadAnswer { what: what.into(), unadopted }
}

/// A token for another issuer or client ends the session (S6). One that merely cannot be verified, because the keys
/// cannot be fetched just now, say, proves nothing of the kind.
fn not_the_same(error: LoginError) -> NotTheSame {
    match error {
        LoginError::IdToken(fault) if fault.is_of_another_identity() => {
            tracing::warn!(%fault, "the ID token of a refresh answer is refused");
            NotTheSame::OtherIdentity
        }
        other => NotTheSame::Unusable(other.to_string()),
    }
}

fn failure(why: NoTokens) -> RefreshFailure {
    match why {
        NoTokens::NotSent(error) => RefreshFailure::NotSent(ProviderError::Http(error)),
        NoTokens::InDoubt(error) => RefreshFailure::InDoubt(error),
        NoTokens::Unavailable(answered) => RefreshFailure::Unavailable { retry_after_secs: answered.retry_after_secs },
        NoTokens::Refused(error) => RefreshFailure::Refused { error },
        NoTokens::Bad(what) => bad_answer(what, None),
    }
}
