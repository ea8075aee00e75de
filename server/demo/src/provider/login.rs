//! `GET` and `POST /login`: the page that asks who it is.

use std::sync::Arc;

use axum::{
    extract::{RawForm, RawQuery, State, rejection::RawFormRejection},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use minijinja::context;

use super::{
    Provider,
    authorize::{self, AuthorizeRequest, Prompt},
    client_auth::is_same,
    config::User,
    interaction, page,
    params::Params,
    sso,
    state::{Assurance, Digest, Login, Purpose},
};

const GONE: &str = "This sign-in page is no longer valid: it was used, it is too old, or it was \
                    opened in another browser. Go back to the app and sign in from there.";
const WRONG: &str = "User name or password is wrong.";
const WRONG_CODE: &str = "The one-time code is wrong. The demo's phone shows the right one below.";

pub(super) async fn show(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let id = Params::parse(query.unwrap_or_default().as_bytes())
        .ok()
        .and_then(|params| params.get("interaction").map(str::to_owned));
    match id.and_then(|id| Asked::look(&provider, &headers, id)) {
        Some(asked) => asked.page(&provider, &headers, StatusCode::OK, None, &Params::default()),
        None => page::error(&provider, StatusCode::BAD_REQUEST, GONE),
    }
}

pub(super) async fn submit(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Response {
    let gone = || page::error(&provider, StatusCode::BAD_REQUEST, GONE);
    let Ok(params) = Params::read(form) else {
        return gone();
    };
    let id = params.get("interaction").unwrap_or_default().to_owned();
    if !interaction::is_genuine(&provider, &headers, &params) {
        return gone();
    }
    let Some(asked) = Asked::look(&provider, &headers, id) else {
        return gone();
    };
    if !asked.has_code(&params) {
        return asked.page(&provider, &headers, StatusCode::UNPROCESSABLE_ENTITY, Some(WRONG_CODE), &params);
    }
    if params.get("choice") == Some("continue") {
        let Some(login) = asked.present_login(&provider, &headers) else {
            return asked.page(&provider, &headers, StatusCode::OK, None, &params);
        };
        interaction::close(&provider, &asked.id);
        return authorize::finish(&provider, asked.request, &login);
    }
    let Some(user) = who(&provider, &params) else {
        return asked.page(&provider, &headers, StatusCode::UNPROCESSABLE_ENTITY, Some(WRONG), &params);
    };
    interaction::close(&provider, &asked.id);
    let mut cookies = HeaderMap::new();
    let login = sso::begin(&provider, &headers, &mut cookies, user, asked.request.assurance);
    let mut response = authorize::finish(&provider, asked.request, &login);
    response.headers_mut().extend(cookies);
    response
}

/// A one-click user, or name and password.
fn who<'a>(provider: &'a Provider, params: &Params) -> Option<&'a User> {
    if let Some(name) = params.get("demo_user") {
        return provider.config.user_by_name(name);
    }
    let password = params.get("password")?;
    provider.config.user_by_name(params.get("username")?).filter(|user| is_same(&user.password, password))
}

/// An open question to a person in this browser.
struct Asked {
    id: String,
    csrf: String,
    request: AuthorizeRequest,
}

impl Asked {
    fn look(provider: &Provider, headers: &HeaderMap, id: String) -> Option<Self> {
        let (csrf, request) = interaction::look(provider, headers, &id, |interaction| match &interaction.purpose {
            Purpose::SignIn(request) => Some((interaction.csrf.clone(), (**request).clone())),
            Purpose::SignOut(_) => None,
        })??;
        Some(Self { id, csrf, request })
    }

    /// The sign-in that may go on without a password.
    fn present_login(&self, provider: &Provider, headers: &HeaderMap) -> Option<Login> {
        let now = provider.sources.now_secs();
        sso::current(provider, headers)
            .filter(|login| self.request.prompt == Prompt::SelectAccount && self.request.is_met_by(login, now))
    }

    /// The code of this very page, where a second factor is asked for. In place of a phone, the page shows it.
    fn code(&self) -> Option<String> {
        let digest = Digest::of(&format!("{} {}", self.id, self.csrf));
        let number = digest.as_bytes().iter().fold(0_u32, |sum, byte| (sum * 256 + u32::from(*byte)) % 1_000_000);
        (self.request.assurance == Assurance::SecondFactor).then(|| format!("{number:06}"))
    }

    fn has_code(&self, params: &Params) -> bool {
        let typed = params.get("code").unwrap_or_default().replace(' ', "");
        self.code().is_none_or(|code| is_same(&code, &typed))
    }

    /// `typed` is what came with a wrong answer; `error` says what was wrong about it.
    fn page(
        &self,
        provider: &Provider,
        headers: &HeaderMap,
        status: StatusCode,
        error: Option<&str>,
        typed: &Params,
    ) -> Response {
        let users: Vec<_> = provider
            .config
            .users
            .iter()
            .map(|user| {
                context! {
                    name => &user.name,
                    display_name => &user.display_name,
                    password => &user.password,
                    roles => &user.roles,
                }
            })
            .collect();
        let signed_in = self
            .present_login(provider, headers)
            .and_then(|login| provider.config.user_by_sub(&login.sub))
            .map(|user| &user.display_name);
        let values = context! {
            interaction => &self.id,
            csrf => &self.csrf,
            client => &self.request.client_id,
            host => self.request.answer.redirect_uri.host_str(),
            username => typed.get("username").or(self.request.login_hint.as_deref()),
            error,
            code => self.code(),
            again => self.request.prompt == Prompt::Login,
            signed_in,
            users,
        };
        let leads_to = Some(&self.request.answer.redirect_uri);
        page::show(provider, status, "login.html", values, leads_to)
    }
}
