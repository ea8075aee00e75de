//! `POST /oauth/token`: a code for tokens, or a refresh token for new ones (RFC 6749 sections 4.1.3 and 6).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use serde_json::json;

use cloakroom_core::session::mobile::{CodeUse, GrantError, RefreshUse, SessionTokens};
use cloakroom_core::vault::session_token::SessionTokenKind;

use super::form::{self, put};
use super::{device, logout};
use crate::edge::mobile_client::MobileClient;
use crate::edge::oauth_error::OAuthError;
use crate::edge::own::{Context, json as json_response};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Why the token endpoint gives nothing.
#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error(
        "the password grant is not offered, since an app must not see a password: use authorization_code with PKCE"
    )]
    Password,
    #[error("the implicit grant is not offered: use authorization_code with PKCE (RFC 8252 section 8.2)")]
    Implicit,
    #[error("client_credentials is for machines, and an app is none: use authorization_code with PKCE")]
    ClientCredentials,
    #[error("grant_type must be authorization_code or refresh_token")]
    GrantType,
    #[error("code_verifier must be 43 to 128 characters (RFC 7636 section 4.1)")]
    Verifier,
    #[error(transparent)]
    Grant(GrantError),
}

impl TokenError {
    fn refusal(self) -> Refusal {
        let code = match self {
            Self::Password | Self::Implicit | Self::ClientCredentials | Self::GrantType => "unsupported_grant_type",
            Self::Grant(GrantError::Store(error)) => return error.into(),
            Self::Grant(GrantError::OtherKey) => "invalid_dpop_proof",
            Self::Verifier
            | Self::Grant(
                GrantError::Invalid | GrantError::OtherRedirect | GrantError::WrongVerifier | GrantError::Reused,
            ) => "invalid_grant",
        };
        OAuthError::bad(code, self.to_string()).into()
    }
}

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Refusal> {
    let form = form::read(&parts, &body)?;
    let grant = match form::required(&form, "grant_type")? {
        "authorization_code" => Grant::Code,
        "refresh_token" => Grant::Refresh,
        device::GRANT => Grant::Device,
        "password" => return Err(TokenError::Password.refusal()),
        "implicit" => return Err(TokenError::Implicit.refusal()),
        "client_credentials" => return Err(TokenError::ClientCredentials.refusal()),
        _ => return Err(TokenError::GrantType.refusal()),
    };
    let app = form::client(&context.site, &parts, &form)?;
    let proof = form::proof(&gateway, &context.site, app, &parts)?;
    let jkt = proof.as_ref().map(|proof| proof.jkt.as_str());
    if let Some((kind, name)) = grant.presents()
        && gateway.sessions.token_seal().open(kind, form::required(&form, name)?).is_none()
    {
        // Told from the text alone: a forgery never reaches the store (M7, M14).
        return Err(TokenError::Grant(GrantError::Invalid).refusal());
    }
    // Used up first: of two requests with one proof, one gets nothing, whatever else they carry.
    form::use_up(&gateway, proof.as_ref()).await?;
    let tokens = match grant {
        Grant::Code => redeem(&gateway, app, &form, jkt).await?,
        Grant::Refresh => refresh(&gateway, app, &form, jkt).await?,
        Grant::Device => by_device(&gateway, app, &form, jkt).await?,
    };
    Ok(answer(&gateway, &tokens, jkt.is_some()))
}

#[derive(Clone, Copy)]
enum Grant {
    Code,
    Refresh,
    Device,
}

impl Grant {
    /// What it presents of a session, and the parameter that carries it. A device code is no session's.
    const fn presents(self) -> Option<(SessionTokenKind, &'static str)> {
        match self {
            Self::Code => Some((SessionTokenKind::Code, "code")),
            Self::Refresh => Some((SessionTokenKind::Refresh, "refresh_token")),
            Self::Device => None,
        }
    }
}

async fn redeem(
    gateway: &Gateway,
    app: &MobileClient,
    form: &Params,
    jkt: Option<&str>,
) -> Result<SessionTokens, Refusal> {
    let verifier = form::required(form, "code_verifier")?;
    let code = form::required(form, "code")?;
    let redirect_uri = form::required(form, "redirect_uri")?;
    if !(43..=128).contains(&verifier.len()) {
        return Err(TokenError::Verifier.refusal());
    }
    let ask = CodeUse { code, client_id: &app.id, redirect_uri, verifier, jkt, access_secs: app.access_secs };
    gateway.sessions.redeem_code(ask).await.map_err(|error| TokenError::Grant(error).refusal())
}

/// What a person has allowed on another device (RFC 8628 section 3.4).
async fn by_device(
    gateway: &Gateway,
    app: &MobileClient,
    form: &Params,
    jkt: Option<&str>,
) -> Result<SessionTokens, Refusal> {
    let device_code = form::required(form, "device_code")?;
    let code = device::fetch(gateway, app, device_code).await?;
    let code = code.map_err(|waiting| OAuthError::bad(waiting.code(), waiting.to_string()))?;
    let (redirect_uri, verifier) = (device::GRANT, device_code);
    let ask = CodeUse { code: &code, client_id: &app.id, redirect_uri, verifier, jkt, access_secs: app.access_secs };
    gateway.sessions.redeem_code(ask).await.map_err(|error| TokenError::Grant(error).refusal())
}

async fn refresh(
    gateway: &Gateway,
    app: &MobileClient,
    form: &Params,
    jkt: Option<&str>,
) -> Result<SessionTokens, Refusal> {
    let token = form::required(form, "refresh_token")?;
    let ask = RefreshUse { token, client_id: &app.id, jkt, access_secs: app.access_secs };
    gateway.sessions.rotate(ask).await.map_err(|error| TokenError::Grant(error).refusal())
}

fn answer(gateway: &Gateway, tokens: &SessionTokens, bound: bool) -> Response {
    let values = tokens.live.values();
    let scopes = values.mobile.as_ref().map(|mobile| mobile.scopes.join(" ")).unwrap_or_default();
    let mut body = json!({
        "access_token": tokens.access.as_str(),
        "token_type": if bound { "DPoP" } else { "Bearer" },
        "expires_in": tokens.expires_at.secs_after(gateway.now()),
        "refresh_token": tokens.refresh.as_str(),
        "logout_hint": logout::hint(gateway, &tokens.live),
    });
    if !scopes.is_empty() {
        put(&mut body, "scope", json!(scopes));
    }
    json_response(&body)
}
