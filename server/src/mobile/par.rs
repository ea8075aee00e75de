//! `POST /oauth/par` (RFC 9126): the request is checked and sealed into the `request_uri` itself, so that nothing is
//! written for an app that never comes; only its use is remembered.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde_json::json;
use url::form_urlencoded::Serializer;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::vault::Ring;
use cloakroom_core::vault::ring::Purpose;

use super::authorize::{self, AuthorizeError, CHECKS};
use super::form;
use crate::edge::dpop;
use crate::edge::oauth_error::OAuthError;
use crate::edge::own::{Context, json as json_response};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// How long a pushed request may wait, in seconds.
const LIFE_SECS: i64 = 60;
const URN: &str = "urn:ietf:params:oauth:request_uri:";
/// What is kept of a request, and nothing else.
const KEPT: [&str; 14] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "login_hint",
    "acr_values",
    "max_age",
    "ui_locales",
    "provider",
];
/// The longest pushed request: it comes back in an address.
const MOST_BYTES: usize = 3_000;

/// A pushed request that opened.
pub(super) struct Pushed {
    pub(super) params: Params,
    pub(super) once: [u8; 32],
}

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Refusal> {
    let form = form::read(&parts, &body)?;
    let app = form::client(&context.site, &parts, &form)?;
    if form.get("request_uri").is_some() {
        return Err(OAuthError::bad("invalid_request", "request_uri cannot be pushed (RFC 9126 section 2.1)").into());
    }
    let proof = form::proof(&gateway, &context.site, app, &parts)?;
    let named = form.get("dpop_jkt");
    let proven = proof.as_ref().map(|proof| proof.jkt.as_str());
    if let (Some(named), Some(proven)) = (named, proven)
        && named != proven
    {
        return Err(OAuthError::bad("invalid_dpop_proof", "dpop_jkt is not the key of the DPoP proof").into());
    }
    let text = kept(&form, named.or(proven), gateway.now().plus_secs(LIFE_SECS));
    check(&context, form, text.len())?;
    form::use_up(&gateway, proof.as_ref()).await?;
    let ring = gateway.sessions.vault().ring();
    let sealed = ring.seal(Purpose::PushedRequest, &[app.id.as_bytes()], text.as_bytes(), &*gateway.random);
    let uri = format!("{URN}{}", URL_SAFE_NO_PAD.encode(sealed));
    let mut response = json_response(&json!({ "request_uri": uri, "expires_in": LIFE_SECS }));
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// The request as it is sealed.
fn kept(form: &Params, jkt: Option<&str>, until: UnixMs) -> String {
    let mut kept = Serializer::new(String::new());
    kept.append_pair("until", &until.0.to_string());
    for name in KEPT {
        if let Some(value) = form.get(name) {
            kept.append_pair(name, value);
        }
    }
    if let Some(jkt) = jkt {
        kept.append_pair("dpop_jkt", jkt);
    }
    kept.finish()
}

/// What the authorization endpoint would refuse is refused here.
fn check(context: &Context, form: Params, length: usize) -> Result<(), OAuthError> {
    let asked =
        authorize::asked(context, form).map_err(|error| OAuthError::bad("invalid_request", error.to_string()))?;
    let told = |error: AuthorizeError| OAuthError::bad(error.code(), error.to_string());
    CHECKS.iter().try_for_each(|check| check(asked.app, &asked.params)).map_err(told)?;
    if length > MOST_BYTES {
        return Err(OAuthError::bad("invalid_request", "the request is longer than 3000 bytes"));
    }
    Ok(())
}

/// Opens a `request_uri` of this client (RFC 9126 section 4); foreign ones are fetched from nowhere (S12).
pub(super) fn open(gateway: &Gateway, client_id: &str, uri: &str) -> Result<Pushed, Refusal> {
    let bad = || Refusal::BadParameter {
        name: "request_uri".into(),
        what: "is not one that this app pushed here within the last minute",
    };
    let sealed = uri.strip_prefix(URN).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or_else(bad)?;
    let params = opened(&gateway.sessions.vault().ring(), gateway.now(), client_id, &sealed).ok_or_else(bad)?;
    Ok(Pushed { params, once: dpop::once("pushed request", &sealed) })
}

fn opened(ring: &Ring, now: UnixMs, client_id: &str, sealed: &[u8]) -> Option<Params> {
    let plain = ring.open_sealed(Purpose::PushedRequest, &[client_id.as_bytes()], sealed).ok()?;
    let params = Params::parse(str::from_utf8(&plain).ok()?).ok()?;
    let until = UnixMs(params.get("until")?.parse().ok()?);
    (now < until).then_some(params)
}

/// Uses it up, when the provider's login begins.
pub(super) async fn use_up(gateway: &Gateway, once: [u8; 32]) -> Result<(), Refusal> {
    let now = gateway.now();
    if gateway.sessions.store().use_once(once, now.plus_secs(2 * LIFE_SECS), now).await? {
        return Ok(());
    }
    Err(Refusal::BadParameter { name: "request_uri".into(), what: "was used before; begin again in the app" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use cloakroom_core::random::SystemRandom;
    use cloakroom_core::vault::{KeyRing, RootKey};

    #[test]
    fn s12_pushed_request_is_good_for_a_minute_and_for_its_app() {
        let root = RootKey::parse(&STANDARD.encode([7; 32])).expect("a key");
        let keys = KeyRing::open(root.clone(), &[root.new_ring_key(UnixMs(0), &SystemRandom)]).expect("opens");
        let (ring, now) = (keys.current(), UnixMs(1_800_000_000_000));
        let form = Params::parse("client_id=phone&state=s&until=9999999999999&unknown=x").expect("a form");
        let text = kept(&form, None, now.plus_secs(LIFE_SECS));
        let sealed = ring.seal(Purpose::PushedRequest, &[b"phone"], text.as_bytes(), &SystemRandom);
        let state = |client: &str, at: UnixMs| {
            let params = opened(&ring, at, client, &sealed)?;
            assert_eq!(params.get("unknown"), None);
            params.get("state").map(str::to_owned)
        };
        assert_eq!(state("phone", now.plus_secs(59)).as_deref(), Some("s"));
        assert_eq!(state("phone", now.plus_secs(60)), None);
        assert_eq!(state("other", now), None);
    }
}
