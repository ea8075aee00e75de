//! Redeeming a code: the only way to a [`VerifiedLogin`], and so to a session.

use std::time::Duration;

use oauth2::{AuthorizationCode, PkceCodeVerifier, RedirectUrl};
use serde_json::{Map, Value};

use super::answer::{NoTokens, Tokens, token_client};
use super::id_token::{Expected, Verified};
use super::refresh::Unadopted;
use super::{IdTokenFault, LoginError, Provider, ProviderError, Registration};
use crate::session::record::{Token, TokenSet};

/// How long a refused sign-in may keep the person waiting for the revocation of its tokens.
const REVOKE_WAIT: Duration = Duration::from_secs(3);

/// What redeeming needs: the code, and what was remembered since the login began.
pub struct Redeem<'a> {
    /// The registration that the login began with.
    pub registration: &'a str,
    /// The code from the answer.
    pub code: &'a str,
    /// As in the authorization request.
    pub redirect_uri: &'a str,
    /// As made by [`Provider::begin`].
    pub pkce_verifier: &'a Token,
    /// As made by [`Provider::begin`].
    pub nonce: &'a str,
    /// What was asked for, in seconds.
    pub max_age_secs: Option<u64>,
    /// What was asked for.
    pub acr_values: Option<&'a str>,
}

impl std::fmt::Debug for Redeem<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redeem")
    }
}

/// Proof that a provider vouched for a person, for this client and this login. Only [`Provider::redeem`] makes one.
#[derive(Debug)]
pub struct VerifiedLogin {
    verified: Verified,
    userinfo: Option<Map<String, Value>>,
    tokens: TokenSet,
}

impl VerifiedLogin {
    /// The provider's issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.verified.issuer
    }

    /// The person's id there.
    #[must_use]
    pub fn sub(&self) -> &str {
        &self.verified.sub
    }

    /// The provider's own session id.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.verified.sid.as_deref()
    }

    /// When the ID token was issued, in seconds since 1970 by the provider's clock.
    #[must_use]
    pub const fn issued_at(&self) -> i64 {
        self.verified.issued_at
    }

    /// Claims about the person; those that only serve the protocol are left out.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.verified.claims
    }

    /// Claims from the userinfo endpoint, where it was asked.
    #[must_use]
    pub const fn userinfo(&self) -> Option<&Map<String, Value>> {
        self.userinfo.as_ref()
    }

    /// When the person proved who they are, in seconds since 1970.
    #[must_use]
    pub const fn auth_time(&self) -> Option<i64> {
        self.verified.auth_time
    }

    /// How well.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.verified.acr.as_deref()
    }

    /// By what means.
    #[must_use]
    pub fn amr(&self) -> &[String] {
        &self.verified.amr
    }

    /// The tokens that came with it.
    #[must_use]
    pub const fn tokens(&self) -> &TokenSet {
        &self.tokens
    }
}

impl Provider {
    /// Checks the `iss` parameter of an answer (RFC 9207 section 2.4): if there, it must be this issuer; it must be
    /// there if the provider says that it sends one (L3). Without `iss`, only the address tells providers apart: where
    /// several `share` it, an answer that names none could be another's (RFC 9700 section 4.4).
    ///
    /// # Errors
    /// [`LoginError::OtherIssuer`], [`LoginError::NoIssuer`].
    pub async fn check_answer_issuer(&self, iss: Option<&str>, several_share: bool) -> Result<(), LoginError> {
        match iss {
            Some(iss) if iss == self.settings.issuer => Ok(()),
            Some(_) => Err(LoginError::OtherIssuer),
            None if self
                .known()
                .await?
                .metadata
                .additional_metadata()
                .authorization_response_iss_parameter_supported =>
            {
                Err(LoginError::OtherIssuer)
            }
            None if several_share => Err(LoginError::NoIssuer),
            None => Ok(()),
        }
    }

