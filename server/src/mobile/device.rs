//! The device grant (RFC 8628), for apps without a browser: `POST /oauth/device_authorization` gives two codes, a person
//! types the short one at `/oauth/device` on another device and signs in there, and the app fetches its tokens.
//!
//! Whoever talks a person into typing a code gets into that person's account (RFC 8628 section 5.4): so the page says who
//! asked, when and whence, shows the code for comparing, and leaves saying no as easy as saying yes.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use cloakroom_core::oidc::LoginAsk;
use cloakroom_core::session::id::sha256;
use cloakroom_core::session::start::cut_user_agent;
use cloakroom_core::store::DeviceGrant;
use cloakroom_core::vault::ring::Purpose;

use super::authorize::{callback_url, granted};
use super::begin::{Begin, begin};
use super::form;
use crate::edge::antiforgery::{Source, source};
use crate::edge::device;
use crate::edge::mobile_client::MobileClient;
use crate::edge::oauth_error::OAuthError;
use crate::edge::own::{Context, json as json_response, page_response};
use crate::edge::page::{self, DeviceAsk, Rest};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::transaction::AppAsk;
use crate::gateway::Gateway;

/// The grant's name; in the place of a redirect URI it stands for a device that waits.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long a device waits for its person, in seconds.
const LIFE_SECS: i64 = 600;
/// How long it must wait between two questions, in seconds.
const INTERVAL_SECS: i64 = 5;
/// Devices of one app that may wait at a time.
const MOST: i64 = 10_000;
/// RFC 8628 section 6.1: no vowels, so no words; none that look alike.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE: usize = 8;
const PREFIX: &str = "crs_dc_";

/// `POST /oauth/device_authorization`.
pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Refusal> {
    let form = form::read(&parts, &body)?;
    let app = form::client(&context.site, &parts, &form)?;
    if !app.device_grant {
        let text = "this app does not use the device grant: its configuration says so with device_grant = true";
        return Err(OAuthError::bad("unauthorized_client", text).into());
    }
    let now = gateway.now();
    // Two devices with one code are unlikely, not impossible.
    for _ in 0..3 {
        let (device_code, user_code) = (device_code(&gateway), user_code(&gateway));
        let grant = DeviceGrant {
            device: sha256(device_code.as_bytes()),
            user_code: sha256(user_code.as_bytes()),
            client_id: app.id.to_string(),
            scopes: granted(form.get("scope").unwrap_or_default()).join(" "),
            address: context.peer.to_string(),
            user_agent: device::user_agent(&parts.headers).as_deref().map(cut_user_agent),
            created_at: now,
            expires_at: now.plus_secs(LIFE_SECS),
            interval_ms: INTERVAL_SECS * 1000,
        };
        if gateway.sessions.store().begin_device(grant, MOST).await? {
            let shown = shown(&user_code);
            let page = format!("{}/oauth/device", context.site.origin);
            return Ok(json_response(&json!({
                "device_code": device_code,
                "user_code": shown,
                "verification_uri": page,
                "verification_uri_complete": format!("{page}?user_code={shown}"),
                "expires_in": LIFE_SECS,
                "interval": INTERVAL_SECS,
            })));
        }
    }
    let error = OAuthError::bad("temporarily_unavailable", "too many devices wait for their people; try again later");
    Err(OAuthError { status: StatusCode::SERVICE_UNAVAILABLE, ..error }.into())
}

/// `GET /oauth/device`: asks for the code, and then whether it is the person's own device.
pub(crate) async fn page(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let Some(typed) = params.get("user_code") else { return Ok(page_response(page::device_code(false))) };
    let Some((app, grant)) = waiting(&gateway, &context, typed).await? else {
        return Ok(page_response(page::device_code(true)));
    };
    let device = grant.user_agent.as_deref().map(device::name);
    let ask = DeviceAsk {
        app_name: &app.name,
        user_code: &shown(&typed_code(typed)),
        address: &grant.address,
        device: device.as_deref(),
        minutes: gateway.now().secs_after(grant.created_at) / 60,
    };
    Ok(page_response(page::device_ask(&ask)))
}

/// `POST /oauth/device`: the person said yes, and signs in; or no.
pub(crate) async fn decided(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    if source(&headers, &context.site.origin) != Source::SameOrigin {
        return Err(Refusal::BadRequest("this form is sent by the page that asks for the code, and by no other"));
    }
    let form = Params::parse(str::from_utf8(&body).unwrap_or_default())?;
    let Some((app, grant)) = waiting(&gateway, &context, form.get("user_code").unwrap_or_default()).await? else {
        return Ok(page_response(page::device_code(true)));
    };
    if form.get("mine") != Some("yes") {
        gateway.sessions.store().decide_device(grant.device, None, gateway.now()).await?;
        return Ok(page_response(page::rest(&app.name, Rest::DeviceRefused)));
    }
    let registration = app.registrations.first().ok_or(Refusal::Broken)?;
    let provider = gateway.sessions.provider(&registration.provider).ok_or(Refusal::Broken)?;
    let ask = LoginAsk {
        redirect_uri: callback_url(&context, provider),
        prompt: None,
        login_hint: None,
        acr_values: None,
        max_age_secs: None,
        ui_locales: None,
        others: Vec::new(),
    };
    let waits = AppAsk {
        redirect_uri: GRANT.to_owned(),
        state: None,
        challenge: URL_SAFE_NO_PAD.encode(grant.device),
        jkt: None,
        scopes: grant.scopes.split_ascii_whitespace().map(str::to_owned).collect(),
    };
    match begin(&gateway, Begin { app, registration, ask, waits }, &headers).await? {
        Some(begun) => Ok(begun.respond(page_response(page::continue_to(&begun.url, "One moment")))),
        None => Err(Refusal::TryLater { what: "the identity provider", retry_after_secs: 5 }),
    }
}

