//! The few pages that Cloakroom shows to people itself: one layout, one style, a script where nothing else will do; the
//! Content-Security-Policy names the hash of each.

mod colour;
pub mod look;
mod words;

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest;
use base64::Engine as _;
use http::{HeaderMap, HeaderValue, header};
use minijinja::{Environment, context};

use super::body::Body;
use look::{Language, Look};

const STYLE: &str = include_str!("page/style.css");

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    for (name, source) in [
        ("layout.html", include_str!("page/layout.html")),
        ("error.html", include_str!("page/error.html")),
        ("continue.html", include_str!("page/continue.html")),
        ("framed.html", include_str!("page/framed.html")),
        ("silent.html", include_str!("page/silent.html")),
        ("signed-out.html", include_str!("page/signed-out.html")),
        ("choose.html", include_str!("page/choose.html")),
        ("sign-in.html", include_str!("page/sign-in.html")),
        ("allow.html", include_str!("page/allow.html")),
        ("sign-out.html", include_str!("page/sign-out.html")),
        ("device.html", include_str!("page/device.html")),
        ("back-to-app.html", include_str!("page/back-to-app.html")),
    ] {
        if let Err(error) = pages.add_template(name, source) {
            tracing::error!(%error, name, "a built-in page does not parse");
        }
    }
    words::add_to(&mut pages);
    pages
});

/// The few scripts: each does one thing that no header and no markup can.
static HOP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("page/hop.js")));
static SILENT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("page/silent.js")));
static KEEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("page/keep.js")));

/// A script, and the hash by which its page's policy lets it run and no other.
struct Script {
    text: minijinja::Value,
    hash: String,
}

impl Script {
    fn new(text: &str) -> Self {
        Self { text: minijinja::Value::from_safe_string(text.to_owned()), hash: hash(text) }
    }
}

fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// A page that was shown plainly, so that it can be shown once more in its site's look and the person's language.
struct Draft {
    name: &'static str,
    values: minijinja::Value,
    script: Option<&'static LazyLock<Script>>,
    ancestors: String,
}

impl Draft {
    /// The text.
    fn render(&self, look: &Look, language: Language) -> String {
        let script = self.script.map(|script| script.text.clone());
        let (lang, style, logo, brand) = (language.tag(), look.style(), look.logo(), look.name());
        let values = context! { script, lang, style, logo, brand, ..self.values.clone() };
        PAGES.get_template(self.name).and_then(|template| template.render(values)).unwrap_or_else(|error| {
            tracing::error!(%error, name = self.name, "a built-in page does not render");
            "Something is broken.".to_owned()
        })
    }

    /// Nothing but the one style, the logo, a script if the page has one, and the own origin's forms.
    fn policy(&self, look: &Look) -> HeaderValue {
        let style = look.style_hash();
        let script = self.script.map(|script| format!(" script-src 'sha256-{}';", script.hash)).unwrap_or_default();
        let images = if look.logo().is_some() { " img-src data:;" } else { "" };
        let ancestors = &self.ancestors;
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}';{script}{images} form-action 'self'; base-uri 'none'; \
             frame-ancestors {ancestors}"
        );
        HeaderValue::try_from(policy)
            .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
    }
}

/// Shows a page of ours, if the answer is one, in its site's look and the person's language.
pub fn dress(response: &mut http::Response<Body>, look: &Look, parts: &http::request::Parts) {
    let Some(draft) = response.extensions().get::<Arc<Draft>>().cloned() else { return };
    let language = Language::of(parts.uri.query(), &parts.headers);
    let text = draft.render(look, language);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(header::CONTENT_SECURITY_POLICY, draft.policy(look));
    *response.body_mut() = Body::from(text);
}

/// Puts the security headers of an own answer, kept by no cache.
pub fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert_with(|| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}

fn page(name: &'static str, values: minijinja::Value) -> http::Response<String> {
    shown(Draft { name, values, script: None, ancestors: "'none'".to_owned() })
}

