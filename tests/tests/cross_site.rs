//! Other sites, sibling hosts and old browsers: who may do what with somebody else's cookie.

mod anonymous;
mod hop;
mod routes;
mod trusted;

use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Script, Setup};

const EVIL: &str = "http://evil.localhost:1/";

/// Sends requests with the session's cookie, whatever a browser would have done about it.
async fn try_all(gateway: &Gateway, cookie: &str, method: &str, target: &str, cases: &[Case]) {
    for (csrf, site, origin, status) in cases {
        let what = format!("{method} {target} csrf={csrf} site={site:?} origin={origin:?}");
        let mut request = gateway.request(method, target).header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
        let own = gateway.app("");
        let fields = [
            ("X-CSRF", csrf.then_some("1")),
            ("Sec-Fetch-Site", *site),
            ("Sec-Fetch-Mode", site.map(|_| "cors")),
            ("Sec-Fetch-Dest", site.map(|_| "empty")),
            ("Origin", origin.map(|origin| if origin == "own" { own.as_str() } else { origin })),
        ];
        for (name, value) in fields {
            request = value.iter().fold(request, |request, value| request.header(name, value));
        }
        let before = gateway.upstream.calls().len();
        let answer = request.send(gateway.port()).await.expect("an answer");
        assert_eq!(answer.status, *status, "{what}: {answer:?}");
        let reached = gateway.upstream.calls().len() > before;
        assert_eq!(reached, *status == 200, "{what}: reached the API");
        if *status == 403 {
            answer.problem();
        }
    }
}

/// A header, `Sec-Fetch-Site`, `Origin`, and the status they deserve.
type Case = (bool, Option<&'static str>, Option<&'static str>, u16);

const FOREIGN: &str = "http://evil.localhost:1";
const SIBLING: &str = "http://x.app.localhost:1";

const WRITES: &[Case] = &[
    (true, Some("same-origin"), Some("own"), 200),
    (true, Some("same-origin"), None, 200),
    (true, None, Some("own"), 200),
    // A program: browsers always say one of the two.
    (true, None, None, 200),
    (false, Some("same-origin"), Some("own"), 403),
    (false, None, Some("own"), 403),
    (false, None, None, 403),
    (true, Some("same-site"), Some(SIBLING), 403),
    (true, Some("cross-site"), Some(FOREIGN), 403),
    (true, Some("cross-site"), None, 403),
    (true, Some("none"), None, 403),
    (true, None, Some(FOREIGN), 403),
    (true, None, Some("null"), 403),
    (true, None, Some("http://app.localhost"), 403),
    (true, None, Some("https://app.localhost:1"), 403),
];

const READS: &[Case] = &[
    (false, Some("same-origin"), None, 200),
    (true, Some("same-origin"), None, 200),
    (true, None, None, 200),
    (false, None, None, 403),
    (false, Some("same-site"), None, 403),
    (false, Some("cross-site"), None, 403),
    (false, Some("none"), None, 403),
    (true, Some("cross-site"), Some(FOREIGN), 403),
    (true, Some("same-site"), None, 403),
    (true, None, Some("null"), 403),
];

const FORMS: &[Case] = &[
    (false, Some("same-origin"), Some("own"), 200),
    (false, None, Some("own"), 200),
    (false, Some("cross-site"), Some(FOREIGN), 403),
    (false, Some("same-site"), Some(SIBLING), 403),
    (false, Some("none"), None, 403),
    (false, None, Some("null"), 403),
    (false, None, Some(FOREIGN), 403),
    (false, None, None, 403),
];

#[tokio::test]
async fn x01_x02_api_calls_need_the_header_and_the_own_origin() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        try_all(&gateway, &cookie, method, "/api/x", WRITES).await;
    }
    try_all(&gateway, &cookie, "GET", "/api/x", READS).await;
}

#[tokio::test]
async fn x01_form_routes_go_by_the_own_origin_alone() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    try_all(&gateway, &cookie, "POST", "/forms/x", FORMS).await;
}

#[tokio::test]
async fn x01_foreign_form_reaches_nothing_and_ones_own_does() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    for path in ["/api/x", "/forms/x", "/pages/x", "/bff/logout", "/bff/sessions/revoke-others"] {
        let before = gateway.upstream.calls().len();
        let page = browser.post_from(EVIL, &gateway.app(path), &[("a", "b")]).await;
        assert!(page.hops[0].status >= 400, "{path}: {page:?}");
        assert_eq!(gateway.upstream.calls().len(), before, "{path} reached the API");
    }
    let page = browser.post_from(&gateway.app("/pages/x"), &gateway.app("/forms/x"), &[("a", "b")]).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(gateway.upstream.last().body, b"a=b");
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn x02_lax_cookie_gives_other_sites_no_more() {
    let gateway = Setup::default().app("same_site = \"lax\"").start().await;
    let mut browser = gateway.signed_in("alice").await;
    let before = gateway.upstream.calls().len();
    let page = browser.navigate_from(EVIL, &gateway.app("/api/x")).await;
    assert!(page.status >= 400, "an API's answer was shown to a foreign navigation: {page:?}");
    browser.navigate_from(EVIL, &gateway.app("/bff/logout")).await;
    assert_eq!(gateway.upstream.calls().len(), before);
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn x03_foreign_origins_get_no_cors_and_preflights_are_not_proxied() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let before = gateway.upstream.calls().len();
    for path in ["/api/x", "/bff/user", "/bff/logout"] {
        let preflight = browser
            .fetch("OPTIONS", &gateway.app(path))
            .from(EVIL)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "x-csrf")
            .send()
            .await;
        let simple = browser.fetch("GET", &gateway.app(path)).from(EVIL).send().await;
        for answer in [preflight, simple] {
            assert!(
                answer.headers.0.iter().all(|(name, _)| !name.to_lowercase().starts_with("access-control-allow")),
                "{path}: {answer:?}"
            );
        }
    }
    assert_eq!(gateway.upstream.calls().len(), before, "a preflight was proxied");
}

