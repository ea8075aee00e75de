//! What of an upstream's answer comes back to the browser.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};

use crate::proxy::route::Documents;

/// Whether an upstream's header is for this hop alone.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::CONNECTION
            | header::TE
            | header::TRAILER
            | header::TRANSFER_ENCODING
            | header::UPGRADE
            | header::PROXY_AUTHENTICATE
            | header::CONTENT_LENGTH
    ) || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// Whether an upstream's header may reach the browser. It sets no cookie of its own at our host, opens no door to
/// other origins, and clears nothing (S11, X10).
#[must_use]
pub fn comes_back(name: &HeaderName) -> bool {
    if is_hop_by_hop(name) {
        return false;
    }
    let text = name.as_str();
    match text.as_bytes().first() {
        Some(b's') => !matches!(text, "set-cookie" | "set-cookie2" | "server" | "service-worker-allowed"),
        Some(b'a') => !text.starts_with("access-control-") && text != "alt-svc",
        Some(b'c') => text != "clear-site-data",
        Some(b'x') => text != "x-powered-by",
        _ => true,
    }
}

/// Finishes an answer's headers: what is for one person stays out of shared caches (C12), nothing is sniffed, and a
/// document that an API answers is sandboxed, so that a script in it is not the site's own (X10).
pub fn finish(headers: &mut HeaderMap, credential_attached: bool, documents: Documents) {
    if credential_attached {
        keep_private(headers);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if documents == Documents::Sandboxed && headers.get_all(header::CONTENT_TYPE).iter().any(may_be_a_document) {
        // Beside the upstream's own policy, if it has one: browsers enforce both.
        headers.append(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    }
}

/// What a browser shows as a document that may hold scripts: HTML, every kind of XML (SVG, XHTML, feeds), and what is
/// made of parts.
fn may_be_a_document(media: &HeaderValue) -> bool {
    let media = media.as_bytes();
    let names = |word: &[u8]| media.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    media != b"application/json" && [&b"html"[..], b"xml", b"xsl", b"multipart/"].into_iter().any(names)
}

/// No shared cache may give one person's answer to another (C12; RFC 9111 section 5.2.2.7).
fn keep_private(headers: &mut HeaderMap) {
    let said =
        headers.get_all(header::CACHE_CONTROL).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b", "[..]);
    if said.is_empty() {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    } else {
        headers.insert(header::CACHE_CONTROL, private(&said));
    }
    remove_targeted(headers);
    let varies = headers.get_all(header::VARY).iter().any(|value| {
        value.as_bytes().split(|&byte| byte == b',').any(|name| name.trim_ascii().eq_ignore_ascii_case(b"cookie"))
    });
    if !varies {
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
}

/// `Cache-Control` with what the upstream said, made private.
fn private(said: &[u8]) -> HeaderValue {
    const NOTHING: HeaderValue = HeaderValue::from_static("private, no-store");
    let Ok(said) = str::from_utf8(said) else { return NOTHING };
    // By the name before `=`: `private="x-name"` hides that one header alone.
    let has = |word: &str| said.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
    let opens = |part: &str| {
        let name = part.split('=').next().unwrap_or_default().trim();
        ["public", "s-maxage"].iter().any(|word| name.eq_ignore_ascii_case(word))
    };
    if has("no-store") {
        return HeaderValue::try_from(said).unwrap_or(NOTHING);
    }
    if said.split(',').any(opens) {
        return NOTHING;
    }
    if has("private") {
        return HeaderValue::try_from(said).unwrap_or(NOTHING);
    }
    HeaderValue::try_from(format!("private, {said}")).unwrap_or(NOTHING)
}

/// Headers that speak to a shared cache past `Cache-Control` (RFC 9213 and what came before it).
fn remove_targeted(headers: &mut HeaderMap) {
    let targeted = |name: &HeaderName| {
        let name = name.as_str();
        name.ends_with("cdn-cache-control") || matches!(name, "surrogate-control" | "x-accel-expires" | "edge-control")
    };
    while let Some(name) = headers.keys().find(|name| targeted(name)).cloned() {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s11_x10_what_an_upstream_may_not_say_to_the_browser() {
        for name in [
            "set-cookie",
            "server",
            "access-control-allow-origin",
            "clear-site-data",
            "service-worker-allowed",
            "connection",
            "transfer-encoding",
            "keep-alive",
        ] {
            assert!(!comes_back(&name.parse().expect("a name")), "{name}");
        }
        for name in [
            "content-type",
            "etag",
            "location",
            "cache-control",
            "x-custom",
            "accept-ranges",
            "content-security-policy",
            "age",
        ] {
            assert!(comes_back(&name.parse().expect("a name")), "{name}");
        }
    }

    #[test]
    fn c12_answers_with_a_credential_are_private() {
        let cases = [
            (None, "private, no-store"),
            (Some("max-age=60"), "private, max-age=60"),
            (Some("private, max-age=60"), "private, max-age=60"),
            (Some("Private"), "Private"),
            (Some("private=\"x-name\", max-age=60"), "private, private=\"x-name\", max-age=60"),
            (Some("private, public"), "private, no-store"),
            (Some("must-revalidate, max-age=60"), "private, must-revalidate, max-age=60"),
            (Some("no-store"), "no-store"),
            (Some("public, max-age=60"), "private, no-store"),
            (Some("s-maxage=60"), "private, no-store"),
        ];
        for (said, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(said));
            }
            finish(&mut headers, true, Documents::Sandboxed);
            assert_eq!(
                headers.get(header::CACHE_CONTROL).map(HeaderValue::as_bytes),
                Some(expected.as_bytes()),
                "{said:?}"
            );
            assert_eq!(headers.get(header::VARY).map(HeaderValue::as_bytes), Some(b"Cookie".as_slice()));
        }
    }

    #[test]
    fn c12_every_way_to_speak_to_a_shared_cache_counts() {
        let mut headers = HeaderMap::new();
        for value in ["max-age=60", "s-maxage=600"] {
            headers.append(header::CACHE_CONTROL, HeaderValue::from_static(value));
        }
        headers.insert(header::VARY, HeaderValue::from_static("Accept, cookie"));
        for name in ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "x-accel-expires"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("max-age=600"));
        }
        finish(&mut headers, true, Documents::Sandboxed);
        let lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII"))).collect();
        assert_eq!(
            lines,
            ["cache-control: private, no-store", "vary: Accept, cookie", "x-content-type-options: nosniff"]
        );
        // Alone they would be all that a shared cache is told.
        let mut alone = HeaderMap::new();
        alone.insert("surrogate-control", HeaderValue::from_static("max-age=600"));
        finish(&mut alone, true, Documents::Pages);
        assert!(alone.get("surrogate-control").is_none(), "{alone:?}");
        let mut anonymous = HeaderMap::new();
        anonymous.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        anonymous.insert("cdn-cache-control", HeaderValue::from_static("max-age=600"));
        finish(&mut anonymous, false, Documents::Pages);
        assert!(anonymous.get("cdn-cache-control").is_some(), "nothing of one person's is in it");
        assert_eq!(anonymous.get(header::CACHE_CONTROL).map(HeaderValue::as_bytes), Some(&b"public, max-age=60"[..]));
    }

    #[test]
    fn x10_every_kind_of_document_counts() {
        let cases = [
            ("text/html", true),
            ("Text/HTML", true),
            ("application/xhtml+xml", true),
            ("application/xml", true),
            ("image/svg+xml", true),
            ("application/atom+xml", true),
            ("multipart/x-mixed-replace; boundary=x", true),
            ("application/json", false),
            ("application/problem+json", false),
            ("text/plain", false),
            ("text/event-stream", false),
            ("application/pdf", false),
            ("image/png", false),
        ];
        for (media, document) in cases {
            for (documents, expected) in [(Documents::Sandboxed, document), (Documents::Pages, false)] {
                let mut headers = HeaderMap::new();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
                finish(&mut headers, false, documents);
                assert_eq!(headers.contains_key(header::CONTENT_SECURITY_POLICY), expected, "{media} {documents:?}");
            }
        }
    }

    #[test]
    fn x10_documents_of_an_api_are_sandboxed() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        finish(&mut headers, false, Documents::Sandboxed);
        assert_eq!(
            headers.get(header::CONTENT_SECURITY_POLICY).map(HeaderValue::as_bytes),
            Some(b"sandbox".as_slice())
        );
        assert_eq!(headers.get(header::X_CONTENT_TYPE_OPTIONS).map(HeaderValue::as_bytes), Some(b"nosniff".as_slice()));
    }
}
