//! The built console: its files, embedded, with the headers that a page needs which can end sessions.

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::response::Response;
use axum::routing::get;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Uri};

/// One file of the built console, as `build.rs` lists it.
#[derive(Clone, Copy, Debug)]
struct Asset {
    name: &'static str,
    tag: &'static str,
    body: &'static [u8],
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

/// Empty where the console was not built before the gateway.
const CONSOLE: &[Asset] = include!(concat!(env!("OUT_DIR"), "/console_assets.rs"));

const INDEX: &str = "index.html";

/// Scripts, styles and data from here alone, no inline script or style, no frame, no form elsewhere. WebAssembly needs
/// its own word (CSP Level 3, section 8.2). Trusted Types: a string becomes HTML only through the policy of boot.js.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default";

const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Answered where there is no console to serve.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
     <meta name=\"color-scheme\" content=\"light dark\"><title>Console not built</title>\n\
     <h1>The console is not in this binary</h1>\n\
     <p>Build both with <code>cargo xtask build</code>, or the console alone, before the gateway, with \
     <code>cargo xtask console</code>.</p>\n\
     <p>Everything else works: the gateway, and the admin API under <code>/admin/api/v1</code>.</p></html>\n";

/// Serves the console: to be nested at `/admin`, beside the admin API.
pub fn router() -> Router {
    router_of(CONSOLE)
}

fn router_of(assets: &'static [Asset]) -> Router {
    let answer = move |request: Request| std::future::ready(answer(assets, &request));
    Router::new().fallback_service(get(answer))
}

fn answer(assets: &'static [Asset], request: &Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let original = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri(), |OriginalUri(uri)| uri);
    let mut response = if is_api(path) {
        text(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "There is no such resource in the admin API.\n")
    } else if let Some(location) = missing_slash(path, original) {
        moved(location)
    } else if let Some(asset) = find(assets, path) {
        file(asset, request.headers())
    } else if assets.is_empty() {
        text(StatusCode::SERVICE_UNAVAILABLE, "text/html; charset=utf-8", NOT_BUILT)
    } else {
        text(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "There is no such file in the console.\n")
    };
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_api(path: &str) -> bool {
    path == "api" || path.starts_with("api/")
}

/// The file of this name; the page itself for a path inside it (`sessions/…`), never for a file that is gone: a
/// browser would take the page for the script it asked for.
fn find(assets: &'static [Asset], path: &str) -> Option<&'static Asset> {
    let by_name = |name: &str| assets.iter().find(|asset| asset.name == name);
    let is_file = !path.contains('/') && path.contains('.');
    if is_file { by_name(path) } else { by_name(INDEX) }
}

/// `/admin` is not a folder to browsers: relative links and the console's own paths need `/admin/`.
fn missing_slash(path: &str, original: &Uri) -> Option<HeaderValue> {
    if !path.is_empty() || original.path().ends_with('/') {
        return None;
    }
    let query = original.query().map(|query| format!("?{query}")).unwrap_or_default();
    HeaderValue::try_from(format!("{}/{query}", original.path())).ok()
}

fn moved(location: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location);
    response
}

fn text(status: StatusCode, media_type: &'static str, body: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn file(asset: &Asset, request: &HeaderMap) -> Response {
    let accepted = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (body, encoding) = match (asset.br, asset.gz) {
        (Some(body), _) if accepts(accepted, "br") => (body, Some("br")),
        (_, Some(body)) if accepts(accepted, "gzip") => (body, Some("gzip")),
        _ => (asset.body, None),
    };
    // RFC 9110 section 8.8.3.3: each encoding is a representation with a tag of its own.
    let tag = format!("\"{}{}\"", asset.tag, encoding.map(|encoding| format!("-{encoding}")).unwrap_or_default());
    let is_known = request.get_all(header::IF_NONE_MATCH).iter().any(|known| names(known, &tag));
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(body) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(asset.name)));
    if !is_known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(asset.name)));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    response
}