#[tokio::test]
async fn x05_logout_needs_the_sessions_own_mark() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let other = gateway.signed_in("bob").await;
    let others =
        other.fetch("GET", &gateway.app("/bff/user")).send().await.json()["logout_url"].as_str().unwrap().to_owned();
    let cookie = format!("{SESSION_COOKIE}={}", browser.session_cookie().unwrap().value);
    let targets = ["/bff/logout", "/bff/logout?sid=", "/bff/logout?sid=x", others.as_str(), "/bff/logout?sid=x&sid=y"];
    for target in targets {
        let target = target.strip_prefix(&gateway.app("")).unwrap_or(target);
        for site in ["cross-site", "same-site", "none", "same-origin"] {
            let request = gateway
                .request("GET", target)
                .header("Cookie", &cookie)
                .header("Sec-Fetch-Site", site)
                .header("Sec-Fetch-Mode", "navigate")
                .header("Sec-Fetch-Dest", "document")
                .header("Accept", "text/html");
            request.send(gateway.port()).await.expect("an answer");
            browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
        }
    }
}

#[tokio::test]
async fn x05_logout_by_images_links_and_foreign_scripts_is_refused() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let mut tab = browser.new_tab();
    tab.navigate_from(EVIL, &gateway.app("/bff/logout")).await;
    browser.fetch("GET", &gateway.app("/bff/logout")).from(EVIL).element("image").send().await;
    browser.fetch("GET", &gateway.app("/bff/logout")).element("image").send().await;
    browser.fetch("POST", &gateway.app("/bff/logout")).send().await;
    browser.fetch("POST", &gateway.app("/bff/logout")).from(EVIL).csrf().send().await;
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn x05_person_who_confirms_is_signed_out() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let page = browser.navigate(&gateway.app("/bff/logout")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(browser.session_cookie().is_some());
    let page = browser.submit_form(&[]).await.clone();
    assert!(gateway.owns(&page.url) && page.status == 200, "{page:?}");
    assert!(page.hops.iter().any(|hop| hop.url.path() == "/session/end"), "{page:?}");
    assert!(browser.session_cookie().is_none());
}

#[tokio::test]
async fn x06_pages_of_the_gateway_cannot_be_framed() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    for path in ["/bff/callback?code=x&state=y", "/bff/login?return_to=//evil", "/bff/nowhere"] {
        let page = browser.navigate(&gateway.app(path)).await;
        let policy = page.headers.get("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {page:?}");
        assert!(policy.contains("default-src 'none'") || policy.contains("default-src 'self'"), "{path}: {policy}");
        assert_eq!(page.headers.get("x-content-type-options"), Some("nosniff"), "{path}");
    }
    let mut administrator = gateway.administrator("olivia").await;
    let page = administrator.navigate(&gateway.console("/admin/")).await;
    assert!(
        page.headers.get("content-security-policy").unwrap_or_default().contains("frame-ancestors 'none'"),
        "{page:?}"
    );
}

#[tokio::test]
async fn x10_service_worker_scripts_never_come_from_an_api() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let before = gateway.upstream.calls().len();
    let worker = browser
        .fetch("GET", &gateway.app("/api/worker.js"))
        .element("serviceworker")
        .header("Service-Worker", "script");
    worker.send().await.expect(403);
    assert_eq!(gateway.upstream.calls().len(), before);
}

#[tokio::test]
async fn x10_documents_of_an_api_are_sandboxed() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    for kind in ["text/html", "text/html; charset=utf-8", "image/svg+xml", "application/xhtml+xml", "text/xml"] {
        let fields = [("Content-Type", kind), ("Content-Security-Policy", "default-src *")];
        gateway.upstream.script("/api/page", Script::answer("200 OK", &fields, "<script>alert(1)</script>"));
        let answer = browser.fetch("GET", &gateway.app("/api/page")).send().await.expect(200);
        let policies = answer.headers.all("content-security-policy");
        assert!(
            policies.iter().any(|policy| policy.split(';').any(|part| part.trim() == "sandbox")),
            "{kind}: {answer:?}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{kind}: {answer:?}");
    }
}
