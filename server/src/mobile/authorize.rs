//! `/oauth/authorize`: an app asks for a code (RFC 6749 section 4.1.1, RFC 7636, RFC 9207). The provider's login runs
//! behind it, bound to the browser that began (S19).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method};
use url::form_urlencoded::Serializer;

use cloakroom_core::oidc::{LoginAsk, Provider};

use super::begin::{self, Begin};
use super::metadata::SCOPES;
use super::par;
use crate::edge::antiforgery::{Source, is_top_level_navigation, source};
use crate::edge::client::RegistrationRef;
use crate::edge::mobile_client::{MobileClient, RedirectKind, RedirectUri};
use crate::edge::own::{Context, page_response, see_other};
use crate::edge::page;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::transaction::AppAsk;
use crate::gateway::Gateway;

/// The longest state that is echoed.
const STATE_BYTES: usize = 1_000;

/// Why an app gets no code: told to it at its redirect URI (RFC 6749 section 4.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthorizeError {
    #[error("response_type must be code; the implicit flow is not offered: use code with PKCE (RFC 8252 section 8.2)")]
    ResponseType,
    #[error("response_mode must be query")]
    ResponseMode,
    #[error("request objects are not taken: push the request to /oauth/par instead")]
    RequestObject,
    #[error("code_challenge is missing or is no S256 challenge: 43 characters of base64url (RFC 7636)")]
    Challenge,
    #[error("code_challenge_method must be S256")]
    ChallengeMethod,
    #[error("state is longer than 1000 bytes")]
    State,
    #[error("dpop_jkt must be a SHA-256 thumbprint: 43 characters of base64url (RFC 9449 section 10)")]
    Thumbprint,
    #[error("max_age must be a number of seconds")]
    MaxAge,
    #[error("provider names no provider of this app")]
    Provider,
    #[error("the person must be asked, which prompt=none forbids")]
    Interaction,
    #[error("the identity provider cannot be reached now")]
    Unavailable,
}

impl AuthorizeError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::ResponseType => "unsupported_response_type",
            Self::RequestObject => "request_not_supported",
            Self::Interaction => "interaction_required",
            Self::Unavailable => "temporarily_unavailable",
            Self::ResponseMode
            | Self::Challenge
            | Self::ChallengeMethod
            | Self::State
            | Self::Thumbprint
            | Self::MaxAge
            | Self::Provider => "invalid_request",
        }
    }
}

type Check = fn(&MobileClient, &Params) -> Result<(), AuthorizeError>;

/// What is checked once the redirect URI is known to be the app's, in this order.
pub(super) const CHECKS: [Check; 9] = [
    |_, params| holds(params.get("state").is_none_or(|state| state.len() <= STATE_BYTES), AuthorizeError::State),
    |_, params| holds(params.get("response_type") == Some("code"), AuthorizeError::ResponseType),
    |_, params| holds(matches!(params.get("response_mode"), None | Some("query")), AuthorizeError::ResponseMode),
    |_, params| holds(params.get("request").is_none(), AuthorizeError::RequestObject),
    |_, params| holds(params.get("code_challenge").is_some_and(is_hash), AuthorizeError::Challenge),
    |_, params| holds(params.get("code_challenge_method") == Some("S256"), AuthorizeError::ChallengeMethod),
    |_, params| holds(params.get("dpop_jkt").is_none_or(is_hash), AuthorizeError::Thumbprint),
    |_, params| holds(params.get("max_age").is_none_or(|age| age.parse::<u64>().is_ok()), AuthorizeError::MaxAge),
    |app, params| registration(app, params).map(|_| ()),
];

fn holds(right: bool, error: AuthorizeError) -> Result<(), AuthorizeError> {
    if right { Ok(()) } else { Err(error) }
}

