//! The token endpoint's answer, to a code or to a refresh token: asked for by the `oauth2` crate, judged here.

use std::fmt;

use http::StatusCode;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse, TokenResponse as _,
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::call::Answered;
use super::discovery::Known;
use super::json::strict_object;
use super::{ClientAuth, ProviderError, Registration};
use crate::clock::UnixMs;
use crate::http::HttpError;
use crate::session::record::Token;

/// The ID token as text. Were it of `openidconnect`'s own type, reading the answer would read the token too, and
/// everything that can be wrong with it would be one and the same error.
#[derive(Deserialize, Serialize)]
pub(super) struct IdTokenText {
    id_token: Option<String>,
}

impl fmt::Debug for IdTokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTokenText")
    }
}

impl ExtraTokenFields for IdTokenText {}

type Answer = StandardTokenResponse<IdTokenText, BasicTokenType>;

/// A client of the token endpoint.
pub(super) type TokenClient = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

#[expect(clippy::disallowed_methods, reason = "the secret goes into the request to the provider, and nowhere else")]
pub(super) fn token_client(registration: &Registration, known: &Known) -> Result<TokenClient, ProviderError> {
    let endpoint = known.metadata.token_endpoint().cloned();
    let endpoint = endpoint.ok_or_else(|| ProviderError::Discovery("token_endpoint is missing".into()))?;
    let (auth_type, secret) = match &registration.auth {
        ClientAuth::Basic(secret) => (AuthType::BasicAuth, Some(secret)),
        ClientAuth::Post(secret) => (AuthType::RequestBody, Some(secret)),
        ClientAuth::PrivateKeyJwt(_) => (AuthType::RequestBody, None),
    };
    let client = oauth2::Client::new(ClientId::new(registration.client_id.clone()))
        .set_token_uri(endpoint)
        .set_auth_type(auth_type);
    Ok(match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
        None => client,
    })
}

/// What a usable answer holds.
pub(super) struct Tokens {
    pub(super) access_token: Token,
    pub(super) refresh_token: Option<Token>,
    /// Not looked at yet.
    pub(super) id_token: Option<String>,
    /// `None`: those that were asked for (RFC 6749 section 5.1). Empty: none.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) access_expires_at: Option<UnixMs>,
    pub(super) received_at: UnixMs,
}

impl Tokens {
    /// Checks that the tokens can be used: bearer tokens (RFC 6750) that can stand in a header.
    pub(super) fn read(answer: &Answer, received_at: UnixMs) -> Result<Self, &'static str> {
        if *answer.token_type() != BasicTokenType::Bearer {
            return Err("its token_type is not bearer");
        }
        let refresh_token = answer.refresh_token().map(|token| Token::parse(token.secret().as_str())).transpose();
        let expires_at = |secs: u64| received_at.plus_secs(i64::try_from(secs).unwrap_or(i64::MAX));
        Ok(Self {
            access_token: Token::parse(answer.access_token().secret().as_str())
                .map_err(|_| "its access_token is no token")?,
            refresh_token: refresh_token.map_err(|_| "its refresh_token is no token")?,
            id_token: answer.extra_fields().id_token.clone(),
            scopes: answer
                .scopes()
                .map(|scopes| scopes.iter().map(|scope| scope.to_string()).filter(|scope| !scope.is_empty()).collect()),
            access_expires_at: answer.expires_in().map(|life| expires_at(life.as_secs())),
            received_at,
        })
    }
}

/// Why there are no tokens, told apart by what surely happened (T7).
#[derive(Debug)]
pub(super) enum NoTokens {
    /// Nothing reached the provider.
    NotSent(HttpError),
    /// No complete answer.
    InDoubt(HttpError),
    /// A complete answer of something that is not the token endpoint, or of one that is out of order.
    Unavailable(Answered),
    /// A complete refusal (RFC 6749 section 5.2), with its code.
    Refused(String),
    /// A complete answer that is not understood.
    Bad(String),
}

impl NoTokens {
    pub(super) fn because(error: RequestTokenError<HttpError, BasicErrorResponse>, answered: Option<Answered>) -> Self {
        if let RequestTokenError::Request(error) = error {
            return if error.nothing_was_sent() { Self::NotSent(error) } else { Self::InDoubt(error) };
        }
        let refusal = matches!(error, RequestTokenError::ServerResponse(_));
        match (error, answered) {
            (_, Some(answered)) if says_unavailable(answered.status, refusal) => Self::Unavailable(answered),
            (RequestTokenError::ServerResponse(said), _) => Self::Refused(error_code(said.error().as_ref())),
            // Some refuse with status 200.
            (RequestTokenError::Parse(_, body), _) if refusal_in(&body).is_some() => {
                Self::Refused(refusal_in(&body).unwrap_or_default())
            }
            (RequestTokenError::Parse(error, _), _) => Self::Bad(format!("not understood at {}", error.path())),
            _ => Self::Bad("it is no JSON, or empty".to_owned()),
        }
    }
}

/// Whether a complete answer comes from something other than a token endpoint in order. Token endpoints refuse with
/// 400 or 401 (RFC 6749 section 5.2); whatever else has no OAuth error in it comes from a proxy on the way.
fn says_unavailable(status: StatusCode, oauth_error: bool) -> bool {
    let out_of_order =
        status.is_server_error() || status.is_redirection() || matches!(status.as_u16(), 408 | 425 | 429);
    let refusal = matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) || oauth_error;
    out_of_order || (!status.is_success() && !refusal)
}

/// The error that an answer of success tells of.
fn refusal_in(body: &[u8]) -> Option<String> {
    let members = strict_object(body).ok()?;
    Some(error_code(members.get("error")?.as_str()?))
}

/// An error code as it may be shown and logged (RFC 6749 section 5.2 names its characters).
fn error_code(said: &str) -> String {
    let fits =
        (1..=80).contains(&said.len()) && said.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    if fits { said.to_owned() } else { "an error code that is none".to_owned() }
}
