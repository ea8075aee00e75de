//! `POST /bff/callback`: a provider's answer in a form (OAuth 2.0 Form Post Response Mode).
//!
//! The form comes from the provider's page, so that not even Lax cookies are there: the transaction cannot be looked at
//! yet. The answer is sealed and led on with, same-origin, to the callback that takes answers by their address; the code
//! lies open in no address (docs/decisions).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, header};
use url::form_urlencoded::Serializer;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::vault::ring::Purpose;

use super::callback;
use crate::edge::client::Client;
use crate::edge::own::{Context, page_response};
use crate::edge::page;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// The parameter that carries a sealed answer.
pub(super) const ANSWER: &str = "answer";
/// What an answer may say, and how long it may be.
const PARTS: [(&str, usize); 5] =
    [("state", 200), ("code", 2_000), ("iss", 1_000), ("error", 200), ("error_description", 600)];
/// How long a browser may take from one page to the next.
const LIFE_SECS: i64 = 120;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    of_provider: Option<Path<String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(Refusal::BadRequest("an answer comes here as application/x-www-form-urlencoded"));
    }
    let body = str::from_utf8(&body).map_err(|_| Refusal::BadRequest("the form is not UTF-8"))?;
    let params = Params::parse(body)?;
    let mut kept = Serializer::new(String::new());
    kept.append_pair("until", &gateway.now().plus_secs(LIFE_SECS).0.to_string());
    for (name, most) in PARTS {
        match params.get(name) {
            Some(value) if value.len() > most => {
                return Err(Refusal::BadParameter { name: name.into(), what: "is too long" });
            }
            Some(value) => drop(kept.append_pair(name, value)),
            None => {}
        }
    }
    let ring = gateway.sessions.vault().ring();
    let sealed = ring.seal(Purpose::Answer, &[client.id.as_bytes()], kept.finish().as_bytes(), &*gateway.random);
    let path = callback::path(of_provider.as_ref().map(|Path(id)| id.as_str()));
    let next = format!("{}{path}?{ANSWER}={}", context.site.base_path, URL_SAFE_NO_PAD.encode(sealed));
    Ok(page_response(page::continue_to(&next, "Signing you in")))
}

/// The parameters of a callback: those of its address, or those that were sealed into it. A seal that does not open, or
/// is too old, holds none.
pub(super) fn unsealed(gateway: &Gateway, client: &Client, params: Params) -> Params {
    let Some(answer) = params.get(ANSWER) else { return params };
    let ring = gateway.sessions.vault().ring();
    let opened = URL_SAFE_NO_PAD
        .decode(answer)
        .ok()
        .and_then(|sealed| ring.open_sealed(Purpose::Answer, &[client.id.as_bytes()], &sealed).ok())
        .and_then(|plain| Params::parse(str::from_utf8(&plain).ok()?).ok());
    let fresh = |params: &Params| {
        let until = params.get("until").and_then(|until| until.parse().ok());
        until.is_some_and(|until| UnixMs(until) > gateway.now())
    };
    opened.filter(fresh).unwrap_or_default()
}