/// 32 bytes in base64url, as SHA-256 gives them.
fn is_hash(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn registration<'a>(app: &'a MobileClient, params: &Params) -> Result<&'a RegistrationRef, AuthorizeError> {
    let wanted = params.get("provider");
    let found = app.registrations.iter().find(|known| wanted.is_none_or(|id| *known.provider == *id));
    found.ok_or(AuthorizeError::Provider)
}

/// A request whose client and redirect URI hold: from here on the app is told what is wrong.
pub(super) struct Asked<'a> {
    pub(super) app: &'a Arc<MobileClient>,
    pub(super) redirect: &'a RedirectUri,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) params: Params,
    /// The pushed request that this is, to be used up.
    pub(super) pushed: Option<[u8; 32]>,
}

/// The app and its redirect URI; errors here lead nowhere (M1).
pub(super) fn asked(context: &Context, params: Params) -> Result<Asked<'_>, Refusal> {
    let id = params.get("client_id").ok_or_else(|| Refusal::parameter("client_id", "is missing"))?;
    let app = context.site.issues.iter().find(|app| *app.id == *id);
    let app = app.ok_or_else(|| Refusal::parameter("client_id", "names no app that is registered here"))?;
    let redirect_uri =
        params.get("redirect_uri").ok_or_else(|| Refusal::parameter("redirect_uri", "is missing"))?.to_owned();
    let redirect = app.redirect(&redirect_uri);
    let redirect = redirect.ok_or_else(|| Refusal::parameter("redirect_uri", "is not one that this app registered"))?;
    let state = params.get("state").filter(|state| state.len() <= STATE_BYTES).map(str::to_owned);
    Ok(Asked { app, redirect, redirect_uri, state, params, pushed: None })
}

/// `GET`: leads to the provider, or first asks the person where any app could have sent them (M12).
pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if !is_top_level_navigation(&method, &headers) {
        return Err(Refusal::BadRequest("open this address in the system browser: it is for people"));
    }
    let query = query.unwrap_or_default();
    let asked = read(&gateway, &context, &query)?;
    let prompts = asked.params.get("prompt").unwrap_or_default().to_owned();
    let must_ask =
        asked.redirect.kind() != RedirectKind::ClaimedHttps || prompts.split_ascii_whitespace().any(|p| p == "consent");
    let checked = CHECKS.iter().try_for_each(|check| check(asked.app, &asked.params));
    match checked {
        Err(error) => refused(&context, &asked, &error),
        Ok(()) if must_ask && prompts == "none" => refused(&context, &asked, &AuthorizeError::Interaction),
        Ok(()) if must_ask => {
            let denied =
                answer_url(&context, &asked.redirect_uri, asked.state.as_deref(), &[("error", "access_denied")]);
            Ok(page_response(page::allow_app(&asked.app.name, &query, &denied)))
        }
        Ok(()) => begin(&gateway, &context, asked, &headers, false).await,
    }
}

/// `POST`: the person clicked on the page that names the app.
pub(crate) async fn allowed(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    if source(&headers, &context.site.origin) != Source::SameOrigin {
        return Err(Refusal::BadRequest("this form is sent by the page that names the app, and by no other"));
    }
    let form = Params::parse(str::from_utf8(&body).unwrap_or_default())?;
    let asked = read(&gateway, &context, form.get("request_query").unwrap_or_default())?;
    match CHECKS.iter().try_for_each(|check| check(asked.app, &asked.params)) {
        Err(error) => refused(&context, &asked, &error),
        Ok(()) => begin(&gateway, &context, asked, &headers, true).await,
    }
}

/// The request's parameters: its own, or those that the app pushed (RFC 9126 section 4).
fn read<'a>(gateway: &Gateway, context: &'a Context, query: &str) -> Result<Asked<'a>, Refusal> {
    let params = Params::parse(query)?;
    let Some(uri) = params.get("request_uri") else { return asked(context, params) };
    let pushed = par::open(gateway, params.get("client_id").unwrap_or_default(), uri)?;
    Ok(Asked { pushed: Some(pushed.once), ..asked(context, pushed.params)? })
}

