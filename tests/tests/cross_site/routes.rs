//! What a route's own switches change: the header on every call, documents of an API.

use cloakroom_tests::wire::Request;
use cloakroom_tests::{Browser, Gateway, Script, Setup};

const SWITCHED: &str = r#"
[[routes]]
site = "app"
path = "/guarded/"
upstream = "api"
token = "user"
csrf_on_get = true

[[routes]]
site = "app"
path = "/reports/"
upstream = "api"
token = "user"
documents = true
"#;

/// A site behind somebody else's TLS.
const SECURE: &str = r#"
[sites.secure]
origin = "https://secure.localhost"

[[routes]]
site = "secure"
path = "/"
upstream = "api"
kind = "page"
access = "anonymous"
"#;

async fn gateway() -> Gateway {
    Setup::default().section(SWITCHED).start().await
}

#[tokio::test]
async fn x09_route_may_ask_for_the_header_on_reads_too() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    for (path, with, without) in [("/guarded/x", 200, 403), ("/api/x", 200, 200)] {
        browser.fetch("GET", &gateway.app(path)).csrf().send().await.expect(with);
        let before = gateway.upstream.calls().len();
        let answer = browser.fetch("GET", &gateway.app(path)).send().await.expect(without);
        assert_eq!(gateway.upstream.calls().len() > before, without == 200, "{path}");
        if without == 403 {
            assert_eq!(answer.problem()["type"], "urn:cloakroom:problem:csrf-header-missing");
        }
    }
    // An image or a download of the own page cannot send it.
    browser.fetch("GET", &gateway.app("/guarded/x")).element("image").send().await.expect(403);
}

#[tokio::test]
async fn x10_route_may_show_its_documents_as_pages() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    for (path, sandboxed) in [("/reports/1", false), ("/api/1", true)] {
        gateway.upstream.script(path, Script::answer("200 OK", &[("Content-Type", "text/html")], "<p>report</p>"));
        let answer = browser.fetch("GET", &gateway.app(path)).send().await.expect(200);
        let policies = answer.headers.all("content-security-policy");
        assert_eq!(policies.iter().any(|policy| policy.contains("sandbox")), sandboxed, "{path}: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    }
}

#[tokio::test]
async fn x10_no_service_worker_comes_from_an_api_whoever_asks() {
    let gateway = gateway().await;
    let signed_in = gateway.signed_in("alice").await;
    for browser in [&signed_in, &Browser::new()] {
        for path in ["/api/sw.js", "/public/sw.js", "/reports/sw.js", "/bff/user"] {
            let before = gateway.upstream.calls().len();
            let answer = browser.fetch("GET", &gateway.app(path)).element("serviceworker").send().await.expect(403);
            assert_eq!(answer.problem()["type"], "urn:cloakroom:problem:service-worker", "{path}");
            assert_eq!(gateway.upstream.calls().len(), before, "{path} reached the API");
        }
    }
    // The app's own pages may have one.
    signed_in.fetch("GET", &gateway.app("/sw.js")).element("serviceworker").send().await.expect(200);
}

#[tokio::test]
async fn x10_every_answer_of_an_https_site_asks_for_https() {
    let gateway = Setup::default().section(SECURE).start().await;
    gateway.upstream.script("/own", Script::answer("200 OK", &[("Strict-Transport-Security", "max-age=5")], "x"));
    for (host, path, expected) in [
        ("secure.localhost", "/x", Some("max-age=31536000")),
        ("secure.localhost", "/own", Some("max-age=5")),
        ("secure.localhost", "/admin/", Some("max-age=31536000")),
        ("secure.localhost", "/a%00", Some("max-age=31536000")),
        (&gateway.host(), "/x", None),
        (&gateway.host(), "/bff/user", None),
    ] {
        let answer = Request::new("GET", host, path).send(gateway.port()).await.expect("an answer");
        let said = answer.headers.all("strict-transport-security");
        assert_eq!(said, expected.into_iter().collect::<Vec<_>>(), "{host}{path}: {answer:?}");
    }
}
