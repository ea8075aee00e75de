//! Other origins that a client trusts (Fetch, section "CORS protocol"), and what every answer of a site carries.
//!
//! The gateway alone answers for its sites: a preflight reaches no upstream, and an upstream's own CORS headers are
//! taken out. Reflected is only what the client lists, exactly; a wildcard never stands beside credentials.

use std::fmt::Write as _;

use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::antiforgery::{Forgery, Origins};
use super::body::Body;
use super::client::Site;
use super::problem::Refusal;

/// How long a browser may keep a preflight's answer: a change of the list is felt soon.
const KEPT_SECS: HeaderValue = HeaderValue::from_static("600");
const YES: HeaderValue = HeaderValue::from_static("true");
/// A browser that has been here asks by https only, for a year (RFC 6797). Other names under the site's are not ours.
pub(super) const BY_TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

impl Site {
    /// The site's own origin, and those that its client lists beside it.
    #[must_use]
    pub fn origins(&self) -> Origins<'_> {
        let trusted = self.client.as_ref().map_or(&[][..], |client| &client.trusted_origins);
        Origins { own: &self.origin, trusted }
    }

    /// Finishes an answer's headers, whoever gave it: an endpoint, an upstream, or a refusal. Browsers read a refusal's
    /// status only where it, too, says that they may (pain 6).
    pub fn finish(&self, asked: &HeaderMap, answer: &mut HeaderMap) {
        if self.scheme == "https" && !answer.contains_key(header::STRICT_TRANSPORT_SECURITY) {
            answer.insert(header::STRICT_TRANSPORT_SECURITY, BY_TLS_ONLY);
        }
        let origins = self.origins();
        if origins.trusted.is_empty() {
            return;
        }
        answer.append(header::VARY, HeaderValue::from_name(header::ORIGIN));
        let Some(origin) = origins.trusted_of(asked) else { return };
        let exposed = exposed(answer);
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, YES);
        if let Some(exposed) = exposed {
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

/// Every header of the answer by name: to a trusted page none is a secret, and `*` says nothing beside credentials.
fn exposed(answer: &HeaderMap) -> Option<HeaderValue> {
    let mut names = String::new();
    for name in answer.keys().filter(|name| **name != header::SET_COOKIE) {
        let comma = if names.is_empty() { "" } else { ", " };
        write!(names, "{comma}{name}").ok()?;
    }
    HeaderValue::try_from(names).ok().filter(|names| !names.is_empty())
}

/// Whether a request is a browser's question before a call from another origin.
#[must_use]
pub fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(header::ORIGIN)
        && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight. [`Site::finish`] adds who may.
///
/// # Errors
/// [`Forgery::ForeignOrigin`] for an origin that the client does not list.
pub fn preflight(site: &Site, asked: &HeaderMap) -> Result<http::Response<Body>, Refusal> {
    if site.origins().trusted_of(asked).is_none() {
        return Err(Forgery::ForeignOrigin.into());
    }
    let mut response = http::Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    super::page::harden(headers);
    // What is asked for is allowed: the call itself is judged when it comes.
    for (question, answer) in [
        (header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_ALLOW_METHODS),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, header::ACCESS_CONTROL_ALLOW_HEADERS),
    ] {
        if let Some(names) = names(asked, &question) {
            headers.insert(answer, names);
        }
        headers.append(header::VARY, HeaderValue::from_name(question));
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, KEPT_SECS);
    Ok(response)
}

/// A question's value, if it is there once and is a list of names.
fn names(asked: &HeaderMap, question: &HeaderName) -> Option<HeaderValue> {
    let mut values = asked.get_all(question).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(byte);
    value.as_bytes().iter().all(is_name).then(|| value.clone())
}