fn shown(draft: Draft) -> http::Response<String> {
    let mut response = http::Response::new(draft.render(&Look::PLAIN, Language::English));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, draft.policy(&Look::PLAIN));
    harden(headers);
    response.extensions_mut().insert(Arc::new(draft));
    response
}

/// What a page says of a refusal.
#[derive(Debug)]
pub struct Said<'a> {
    /// In two or three words.
    pub title: &'a str,
    /// The stable code that docs/troubleshooting.md explains.
    pub code: &'a str,
    /// In a sentence, without its full stop.
    pub message: &'a str,
    /// Whether it is a step of the ordinary way, such as signing in.
    pub expected: bool,
}

/// Something went wrong, or is to be done first: what, and where to go on.
#[must_use]
pub fn error(said: &Said<'_>, way_on: Option<(&str, &str)>, request_id: &str) -> http::Response<String> {
    let (href, label) = way_on.unzip();
    let mut rest = said.message.chars();
    let message: String = rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect();
    let tone = if said.expected { "calm" } else { "warn" };
    page("error.html", context! { title => said.title, code => said.code, message, href, label, request_id, tone })
}

/// Leads on to `href`, an address of the own origin, so that the next request is same-origin and carries the Strict
/// cookie.
#[must_use]
pub fn continue_to(href: &str, title: &str) -> http::Response<String> {
    page("continue.html", context! { title, href })
}

/// Leads on to the very page that was asked for, `here`, with its fragment where the browser runs scripts (X8).
#[must_use]
pub fn hop(here: &str) -> http::Response<String> {
    scripted("continue.html", &HOP, context! { title => "One moment", href => here })
}

/// Leads on to the login `href`, with the fragment of the present address in its `return_to` (U5).
#[must_use]
pub fn keep_fragment(href: &str) -> http::Response<String> {
    scripted("continue.html", &KEEP, context! { title => "Signing you in", href })
}

fn scripted(name: &'static str, script: &'static LazyLock<Script>, values: minijinja::Value) -> http::Response<String> {
    shown(Draft { name, values, script: Some(script), ancestors: "'none'".to_owned() })
}

/// The last page of a silent login in a frame: it tells the own page that framed it, and nobody else can frame it (X7).
#[must_use]
pub fn silent_outcome(signed_in: bool, error: &str) -> http::Response<String> {
    let title = if signed_in { "Signed in" } else { "Not signed in" };
    in_own_frame("silent.html", Some(&SILENT), context! { title, signed_in, error })
}

/// Leads on inside a frame of the own page.
#[must_use]
pub fn continue_in_frame(href: &str) -> http::Response<String> {
    in_own_frame("continue.html", None, context! { title => "One moment", href })
}

/// Only pages of the own origin may frame it.
fn in_own_frame(
    name: &'static str,
    script: Option<&'static LazyLock<Script>>,
    values: minijinja::Value,
) -> http::Response<String> {
    let mut response = shown(Draft { name, values, script, ancestors: "'self'".to_owned() });
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}

/// What a provider's logout page frames, and nobody else may.
#[must_use]
pub fn logged_out_frame(client_name: &str, ancestors: &[String]) -> http::Response<String> {
    let values = context! { title => "Signed out", client_name };
    let mut response = shown(Draft { name: "framed.html", values, script: None, ancestors: ancestors.join(" ") });
    // A header of one site or none: it cannot name the provider's, as the policy does.
    response.headers_mut().remove(header::X_FRAME_OPTIONS);
    response
}

/// The person is signed out and stays so.
#[must_use]
pub fn signed_out(client_name: &str, sign_in: &str, provider_session_lives: bool) -> http::Response<String> {
    page("signed-out.html", context! { title => "Signed out", client_name, sign_in, provider_session_lives })
}

