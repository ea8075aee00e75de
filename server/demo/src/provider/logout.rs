//! `GET` and `POST /logout`: the end-session endpoint (OpenID Connect RP-Initiated Logout 1.0), and
//! `POST /logout/confirm`, the click on its page.

use std::sync::Arc;

use axum::{
    extract::{RawForm, State, rejection::RawFormRejection},
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use minijinja::context;
use url::Url;

use super::{
    Provider,
    hint::{self, Hint},
    interaction, page,
    params::Params,
    sso,
    state::{AfterLogout, Login, Purpose},
};

const GONE: &str = "This page is no longer valid. You may still be signed in here: \
                    open the provider's start page to see.";

pub(super) async fn logout(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Response {
    let request = Params::read(form)
        .map_err(|error| vec![error.to_string()])
        .and_then(|params| LogoutRequest::parse(&provider, &params));
    let request = match request {
        Ok(request) => request,
        // Nothing is ended and nobody is sent away on a request that does not add up.
        Err(problems) => {
            let text = problems.join(" ");
            return page::error(&provider, StatusCode::BAD_REQUEST, &text);
        }
    };
    let Some(login) = sso::current(&provider, &headers) else {
        return lead(&provider, &request.after);
    };
    if request.hint.is_some_and(|hint| hint.sub == login.sub) {
        return end(&provider, &headers, &request.after);
    }
    ask(&provider, &headers, &login, request.after)
}

pub(super) async fn confirm(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Response {
    let after = Params::read(form)
        .ok()
        .filter(|params| interaction::is_genuine(&provider, &headers, params))
        .and_then(|params| interaction::close(&provider, params.get("interaction")?));
    match after {
        Some(Purpose::SignOut(after)) => end(&provider, &headers, &after),
        Some(Purpose::SignIn(_)) | None => page::error(&provider, StatusCode::BAD_REQUEST, GONE),
    }
}

fn end(provider: &Provider, headers: &HeaderMap, after: &AfterLogout) -> Response {
    let mut cookies = HeaderMap::new();
    sso::end(provider, headers, &mut cookies);
    let mut response = lead(provider, after);
    response.headers_mut().extend(cookies);
    response
}

fn lead(provider: &Provider, after: &AfterLogout) -> Response {
    match after {
        AfterLogout::Client(url) => Redirect::to(url.as_str()).into_response(),
        AfterLogout::Here => page::show(provider, StatusCode::OK, "signed_out.html", context! {}, None),
    }
}

/// Without a hint, or with another person's, anybody's link could have led here (section 2).
fn ask(provider: &Provider, headers: &HeaderMap, login: &Login, after: AfterLogout) -> Response {
    let leads_to = match &after {
        AfterLogout::Client(url) => Some(url.clone()),
        AfterLogout::Here => None,
    };
    let user = provider.config.user_by_sub(&login.sub);
    let opened = interaction::open(provider, headers, Purpose::SignOut(after));
    let values = context! {
        interaction => &opened.id,
        csrf => &opened.csrf,
        name => user.map(|user| &user.display_name),
    };
    let mut response = page::show(provider, StatusCode::OK, "logout.html", values, leads_to.as_ref());
    opened.bind(response.headers_mut());
    response
}

/// A checked request: `after` leads only to an address that is registered.
struct LogoutRequest {
    hint: Option<Hint>,
    after: AfterLogout,
}

impl LogoutRequest {
    /// Answers every problem at once.
    fn parse(provider: &Provider, params: &Params) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let hint = params.get("id_token_hint").and_then(|token| {
            let hint = hint::read(provider, token);
            if hint.is_none() {
                problems.push("The id_token_hint is not an ID token of this provider.".to_owned());
            }
            hint
        });
        let client_id = params.get("client_id");
        if let (Some(hint), Some(client_id)) = (&hint, client_id)
            && hint.aud != client_id
        {
            problems.push("The id_token_hint was issued to another client_id.".to_owned());
        }
        let client_id = client_id.or(hint.as_ref().map(|hint| hint.aud.as_str()));
        let after = match params.get("post_logout_redirect_uri") {
            None => AfterLogout::Here,
            Some(wanted) => match registered(provider, client_id, wanted) {
                Ok(mut url) => {
                    if let Some(state) = params.get("state") {
                        url.query_pairs_mut().append_pair("state", state);
                    }
                    AfterLogout::Client(url)
                }
                Err(problem) => {
                    problems.push(problem.to_owned());
                    AfterLogout::Here
                }
            },
        };
        if problems.is_empty() { Ok(Self { hint, after }) } else { Err(problems) }
    }
}

/// Section 3: compared as whole strings with what the client registered.
fn registered(provider: &Provider, client_id: Option<&str>, wanted: &str) -> Result<Url, &'static str> {
    let client_id = client_id.ok_or("A post_logout_redirect_uri needs an id_token_hint or a client_id beside it.")?;
    provider
        .config
        .client(client_id)
        .ok_or("No client with this client_id is registered here.")?
        .post_logout_redirect_uris
        .iter()
        .find(|uri| uri.as_str() == wanted)
        .cloned()
        .ok_or("This post_logout_redirect_uri is not registered for the client.")
}
