//! What becomes of a call that its route's policy refuses: a person who navigates to a page is led to sign in, everybody
//! else is told what is missing.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use cloakroom_core::policy::{Policy, Refusal as Unmet, StepUp};

use super::route::Route;
use crate::edge::antiforgery::{self, Kind, Source, is_looked_at, is_top_level_navigation};
use crate::edge::app_token;
use crate::edge::body::Body;
use crate::edge::client::Site;
use crate::edge::page;
use crate::edge::problem::Refusal;
use crate::edge::ticket::{cookie_values, own_cookie};

/// Says that the browser has just been led to a better sign-in. It protects nobody: it only keeps a provider whose
/// answer is never good enough from sending the browser round in circles.
const LED: &str = "__Host-Http-crs-led";
/// So long; a person who takes longer at the provider is not going round in circles.
const LED_SECS: i64 = 30;

pub(super) fn turned_away(site: &Site, route: &Route, parts: &Parts, unmet: Unmet) -> Result<Response<Body>, Refusal> {
    let person = is_a_link(route, parts);
    match unmet {
        Unmet::SignInNeeded if person && site.client.is_some() => sign_in_first(site, route, parts),
        Unmet::StepUp(ask) if person => step_up(site, parts, ask),
        unmet => Err(told_no(site, route, parts, unmet)),
    }
}

/// The refusal in words, which leads a person nowhere by itself.
pub(super) fn told_no(site: &Site, route: &Route, parts: &Parts, unmet: Unmet) -> Refusal {
    let person = is_a_link(route, parts);
    match unmet {
        // No browser signs in at a host for apps alone (RFC 6750 section 3).
        Unmet::SignInNeeded if site.client.is_none() => app_token::missing().into(),
        Unmet::SignInNeeded if person => Refusal::SignInNeeded { login_url: login_from(site, parts) },
        Unmet::SignInNeeded if is_looked_at(&parts.method, &parts.headers) => {
            Refusal::FormNotKept { login_url: login_from(site, parts) }
        }
        Unmet::SignInNeeded => Refusal::SignInNeeded { login_url: site.login_url() },
        Unmet::MachineTokenNeeded => Refusal::MachineTokenNeeded,
        Unmet::StepUp(ask) => {
            let here = if person { target(parts) } else { shown_page(site, &parts.headers).unwrap_or("/") };
            let step_up_url = login_url(site, &ask, here);
            Refusal::StepUp { ask, step_up_url }
        }
        Unmet::Missing(needs) => {
            let text = Unmet::Missing(needs.clone()).to_string();
            Refusal::NotPermitted { needs, text }
        }
    }
}

/// A person's navigation to a page that needs a session. From another site the Strict cookie was not there: one hop
/// makes the next request same-origin; only then a login starts (X8), which asks at once for what the page needs.
fn sign_in_first(site: &Site, route: &Route, parts: &Parts) -> Result<Response<Body>, Refusal> {
    let here = target(parts);
    if antiforgery::source(&parts.headers, &site.origin) == Source::Foreign {
        return Ok(hop(parts));
    }
    let ask = route.rule.policy.as_deref().map(Policy::sign_in_ask).unwrap_or_default();
    // Whether the address has a fragment, no server knows: the login keeps it where the browser runs scripts (U5).
    lead_to(&format!("{}&keep=fragment", login_url(site, &ask, here)))
}

/// A person's navigation to a page that needs a better sign-in: there and back once, then the page says what is missing.
fn step_up(site: &Site, parts: &Parts, ask: StepUp) -> Result<Response<Body>, Refusal> {
    let step_up_url = login_url(site, &ask, target(parts));
    let mark = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, step_up_url.as_bytes()).as_ref());
    if cookie_values(&parts.headers, LED.as_bytes()).any(|value| value == mark.as_bytes()) {
        return Err(Refusal::StepUp { ask, step_up_url });
    }
    let mut response = lead_to(&step_up_url)?;
    let cookie = own_cookie(LED, &mark, cookie::SameSite::Lax, Some(LED_SECS));
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::try_from(cookie).map_err(|_| Refusal::Broken)?);
    Ok(response)
}

/// One same-site hop to the very page that was asked for (X8).
pub(super) fn hop(parts: &Parts) -> Response<Body> {
    page::hop(target(parts)).map(Body::from)
}

/// Whether a request is a link that a person followed, be it from another site.
pub(super) fn is_a_link(route: &Route, parts: &Parts) -> bool {
    route.kind == Kind::Page && is_top_level_navigation(&parts.method, &parts.headers)
}

fn lead_to(url: &str) -> Result<Response<Body>, Refusal> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, url.parse().map_err(|_| Refusal::Broken)?);
    page::harden(response.headers_mut());
    Ok(response)
}

/// A login that asks for what is missing, and comes back.
fn login_url(site: &Site, ask: &StepUp, return_to: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !ask.acr_values.is_empty() {
        query.append_pair("acr_values", &ask.acr_values.join(" "));
    }
    if let Some(secs) = ask.max_age_secs {
        query.append_pair("max_age", &secs.to_string());
    }
    query.append_pair("return_to", return_to);
    format!("{}?{}", site.login_url(), query.finish())
}

/// The login that comes back to where a navigation wanted to go; for a form, to the page where it stands.
pub(super) fn login_from(site: &Site, parts: &Parts) -> String {
    let back = if parts.method == Method::POST { shown_page(site, &parts.headers) } else { None };
    login_url(site, &StepUp::default(), back.unwrap_or_else(|| target(parts)))
}

fn target(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("/", |target| target.as_str())
}

/// The page that a script's call comes from, where the browser says so and it is the site's own.
fn shown_page<'a>(site: &Site, headers: &'a HeaderMap) -> Option<&'a str> {
    let said = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    said.and_then(|url| url.strip_prefix(&*site.origin)).filter(|path| path.starts_with('/'))
}
