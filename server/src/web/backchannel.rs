//! `POST /bff/backchannel-logout`: the provider says, server to server, that a person is logged out (OpenID Connect
//! Back-Channel Logout 1.0). No cookie counts here: the signed token alone says who and what.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, header};

use cloakroom_core::oidc::logout_token::claimed_issuer;
use cloakroom_core::oidc::{LogoutToken, LogoutTokenError, Provider};
use cloakroom_core::session::provider_logout::NotLoggedOut;

use crate::edge::client::Client;
use crate::edge::own::Context;
use crate::edge::page;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    let form = form(&headers, &body)?;
    let text = form.get("logout_token").ok_or_else(|| refused("the form field logout_token is missing"))?;
    let Some((provider, registrations)) = claimed(&gateway, client, text) else {
        gateway.metrics.logout_token_refused("unknown");
        return Err(refused("the logout token is not readable, or of no provider that this app logs in with"));
    };
    let ended = end(&gateway, client, provider, text, &registrations).await.inspect_err(|refusal| {
        tracing::warn!(provider = provider.id(), error = %refusal, "a logout token was refused");
        gateway.metrics.logout_token_refused(provider.id());
    })?;
    tracing::info!(provider = provider.id(), ended, "the provider logged a person out");
    gateway.metrics.logout_token_taken(provider.id());
    // Section 2.8: 200, kept by no cache; the same whether or not anybody was signed in.
    let mut response = Response::new(axum::body::Body::empty());
    page::harden(response.headers_mut());
    Ok(response)
}

fn form(headers: &HeaderMap, body: &[u8]) -> Result<Params, Refusal> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(refused("the logout token comes as application/x-www-form-urlencoded (section 2.5)"));
    }
    Params::parse(str::from_utf8(body).map_err(|_| refused("the form is not UTF-8"))?)
}

/// The provider that a token claims to be from, and this app's registrations there.
fn claimed<'a>(gateway: &'a Gateway, client: &'a Client, text: &str) -> Option<(&'a Arc<Provider>, Vec<&'a str>)> {
    let issuer = claimed_issuer(text)?;
    let of_client = client.registrations.iter().filter_map(|one| {
        let provider = gateway.sessions.provider(&one.provider)?;
        (provider.issuer() == issuer).then_some((provider, &*one.registration))
    });
    let all: Vec<(&Arc<Provider>, &str)> = of_client.collect();
    let (provider, _) = *all.first()?;
    Some((provider, all.into_iter().map(|(_, registration)| registration).collect()))
}

async fn end(
    gateway: &Gateway,
    client: &Client,
    provider: &Provider,
    text: &str,
    registrations: &[&str],
) -> Result<usize, Refusal> {
    let token: LogoutToken = provider.verify_logout_token(text, registrations).await.map_err(|error| match error {
        LogoutTokenError::Provider(error) => {
            tracing::warn!(provider = provider.id(), %error, "a logout token cannot be checked now");
            Refusal::TryLater { what: "the identity provider", retry_after_secs: 5 }
        }
        LogoutTokenError::Fault(_) => refused(&error.to_string()),
    })?;
    match gateway.sessions.end_by_logout_token(&token, &client.tenant).await {
        Ok(ended) => Ok(ended),
        Err(error @ NotLoggedOut::Replayed) => Err(refused(&error.to_string())),
        Err(NotLoggedOut::Store(error)) => Err(error.into()),
    }
}

fn refused(what: &str) -> Refusal {
    Refusal::LogoutToken(what.to_owned())
}