    /// Redeems a code and verifies the ID token in full. Tokens of a login that is refused all the same are revoked,
    /// as far as the provider lets them: nobody will ever use them.
    ///
    /// # Errors
    /// [`LoginError`]; no session may start then.
    pub async fn redeem(&self, redeem: Redeem<'_>) -> Result<VerifiedLogin, LoginError> {
        let tokens = self.exchange(&redeem).await?;
        match self.verify(&redeem, &tokens).await {
            Ok((verified, userinfo)) => {
                let registration = self.registration(redeem.registration)?;
                let tokens = TokenSet {
                    // One too long to be kept would be too long for a logout's address as well.
                    id_token: tokens.id_token.and_then(|text| Token::parse(text).ok()),
                    access_token: tokens.access_token,
                    refresh_token: tokens.refresh_token,
                    scopes: self.granted_scopes(registration, tokens.scopes),
                    access_expires_at: tokens.access_expires_at,
                    received_at: tokens.received_at,
                };
                Ok(VerifiedLogin { verified, userinfo, tokens })
            }
            Err(error) => {
                let unadopted = Unadopted::of(tokens.access_token, tokens.refresh_token);
                let revoked = self.revoke(redeem.registration, &unadopted.token, unadopted.kind);
                if !matches!(tokio::time::timeout(REVOKE_WAIT, revoked).await, Ok(Ok(_))) {
                    tracing::warn!(provider = self.id(), "tokens of a refused sign-in could not be revoked");
                }
                Err(error)
            }
        }
    }

    /// What was granted: what the answer says, else what was asked for. Plain providers separate scopes by commas, too.
    fn granted_scopes(&self, registration: &Registration, said: Option<Vec<String>>) -> Vec<String> {
        match said {
            None => self.asked_scopes(registration),
            Some(scopes) if self.settings.plain.is_some() => {
                scopes.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect()
            }
            Some(scopes) => scopes,
        }
    }

    async fn exchange(&self, redeem: &Redeem<'_>) -> Result<Tokens, LoginError> {
        let registration = self.registration(redeem.registration)?;
        let known = self.known().await?;
        let redirect = RedirectUrl::new(redeem.redirect_uri.to_owned())
            .map_err(|error| ProviderError::Request(format!("redirect_uri: {error}")))?;
        let client = token_client(registration, &known)?.set_redirect_uri(redirect);
        let mut request = client
            .exchange_code(AuthorizationCode::new(redeem.code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(redeem.pkce_verifier.reveal().to_owned()));
        for (name, value) in self.assertion(registration, &known)? {
            request = request.add_extra_param(name, value);
        }
        let call = self.call();
        let answer = request.request_async(&call).await;
        let received_at = self.clock.now();
        let answer = answer.map_err(|error| refused(NoTokens::because(error, call.answered())))?;
        Tokens::read(&answer, received_at).map_err(|what| LoginError::BadAnswer(what.into()))
    }

    async fn verify(
        &self,
        redeem: &Redeem<'_>,
        tokens: &Tokens,
    ) -> Result<(Verified, Option<Map<String, Value>>), LoginError> {
        if let Some(plain) = &self.settings.plain {
            return self.holder(plain, redeem, &tokens.access_token).await;
        }
        let registration = self.registration(redeem.registration)?;
        let id_token = tokens.id_token.as_deref().ok_or(IdTokenFault::Missing)?;
        let expected = Expected {
            client_id: &registration.client_id,
            nonce: Some(redeem.nonce),
            access_token: tokens.access_token.reveal(),
            code: Some(redeem.code),
            max_age_secs: redeem.max_age_secs,
            acr_values: redeem.acr_values,
        };
        let verified = self.verify_id_token(id_token, &expected).await?;
        let userinfo = if registration.userinfo {
            Some(self.userinfo(registration, &tokens.access_token, &verified.sub).await?)
        } else {
            None
        };
        Ok((verified, userinfo))
    }
}

fn refused(why: NoTokens) -> LoginError {
    match why {
        NoTokens::NotSent(error) | NoTokens::InDoubt(error) => ProviderError::Http(error).into(),
        NoTokens::Unavailable(answered) => ProviderError::Status(answered.status.as_u16()).into(),
        NoTokens::Refused(error) => LoginError::CodeRefused(error),
        NoTokens::Bad(what) => LoginError::BadAnswer(what),
    }
}
