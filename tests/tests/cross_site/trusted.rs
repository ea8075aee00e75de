//! Origins that the client lists beside its own: what their pages may, and nobody else's.

use super::EVIL;
use cloakroom_tests::{Answer, Browser, Gateway, SESSION_COOKIE, Script, Setup};

/// A page of another name of the same site, so that the Strict cookie comes along.
const TRUSTED: &str = "http://www.app.localhost:3000";
const SIBLING: &str = "http://other.app.localhost:3000";

async fn gateway() -> Gateway {
    Setup::default().app(&format!("trusted_origins = [\"{TRUSTED}\"]")).start().await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[track_caller]
fn assert_readable(answer: &Answer, what: &str) {
    assert_eq!(allowed(answer), Some(TRUSTED), "{what}: {answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{what}: {answer:?}");
    assert_varies(answer, what);
}

#[track_caller]
fn assert_varies(answer: &Answer, what: &str) {
    let varies = answer.headers.all("vary").iter().any(|line| line.split(',').any(|name| name.trim() == "origin"));
    assert!(varies, "{what}: {answer:?}");
}

#[tokio::test]
async fn x03_u06_listed_origins_may_call_and_read_refusals_too() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    gateway.upstream.script("/api/tagged", Script::answer("200 OK", &[("X-Total", "7")], "{}"));
    let ask = |method: &str, path: &str| browser.fetch(method, &gateway.app(path)).from(&format!("{TRUSTED}/page"));
    for (method, path, status) in [
        ("GET", "/api/x", 200),
        ("POST", "/api/x", 200),
        ("DELETE", "/api/x", 200),
        ("GET", "/bff/user", 200),
        ("GET", "/api/tagged", 200),
        ("GET", "/api/a%00", 400),
        ("GET", "/bff/nowhere", 404),
    ] {
        let answer = ask(method, path).csrf().send().await.expect(status);
        assert_readable(&answer, path);
    }
    let exposed = ask("GET", "/api/tagged").csrf().send().await;
    let names = exposed.header("access-control-expose-headers").unwrap_or_default().to_owned();
    assert!(names.split(", ").any(|name| name == "x-total") && !names.contains("set-cookie"), "{names}");
    // Without the header, with a page route, and without a session: refused, and readable.
    assert_readable(&ask("GET", "/api/x").send().await.expect(403), "no header");
    assert_readable(&ask("POST", "/api/x").send().await.expect(403), "no header");
    assert_readable(&ask("POST", "/forms/x").send().await.expect(403), "no header");
    assert_readable(&ask("GET", "/pages/home").csrf().send().await.expect(403), "a page");
    let stranger = Browser::new();
    let answer = stranger.fetch("GET", &gateway.app("/api/x")).from(TRUSTED).csrf().send().await.expect(401);
    assert_readable(&answer, "anonymous");
    assert!(answer.problem()["login_url"].is_string());
    // Every answer varies, asked across origins or not.
    assert_varies(&browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200), "own origin");
    assert!(allowed(&browser.fetch("GET", &gateway.app("/api/x")).send().await).is_none());
    // Signing out from there works too.
    assert_readable(&ask("POST", "/bff/logout").csrf().send().await.expect(200), "logout");
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
}

#[tokio::test]
async fn x03_nobody_beside_the_list_is_reflected() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let cookie = format!("{SESSION_COOKIE}={}", browser.session_cookie().unwrap().value);
    let near = [
        SIBLING.to_owned(),
        EVIL.trim_end_matches('/').to_owned(),
        "null".to_owned(),
        "*".to_owned(),
        format!("{TRUSTED}/"),
        format!("{TRUSTED}.evil.localhost"),
        TRUSTED.replace("http:", "https:"),
        TRUSTED.replace(":3000", ""),
        TRUSTED.replace(":3000", ":30000"),
        TRUSTED.to_uppercase(),
        format!("{TRUSTED} {SIBLING}"),
    ];
    for origin in near {
        for method in ["GET", "POST", "OPTIONS"] {
            let before = gateway.upstream.calls().len();
            let mut request = gateway.request(method, "/api/x").header("Cookie", &cookie).header("X-CSRF", "1");
            if method == "OPTIONS" {
                request = request.header("Access-Control-Request-Method", "POST");
            }
            let request = request.header("Origin", &origin).header("Sec-Fetch-Site", "same-site");
            let answer = request.send(gateway.port()).await.expect("an answer").expect(403);
            assert!(allowed(&answer).is_none(), "{origin}: {answer:?}");
            assert!(answer.header("access-control-allow-credentials").is_none(), "{origin}: {answer:?}");
            assert_varies(&answer, &origin);
            assert_eq!(gateway.upstream.calls().len(), before, "{origin} reached the API");
        }
    }
    // Two Origin fields are none.
    let twice = gateway.request("GET", "/api/x").header("Cookie", &cookie).header("X-CSRF", "1");
    let twice = twice.header("Origin", TRUSTED).header("Origin", TRUSTED).header("Sec-Fetch-Site", "same-site");
    let answer = twice.send(gateway.port()).await.expect("an answer").expect(403);
    assert!(allowed(&answer).is_none(), "{answer:?}");
}

#[tokio::test]
async fn x03_preflights_are_answered_here_and_never_proxied() {
    let gateway = gateway().await;
    let preflight = async |origin: &str, path: &str| {
        let request = gateway
            .request("OPTIONS", path)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "PUT")
            .header("Access-Control-Request-Headers", "content-type,x-csrf");
        request.send(gateway.port()).await.expect("an answer")
    };
    for path in ["/api/x", "/public/x", "/pages/x", "/", "/bff/user", "/bff/logout"] {
        let answer = preflight(TRUSTED, path).await.expect(204);
        assert_readable(&answer, path);
        assert_eq!(answer.header("access-control-allow-methods"), Some("PUT"), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-headers"), Some("content-type,x-csrf"), "{answer:?}");
        assert!(answer.header("access-control-max-age").is_some(), "{answer:?}");
        let foreign = preflight("http://evil.localhost:1", path).await.expect(403);
        assert!(foreign.headers.0.iter().all(|(name, _)| !name.to_lowercase().starts_with("access-control")));
    }
    assert!(gateway.upstream.calls().is_empty(), "a preflight was proxied");
    // The console trusts nobody, and a plain OPTIONS is a call like any other.
    let request = gateway.request("OPTIONS", "/public/x").header("Origin", TRUSTED);
    request.send(gateway.port()).await.expect("an answer").expect(200);
    assert_eq!(gateway.upstream.calls().len(), 1);
}

#[tokio::test]
async fn x03_s11_cors_headers_of_an_upstream_are_not_its_to_give() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let said = [
        ("Access-Control-Allow-Origin", "http://evil.localhost:1"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "*"),
        ("Set-Cookie", "__Host-Http-crs=planted; Path=/; Secure; HttpOnly"),
        ("Clear-Site-Data", "\"*\""),
    ];
    gateway.upstream.script("/api/x", Script::answer("200 OK", &said, "{}"));
    for (origin, expected) in [(TRUSTED, Some(TRUSTED)), ("http://evil.localhost:1", None)] {
        let answer = browser.fetch("GET", &gateway.app("/api/x")).from(origin).csrf().send().await;
        assert_eq!(answer.headers.all("access-control-allow-origin"), expected.into_iter().collect::<Vec<_>>());
        assert!(answer.header("clear-site-data").is_none(), "{answer:?}");
        let cookies = answer.headers.all("set-cookie");
        assert!(cookies.iter().all(|line| !line.contains("planted")), "{cookies:?}");
    }
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}
