//! The way in from another site, with a Strict cookie.

use super::EVIL;
use cloakroom_tests::{Browser, Gateway};

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
