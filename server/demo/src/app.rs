//! The sample web app: static files, no build step, no dependency. The gateway proxies `/` of the
//! app's site to it; it never sees a token or a cookie.

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
};
use serde::Serialize;
use url::Url;

/// What the page needs to know about its surroundings; served as `/config.json`.
#[derive(Debug, Clone, Serialize)]
pub struct AppConfig {
    /// Where the console is, for the link to it.
    pub console_url: Url,
    /// Where the provider is, for the link to it.
    pub provider_url: Url,
    /// The simulated phone's settings.
    pub phone: PhoneConfig,
}

/// What an OAuth library on a phone is told.
#[derive(Debug, Clone, Serialize)]
pub struct PhoneConfig {
    /// The site where `/oauth/*` lives, and the simulated phone.
    pub issuer: String,
    /// The app's id there.
    pub client_id: &'static str,
    /// Where the system browser comes back to: a listener on loopback (RFC 8252 section 7.3), here this server's
    /// `/phone/back`.
    pub redirect_uri: String,
    /// What it asks for.
    pub scope: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Name, media type, content.
const FILES: [(&str, &str, &str); 14] = [
    ("app.css", CSS, include_str!("app/app.css")),
    ("parts.css", CSS, include_str!("app/parts.css")),
    ("app.js", JS, include_str!("app/app.js")),
    ("gateway.js", JS, include_str!("app/gateway.js")),
    ("dom.js", JS, include_str!("app/dom.js")),
    ("account.js", JS, include_str!("app/account.js")),
    ("call.js", JS, include_str!("app/call.js")),
    ("notes.js", JS, include_str!("app/notes.js")),
    ("safe.js", JS, include_str!("app/safe.js")),
    ("devices.js", JS, include_str!("app/devices.js")),
    ("phone.css", CSS, include_str!("app/phone.css")),
    ("phone.js", JS, include_str!("app/phone.js")),
    ("oauth.js", JS, include_str!("app/oauth.js")),
    ("mark.svg", SVG, include_str!("app/mark.svg")),
];

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

/// The web app.
pub fn app_router(config: AppConfig) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/phone", get(phone))
        .route("/phone/back", get(back_to_phone))
        .route("/config.json", get(surroundings))
        .route("/{file}", get(file))
        .with_state(config)
}

async fn index() -> Response {
    answer(HTML, include_str!("app/index.html"))
}

async fn phone() -> Response {
    answer(HTML, include_str!("app/phone.html"))
}

/// Plays the operating system, which hands what comes to the redirect URI to the app: here a page.
async fn back_to_phone(State(config): State<AppConfig>, RawQuery(query): RawQuery) -> Redirect {
    Redirect::to(&format!("{}/phone?{}", config.phone.issuer, query.unwrap_or_default()))
}

async fn surroundings(State(config): State<AppConfig>) -> Response {
    ([(CACHE_CONTROL, "no-cache")], axum::Json(config)).into_response()
}

async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(known, _, _)| *known == name) {
        Some((_, kind, content)) => answer(kind, content),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(kind: &'static str, content: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        // Asked for again each time: names carry no hash, and a demo is restarted often.
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
    ];
    let nosniff = [("x-content-type-options", "nosniff")];
    (headers, nosniff, content).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;

    use super::*;
    use crate::provider::browser::{Answered, send};

    async fn get(path: &str) -> Answered {
        let config = AppConfig {
            console_url: Url::parse("http://console.localhost:8080/admin/").unwrap(),
            provider_url: Url::parse("http://idp.localhost:8081/").unwrap(),
            phone: PhoneConfig {
                issuer: "http://app.localhost:8080".to_owned(),
                client_id: "phone",
                redirect_uri: "http://127.0.0.1:8082/phone/back".to_owned(),
                scope: "openid profile email",
            },
        };
        let request = Request::get(path).body(Body::empty()).unwrap();
        send(app_router(config), request).await
    }

    #[tokio::test]
    async fn everything_the_pages_name_is_served() {
        for page in ["/", "/phone"] {
            let page = get(page).await;
            let mut named = 0;
            for rest in page.body.split("=\"/").skip(1) {
                let path = rest.split('"').next().unwrap();
                if path.contains('.') {
                    named += 1;
                    let path = format!("/{path}");
                    assert_eq!(get(&path).await.status, StatusCode::OK, "{path}");
                }
            }
            assert!(named >= 3);
        }
        assert_eq!(get("/unknown.js").await.status, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn the_pages_fit_their_own_policy() {
        assert!(!POLICY.contains("unsafe"));
        for page in ["/", "/phone"] {
            let page = get(page).await;
            for inline in ["<style", " style=", "onclick=", "javascript:", "<script>"] {
                assert!(!page.body.contains(inline), "{inline}");
            }
        }
    }

    #[tokio::test]
    async fn what_comes_back_is_handed_to_the_phone() {
        let back = get("/phone/back?code=c&state=s").await;
        assert_eq!(back.status, StatusCode::SEE_OTHER);
        assert_eq!(back.headers["location"], "http://app.localhost:8080/phone?code=c&state=s");
    }

    #[tokio::test]
    async fn the_page_learns_where_the_console_is() {
        let config: serde_json::Value = get("/config.json").await.json();
        assert_eq!(config["console_url"], "http://console.localhost:8080/admin/");
    }
}
