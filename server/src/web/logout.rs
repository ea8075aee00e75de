//! `GET` and `POST /bff/logout`, and the page where the browser then rests.
//!
//! What ends, and in which order, stands in `edge::sign_out`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use cloakroom_core::session::open::{Live, Opened};

use crate::edge::antiforgery::{self, CSRF_HEADER, Forgery, Kind, Source, source};
use crate::edge::own::{Context, json as json_response, page_response, see_other};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::{page, sign_out, ticket};
use crate::gateway::Gateway;

/// Remembers in the browser which logout is under way at the provider.
const STATE_COOKIE: &str = "__Host-Http-crl";
/// How long a person may take there.
const STATE_SECS: i64 = 900;

/// A link: it must carry the proof that `logout_url` has, else the person is asked.
pub(crate) async fn by_link(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    let Some(Opened::Live(live)) = context.session(&gateway, &headers).await? else {
        return without_dead_cookie(&context, &headers, see_other(&own_path(&context, "/signed-out"))?);
    };
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    if !has_proof(&gateway, &live, params.get("sid")) {
        let ring = gateway.sessions.vault().ring();
        let proof = URL_SAFE_NO_PAD.encode(ring.logout_proof(&live.client_id, live.secret_hash()));
        return Ok(page_response(page::confirm_sign_out(&client.name, &own_path(&context, "/logout"), &proof)));
    }
    let next = end(&gateway, &context, &live).await?;
    away(&context, see_other(&next.url)?, &next)
}

/// Whether a request carries what only a page that could ask for `logout_url` knows (X5).
fn has_proof(gateway: &Gateway, live: &Live, sid: Option<&str>) -> bool {
    let expected = gateway.sessions.vault().ring().logout_proof(&live.client_id, live.secret_hash());
    let proof = sid.and_then(|sid| URL_SAFE_NO_PAD.decode(sid).ok()).unwrap_or_default();
    proof.ct_eq(&expected).into()
}

/// A script's call (with `X-CSRF`) gets the next address as JSON; the form of the page that asks carries the proof.
pub(crate) async fn by_post(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let foreign = source(&headers, &context.site.origin) == Source::Foreign;
    if foreign && context.site.origins().trusted_of(&headers).is_none() {
        return Err(Forgery::ForeignOrigin.into());
    }
    let by_script = headers.contains_key(CSRF_HEADER);
    // A form's answer is a page, not a redirect: browsers hold `form-action` against the redirect's target too.
    let answer = |next: &str| {
        if by_script {
            json_response(&json!({ "redirect_to": next }))
        } else {
            page_response(page::continue_to(next, "Signing you out"))
        }
    };
    let Some(Opened::Live(live)) = context.session(&gateway, &headers).await? else {
        return without_dead_cookie(&context, &headers, answer(&own_path(&context, "/signed-out")));
    };
    let form = Params::parse(str::from_utf8(&body).unwrap_or_default())?;
    if !has_proof(&gateway, &live, form.get("sid")) {
        antiforgery::check(Kind::Api, &method, &headers, context.site.origins())?;
    }
    let next = end(&gateway, &context, &live).await?;
    away(&context, answer(&next.url), &next)
}

/// Where the browser goes once its session has ended.
struct Next {
    url: String,
    /// Comes back from the provider's logout, to this browser (OIDC RP-Initiated Logout 1.0 section 2).
    state: Option<String>,
}

/// Ends the session and answers where the browser goes next.
async fn end(gateway: &Gateway, context: &Context, live: &Live) -> Result<Next, Refusal> {
    let state = gateway.random.token();
    let provider_url = sign_out::end(gateway, live, &context.own_url("/signed-out"), &state).await?;
    Ok(match provider_url {
        Some(url) => Next { url, state: Some(state) },
        None => Next { url: own_path(context, "/signed-out?provider=signed-in"), state: None },
    })
}

/// Takes the session's cookie away, and remembers in this browser which logout is under way.
fn away(context: &Context, response: Response, next: &Next) -> Result<Response, Refusal> {
    let mut response = without_cookie(context, response)?;
    if let Some(state) = &next.state {
        let line = ticket::own_cookie(STATE_COOKIE, state, cookie::SameSite::Lax, Some(STATE_SECS));
        response.headers_mut().append(header::SET_COOKIE, line.parse().map_err(|_| Refusal::Broken)?);
    }
    Ok(response)
}

/// Whether this comes from the logout that this browser began: the provider has then done what it was asked for. `None`
/// where none is under way.
fn provider_done(headers: &HeaderMap, state: Option<&str>) -> Option<bool> {
    let expected = ticket::cookie_values(headers, STATE_COOKIE.as_bytes()).next()?;
    Some(state.is_some_and(|state| bool::from(state.as_bytes().ct_eq(expected))))
}

/// `GET /bff/signed-out`: rests here; nothing signs in by itself (pain 7).
pub(crate) async fn signed_out(
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let done = provider_done(&headers, params.get("state"));
    let lives_on = params.get("provider") == Some("signed-in") || done == Some(false);
    let mut response = page_response(page::signed_out(&client.name, &client.post_logout_path, lives_on));
    if done.is_some() {
        let gone = ticket::own_cookie(STATE_COOKIE, "", cookie::SameSite::Lax, Some(0));
        response.headers_mut().append(header::SET_COOKIE, gone.parse().map_err(|_| Refusal::Broken)?);
    }
    // Pages kept for "Back" may show what the person saw while signed in.
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    Ok(response)
}

fn own_path(context: &Context, path: &str) -> String {
    format!("{}{path}", context.site.base_path)
}

/// Takes a cookie away that was sent and is dead. One that was not sent may be alive: a navigation from another site
/// carries no Strict cookie, yet could have it deleted.
fn without_dead_cookie(context: &Context, headers: &HeaderMap, response: Response) -> Result<Response, Refusal> {
    if ticket::is_there(headers) { without_cookie(context, response) } else { Ok(response) }
}

fn without_cookie(context: &Context, mut response: Response) -> Result<Response, Refusal> {
    let line = ticket::clear(context.client()?).ok_or(Refusal::Broken)?;
    response.headers_mut().append(header::SET_COOKIE, line);
    Ok(response)
}
