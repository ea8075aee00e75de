//! What is under way when a revocation is decided.

use super::{REVOCATIONS, decision, finished, post, preview, revoke, status, user};
use cloakroom_tests::{Gateway, Provider, Setup, eventually};
use serde_json::json;
use std::time::Duration;

const REFRESH: &str = "refresh_token";

#[tokio::test]
async fn t05_login_on_its_way_through_a_revocation_starts_nothing() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    for (filter, held_at) in [
        (user(&gateway, "carol"), "/bff/callback"),
        (json!({ "client": "app" }), "/bff/callback/finish"),
        (json!({ "provider": "main", "user_agent": "Chrome/150" }), "/bff/callback/finish"),
    ] {
        let mut browser = gateway.signed_in("carol").await;
        browser.jar().clear_host("app.localhost");
        browser.hold_at(held_at);
        browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
        let on_its_way = browser.held();
        revoke(&gateway, &owner, &filter).await;
        let page = browser.resume(on_its_way, None).await.clone();
        assert_eq!(page.status, 400, "{filter}: {page:?}");
        assert!(page.body.contains("An administrator ended your sessions"), "{page:?}");
        assert!(browser.session_cookie().is_none(), "{page:?}");
        let refresh = gateway.seen().await.granted("authorization_code").last().unwrap()["refresh"].clone();
        eventually("the unused refresh token is revoked", async || {
            gateway.seen().await.revoked().contains(&refresh.as_str().unwrap()).then_some(())
        })
        .await;
        // A sign-in that begins afterwards is another matter.
        browser.click_link("Try again").await;
        assert_eq!((browser.page().status, browser.page().path()), (200, "/pages/home"), "{:?}", browser.page());
    }
}

#[tokio::test]
async fn t05_revocation_of_an_app_wins_against_a_refresh_in_flight() {
    let gateway = Setup::default().access_ttl_secs(2).start().await;
    let browser = gateway.signed_in("alice").await;
    let owner = gateway.administrator("olivia").await;
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    Provider::shared()
        .fault(gateway.client_id(), json!({ "endpoint": "token", "grant": REFRESH, "mode": "late", "ms": 1000 }))
        .await;
    let tab = browser.new_tab();
    let url = gateway.app("/api/x");
    let running = tokio::spawn(async move { tab.fetch("GET", &url).send().await.status });
    eventually("the refresh is on its way", async || (gateway.seen().await.token(REFRESH).len() == 1).then_some(()))
        .await;
    let shown = preview(&gateway, &owner, &json!({ "client": "app" })).await;
    let answer = post(&gateway, &owner, REVOCATIONS, &decision(&shown)).await;
    assert_eq!(running.await.unwrap(), 401, "a call went through on a revoked session");
    assert_eq!(status(&gateway, &browser).await, 401);
    let report = finished(&gateway, &owner, answer.json()["id"].as_str().unwrap()).await;
    assert_eq!(report["ended"], 1, "{report}");
    eventually("the late token is revoked at the provider too", async || {
        let seen = gateway.seen().await;
        let new = seen.granted(REFRESH).pop()?["refresh"].as_str()?.to_owned();
        seen.revoked().contains(&new.as_str()).then_some(())
    })
    .await;
}
