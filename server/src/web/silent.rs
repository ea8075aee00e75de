//! `GET /bff/silent-login`: a sign-in that asks the person nothing (`prompt=none`, OpenID Connect Core section 3.1.2.1).
//!
//! In a frame of the app's own page it answers by `postMessage` to the own origin (X7); where browsers keep a provider's
//! cookies out of frames, `mode=redirect` takes the window there and back. It never puts another person in the place of
//! the one who is signed in (L17).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, Method};

use cloakroom_core::oidc::LoginAsk;
use cloakroom_core::session::open::{Live, Opened};

use super::choose;
use super::login::{self, Wanted};
use crate::edge::antiforgery::{Forgery, Source, is_frame, is_top_level_navigation, source};
use crate::edge::client::RegistrationRef;
use crate::edge::own::{Context, page_response};
use crate::edge::page;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::transaction::{Silent, Transaction};
use crate::gateway::Gateway;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let silent = match params.get("mode") {
        None | Some("frame") => Silent::Frame,
        Some("redirect") => Silent::Redirect,
        Some(_) => return Err(Refusal::BadParameter { name: "mode".into(), what: "must be frame or redirect" }),
    };
    check_place(silent, &context, &method, &headers)?;
    let live = match context.session(&gateway, &headers).await? {
        Some(Opened::Live(live)) => Some(live),
        _ => None,
    };
    // Whoever is signed in is asked for where they signed in.
    let registration = match &live {
        Some(live) => of_session(live),
        // Nobody can be asked to choose: the first is the default.
        None => match choose::named(&gateway, client, &params)?.or(client.registrations.first()) {
            Some(one) => one.clone(),
            None => return Err(Refusal::NotFound),
        },
    };
    let return_to = match silent {
        Silent::Frame => "/".to_owned(),
        Silent::Redirect => login::return_to(&context, &params)?.as_str().to_owned(),
    };
    let ask = LoginAsk { prompt: Some("none".into()), ..login::ask(&params)? };
    let whose = live.as_ref().map(|live| {
        let values = live.values();
        login::person_mark(&gateway, &values.issuer, &values.sub)
    });
    let wanted = Wanted { return_to, registration: &registration, ask, elsewhere: false, whose, silent: Some(silent) };
    match login::begin(&gateway, &context, &headers, wanted).await {
        Err(refusal) if silent == Silent::Frame => Ok(message(false, refusal.code())),
        answer => answer,
    }
}

/// A page of the own origin asks: in a frame of its own, or by leaving for it.
fn check_place(silent: Silent, context: &Context, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let from = source(headers, &context.site.origin);
    match silent {
        Silent::Frame if from != Source::SameOrigin => Err(Forgery::ForeignOrigin.into()),
        Silent::Frame if !is_frame(headers) => Err(Refusal::BadRequest(
            "this address is for a frame of the app's own page; mode=redirect is for the window itself",
        )),
        Silent::Redirect if from == Source::Foreign => Err(Forgery::ForeignOrigin.into()),
        Silent::Redirect if !is_top_level_navigation(method, headers) => {
            Err(Refusal::BadRequest("mode=redirect is for navigating the window to this address"))
        }
        Silent::Frame | Silent::Redirect => Ok(()),
    }
}

fn of_session(live: &Live) -> RegistrationRef {
    RegistrationRef { provider: live.provider_id.clone(), registration: live.registration_id.clone() }
}

/// The frame's last page.
pub(super) fn message(signed_in: bool, error: &str) -> Response {
    page_response(page::silent_outcome(signed_in, error))
}

/// A silent login's end that is not a session. What the provider says of needing the person is no mistake: the window
/// comes back as it was.
pub(super) fn not_signed_in(
    silent: Silent,
    transaction: &Transaction,
    said: Option<&str>,
    refusal: Refusal,
) -> Result<Response, Refusal> {
    match (silent, said) {
        (Silent::Frame, said) => Ok(message(false, said.filter(|said| is_code(said)).unwrap_or(refusal.code()))),
        (Silent::Redirect, Some(_)) => Ok(page_response(page::continue_to(&transaction.return_to, "One moment"))),
        (Silent::Redirect, None) => Err(refusal),
    }
}

/// An error's code as RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6 spell them.
fn is_code(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Whether a silent login found another person than the one who is signed in here (L17).
pub(super) fn is_another(live: &Live, issuer: &str, sub: &str) -> bool {
    let values = live.values();
    values.issuer != issuer || values.sub != sub
}

/// A frame came back from the provider without the transaction's cookie: browsers that count the sites of a redirect
/// chain send none. Asked once more by a page of the own origin, they do.
pub(super) fn once_more(context: &Context, headers: &HeaderMap, path: &str, query: &str) -> Option<Response> {
    if !is_frame(headers) {
        return None;
    }
    if source(headers, &context.site.origin) != Source::Foreign {
        return Some(message(false, "login-unknown"));
    }
    let here = format!("{}{path}?{query}", context.site.base_path);
    Some(page_response(page::continue_in_frame(&here)))
}
