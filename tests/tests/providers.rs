//! Two providers at one gateway: identity is (issuer, sub), never sub alone.

mod choose;
mod claims;
mod egress;
mod many;
mod online;
mod plain;

use cloakroom_tests::gateway::SECOND_SECRET;
use cloakroom_tests::{Browser, Gateway, Provider, Setup};

async fn with_two() -> (Gateway, Provider) {
    let other = Provider::start(0);
    let setup = Setup::default().second_provider(&other.issuer);
    let mut gateway = setup.clone().prepare().await;
    for site in ["app", "console"] {
        let id = format!("other-{site}");
        other.register(setup.metadata(&id, SECOND_SECRET, site, gateway.port())).await;
    }
    gateway.launch().await;
    (gateway, other)
}

/// Signs in at the second provider.
async fn at_other(site: &str, user: &str, return_to: &str) -> Browser {
    let mut browser = Browser::new();
    browser.navigate(&format!("{site}/bff/login?provider=other&return_to={return_to}")).await;
    browser.submit_form(&[("username", user), ("password", &format!("{user}-password"))]).await;
    browser
}

#[tokio::test]
async fn s07_same_sub_of_two_providers_is_two_people() {
    let (gateway, _other) = with_two().await;
    let here = gateway.signed_in("alice").await;
    let there = at_other(&gateway.app(""), "alice", "/pages/home").await;
    for browser in [&here, &there] {
        browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
        let list = browser.fetch("GET", &gateway.app("/bff/sessions")).csrf().send().await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    }
    here.fetch("POST", &gateway.app("/bff/sessions/revoke-others")).csrf().send().await.expect(200);
    there.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}

#[tokio::test]
async fn s07_owner_by_identity_is_nobody_at_another_provider() {
    let (gateway, _other) = with_two().await;
    let owner = gateway.administrator("carol").await;
    let namesake = at_other(&gateway.console(""), "carol", "/admin/").await;
    let url = gateway.console("/admin/api/v1/sessions");
    owner.fetch("GET", &url).csrf().send().await.expect(200);
    namesake.fetch("GET", &url).csrf().send().await.expect(403);
}

#[tokio::test]
async fn s07_answer_of_one_provider_never_completes_a_login_at_another() {
    let (gateway, other) = with_two().await;
    let mut browser = Browser::new();
    browser.hold_at("/auth");
    browser.navigate(&gateway.app("/bff/login?provider=main&return_to=/pages/home")).await;
    let begun = browser.held().url().clone();
    let state = begun.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    for issuer in [other.issuer.as_str(), ""] {
        let query = format!("code=stolen&state={state}&iss={issuer}");
        let page = browser.navigate(&gateway.app(&format!("/bff/callback?{query}"))).await;
        assert!((400..500).contains(&page.status), "{issuer}: {page:?}");
    }
    assert!(browser.session_cookie().is_none());
    assert!(other.seen("other-app").await.token("authorization_code").is_empty());
}

#[tokio::test]
async fn client_secret_post_sends_the_secret_in_the_body_and_nowhere_else() {
    let (gateway, other) = with_two().await;
    at_other(&gateway.app(""), "alice", "/pages/home").await;
    let seen = other.seen("other-app").await;
    assert_eq!(seen.token("authorization_code")[0]["client_secret"], SECOND_SECRET);
    assert!(!gateway.log().contains(SECOND_SECRET));
}

#[tokio::test]
async fn u23_provider_that_is_down_does_not_take_the_other_with_it() {
    let other = format!("http://idp.localhost:{}", cloakroom_tests::gateway::free_port());
    let gateway = Setup::default().second_provider(&other).start().await;
    let mut browser = Browser::new();
    let page = browser.navigate(&gateway.app("/bff/login?provider=other&return_to=/pages/home")).await;
    assert!((502..=504).contains(&page.status), "{page:?}");
    gateway.signed_in("alice").await;
}
