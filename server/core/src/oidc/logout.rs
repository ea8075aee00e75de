//! The end at the provider: revocation (RFC 7009) and RP-initiated logout (OIDC RP-Initiated Logout 1.0).

use super::{Provider, ProviderError};
use crate::session::record::Token;

/// Browsers and servers take URLs of this length everywhere; with a longer `id_token_hint` the logout would fail.
const URL_BYTES: usize = 2_000;

/// What a revocation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The provider said that it is done.
    Done,
    /// The provider has no revocation endpoint.
    NotSupported,
}

/// What a logout at the provider says.
#[derive(Clone, Copy, Debug)]
pub struct EndSession<'a> {
    /// The login's ID token.
    pub id_token: Option<&'a Token>,
    /// Where to come back to.
    pub post_logout_redirect_uri: &'a str,
    /// Comes back with the browser.
    pub state: Option<&'a str>,
    /// Who, where the ID token is too long to be sent.
    pub logout_hint: Option<&'a str>,
}

impl Provider {
    /// Revokes a token; with a refresh token, its access tokens go with it (RFC 7009 section 2.1).
    ///
    /// # Errors
    /// [`ProviderError`] when the provider cannot be reached or refuses.
    pub async fn revoke(
        &self,
        registration: &str,
        token: &Token,
        kind: TokenKind,
    ) -> Result<Revocation, ProviderError> {
        let registration = self.registration(registration)?;
        let known = self.known().await?;
        let Some(endpoint) = known.metadata.additional_metadata().revocation_endpoint.clone() else {
            return Ok(Revocation::NotSupported);
        };
        let hint = match kind {
            TokenKind::Refresh => "refresh_token",
            TokenKind::Access => "access_token",
        };
        // Not by the `oauth2` crate: it takes no plain-http endpoint, not even on loopback.
        let fields = [("token", token.reveal()), ("token_type_hint", hint)];
        let request = self.authenticated(registration, &known, endpoint.as_str(), &fields)?;
        let answer = self.http.send(request).await?;
        if answer.status().is_success() {
            Ok(Revocation::Done)
        } else {
            Err(ProviderError::Status(answer.status().as_u16()))
        }
    }

    /// The origins of the provider's own pages: those that may frame a front-channel logout.
    #[must_use]
    pub fn page_origins(&self) -> Vec<String> {
        let known = self.discovery.last_known();
        let logout = known.and_then(|known| known.metadata.additional_metadata().end_session_endpoint.clone());
        let mut origins: Vec<String> = [self.settings.issuer.parse().ok(), logout]
            .into_iter()
            .flatten()
            .map(|url: url::Url| url.origin().ascii_serialization())
            .collect();
        origins.dedup();
        origins
    }

    /// Where to send the browser to log out at the provider; `None` where it has no such endpoint, or cannot be reached.
    pub async fn end_session_url(&self, registration: &str, ask: EndSession<'_>) -> Option<String> {
        let registration = self.registration(registration).ok()?;
        let known = self.known().await.ok()?;
        let endpoint = known.metadata.additional_metadata().end_session_endpoint.clone()?;
        let url = |id_token: Option<&Token>| {
            let mut url = endpoint.clone();
            {
                let mut query = url.query_pairs_mut();
                query.append_pair("client_id", &registration.client_id);
                query.append_pair(&self.settings.logout_redirect_parameter, ask.post_logout_redirect_uri);
                for (name, value) in [("id_token_hint", id_token.map(Token::reveal)), ("state", ask.state)] {
                    if let Some(value) = value {
                        query.append_pair(name, value);
                    }
                }
                if id_token.is_none()
                    && let Some(hint) = ask.logout_hint
                {
                    query.append_pair("logout_hint", hint);
                }
            }
            String::from(url)
        };
        let whole = url(ask.id_token.filter(|_| self.settings.id_token_hint));
        Some(if whole.len() <= URL_BYTES { whole } else { url(None) })
    }
}

/// Which token is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A refresh token.
    Refresh,
    /// An access token.
    Access,
}
