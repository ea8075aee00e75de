//! Logging out, here and at the provider.

mod backchannel;
mod frontchannel;

use cloakroom_tests::browser::Page;
use cloakroom_tests::{Browser, Gateway, Provider, SESSION_COOKIE, eventually};
use serde_json::json;

#[track_caller]
fn assert_rests(gateway: &Gateway, page: &Page) {
    assert_eq!(page.status, 200, "{page:?}");
    assert!(gateway.owns(&page.url), "{page:?}");
    assert!(page.body.to_lowercase().contains("signed out"), "{page:?}");
    assert!(page.headers.get("cache-control").unwrap_or_default().contains("no-store"), "{page:?}");
}

#[tokio::test]
async fn u07_logout_ends_everything_and_rests_on_a_signed_out_page() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let logins = gateway.seen().await.authorize().len();
    let page = browser.sign_out(&gateway.app("")).await.clone();
    assert_rests(&gateway, &page);
    assert!(browser.session_cookie().is_none(), "the cookie stays");
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);

    // RP-initiated logout, with the ID token as a hint and nothing else of value.
    let seen = gateway.seen().await;
    let granted = seen.granted("authorization_code")[0];
    let hop = page.hops.iter().find(|hop| hop.url.path() == "/session/end").expect("the provider was told");
    let parameters: Vec<_> = hop.url.query_pairs().collect();
    let hint = parameters.iter().find(|(name, _)| name == "id_token_hint").expect("an id_token_hint");
    assert_eq!(hint.1, granted["id"].as_str().unwrap());
    for token in ["access", "refresh"] {
        assert!(!hop.url.as_str().contains(granted[token].as_str().unwrap()), "{token}");
    }

    // The refresh token is revoked there.
    let refresh = granted["refresh"].as_str().unwrap();
    eventually("the refresh token is revoked", async || {
        gateway.seen().await.revoked().contains(&refresh).then_some(())
    })
    .await;

    // It rests: looked at again, it starts no login.
    let url = page.url.to_string();
    assert_rests(&gateway, browser.navigate(&url).await);
    assert_eq!(gateway.seen().await.authorize().len(), logins, "a login was started");

    // Signing in again asks for the password: the provider's session has ended too.
    browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    assert!(browser.page().forms().iter().any(|form| form.has("password")), "{:?}", browser.page());
}

#[tokio::test]
async fn u07_signed_out_page_offers_the_way_back() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let page = browser.sign_out(&gateway.app("")).await.clone();
    assert!(
        page.links().iter().any(|(href, _)| href.starts_with('/') || href.starts_with(&gateway.app(""))),
        "{page:?}"
    );
}

#[tokio::test]
async fn logout_by_a_script_with_the_header_ends_the_session() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let answer = browser.fetch("POST", &gateway.app("/bff/logout")).csrf().send().await;
    assert!(answer.status < 400, "{answer:?}");
    assert!(browser.session_cookie().is_none(), "the cookie stays");
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
    let seen = gateway.seen().await;
    let refresh = seen.granted("authorization_code")[0]["refresh"].as_str().unwrap().to_owned();
    eventually("the refresh token is revoked", async || {
        gateway.seen().await.revoked().contains(&refresh.as_str()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn u08_local_session_ends_though_the_provider_fails() {
    let gateway = Gateway::start().await;
    for fault in [
        json!({ "endpoint": "revocation", "mode": "status", "status": 500 }),
        json!({ "endpoint": "revocation", "mode": "drop" }),
        json!({ "endpoint": "revocation", "mode": "hang" }),
    ] {
        let mut browser = gateway.signed_in("alice").await;
        let copy = browser.session_cookie().unwrap();
        Provider::shared().fault(gateway.client_id(), fault.clone()).await;
        let page = browser.sign_out(&gateway.app("")).await.clone();
        assert_rests(&gateway, &page);
        let thief = Browser::new();
        thief.jar().insert(copy);
        thief.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
        Provider::shared().heal(gateway.client_id()).await;
    }
}

#[tokio::test]
async fn s09_logout_leads_nowhere_else() {
    let gateway = Gateway::start().await;
    for extra in [
        "&return_to=//evil.localhost:1/",
        "&returnUrl=https://evil.example/",
        "&post_logout_redirect_uri=https://evil.example/",
        "&state=https://evil.example/",
        "&return_to=%2F%5Cevil.example",
    ] {
        let mut browser = gateway.signed_in("alice").await;
        let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
        let logout = user["logout_url"].as_str().unwrap();
        let logout = logout.strip_prefix(&gateway.app("")).unwrap_or(logout);
        let page = browser.navigate_from(&gateway.app("/"), &gateway.app(&format!("{logout}{extra}"))).await.clone();
        for hop in &page.hops {
            let site = hop.url.host_str().unwrap();
            assert!(site == "app.localhost" || site == "idp.localhost", "{extra}: {page:?}");
            assert!(!hop.headers.get("location").unwrap_or_default().contains("//evil"), "{extra}: {hop:?}");
        }
        assert!(page.links().iter().all(|(href, _)| !href.contains("evil")), "{extra}: {page:?}");
    }
}

#[tokio::test]
async fn logout_without_a_session_is_harmless() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    let page = browser.navigate(&gateway.app("/bff/logout?sid=x")).await;
    assert!(page.status < 500, "{page:?}");
    browser.fetch("POST", &gateway.app("/bff/logout")).csrf().send().await;
    let answer =
        gateway.request("POST", "/bff/logout").header("X-CSRF", "1").header("Cookie", &format!("{SESSION_COOKIE}=x"));
    assert!(answer.send(gateway.port()).await.unwrap().status < 500);
}

#[tokio::test]
async fn logout_of_one_browser_leaves_the_users_others() {
    let gateway = Gateway::start().await;
    let mut first = gateway.signed_in("alice").await;
    let second = gateway.signed_in("alice").await;
    first.sign_out(&gateway.app("")).await;
    second.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}
