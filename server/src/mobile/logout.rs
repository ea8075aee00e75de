//! `GET /oauth/logout`: the `end_session_endpoint` (OIDC RP-Initiated Logout 1.0). The system browser holds no cookie of an
//! app's session, and no token may stand in an address (M9): a logout hint names the session and proves, by an HMAC over
//! its secret, that the app made the link (X5). It ends that session and can do nothing else.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::session::open::{Live, Opened};
use cloakroom_core::vault::ring::Purpose;

use super::authorize::with_query;
use crate::edge::mobile_client::MobileClient;
use crate::edge::own::{Context, page_response, see_other};
use crate::edge::page::{self, Rest};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::sign_out;
use crate::gateway::Gateway;

/// How long a person may take at the provider's logout, in seconds.
const LIFE_SECS: i64 = 900;
const STATE_BYTES: usize = 500;

/// What comes back from the provider's logout, sealed into its `state`.
#[derive(Serialize, Deserialize)]
struct Way {
    #[serde(rename = "c")]
    client_id: String,
    #[serde(rename = "b")]
    back: Option<String>,
    #[serde(rename = "x")]
    until: UnixMs,
}

/// What the app sends as `logout_hint`.
pub(super) fn hint(gateway: &Gateway, live: &Live) -> String {
    let proof = gateway.sessions.vault().ring().logout_proof(&live.client_id, live.secret_hash());
    URL_SAFE_NO_PAD.encode([live.id.as_bytes().as_slice(), &proof].concat())
}

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let id = params.get("client_id").ok_or_else(|| Refusal::parameter("client_id", "is missing"))?;
    let app = context.site.issues.iter().find(|app| *app.id == *id);
    let app = app.ok_or_else(|| Refusal::parameter("client_id", "names no app that is registered here"))?;
    let back = back(app, &params)?;
    // Client libraries that know no `logout_hint` have an `id_token_hint`; apps get no ID token, so it is free.
    let hint = params.get("logout_hint").or(params.get("id_token_hint"));
    let hint = hint.ok_or_else(|| Refusal::parameter("logout_hint", "is missing: it comes with the tokens"))?;
    let wrong = || Refusal::parameter("logout_hint", "is none of this app's sessions");
    let opened = find(&gateway, app, hint).await?.ok_or_else(wrong)?;
    if let Opened::Live(live) = opened {
        let state = seal(&gateway, app, back.clone());
        let signed_out = format!("{}/oauth/signed-out", context.site.origin);
        let provider = sign_out::end(&gateway, &live, &signed_out, &state).await?;
        if let Some(url) = provider.filter(|_| params.get("end_provider_session") == Some("true")) {
            return see_other(&url);
        }
    }
    rest(app, back.as_deref())
}

/// `GET /oauth/signed-out`: back from the provider's logout.
pub(crate) async fn signed_out(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let stale = Refusal::BadRequest("this sign-out took too long or was begun elsewhere; go back to the app");
    let Some(way) = params.get("state").and_then(|state| open(&gateway, state)) else { return Err(stale) };
    match context.site.issues.iter().find(|app| *app.id == *way.client_id) {
        Some(app) => rest(app, way.back.as_deref()),
        None => Err(stale),
    }
}

/// Where the app wants the browser back: exactly a registered address, with the app's state (S9).
fn back(app: &MobileClient, params: &Params) -> Result<Option<String>, Refusal> {
    let Some(asked) = params.get("post_logout_redirect_uri") else { return Ok(None) };
    if !app.post_logout_redirect_uris.iter().any(|known| known.admits(asked)) {
        return Err(Refusal::parameter("post_logout_redirect_uri", "is not one that this app registered"));
    }
    match params.get("state") {
        Some(state) if state.len() > STATE_BYTES => Err(Refusal::parameter("state", "is longer than 500 bytes")),
        Some(state) => Ok(Some(with_query(asked, &[("state", state)]))),
        None => Ok(Some(asked.to_owned())),
    }
}

fn rest(app: &MobileClient, back: Option<&str>) -> Result<Response, Refusal> {
    if let Some(back) = back {
        return see_other(back);
    }
    Ok(page_response(page::rest(&app.name, Rest::SignedOut)))
}

/// The session that a hint names, dead or alive; `None` where the hint proves nothing.
async fn find(gateway: &Gateway, app: &MobileClient, hint: &str) -> Result<Option<Opened>, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(hint).unwrap_or_default();
    let Some((id, theirs)) = bytes.split_first_chunk::<16>() else { return Ok(None) };
    let id = SessionId::from_bytes(*id);
    let Some(row) = gateway.sessions.store().session(id).await? else { return Ok(None) };
    let ours = gateway.sessions.vault().ring().logout_proof(&app.id, &row.secret_hash);
    if row.summary.client_id != *app.id || !bool::from(ours.as_slice().ct_eq(theirs)) {
        return Ok(None);
    }
    Ok(Some(gateway.sessions.open(id, &row.secret_hash).await?))
}

fn seal(gateway: &Gateway, app: &MobileClient, back: Option<String>) -> String {
    let way = Way { client_id: app.id.to_string(), back, until: gateway.now().plus_secs(LIFE_SECS) };
    let plain = serde_json::to_vec(&way).unwrap_or_default();
    let ring = gateway.sessions.vault().ring();
    URL_SAFE_NO_PAD.encode(ring.seal(Purpose::AppSignOut, &[], &plain, &*gateway.random))
}

fn open(gateway: &Gateway, state: &str) -> Option<Way> {
    let sealed = URL_SAFE_NO_PAD.decode(state).ok()?;
    let plain = gateway.sessions.vault().ring().open_sealed(Purpose::AppSignOut, &[], &sealed).ok()?;
    let way: Way = serde_json::from_slice(&plain).ok()?;
    (gateway.now() < way.until).then_some(way)
}
