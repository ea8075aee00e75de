//! Forward-auth: a proxy in front asks whether a request may pass that it forwards itself (nginx `auth_request`, Traefik
//! `ForwardAuth`, Caddy `forward_auth`, Envoy's HTTP `ext_authz`). The request that it tells of takes the way of every other
//! call and is judged by the same routes and policies; only what is permitted is not sent, but answered with the headers
//! that the proxy adds. A page's own script can ask nothing here: it does not know the secret (S21).

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use cloakroom_core::policy::{Permit, verified_address};

use crate::edge::body::Body;
use crate::edge::client::Site;
use crate::edge::connection::Connection;
use crate::edge::own;
use crate::edge::problem::Refusal;

/// What the proxy shows.
const SECRET: HeaderName = HeaderName::from_static("x-forward-auth-secret");
const FORWARDED_METHOD: &str = "x-forwarded-method";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_URI: &str = "x-forwarded-uri";

/// Who may ask, and where.
#[derive(Debug)]
pub struct ForwardAuth {
    secret: SecretString,
    /// `BASE/auth` of every site.
    paths: Box<[Box<str>]>,
}

/// How the request is told of. A proxy of one kind cannot be taken for one of the other: what is no header of the first
/// kind's a caller could have written.
enum Told<'a> {
    /// Asked at `BASE/auth`: by four headers, which the proxy writes itself.
    ByHeaders,
    /// Asked under `BASE/auth/` (Envoy): by method, `Host` and the rest of the path.
    ByItself(&'a str),
}

impl ForwardAuth {
    /// For proxies that show `secret`, at sites with these base paths.
    pub fn new<'a>(secret: SecretString, bases: impl Iterator<Item = &'a str>) -> Self {
        Self { secret, paths: bases.map(|base| format!("{base}/auth").into()).collect() }
    }

    #[expect(clippy::disallowed_methods, reason = "compared with what was shown, in constant time")]
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let mut shown = headers.get_all(SECRET).iter();
        let (Some(shown), None) = (shown.next(), shown.next()) else { return false };
        shown.as_bytes().ct_eq(self.secret.expose_secret().as_bytes()).into()
    }

    fn told<'a>(&self, target: &'a PathAndQuery) -> Option<Told<'a>> {
        if self.paths.iter().any(|path| **path == *target.path()) {
            return Some(Told::ByHeaders);
        }
        let rest = self.paths.iter().find_map(|path| target.as_str().strip_prefix(&**path))?;
        rest.starts_with('/').then_some(Told::ByItself(rest))
    }
}

/// Puts the request that a proxy asks about in the place of its question; whether it was one. Whoever is not a trusted
/// proxy with the secret asks nothing: for them there is no such address (S1, S21).
///
/// # Errors
/// [`Refusal::NotPermitted`] where it cannot be read.
pub(super) fn described(connection: &Connection, parts: &mut Parts) -> Result<bool, Refusal> {
    let Some(settings) = &connection.worker.gateway.forward_auth else { return Ok(false) };
    if !settings.is_known(&parts.headers) || !connection.is_from_a_trusted_proxy() {
        return Ok(false);
    }
    let Some(target) = parts.uri.path_and_query() else { return Ok(false) };
    match settings.told(target) {
        None => return Ok(false),
        Some(Told::ByItself(rest)) => parts.uri = path(rest)?,
        Some(Told::ByHeaders) => {
            parts.method = one(&parts.headers, FORWARDED_METHOD, |text| Method::from_bytes(text.as_bytes()).ok())?;
            parts.uri = one(&parts.headers, FORWARDED_URI, |text| path(text).ok())?;
            let host = one(&parts.headers, FORWARDED_HOST, |text| HeaderValue::from_str(text).ok())?;
            parts.headers.insert(header::HOST, host);
        }
    }
    parts.headers.remove(SECRET);
    Ok(true)
}

/// What a header says, which must be there once.
fn one<T>(headers: &HeaderMap, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Refusal> {
    let mut said = headers.get_all(name).iter();
    let (Some(value), None) = (said.next(), said.next()) else {
        return Err(unreadable(&format!("{name} must be there, and once")));
    };
    value.to_str().ok().and_then(read).ok_or_else(|| unreadable(&format!("{name} is malformed")))
}

/// A request target as it came (RFC 9112 section 3.2.1).
fn path(text: &str) -> Result<Uri, Refusal> {
    let is_origin_form = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let target = is_origin_form.then(|| text.parse::<PathAndQuery>().ok()).flatten();
    target.map(Uri::from).ok_or_else(|| unreadable("the path is malformed"))
}

fn unreadable(what: &str) -> Refusal {
    no(format!("the proxy in front does not tell which request it asks about: {what}"))
}

fn no(text: String) -> Refusal {
    Refusal::NotPermitted { needs: Vec::new(), text }
}

/// Checks that the proxy may ask about such a request at all.
///
/// # Errors
/// [`Refusal::NotPermitted`] where its scheme is not the site's, and for own endpoints: those the proxy sends here.
pub(super) fn check(site: &Site, path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let scheme = one(headers, FORWARDED_PROTO, |text| Some(text.as_bytes() == site.scheme.as_bytes()))?;
    if !scheme {
        return Err(no(format!("this site is reached by {} alone", site.scheme.to_str().unwrap_or_default())));
    }
    match own::room_of(site, path) {
        Some(_) => Err(no("this address is the gateway's own: the proxy in front must send it there".into())),
        None => Ok(()),
    }
}

/// Of refusals these proxies know 401 and 403; the wait of 429 and of trouble stays what it is.
pub(super) fn narrowed(refusal: Refusal) -> Refusal {
    match refusal.status().as_u16() {
        401 | 403 | 429 | 500.. => refusal,
        _ => no(refusal.to_string()),
    }
}

/// Says yes. Every header is there always, empty where nothing is known, so that none of the caller's own stays in its
/// place (S1).
pub(super) fn permitted(permit: &Permit, authorization: Option<&HeaderValue>) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut say = |name: &'static str, value: Option<HeaderValue>| {
        headers.insert(name, value.unwrap_or(HeaderValue::from_static("")));
    };
    say("authorization", authorization.cloned());
    let values = permit.session().map(|live| live.values());
    let values = values.as_deref();
    let claims = values.map(|values| &values.claims);
    let text = |text: &str| HeaderValue::from_bytes(text.as_bytes()).ok();
    let claim = |name: &str| claims.and_then(|claims| claims.get(name)?.as_str()).and_then(text);
    say("x-auth-request-user", values.and_then(|values| text(&values.sub)));
    say("x-auth-request-preferred-username", claim("preferred_username"));
    say("x-auth-request-email", claims.and_then(verified_address).and_then(text));
    say("x-auth-request-groups", claims.and_then(|claims| text(&groups(claims))));
    response
}

/// Names that a comma or a control character would make two of, or another, are left out.
fn groups(claims: &Map<String, Value>) -> String {
    let names = claims.get("groups").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let plain = |name: &&str| !name.is_empty() && !name.chars().any(|c| c == ',' || c.is_control());
    names.filter(plain).collect::<Vec<_>>().join(",")
}
