//! `GET /bff/login`: starts the authorization code flow with PKCE, state and nonce.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method, header};

use cloakroom_core::oidc::LoginAsk;
use cloakroom_core::session::open::{Live, Opened};

use super::callback;
use super::choose::{self, Chosen};
use super::return_to::ReturnTo;
use crate::edge::antiforgery::{Source, is_top_level_navigation, source};
use crate::edge::client::RegistrationRef;
use crate::edge::own::{Context, page_response, see_other};
use crate::edge::page;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::transaction::{LIFE_SECS, Silent, Transaction, Transactions};
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
    // From another site, the login must know that it was begun there: no page of ours stands in between.
    let foreign = source(&headers, &context.site.origin) == Source::Foreign;
    let elsewhere = foreign || params.get(choose::ELSEWHERE).is_some();
    if params.get("keep") == Some("fragment") && !foreign {
        return Ok(page_response(page::keep_fragment(&without_keep(&context, query.as_deref()))));
    }
    let return_to = return_to(&context, &params)?;
    let ask = ask(&params)?;
    let live = to_confirm(&gateway, &context, &headers, &params, &ask).await?;
    let query = query.as_deref().unwrap_or_default();
    let registration = match choose::chosen(&gateway, client, &params, live.as_deref())? {
        Chosen::This(one) if choose::was_asked(&params) => {
            let next = choose::login_at(&context, query, one, elsewhere);
            return Ok(page_response(page::continue_to(&next, "Signing you in")));
        }
        Chosen::This(one) => one,
        Chosen::Open => return choose::page(&gateway, &context, &params, query, elsewhere),
    };
    let whose = live.map(|live| person_mark(&gateway, &live.values().issuer, &live.values().sub));
    let return_to = return_to.as_str().to_owned();
    let wanted = Wanted { return_to, registration, ask, elsewhere, whose, silent: None };
    begin(&gateway, &context, &headers, wanted).await
}

/// What a login is to be.
pub(super) struct Wanted<'a> {
    /// Where it leads; a [`ReturnTo`]'s address.
    pub(super) return_to: String,
    pub(super) registration: &'a RegistrationRef,
    pub(super) ask: LoginAsk,
    /// Whether a page of another site led here.
    pub(super) elsewhere: bool,
    /// Whose session it is to confirm: [`person_mark`].
    pub(super) whose: Option<String>,
    pub(super) silent: Option<Silent>,
}

/// Leads the browser to the provider, with a transaction's cookie.
pub(super) async fn begin(
    gateway: &Gateway,
    context: &Context,
    headers: &HeaderMap,
    wanted: Wanted<'_>,
) -> Result<Response, Refusal> {
    let Wanted { return_to, registration, ask, elsewhere, whose, silent } = wanted;
    let provider = gateway.sessions.provider(&registration.provider).ok_or(Refusal::Broken)?;
    let ask = LoginAsk { redirect_uri: context.own_url(&callback::path_of(provider)), ..ask };
    let begun = provider.begin(&registration.registration, &ask, &*gateway.random).await.map_err(|error| {
        tracing::warn!(provider = &*registration.provider, %error, "a sign-in could not begin");
        Refusal::TryLater { what: "the identity provider", retry_after_secs: 5 }
    })?;
    let transaction = Transaction {
        state: begun.state,
        nonce: begun.nonce,
        pkce_verifier: begun.pkce_verifier.reveal().to_owned(),
        return_to,
        provider_id: registration.provider.to_string(),
        registration_id: registration.registration.to_string(),
        max_age_secs: ask.max_age_secs,
        acr_values: ask.acr_values,
        expires_at: gateway.now().plus_secs(LIFE_SECS),
        begun_elsewhere: elsewhere,
        whose,
        silent,
        app: None,
    };
    let transactions = Transactions::new(&context.client()?.id, gateway.sessions.vault(), &gateway.random);
    let cookies = transactions.keep(&transaction, headers).await.map_err(|error| {
        tracing::error!(%error, "a login transaction could not be sealed");
        Refusal::Broken
    })?;
    let mut response = see_other(&begun.url)?;
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The session that a login confirms: one that asks for more proof (RFC 9470) while somebody is signed in is about that person,
/// unless it lets another be chosen.
async fn to_confirm(
    gateway: &Gateway,
    context: &Context,
    headers: &HeaderMap,
    params: &Params,
    ask: &LoginAsk,
) -> Result<Option<Arc<Live>>, Refusal> {
    let steps_up = ask.acr_values.is_some() || ask.max_age_secs.is_some();
    let may_change = params.get("prompt").is_some_and(|prompt| prompt.contains("select_account"));
    if !steps_up || may_change {
        return Ok(None);
    }
    Ok(match context.session(gateway, headers).await? {
        Some(Opened::Live(live)) => Some(live),
        _ => None,
    })
}

/// A short mark of a person, by issuer and `sub` (S7), which tells nothing of either.
pub(super) fn person_mark(gateway: &Gateway, issuer: &str, sub: &str) -> String {
    let hash = gateway.sessions.vault().ring().subject(issuer, sub);
    URL_SAFE_NO_PAD.encode(hash.first_chunk::<16>().map_or(hash.as_slice(), |first| first.as_slice()))
}

/// This very login for browsers that run no script: the fragment is then lost.
fn without_keep(context: &Context, query: Option<&str>) -> String {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).filter(|(name, _)| name != "keep");
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{}?{query}", context.site.login_url())
}

/// Where to come back to: `return_to`, or what a login that a third party initiates calls it (OpenID Connect Core
/// section 4), which is an absolute address.
pub(super) fn return_to(context: &Context, params: &Params) -> Result<ReturnTo, Refusal> {
    let wrong = |name: &str| Refusal::BadParameter {
        name: name.into(),
        what: "must be a path of this site that starts with a single slash, or a URL that the client registered",
    };
    if let Some(target) = params.get("target_link_uri") {
        let own = target.strip_prefix(&*context.site.origin).filter(|path| path.starts_with('/'));
        return ReturnTo::parse(own.unwrap_or(target), &context.site).map_err(|_| wrong("target_link_uri"));
    }
    let asked = params.get("return_to").or_else(|| params.get("returnUrl")).unwrap_or("/");
    ReturnTo::parse(asked, &context.site).map_err(|_| wrong("return_to"))
}

pub(super) fn ask(params: &Params) -> Result<LoginAsk, Refusal> {
    let max_age_secs = match params.get("max_age").map(str::parse) {
        None => None,
        Some(Ok(secs)) => Some(secs),
        Some(Err(_)) => {
            return Err(Refusal::BadParameter { name: "max_age".into(), what: "must be a number of seconds" });
        }
    };
    let text = |name: &str| params.get(name).map(str::to_owned);
    Ok(LoginAsk {
        redirect_uri: String::new(),
        prompt: text("prompt"),
        login_hint: text("login_hint"),
        acr_values: text("acr_values"),
        max_age_secs,
        ui_locales: text("ui_locales"),
        others: params.all().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    })
}
