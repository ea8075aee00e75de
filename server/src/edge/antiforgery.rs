//! Anti-forgery: a request that relies on the cookie is accepted only from a page of the own origin.
//!
//! RFC 10017 (OAuth 2.0 for Browser-Based Applications), section on cross-site request forgery protection; Fetch
//! Metadata Request Headers.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// Any value counts: a page of another origin cannot send the header without a CORS preflight.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// What kind of resource is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Called by scripts.
    Api,
    /// Called by scripts, with the header on every call, those that read included.
    Guarded,
    /// Called by scripts and by HTML forms of the own origin.
    Forms,
    /// Navigated to.
    Page,
}

/// Why a request with a cookie was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forgery {
    /// A page of another origin sent it, or the browser did not say which.
    #[error("this request must come from a page of the same origin")]
    ForeignOrigin,
    /// The header is missing.
    #[error("the header X-CSRF is missing; send X-CSRF: 1 with every API call")]
    HeaderMissing,
    /// A service worker script would outlive the session.
    #[error("API addresses cannot be loaded as service workers")]
    ServiceWorker,
}

/// Where a request comes from, as the browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A page of the own origin.
    SameOrigin,
    /// Typed, from a bookmark, or from outside the browser's pages.
    None,
    /// A page of another origin, be it of the same site.
    Foreign,
    /// The browser did not say.
    Unsaid,
}

/// Reads `Sec-Fetch-Site`, or where a browser sends none, `Origin`.
#[must_use]
pub fn source(headers: &HeaderMap, own_origin: &str) -> Source {
    let mut said = headers.get_all(SEC_FETCH_SITE).iter();
    match (said.next().map(HeaderValue::as_bytes), said.next()) {
        (Some(b"same-origin"), None) => Source::SameOrigin,
        (Some(b"none"), None) => Source::None,
        (Some(_), _) => Source::Foreign,
        (None, _) => {
            let mut origins = headers.get_all(http::header::ORIGIN).iter();
            match (origins.next(), origins.next()) {
                (Some(origin), None) if origin.as_bytes() == own_origin.as_bytes() => Source::SameOrigin,
                (None, _) => Source::Unsaid,
                (Some(_), _) => Source::Foreign,
            }
        }
    }
}

/// The origins whose pages may use the session cookie.
#[derive(Clone, Copy, Debug)]
pub struct Origins<'a> {
    /// The site's own.
    pub own: &'a str,
    /// Those that the client lists beside it.
    pub trusted: &'a [Box<str>],
}

impl Origins<'_> {
    /// Whether an origin is listed.
    #[must_use]
    pub fn lists(&self, origin: &[u8]) -> bool {
        self.trusted.iter().any(|trusted| trusted.as_bytes() == origin)
    }

    /// The listed origin that a request comes from. No page can have its browser send another's `Origin`.
    #[must_use]
    pub fn trusted_of<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        let mut origins = headers.get_all(http::header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (Some(origin), None) if self.lists(origin.as_bytes()) => Some(origin),
            _ => None,
        }
    }
}

/// Checks a request of any caller: a service worker that an API served would speak for the site's pages (X10).
///
/// # Errors
/// [`Forgery::ServiceWorker`].
pub fn check_destination(kind: Kind, headers: &HeaderMap) -> Result<(), Forgery> {
    if kind != Kind::Page && headers.get(SEC_FETCH_DEST).is_some_and(|dest| dest == "serviceworker") {
        return Err(Forgery::ServiceWorker);
    }
    Ok(())
}

/// Checks a request whose cookie opened.
///
/// # Errors
/// [`Forgery`] with what is missing.
pub fn check(kind: Kind, method: &Method, headers: &HeaderMap, origins: Origins<'_>) -> Result<(), Forgery> {
    let source = source(headers, origins.own);
    let has_header = headers.contains_key(CSRF_HEADER);
    if source == Source::Foreign && kind != Kind::Page && origins.trusted_of(headers).is_some() {
        // A trusted page proves itself by the header on every call, reading ones too: only after a preflight, which the
        // gateway answers for the listed origins alone, does a browser send it.
        return if has_header { Ok(()) } else { Err(Forgery::HeaderMissing) };
    }
    let safe = method == Method::GET || method == Method::HEAD || method == Method::OPTIONS;
    match (safe, kind) {
        (true, Kind::Page) => match source {
            Source::SameOrigin | Source::None | Source::Unsaid => Ok(()),
            // A link of another site: the Strict cookie is not there, so this is a client that breaks SameSite.
            Source::Foreign => Err(Forgery::ForeignOrigin),
        },
        (true, Kind::Api | Kind::Forms | Kind::Guarded) => match source {
            Source::Foreign => Err(Forgery::ForeignOrigin),
            Source::SameOrigin if kind != Kind::Guarded => Ok(()),
            Source::SameOrigin | Source::None | Source::Unsaid if has_header => Ok(()),
            Source::SameOrigin | Source::None | Source::Unsaid => Err(Forgery::HeaderMissing),
        },
        (false, Kind::Forms) => {
            if source == Source::SameOrigin {
                Ok(())
            } else {
                Err(Forgery::ForeignOrigin)
            }
        }
        (false, Kind::Api | Kind::Guarded | Kind::Page) => match source {
            // Every browser says where an unsafe request comes from; what says nothing is a program with a cookie of its
            // own, and the header is proof enough that no page of another origin made it.
            Source::SameOrigin | Source::Unsaid if has_header => Ok(()),
            Source::SameOrigin | Source::Unsaid => Err(Forgery::HeaderMissing),
            Source::None | Source::Foreign => Err(Forgery::ForeignOrigin),
        },
    }
}