/// A name with a hash in it never means other content; the page and its icon are asked for each time.
fn caching(name: &str) -> &'static str {
    if name.contains('-') { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// Whether `Accept-Encoding` allows a coding (RFC 9110 section 12.5.3): named, or by `*`, and not with weight 0.
fn accepts(accepted: &str, coding: &str) -> bool {
    let weight_of = |wanted: &str| {
        accepted.split(',').find_map(|item| {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(wanted).then_some(weight.unwrap_or(0.0))
        })
    };
    weight_of(coding).or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// Whether `If-None-Match` names the tag; the weak comparison of RFC 9110 section 13.1.2.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    static BUILT: [Asset; 3] = [
        Asset { name: "console-0a.js", tag: "0a", body: b"js", br: Some(b"br"), gz: Some(b"gz") },
        Asset { name: "index.html", tag: "0b", body: b"page", br: None, gz: None },
        Asset { name: "inter-0c.woff2", tag: "0c", body: b"font", br: None, gz: None },
    ];

    async fn ask(assets: &'static [Asset], path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let app = Router::new().nest_service("/admin", router_of(assets));
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn deep_links_get_the_page_and_files_their_content() {
        for (path, status, body) in [
            ("/admin/", 200, "page"),
            ("/admin/sessions", 200, "page"),
            ("/admin/sessions/0192f2a0-1111-7000-8000-000000000001?state=all", 200, "page"),
            ("/admin/console-0a.js", 200, "js"),
            ("/admin/inter-0c.woff2", 200, "font"),
            ("/admin/console-ff.js", 404, "There is no such file in the console.\n"),
            ("/admin/api", 404, "There is no such resource in the admin API.\n"),
            ("/admin/api/v1/nothing", 404, "There is no such resource in the admin API.\n"),
        ] {
            let (got, _, text) = ask(&BUILT, path, &[]).await;
            assert_eq!((got.as_u16(), text.as_str()), (status, body), "{path}");
        }
    }

    #[tokio::test]
    async fn the_missing_slash_is_added() {
        let (status, headers, _) = ask(&BUILT, "/admin?a=b", &[]).await;
        assert_eq!(status, StatusCode::PERMANENT_REDIRECT);
        assert_eq!(headers[header::LOCATION], "/admin/?a=b");
    }

    #[tokio::test]
    async fn every_answer_carries_the_security_headers() {
        for path in ["/admin", "/admin/", "/admin/console-0a.js", "/admin/gone.js", "/admin/api/x"] {
            for assets in [&BUILT[..], &[]] {
                let (_, headers, _) = ask(assets, path, &[]).await;
                for (name, value) in SECURITY_HEADERS {
                    assert_eq!(headers[name], value, "{path}");
                }
            }
        }
    }

    #[tokio::test]
    async fn encodings_are_negotiated_with_their_weights() {
        for (accepted, encoding, body) in [
            ("gzip, deflate, br, zstd", Some("br"), "br"),
            ("gzip", Some("gzip"), "gz"),
            ("br;q=0, gzip;q=0.5", Some("gzip"), "gz"),
            ("br; q=0, *", Some("gzip"), "gz"),
            ("*", Some("br"), "br"),
            ("identity", None, "js"),
            ("br;q=nonsense", None, "js"),
            ("", None, "js"),
        ] {
            let (_, headers, text) = ask(&BUILT, "/admin/console-0a.js", &[("accept-encoding", accepted)]).await;
            let got = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!((got, text.as_str()), (encoding, body), "{accepted:?}");
            assert_eq!(headers[header::VARY], "accept-encoding");
        }
    }

    #[tokio::test]
    async fn the_page_is_revalidated_and_hashed_files_are_kept() {
        let (_, headers, _) = ask(&BUILT, "/admin/", &[]).await;
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        let tag = headers[header::ETAG].to_str().unwrap().to_owned();
        let (status, headers, body) =
            ask(&BUILT, "/admin/sessions", &[("if-none-match", &format!("\"x\", W/{tag}"))]).await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(headers[header::ETAG], tag);

        let (_, headers, _) = ask(&BUILT, "/admin/console-0a.js", &[("accept-encoding", "br")]).await;
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(headers[header::ETAG], "\"0a-br\"");
    }

    #[tokio::test]
    async fn without_a_console_the_page_says_how_to_build_it() {
        let (status, headers, body) = ask(&[], "/admin/sessions", &[]).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert!(body.contains("cargo xtask build"));
    }

    #[tokio::test]
    async fn other_methods_are_refused() {
        let request = Request::builder().method("POST").uri("/admin/").body(Body::empty()).unwrap();
        let response = Router::new().nest_service("/admin", router_of(&BUILT)).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
