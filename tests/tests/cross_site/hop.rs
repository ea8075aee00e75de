//! The way in from another site, with a Strict cookie.

use super::EVIL;
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup};

#[tokio::test]
async fn x08_link_from_another_site_finds_the_user_signed_in() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let logins = gateway.seen().await.authorize().len();
    let page = browser.navigate_from(EVIL, &gateway.app("/pages/deep?a=b")).await;
    assert_eq!((page.status, page.path()), (200, "/pages/deep?a=b"), "{page:?}");
    assert_eq!(page.hops.len(), 2, "one hop, one page: {page:?}");
    let hop = &page.hops[0];
    assert!(hop.headers.get("cache-control").unwrap_or_default().contains("no-store"), "{hop:?}");
    assert_eq!(hop.headers.get("referrer-policy"), Some("no-referrer"), "{hop:?}");
    assert!(
        hop.headers.get("content-security-policy").unwrap_or_default().contains("frame-ancestors 'none'"),
        "{hop:?}"
    );
    assert_eq!(gateway.seen().await.authorize().len(), logins, "a login was started for a signed-in user");
    assert!(gateway.upstream.last().headers.get("authorization").is_some());
}

#[tokio::test]
async fn x08_link_from_another_site_starts_a_login_for_the_anonymous_after_one_hop() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    let page = browser.navigate_from(EVIL, &gateway.app("/pages/deep?a=b")).await;
    assert!(page.forms().iter().any(|form| form.has("username")), "{page:?}");
    let page = browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!((page.status, page.path()), (200, "/pages/deep?a=b"), "{page:?}");
}

#[tokio::test]
async fn x08_hop_exists_for_documents_of_page_routes_only() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    for (path, dest) in [
        ("/api/x", "document"),
        ("/bff/user", "document"),
        ("/bff/sessions", "document"),
        ("/pages/x", "iframe"),
        ("/pages/x", "image"),
        ("/pages/x", "script"),
    ] {
        let answer = browser.fetch("GET", &gateway.app(path)).from(EVIL).element(dest).send().await;
        assert!(answer.status >= 400, "{path} {dest}: {answer:?}");
        assert!(!answer.text().contains("http-equiv"), "{path} {dest}: {answer:?}");
    }
}

#[tokio::test]
async fn x08_links_from_sibling_hosts_find_the_user_signed_in() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    // The same site, so the Strict cookie comes along; another origin, so it does not count yet.
    let page = browser.navigate_from("http://www.app.localhost:3000/", &gateway.app("/pages/deep?a=b")).await;
    assert_eq!((page.status, page.path(), page.hops.len()), (200, "/pages/deep?a=b", 2), "{page:?}");
    assert!(page.hops[0].sent.get("cookie").is_some(), "{page:?}");
    assert_eq!(page.hops[1].sent.get("sec-fetch-site"), Some("same-origin"), "{page:?}");
}

#[tokio::test]
async fn x08_links_from_other_sites_work_with_a_lax_cookie_too() {
    let gateway = Setup::default().app("same_site = \"lax\"").start().await;
    let mut browser = gateway.signed_in("alice").await;
    let page = browser.navigate_from(EVIL, &gateway.app("/pages/deep")).await;
    assert_eq!((page.status, page.path(), page.hops.len()), (200, "/pages/deep", 2), "{page:?}");
    // A form of another site gets no hop, and reaches nothing.
    let before = gateway.upstream.calls().len();
    let page = browser.post_from(EVIL, &gateway.app("/pages/deep"), &[("a", "b")]).await;
    assert!(page.status >= 400 && page.hops.len() == 1, "{page:?}");
    assert_eq!(gateway.upstream.calls().len(), before);
}

#[tokio::test]
async fn x08_hop_runs_its_own_script_and_no_other() {
    let gateway = Gateway::start().await;
    let page = Browser::new().navigate_from(EVIL, &gateway.app("/pages/deep?a='\"><script>x</script>")).await.clone();
    let hop = &page.hops[0];
    let policy = hop.headers.get("content-security-policy").unwrap_or_default();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("'self' 'sha"), "{policy}");
    assert_eq!(hop.body.matches("<script>").count(), 1, "{}", hop.body);
    assert!(!hop.body.contains("http://") && !hop.body.contains("x</script>"), "{}", hop.body);
}

#[tokio::test]
async fn x09_form_cut_off_by_the_sessions_end_is_not_sent_again() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    browser.jar().clear_host("app.localhost");
    let form = gateway.app("/pages/letter?draft=1");
    for target in ["/pages/send", "/forms/send"] {
        let page = browser.post_from(&form, &gateway.app(target), &[("text", "half a letter")]).await.clone();
        assert_eq!(page.status, 401, "{page:?}");
        assert!(page.body.contains("was not kept"), "{page:?}");
        assert!(!page.body.contains("half a letter"), "{page:?}");
        browser.click_link("Sign in").await;
        let page = browser.page();
        assert_eq!(page.status, 200, "{page:?}");
        browser.jar().clear_host("app.localhost");
    }
    let calls = gateway.upstream.calls();
    assert!(calls.iter().all(|call| call.method == "GET"), "a form's body was sent again");
}

#[tokio::test]
async fn x09_no_get_of_ours_changes_anything_by_fetch_metadata_alone() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let cookie = format!("{SESSION_COOKIE}={}", browser.session_cookie().unwrap().value);
    let targets = [
        "/bff/logout",
        "/bff/callback",
        "/bff/callback/finish",
        "/bff/signed-out",
        "/bff/sessions/revoke-others",
        "/bff/backchannel-logout",
        "/bff/frontchannel-logout",
    ];
    for target in targets {
        for (mode, dest) in [("navigate", "document"), ("navigate", "iframe"), ("cors", "empty"), ("no-cors", "image")]
        {
            let request = gateway.request("GET", target).header("Cookie", &cookie);
            let request = request.header("Sec-Fetch-Site", "same-origin").header("Sec-Fetch-Mode", mode);
            let request = request.header("Sec-Fetch-Dest", dest).header("X-CSRF", "1");
            let answer = request.send(gateway.port()).await.expect("an answer");
            let cookies = answer.headers.all("set-cookie");
            assert!(
                cookies.iter().all(|line| !line.starts_with(SESSION_COOKIE)),
                "{target} {mode} {dest}: {cookies:?}"
            );
            browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
        }
    }
}