/// Asks before a sign-in that another site's page began replaces a session.
#[must_use]
pub fn confirm_sign_in(client_name: &str, href: &str) -> http::Response<String> {
    page("sign-in.html", context! { title => "Sign in again?", client_name, href })
}

/// Names the app and asks for a click before it gets a code (RFC 8252 section 8.6).
#[must_use]
pub fn allow_app(app_name: &str, query: &str, denied: &str) -> http::Response<String> {
    page("allow.html", context! { title => "Sign in", app_name, query, denied })
}

/// A provider to choose.
#[derive(Debug)]
pub struct Choice {
    /// Its name for people.
    pub name: String,
    /// The login there.
    pub href: String,
}

/// What the page of choices shows.
#[derive(Debug)]
pub struct Chooser {
    /// The providers.
    pub choices: Vec<Choice>,
    /// Whether a mail address may choose.
    pub by_mail: bool,
    /// Where the form goes.
    pub action: String,
    /// What the form sends along.
    pub hidden: Vec<(String, String)>,
    /// The address that was given.
    pub mail: String,
    /// Whether no provider has that address.
    pub nobodys: bool,
}

/// Lets the person choose where to sign in.
#[must_use]
pub fn choose(client_name: &str, chooser: &Chooser) -> http::Response<String> {
    let Chooser { choices, by_mail, action, hidden, mail, nobodys } = chooser;
    let shown = |choice: &Choice| context! { name => choice.name.as_str(), href => choice.href.as_str() };
    let choices: Vec<minijinja::Value> = choices.iter().map(shown).collect();
    let pair = |(name, value): &(String, String)| context! { name => name.as_str(), value => value.as_str() };
    let hidden: Vec<minijinja::Value> = hidden.iter().map(pair).collect();
    page("choose.html", context! { client_name, choices, by_mail, action, hidden, mail, nobodys })
}

/// What a person is told of a device that waits.
#[derive(Debug)]
pub struct DeviceAsk<'a> {
    /// The app.
    pub app_name: &'a str,
    /// The code that the device shows.
    pub user_code: &'a str,
    /// Whence it was asked.
    pub address: &'a str,
    /// What the device calls itself.
    pub device: Option<&'a str>,
    /// How long ago.
    pub minutes: i64,
}

/// Asks for the code that a device shows.
#[must_use]
pub fn device_code(wrong: bool) -> http::Response<String> {
    page("device.html", context! { title => "Connect a device", wrong })
}

/// Asks whether it is the person's own device.
#[must_use]
pub fn device_ask(ask: &DeviceAsk<'_>) -> http::Response<String> {
    let DeviceAsk { app_name, user_code, address, device, minutes } = *ask;
    page(
        "device.html",
        context! { title => "Sign in", ask => context! { app_name, user_code, address, device, minutes } },
    )
}

/// Why nothing is left to do in the browser: the person goes back to the app or the device by themselves.
#[derive(Clone, Copy, Debug)]
pub enum Rest {
    /// The app's session is over.
    SignedOut,
    /// The device has what it asked for.
    DeviceSignedIn,
    /// The person said no to a device.
    DeviceRefused,
}

/// A page to rest on.
#[must_use]
pub fn rest(app_name: &str, rest: Rest) -> http::Response<String> {
    let (title, message) = match rest {
        Rest::SignedOut => ("You are signed out", "Your session in {app} has ended. You can close this page."),
        Rest::DeviceSignedIn => (
            "You are signed in on your device",
            "Your device goes on by itself in a few seconds. You can close this page.",
        ),
        Rest::DeviceRefused => (
            "Good that you looked",
            "Nobody was signed in. Whoever sent you the code or a link to this page wanted to get into your account.",
        ),
    };
    page("back-to-app.html", context! { title, message, app_name })
}

/// Asks before signing out, where the link did not prove that the app made it.
#[must_use]
pub fn confirm_sign_out(client_name: &str, action: &str, proof: &str) -> http::Response<String> {
    page("sign-out.html", context! { title => "Sign out", client_name, action, proof })
}