async fn begin(
    gateway: &Gateway,
    context: &Context,
    asked: Asked<'_>,
    headers: &HeaderMap,
    clicked: bool,
) -> Result<Response, Refusal> {
    let params = &asked.params;
    let registration = match registration(asked.app, params) {
        Ok(registration) => registration,
        Err(error) => return refused(context, &asked, &error),
    };
    let provider = gateway.sessions.provider(&registration.provider).ok_or(Refusal::Broken)?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    // The person has just consented here; what else is asked of the provider stays.
    let prompt = text("prompt")
        .map(|all| all.split_ascii_whitespace().filter(|p| *p != "consent").collect::<Vec<_>>().join(" "));
    let ask = LoginAsk {
        redirect_uri: callback_url(context, provider),
        prompt: prompt.filter(|prompt| !prompt.is_empty()),
        login_hint: text("login_hint"),
        acr_values: text("acr_values"),
        max_age_secs: params.get("max_age").and_then(|age| age.parse().ok()),
        ui_locales: text("ui_locales"),
        others: Vec::new(),
    };
    let waits = AppAsk {
        redirect_uri: asked.redirect_uri.clone(),
        state: asked.state.clone(),
        challenge: params.get("code_challenge").unwrap_or_default().to_owned(),
        jkt: text("dpop_jkt"),
        scopes: granted(params.get("scope").unwrap_or_default()),
    };
    let Some(begun) = begin::begin(gateway, Begin { app: asked.app, registration, ask, waits }, headers).await? else {
        return refused(context, &asked, &AuthorizeError::Unavailable);
    };
    if let Some(once) = asked.pushed {
        par::use_up(gateway, once).await?;
    }
    // A form's answer is a page, not a redirect: browsers hold `form-action` against the redirect's target too.
    let leads =
        if clicked { page_response(page::continue_to(&begun.url, "One moment")) } else { see_other(&begun.url)? };
    Ok(begun.respond(leads))
}

/// Of the scopes that are asked for, those that mean something here; the answer names them (RFC 6749 section 3.3).
pub(super) fn granted(asked: &str) -> Vec<String> {
    SCOPES
        .iter()
        .filter(|known| asked.split(' ').any(|scope| scope == **known))
        .map(|&scope| scope.to_owned())
        .collect()
}

/// Where the provider answers.
pub(super) fn callback_url(context: &Context, provider: &Provider) -> String {
    format!("{}{}", context.site.origin, provider.callback_path("/oauth/callback"))
}

fn refused(context: &Context, asked: &Asked<'_>, error: &AuthorizeError) -> Result<Response, Refusal> {
    let text = error.to_string();
    let told = [("error", error.code()), ("error_description", text.as_str())];
    see_other(&answer_url(context, &asked.redirect_uri, asked.state.as_deref(), &told))
}

/// An app's redirect URI with an answer: what it is told, its state, and who says it (RFC 9207).
pub(super) fn answer_url(context: &Context, redirect_uri: &str, state: Option<&str>, told: &[(&str, &str)]) -> String {
    let ends = state.map(|state| ("state", state)).into_iter().chain([("iss", &*context.site.origin)]);
    let pairs: Vec<_> = told.iter().copied().chain(ends).collect();
    with_query(redirect_uri, &pairs)
}

/// An app's address with more parameters.
pub(super) fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{}", Serializer::new(String::new()).extend_pairs(pairs).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_that_mean_nothing_here_are_not_granted() {
        for (asked, expected) in [
            ("", ""),
            ("openid", "openid"),
            ("email openid api:write", "openid email"),
            ("openid openid", "openid"),
            ("OPENID", ""),
        ] {
            assert_eq!(granted(asked).join(" "), expected, "{asked}");
        }
    }

    #[test]
    fn m02_a_challenge_is_43_characters_of_base64url() {
        assert!(is_hash("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
        for odd in ["", "short", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", &"a".repeat(44)] {
            assert!(!is_hash(odd), "{odd}");
        }
    }
}
