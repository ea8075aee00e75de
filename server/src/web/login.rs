//! `GET /bff/login`: starts the authorization code flow with PKCE, state and nonce.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, Method, header};

use cloakroom_core::oidc::LoginAsk;

use super::return_to::ReturnTo;
use super::transaction::{LIFE_SECS, Transaction, Transactions};
use crate::edge::antiforgery::{Source, is_top_level_navigation, source};
use crate::edge::client::{Client, RegistrationRef};
use crate::edge::own::{Context, see_other};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    if !is_top_level_navigation(&method, &headers) {
        return Err(Refusal::BadRequest(
            "sign-in starts by navigating the window to this address, not by a script's request",
        ));
    }
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let asked = params.get("return_to").or_else(|| params.get("returnUrl")).unwrap_or("/");
    let return_to = ReturnTo::parse(asked, &context.site).map_err(|_| Refusal::BadParameter {
        name: "return_to".into(),
        what: "must be a path of this site that starts with a single slash, or a URL that the client registered",
    })?;
    let registration = registration(client, &params)?;
    let ask = ask(&context, &params)?;
    let provider = gateway.sessions.provider(&registration.provider).ok_or(Refusal::Broken)?;
    let begun = provider.begin(&registration.registration, &ask, &*gateway.random).await.map_err(|error| {
        tracing::warn!(provider = &*registration.provider, %error, "a sign-in could not begin");
        Refusal::TryLater { what: "the identity provider", retry_after_secs: 5 }
    })?;
    let transaction = Transaction {
        state: begun.state,
        nonce: begun.nonce,
        pkce_verifier: begun.pkce_verifier.reveal().to_owned(),
        return_to: return_to.as_str().to_owned(),
        provider_id: registration.provider.to_string(),
        registration_id: registration.registration.to_string(),
        max_age_secs: ask.max_age_secs,
        acr_values: ask.acr_values,
        expires_at: gateway.now().plus_secs(LIFE_SECS),
        begun_elsewhere: source(&headers, &context.site.origin) == Source::Foreign,
        code: None,
    };
    let transactions = Transactions::new(client, gateway.sessions.vault(), &gateway.random);
    let cookies = transactions.keep(&transaction, &headers).await.map_err(|error| {
        tracing::error!(%error, "a login transaction could not be sealed");
        Refusal::Broken
    })?;
    let mut response = see_other(&begun.url)?;
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The registration that `provider=` names, else the client's first.
fn registration<'a>(client: &'a Client, params: &Params) -> Result<&'a RegistrationRef, Refusal> {
    match params.get("provider") {
        None => client.registrations.first().ok_or(Refusal::NotFound),
        Some(id) => client
            .registrations
            .iter()
            .find(|known| *known.provider == *id)
            .ok_or(Refusal::BadParameter { name: "provider".into(), what: "names no provider of this app" }),
    }
}

fn ask(context: &Context, params: &Params) -> Result<LoginAsk, Refusal> {
    let max_age_secs = match params.get("max_age").map(str::parse) {
        None => None,
        Some(Ok(secs)) => Some(secs),
        Some(Err(_)) => {
            return Err(Refusal::BadParameter { name: "max_age".into(), what: "must be a number of seconds" });
        }
    };
    let text = |name: &str| params.get(name).map(str::to_owned);
    Ok(LoginAsk {
        redirect_uri: context.own_url("/callback"),
        prompt: text("prompt"),
        login_hint: text("login_hint"),
        acr_values: text("acr_values"),
        max_age_secs,
        ui_locales: text("ui_locales"),
    })
}