/// The person is signed in: the device may fetch the session's code. Answers whether it still waits.
async fn approve(gateway: &Gateway, challenge: &str, code: &str) -> Result<bool, Refusal> {
    let device = URL_SAFE_NO_PAD.decode(challenge).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let device = device.ok_or(Refusal::Broken)?;
    let ring = gateway.sessions.vault().ring();
    let sealed = ring.seal(Purpose::DeviceCode, &[&device], code.as_bytes(), &*gateway.random);
    Ok(gateway.sessions.store().decide_device(device, Some(sealed), gateway.now()).await?)
}

/// The page after the provider's answer.
pub(super) async fn finish(
    gateway: &Gateway,
    app_name: &str,
    challenge: &str,
    told: Result<String, String>,
) -> Result<Response, Refusal> {
    let failed = |message: String| Refusal::Login { code: "login-device", message, again: "/oauth/device".into() };
    match told {
        Ok(code) if approve(gateway, challenge, &code).await? => {
            Ok(page_response(page::rest(app_name, Rest::DeviceSignedIn)))
        }
        Ok(_) => Err(failed("the device does not wait any more: begin again there".into())),
        Err(why) => Err(failed(why)),
    }
}

/// What the device is told when it asks for its tokens (RFC 8628 section 3.5).
#[derive(Debug, thiserror::Error)]
pub(super) enum Waiting {
    #[error("the person has not signed in yet")]
    Pending,
    #[error("wait 5 s longer between two questions, from now on")]
    SlowDown,
    #[error("the person said no")]
    Denied,
    #[error("nobody signed in in time: ask for a new code")]
    Expired,
    #[error("this is no device code of this app")]
    Unknown,
}

impl Waiting {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Pending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::Denied => "access_denied",
            Self::Expired => "expired_token",
            Self::Unknown => "invalid_grant",
        }
    }
}

/// The code of the session that the person began, once they did.
pub(super) async fn fetch(
    gateway: &Gateway,
    app: &MobileClient,
    device_code: &str,
) -> Result<Result<String, Waiting>, Refusal> {
    if !is_ours(gateway, device_code) {
        // Told from the text alone: a guess never reaches the store.
        return Ok(Err(Waiting::Unknown));
    }
    let (device, now) = (sha256(device_code.as_bytes()), gateway.now());
    let Some(poll) = gateway.sessions.store().poll_device(device, now).await? else { return Ok(Err(Waiting::Expired)) };
    if poll.client_id != *app.id {
        return Ok(Err(Waiting::Unknown));
    }
    if now >= poll.expires_at {
        return Ok(Err(Waiting::Expired));
    }
    let Some(sealed) = poll.code else {
        return Ok(Err(match (poll.denied, poll.too_soon) {
            (true, _) => Waiting::Denied,
            (false, true) => Waiting::SlowDown,
            (false, false) => Waiting::Pending,
        }));
    };
    let ring = gateway.sessions.vault().ring();
    let plain = ring.open_sealed(Purpose::DeviceCode, &[&device], &sealed).map_err(|_| Refusal::Broken)?;
    Ok(Ok(str::from_utf8(&plain).map_err(|_| Refusal::Broken)?.to_owned()))
}

/// The device that waits with this user code, and its app.
async fn waiting<'a>(
    gateway: &Gateway,
    context: &'a Context,
    typed: &str,
) -> Result<Option<(&'a Arc<MobileClient>, DeviceGrant)>, Refusal> {
    let code = typed_code(typed);
    if code.len() != USER_CODE {
        return Ok(None);
    }
    let found = gateway.sessions.store().waiting_device(sha256(code.as_bytes()), gateway.now()).await?;
    let Some(grant) = found else { return Ok(None) };
    let app = context.site.issues.iter().find(|app| app.device_grant && *app.id == *grant.client_id);
    Ok(app.map(|app| (app, grant)))
}

/// A random part, and a keyed tag over it.
fn device_code(gateway: &Gateway) -> String {
    let random: [u8; 32] = gateway.random.bytes();
    let tag = gateway.sessions.vault().ring().mark(Purpose::DeviceCode, &random);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([random, tag].concat()))
}

fn is_ours(gateway: &Gateway, device_code: &str) -> bool {
    let bytes = device_code.strip_prefix(PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default();
    let Some((random, tag)) = bytes.split_first_chunk::<32>() else { return false };
    gateway.sessions.vault().ring().mark(Purpose::DeviceCode, random).as_slice().ct_eq(tag).into()
}

/// Eight letters: one in 2.56e10.
fn user_code(gateway: &Gateway) -> String {
    let mut code = String::new();
    while code.len() < USER_CODE {
        let bytes: [u8; 16] = gateway.random.bytes();
        // Of 256 values, 240 are shared out evenly; the others are drawn again.
        let letters = bytes.iter().filter(|&&byte| byte < 240).filter_map(|byte| LETTERS.get(usize::from(byte % 20)));
        code.extend(letters.take(USER_CODE - code.len()).map(|&letter| char::from(letter)));
    }
    code
}

/// What a person types: in any case, with or without the dash.
fn typed_code(typed: &str) -> String {
    typed.chars().take(40).filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect()
}

/// In two groups, as it is read out.
fn shown(code: &str) -> String {
    let (first, second) = code.split_at_checked(USER_CODE / 2).unwrap_or((code, ""));
    format!("{first}-{second}")
}
