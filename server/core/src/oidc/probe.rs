//! Asking a provider before anybody signs in: does it answer, what does it promise, does it know this client.

use super::{LoginError, Provider, ProviderError, Redeem};
use crate::session::record::Token;

/// What a provider says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promises {
    /// Published keys.
    pub keys: usize,
    /// Whether its answers say whose they are (RFC 9207).
    pub iss: bool,
    /// Whether it names S256 (RFC 7636); `None`: it names no method.
    pub pkce: Option<bool>,
    /// What it does not offer.
    pub lacks: Vec<Lack>,
    /// Scopes that it names; `None`: it names none.
    pub scopes: Option<Vec<String>>,
}

/// What a provider may do without, and people then notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A logout for browsers (OIDC RP-Initiated Logout 1.0).
    Logout,
    /// Taking tokens back (RFC 7009).
    Revocation,
    /// Telling of logouts (OIDC Back-Channel Logout 1.0).
    BackChannel,
}

/// What a token endpoint says to a client that shows a code which nobody gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knows {
    /// It refused the code: so it knew the client and its proof.
    Client,
    /// It refused the client.
    NotClient(String),
    /// It said something else.
    Unclear(String),
}

impl Provider {
    /// What its document and its keys say, read now. `None` for one that publishes no document.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn promises(&self) -> Result<Option<Promises>, ProviderError> {
        let known = self.known().await?;
        if self.settings.plain.is_some() {
            return Ok(None);
        }
        let metadata = &known.metadata;
        let more = metadata.additional_metadata();
        let offers = [
            (Lack::Logout, more.end_session_endpoint.is_some()),
            (Lack::Revocation, more.revocation_endpoint.is_some()),
            (Lack::BackChannel, more.backchannel_logout_supported),
        ];
        let lacks = offers.into_iter().filter(|(_, there)| !there).map(|(lack, _)| lack).collect();
        Ok(Some(Promises {
            keys: metadata.jwks().keys().len(),
            iss: more.authorization_response_iss_parameter_supported,
            pkce: more.code_challenge_methods_supported.as_ref().map(|all| all.iter().any(|one| one == "S256")),
            lacks,
            scopes: metadata.scopes_supported().map(|all| all.iter().map(|scope| scope.to_string()).collect()),
        }))
    }

    /// Whether the token endpoint knows a registration. Nothing is given: the code is one that nobody gave.
    ///
    /// # Errors
    /// [`ProviderError`] where there is no answer.
    pub async fn knows(&self, registration: &str, redirect_uri: &str) -> Result<Knows, ProviderError> {
        let text = self.random.token();
        let verifier = Token::parse(text.as_str()).map_err(|error| ProviderError::Request(error.to_string()))?;
        let redeem = Redeem {
            registration,
            code: &text,
            redirect_uri,
            pkce_verifier: &verifier,
            nonce: &text,
            max_age_secs: None,
            acr_values: None,
        };
        match self.redeem(redeem).await {
            Err(LoginError::Provider(error)) => Err(error),
            Err(LoginError::CodeRefused(code)) => Ok(match code.as_str() {
                "invalid_grant" | "bad_verification_code" => Knows::Client,
                "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => Knows::NotClient(code),
                _ => Knows::Unclear(code),
            }),
            Err(error) => Ok(Knows::Unclear(error.to_string())),
            Ok(_) => Ok(Knows::Unclear("it took a code that nobody gave".to_owned())),
        }
    }
}