/// Checks a WebSocket handshake: browsers let a page make one with any host, cookies included, without a preflight, and
/// say which page it was in `Origin` alone (X4; RFC 6455 section 10.2).
///
/// # Errors
/// [`Forgery::ForeignOrigin`].
pub fn check_handshake(headers: &HeaderMap, origins: Origins<'_>) -> Result<(), Forgery> {
    let mut said = headers.get_all(http::header::ORIGIN).iter();
    match (said.next().map(HeaderValue::as_bytes), said.next()) {
        (Some(origin), None) if origin == origins.own.as_bytes() || origins.lists(origin) => Ok(()),
        _ => Err(Forgery::ForeignOrigin),
    }
}

/// Whether a person is looking at a top-level page load that may start a login: a navigation to a document, not a
/// prefetch; where the browser sends no fetch metadata, an `Accept` that prefers HTML.
#[must_use]
pub fn is_top_level_navigation(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::GET && is_looked_at(method, headers)
}

/// Whether the answer is for a frame inside a page.
#[must_use]
pub fn is_frame(headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, expected: &str| headers.get(name).is_some_and(|value| value == expected);
    says(&SEC_FETCH_MODE, "navigate") && says(&SEC_FETCH_DEST, "iframe")
}

/// Whether a person will look at the answer: a navigation to a document, by a link or by a form.
#[must_use]
pub fn is_looked_at(method: &Method, headers: &HeaderMap) -> bool {
    if method != Method::GET && method != Method::POST {
        return false;
    }
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let purpose = |name: &'static str| {
        headers.get(name).is_some_and(|value| {
            value.to_str().is_ok_and(|text| text.contains("prefetch") || text.contains("prerender"))
        })
    };
    if purpose("sec-purpose") || purpose("purpose") {
        return false;
    }
    match text(&SEC_FETCH_MODE) {
        Some(mode) => mode == "navigate" && text(&SEC_FETCH_DEST) == Some("document"),
        None => text(&http::header::ACCEPT).is_some_and(|accept| accept.trim_start().starts_with("text/html")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "http://app.localhost:8080";
    const TRUSTED: &str = "http://admin.app.localhost:8080";
    const ORIGINS: Origins<'static> = Origins { own: OWN, trusted: &[] };

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    type Case<'a> = (Kind, Method, &'a [(&'a str, &'a str)], Result<(), Forgery>);

    #[test]
    fn x01_x02_only_pages_of_the_own_origin_use_the_cookie() {
        use Forgery::{ForeignOrigin, HeaderMissing};
        let csrf = ("x-csrf", "1");
        let site = |value| ("sec-fetch-site", value);
        let origin = |value| ("origin", value);
        let cases: &[Case<'_>] = &[
            (Kind::Api, Method::GET, &[site("same-origin")], Ok(())),
            (Kind::Api, Method::GET, &[csrf], Ok(())),
            (Kind::Api, Method::GET, &[], Err(HeaderMissing)),
            (Kind::Api, Method::GET, &[site("none")], Err(HeaderMissing)),
            (Kind::Api, Method::GET, &[site("same-site"), csrf], Err(ForeignOrigin)),
            (Kind::Api, Method::GET, &[site("cross-site")], Err(ForeignOrigin)),
            (Kind::Api, Method::POST, &[site("same-origin"), csrf], Ok(())),
            (Kind::Api, Method::POST, &[origin(OWN), csrf], Ok(())),
            (Kind::Api, Method::POST, &[site("same-origin")], Err(HeaderMissing)),
            (Kind::Api, Method::POST, &[csrf], Ok(())),
            (Kind::Api, Method::POST, &[], Err(HeaderMissing)),
            (Kind::Api, Method::POST, &[site("none"), csrf], Err(ForeignOrigin)),
            (Kind::Api, Method::POST, &[origin("null"), csrf], Err(ForeignOrigin)),
            (Kind::Api, Method::POST, &[origin("http://evil.localhost:8080"), csrf], Err(ForeignOrigin)),
            (Kind::Api, Method::POST, &[site("same-site"), origin(OWN), csrf], Err(ForeignOrigin)),
            (Kind::Api, Method::DELETE, &[site("cross-site"), csrf], Err(ForeignOrigin)),
            (Kind::Forms, Method::POST, &[site("same-origin")], Ok(())),
            (Kind::Forms, Method::POST, &[origin(OWN)], Ok(())),
            (Kind::Forms, Method::POST, &[csrf], Err(ForeignOrigin)),
            (Kind::Forms, Method::POST, &[site("same-site")], Err(ForeignOrigin)),
            (Kind::Guarded, Method::GET, &[site("same-origin")], Err(HeaderMissing)),
            (Kind::Guarded, Method::GET, &[site("same-origin"), csrf], Ok(())),
            (Kind::Guarded, Method::GET, &[csrf], Ok(())),
            (Kind::Guarded, Method::POST, &[site("same-origin"), csrf], Ok(())),
            (Kind::Guarded, Method::POST, &[site("same-origin")], Err(HeaderMissing)),
            (Kind::Api, Method::GET, &[site("same-site"), origin(TRUSTED), csrf], Ok(())),
            (Kind::Api, Method::GET, &[site("cross-site"), origin(TRUSTED), csrf], Ok(())),
            (Kind::Api, Method::GET, &[origin(TRUSTED), csrf], Ok(())),
            (Kind::Api, Method::GET, &[site("same-site"), origin(TRUSTED)], Err(HeaderMissing)),
            (Kind::Api, Method::POST, &[site("same-site"), origin(TRUSTED), csrf], Ok(())),
            (Kind::Forms, Method::POST, &[site("same-site"), origin(TRUSTED)], Err(HeaderMissing)),
            (Kind::Forms, Method::POST, &[site("same-site"), origin(TRUSTED), csrf], Ok(())),
            (Kind::Page, Method::POST, &[site("same-site"), origin(TRUSTED), csrf], Err(ForeignOrigin)),
            (Kind::Page, Method::GET, &[site("same-site"), origin(TRUSTED), csrf], Err(ForeignOrigin)),
            (Kind::Api, Method::POST, &[site("same-site"), origin(TRUSTED), origin(TRUSTED), csrf], Err(ForeignOrigin)),
            (Kind::Page, Method::GET, &[site("none")], Ok(())),
            (Kind::Page, Method::GET, &[site("cross-site")], Err(ForeignOrigin)),
            (Kind::Page, Method::POST, &[site("same-origin")], Err(HeaderMissing)),
        ];
        let trusted = [TRUSTED.into()];
        let origins = Origins { own: OWN, trusted: &trusted };
        for (kind, method, list, expected) in cases {
            let mut all = HeaderMap::new();
            for (name, value) in *list {
                all.append(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
            }
            assert_eq!(check(*kind, method, &all, origins), *expected, "{kind:?} {method} {list:?}");
        }
    }

    #[test]
    fn x02_a_repeated_header_is_foreign() {
        let mut twice = headers(&[("sec-fetch-site", "same-origin"), ("x-csrf", "1")]);
        twice.append("sec-fetch-site", HeaderValue::from_static("cross-site"));
        assert_eq!(check(Kind::Api, &Method::GET, &twice, ORIGINS), Err(Forgery::ForeignOrigin));
    }

    #[test]
    fn x10_no_api_serves_a_service_worker() {
        let asked = headers(&[("sec-fetch-dest", "serviceworker")]);
        for kind in [Kind::Api, Kind::Guarded, Kind::Forms] {
            assert_eq!(check_destination(kind, &asked), Err(Forgery::ServiceWorker), "{kind:?}");
        }
        assert_eq!(check_destination(Kind::Page, &asked), Ok(()));
        assert_eq!(check_destination(Kind::Api, &headers(&[("sec-fetch-dest", "empty")])), Ok(()));
    }

    #[test]
    fn u04_only_a_document_navigation_starts_a_login() {
        let cases: &[(&[(&'static str, &'static str)], bool)] = &[
            (&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], true),
            (&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], false),
            (&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "empty")], false),
            (&[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")], false),
            (
                &[
                    ("sec-fetch-mode", "navigate"),
                    ("sec-fetch-dest", "document"),
                    ("sec-purpose", "prefetch;prerender"),
                ],
                false,
            ),
            (&[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], true),
            (&[("accept", "*/*")], false),
            (&[("accept", "application/json")], false),
            (&[], false),
        ];
        for (list, expected) in cases {
            assert_eq!(is_top_level_navigation(&Method::GET, &headers(list)), *expected, "{list:?}");
        }
        assert!(!is_top_level_navigation(&Method::POST, &headers(&[("accept", "text/html")])));
    }
}
