//! The few pages that Cloakroom shows to people itself: one layout, no script, one style whose hash the
//! Content-Security-Policy names.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use http::{HeaderMap, HeaderValue, header};
use minijinja::{Environment, context};

const STYLE: &str = include_str!("page/style.css");

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    for (name, source) in [
        ("layout.html", include_str!("page/layout.html")),
        ("error.html", include_str!("page/error.html")),
        ("continue.html", include_str!("page/continue.html")),
        ("framed.html", include_str!("page/framed.html")),
        ("signed-out.html", include_str!("page/signed-out.html")),
        ("sign-in.html", include_str!("page/sign-in.html")),
        ("sign-out.html", include_str!("page/sign-out.html")),
    ] {
        if let Err(error) = pages.add_template(name, source) {
            tracing::error!(%error, name, "a built-in page does not parse");
        }
    }
    pages.add_global("style", minijinja::Value::from_safe_string(STYLE.to_owned()));
    pages
});

/// The policy of every page here: nothing but the one style and the own origin's forms.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = base64::engine::general_purpose::STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

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

fn page(name: &str, values: minijinja::Value) -> http::Response<String> {
    let rendered = PAGES.get_template(name).and_then(|template| template.render(values));
    let mut response = http::Response::new(rendered.unwrap_or_else(|error| {
        tracing::error!(%error, name, "a built-in page does not render");
        "Something is broken.".to_owned()
    }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    harden(headers);
    response
}

/// Something went wrong: what, and where to go on.
#[must_use]
pub fn error(title: &str, message: &str, way_on: Option<(&str, &str)>, request_id: &str) -> http::Response<String> {
    let (href, label) = way_on.unzip();
    let mut rest = message.chars();
    let message: String = rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect();
    page("error.html", context! { title, message, href, label, request_id })
}

/// Leads on to `href`, an address of the own origin, so that the next request is same-origin and carries the Strict
/// cookie.
#[must_use]
pub fn continue_to(href: &str, title: &str) -> http::Response<String> {
    page("continue.html", context! { title, href })
}

/// What a provider's logout page frames, and nobody else may.
#[must_use]
pub fn logged_out_frame(client_name: &str, ancestors: &[String]) -> http::Response<String> {
    let mut response = page("framed.html", context! { title => "Signed out", client_name });
    let headers = response.headers_mut();
    // A header of one site or none: it cannot name the provider's, as the policy does.
    headers.remove(header::X_FRAME_OPTIONS);
    let framed = POLICY.to_str().unwrap_or_default().replace("frame-ancestors 'none'", "");
    let policy = HeaderValue::try_from(format!("{framed}frame-ancestors {}", ancestors.join(" ")));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.unwrap_or_else(|_| POLICY.clone()));
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

/// Asks before signing out, where the link did not prove that the app made it.
#[must_use]
pub fn confirm_sign_out(client_name: &str, action: &str, proof: &str) -> http::Response<String> {
    page("sign-out.html", context! { title => "Sign out", client_name, action, proof })
}
