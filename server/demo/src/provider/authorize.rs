//! `GET` and `POST /authorize`: the authorization endpoint (OpenID Connect Core, 3.1.2).

mod request;

use std::sync::Arc;

use axum::{
    extract::{RawForm, State, rejection::RawFormRejection},
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderMap, StatusCode};

use self::request::Refusal;
pub(super) use self::request::{AuthorizeRequest, Prompt};
use super::{
    Provider,
    answer::AuthorizeErrorCode,
    interaction, page,
    params::Params,
    sso,
    state::{Authorization, CODE_SECS, Code, Digest, GRANT_SECS, Login, Purpose, Used},
};

pub(super) async fn authorize(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Response {
    let request = Params::read(form)
        .map_err(|error| Refusal::Page(error.to_string()))
        .and_then(|params| AuthorizeRequest::parse(&provider, &params));
    match request {
        Ok(request) => proceed(&provider, &headers, request),
        Err(Refusal::Page(text)) => page::error(&provider, StatusCode::BAD_REQUEST, &text),
        Err(Refusal::Answer(answer, code, text)) => answer.error(&provider, code, &text),
    }
}

/// Answers at once where a sign-in already serves, else asks the person.
fn proceed(provider: &Provider, headers: &HeaderMap, request: AuthorizeRequest) -> Response {
    let login = sso::current(provider, headers).filter(|login| request.is_met_by(login, provider.sources.now_secs()));
    match (request.prompt, login) {
        (Prompt::Auto | Prompt::None, Some(login)) => finish(provider, request, &login),
        (Prompt::None, None) => request.answer.error(
            provider,
            AuthorizeErrorCode::LoginRequired,
            "nobody is signed in, or not recently enough",
        ),
        _ => ask(provider, headers, request),
    }
}

fn ask(provider: &Provider, headers: &HeaderMap, request: AuthorizeRequest) -> Response {
    let opened = interaction::open(provider, headers, Purpose::SignIn(Box::new(request)));
    let mut response = Redirect::to(&format!("/login?interaction={}", opened.id)).into_response();
    opened.bind(response.headers_mut());
    response
}

/// Issues a code for `login` and sends it to the client.
pub(super) fn finish(provider: &Provider, request: AuthorizeRequest, login: &Login) -> Response {
    let now = provider.sources.now_secs();
    let code = provider.sources.token();
    sso::remember_client(provider, login, &request.client_id);
    let record = Code {
        expires_at: now + CODE_SECS,
        redirect_uri: request.answer.redirect_uri.clone(),
        challenge: request.challenge,
        nonce: request.nonce,
        authorization: Authorization {
            client_id: request.client_id,
            sub: login.sub.clone(),
            scope: request.scope,
            sid: login.sid.clone(),
            auth_time: login.auth_time,
            assurance: login.assurance,
        },
        used: Used::No,
    };
    provider.state.lock().codes.insert(Digest::of(&code), record, now + GRANT_SECS, now);
    request.answer.code(provider, &code)
}
