//! `POST /oauth/introspect` (RFC 7662), for services that an app calls directly: they show the client's introspection
//! secret, and learn of that client's tokens alone.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use secrecy::ExposeSecret as _;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use cloakroom_core::session::open::Opened;

use super::form::{self, put};
use crate::edge::client::Site;
use crate::edge::mobile_client::MobileClient;
use crate::edge::oauth_error::OAuthError;
use crate::edge::own::{Context, json as json_response};
use crate::edge::problem::Refusal;
use crate::edge::ticket;
use crate::gateway::Gateway;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Refusal> {
    let app = asker(&context.site, &parts).ok_or_else(|| {
        let error =
            OAuthError::bad("invalid_client", "show the client's id and introspection secret as Basic credentials");
        OAuthError { status: StatusCode::UNAUTHORIZED, challenge: Some("Basic"), ..error }
    })?;
    let form = form::read(&parts, &body)?;
    let token = form::required(&form, "token")?;
    let inactive = json!({ "active": false });
    let now = gateway.now();
    let claimed = ticket::read_token(gateway.sessions.token_seal(), token).filter(|claimed| now < claimed.expires_at);
    let Some(claimed) = claimed else { return Ok(json_response(&inactive)) };
    let live = match gateway.sessions.open(claimed.id, &claimed.secret).await? {
        Opened::Live(live) if live.client_id == app.id => live,
        Opened::Live(_) | Opened::Over(_) | Opened::Unknown => return Ok(json_response(&inactive)),
    };
    let values = live.values();
    let mobile = values.mobile.as_ref();
    let jkt = mobile.and_then(|mobile| mobile.jkt.as_deref());
    let mut answer = json!({
        "active": true,
        "client_id": live.client_id,
        "sub": values.sub,
        "iss": context.site.origin,
        "sid": live.id,
        "exp": claimed.expires_at.secs(),
        "token_type": if jkt.is_some() { "DPoP" } else { "Bearer" },
        "scope": mobile.map(|mobile| mobile.scopes.join(" ")).unwrap_or_default(),
    });
    if let Some(jkt) = jkt {
        put(&mut answer, "cnf", json!({ "jkt": jkt }));
    }
    Ok(json_response(&answer))
}

/// The client whose secret the request shows.
#[expect(clippy::disallowed_methods, reason = "compared with what was shown, in constant time")]
fn asker<'a>(site: &'a Site, parts: &Parts) -> Option<&'a Arc<MobileClient>> {
    let (scheme, text) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD.decode(text.trim_ascii()).ok().filter(|_| scheme.eq_ignore_ascii_case("Basic"))?;
    let (id, shown) = str::from_utf8(&decoded).ok()?.split_once(':')?;
    let app = site.issues.iter().find(|app| *app.id == *id)?;
    let secret = app.introspection_secret.as_ref()?.expose_secret();
    bool::from(secret.as_bytes().ct_eq(shown.as_bytes())).then_some(app)
}
