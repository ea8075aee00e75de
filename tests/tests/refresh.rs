//! Tokens that run out, and providers that make it hard to get new ones.

use cloakroom_tests::{Answer, Browser, Gateway, Provider, SESSION_COOKIE, Setup, eventually};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

const CODE: &str = "authorization_code";
const REFRESH: &str = "refresh_token";

/// A signed-in user whose first access token has run out, while the next ones live long.
async fn with_expired_token() -> (Gateway, Browser) {
    let gateway = Setup::default().access_ttl_secs(2).start().await;
    let browser = gateway.signed_in("alice").await;
    Provider::shared().access_ttl(gateway.client_id(), 3600).await;
    tokio::time::sleep(Duration::from_millis(2200)).await;
    (gateway, browser)
}

async fn call(gateway: &Gateway, browser: &Browser) -> Answer {
    browser.fetch("GET", &gateway.app("/api/x")).send().await
}

async fn refreshes(gateway: &Gateway) -> usize {
    gateway.seen().await.token(REFRESH).len()
}

#[tokio::test]
async fn t01_hundred_calls_on_an_expired_token_cost_one_refresh() {
    let (gateway, browser) = with_expired_token().await;
    let before = refreshes(&gateway).await;
    Provider::shared()
        .fault(gateway.client_id(), json!({ "endpoint": "token", "grant": REFRESH, "mode": "delay", "ms": 500 }))
        .await;
    let mut calls = JoinSet::new();
    for number in 0..100 {
        let tab = browser.new_tab();
        let url = gateway.app(&format!("/api/{number}"));
        calls.spawn(async move { tab.fetch("GET", &url).send().await.status });
    }
    while let Some(status) = calls.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let seen = gateway.seen().await;
    assert_eq!(seen.token(REFRESH).len(), before + 1, "{:?}", seen.refused());
    let new = seen.granted(REFRESH).pop().unwrap()["access"].as_str().unwrap().to_owned();
    let calls = gateway.upstream.calls();
    let during = calls.iter().filter(|call| call.target.starts_with("/api/"));
    assert!(
        during.clone().count() == 100
            && during.clone().all(|call| call.headers.get("authorization") == Some(&format!("Bearer {new}")))
    );
}

#[tokio::test]
async fn t02_rotated_tokens_are_never_used_again() {
    let gateway = Setup::default().access_ttl_secs(1).start().await;
    let browser = gateway.signed_in("alice").await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        call(&gateway, &browser).await.expect(200);
    }
    let seen = gateway.seen().await;
    assert!(seen.token(REFRESH).len() >= 3, "{seen:?}");
    assert!(seen.refused().is_empty(), "{seen:?}");
    let mut sent: Vec<_> = seen.token(REFRESH).iter().map(|form| form["refresh_token"].as_str().unwrap()).collect();
    let count = sent.len();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), count, "a refresh token was sent twice");
}

#[tokio::test]
async fn t02_rotation_survives_a_restart() {
    let (mut gateway, browser) = with_expired_token().await;
    call(&gateway, &browser).await.expect(200);
    Provider::shared().access_ttl(gateway.client_id(), 1).await;
    gateway.stop().await;
    gateway.launch().await;
    call(&gateway, &browser).await.expect(200);
    assert!(gateway.seen().await.refused().is_empty());
}

#[tokio::test]
async fn t03_refresh_token_that_is_no_longer_good_ends_the_session() {
    let (mut gateway, browser) = with_expired_token().await;
    let fault = json!({ "endpoint": "token", "grant": REFRESH, "mode": "status", "status": 400, "body": "{\"error\":\"invalid_grant\"}" });
    Provider::shared().fault(gateway.client_id(), fault).await;
    call(&gateway, &browser).await.expect(401).problem();
    Provider::shared().heal(gateway.client_id()).await;
    // Dead in that very request, not only for API calls, and for good.
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
    call(&gateway, &browser).await.expect(401);
    assert_eq!(refreshes(&gateway).await, 1, "a dead refresh token was sent again");
    gateway.stop().await;
    let mut database = gateway.database().await;
    let kinds = super::audit::kinds(&mut database).await;
    let ended = kinds.iter().filter(|kind| kind.contains("ended") || kind.contains("refresh")).count();
    assert!(ended >= 1, "no audit event of the end: {kinds:?}");
    assert!(gateway.run(&["audit", "verify"]).status.success());
}

#[tokio::test]
async fn u02_no_failed_call_keeps_a_session_alive() {
    let gateway = Setup::default().access_ttl_secs(2).app("idle_secs = 6").start().await;
    let browser = gateway.signed_in("alice").await;
    let cookie = format!("{SESSION_COOKIE}={}", browser.session_cookie().unwrap().value);
    tokio::time::sleep(Duration::from_millis(2200)).await;
    let fault = json!({ "endpoint": "token", "grant": REFRESH, "mode": "status", "status": 503, "body": "down" });
    Provider::shared().fault(gateway.client_id(), fault).await;
    // Calls whose refresh fails, and forged ones that are refused, go on and on: the idle end comes all the same.
    let forged = gateway.request("GET", "/api/x").header("Cookie", &cookie).header("Sec-Fetch-Site", "cross-site");
    let mut failed = 0;
    eventually("the idle session ends", async || {
        let refused = forged.send(gateway.port()).await.unwrap().status;
        let status = call(&gateway, &browser).await.status;
        assert!(matches!((status, refused), (503, 403) | (401, 401 | 403)), "{status} {refused}");
        failed += usize::from(status == 503);
        (status == 401).then_some(())
    })
    .await;
    assert!(failed > 3, "the session was over before its calls could fail");
}

#[tokio::test]
async fn t04_provider_that_is_down_is_a_503_and_ends_nothing() {
    let (gateway, expired) = with_expired_token().await;
    let valid = gateway.signed_in("bob").await;
    let fault = json!({ "endpoint": "token", "grant": REFRESH, "mode": "status", "status": 503, "body": "down" });
    Provider::shared().fault(gateway.client_id(), fault).await;
    call(&gateway, &valid).await.expect(200);
    let answer = call(&gateway, &expired).await.expect(503);
    assert!(answer.header("retry-after").is_some_and(|secs| secs.parse::<u64>().is_ok()), "{answer:?}");
    assert!(answer.header("set-cookie").is_none(), "{answer:?}");
    answer.problem();
    expired.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
    Provider::shared().heal(gateway.client_id()).await;
    eventually("the provider's return is noticed", async || {
        (call(&gateway, &expired).await.status == 200).then_some(())
    })
    .await;
    assert!(gateway.seen().await.refused().is_empty());
}

#[tokio::test]
async fn t04_provider_that_is_gone_altogether_is_a_503_until_it_returns() {
    let provider = Provider::start(0);
    let port = provider.port();
    let setup = Setup::default().issuer(&provider.issuer).access_ttl_secs(2);
    let mut gateway = setup.clone().prepare().await;
    provider.register(setup.metadata(gateway.client_id(), gateway.client_secret(), "app", gateway.port())).await;
    gateway.launch().await;
    let browser = gateway.signed_in("alice").await;
    drop(provider);
    tokio::time::sleep(Duration::from_millis(2200)).await;
    let answer = call(&gateway, &browser).await.expect(503);
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
    browser.fetch("GET", &gateway.app("/public/x")).send().await.expect(200);
    // A new process has forgotten the tokens: the session ends then, and only then.
    let again = Provider::start(port);
    again.register(setup.metadata(gateway.client_id(), gateway.client_secret(), "app", gateway.port())).await;
    eventually("the refresh is tried again", async || (call(&gateway, &browser).await.status == 401).then_some(()))
        .await;
}

#[tokio::test]
async fn u23_gateway_starts_without_its_provider() {
    let port = cloakroom_tests::gateway::free_port();
    let issuer = format!("http://idp.localhost:{port}");
    let setup = Setup::default().issuer(&issuer);
    let gateway = setup.clone().start().await;
    let mut browser = Browser::new();
    browser.fetch("GET", &gateway.app("/public/x")).send().await.expect(200);
    let page = browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    assert!(matches!(page.status, 502..=504), "{page:?}");
    let provider = Provider::start(port);
    provider.register(setup.metadata(gateway.client_id(), gateway.client_secret(), "app", gateway.port())).await;
    eventually("the provider is found", async || {
        let page = browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
        (page.status == 200).then_some(())
    })
    .await;
    browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!(browser.page().path(), "/pages/home");
}

#[tokio::test]
async fn t05_session_revoked_during_a_refresh_stays_dead_and_so_do_its_new_tokens() {
    let (gateway, browser) = with_expired_token().await;
    let administrator = gateway.administrator("oscar").await;
    let id = super::admin::session_of(&gateway, &administrator, "alice").await;
    Provider::shared()
        .fault(gateway.client_id(), json!({ "endpoint": "token", "grant": REFRESH, "mode": "late", "ms": 1000 }))
        .await;
    let tab = browser.new_tab();
    let url = gateway.app("/api/x");
    let running = tokio::spawn(async move { tab.fetch("GET", &url).send().await.status });
    eventually("the refresh is on its way", async || (refreshes(&gateway).await == 1).then_some(())).await;
    super::admin::revoke(&gateway, &administrator, &id).await;
    assert_eq!(running.await.unwrap(), 401, "a call went through on a revoked session");
    call(&gateway, &browser).await.expect(401);
    eventually("the late token is revoked at the provider too", async || {
        let seen = gateway.seen().await;
        let new = seen.granted(REFRESH).pop()?["refresh"].as_str()?.to_owned();
        seen.revoked().contains(&new.as_str()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn t07_refresh_whose_answer_was_lost_is_not_sent_again_and_the_session_stays() {
    let (gateway, browser) = with_expired_token().await;
    Provider::shared()
        .fault(gateway.client_id(), json!({ "endpoint": "token", "grant": REFRESH, "mode": "lose" }))
        .await;
    let first = call(&gateway, &browser).await;
    assert!(matches!(first.status, 401 | 503), "{first:?}");
    Provider::shared().heal(gateway.client_id()).await;
    for _ in 0..3 {
        let answer = call(&gateway, &browser).await;
        assert!(matches!(answer.status, 401 | 503), "{answer:?}");
    }
    let seen = gateway.seen().await;
    assert_eq!(seen.token(REFRESH).len(), 1, "a token in doubt was sent again");
    assert!(seen.refused().is_empty());
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
    // A login by the same user refills it.
    let mut tab = browser.new_tab();
    tab.sign_in(&gateway.app(""), "alice", "/pages/home").await;
    call(&gateway, &browser).await.expect(200);
}

#[tokio::test]
async fn s03_caller_that_hangs_up_does_not_cancel_the_refresh() {
    let (gateway, browser) = with_expired_token().await;
    let cookie = browser.session_cookie().unwrap().value;
    Provider::shared()
        .fault(gateway.client_id(), json!({ "endpoint": "token", "grant": REFRESH, "mode": "delay", "ms": 600 }))
        .await;
    let mut conn = gateway.connect().await;
    let request =
        gateway.request("GET", "/api/x").header("X-CSRF", "1").header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
    conn.write(request.bytes()).await.unwrap();
    eventually("the refresh is on its way", async || (refreshes(&gateway).await == 1).then_some(())).await;
    drop(conn);
    eventually("the refresh is done", async || (gateway.seen().await.granted(REFRESH).len() == 1).then_some(())).await;
    call(&gateway, &browser).await.expect(200);
    let seen = gateway.seen().await;
    assert_eq!((seen.token(REFRESH).len(), seen.refused().len()), (1, 0), "{seen:?}");
}

#[tokio::test]
async fn s04_two_users_never_share_a_token() {
    let gateway = Setup::default().access_ttl_secs(2).start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    tokio::time::sleep(Duration::from_millis(2200)).await;
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let (name, tab) = if number % 2 == 0 { ("alice", alice.new_tab()) } else { ("bob", bob.new_tab()) };
        let url = gateway.app(&format!("/api/{name}"));
        calls.spawn(async move { tab.fetch("GET", &url).send().await.status });
    }
    while let Some(status) = calls.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let calls = gateway.upstream.calls();
    let tokens = |name: &str| {
        let of = calls.iter().filter(|call| call.target == format!("/api/{name}"));
        of.filter_map(|call| call.headers.get("authorization").map(str::to_owned))
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert!(tokens("alice").is_disjoint(&tokens("bob")));
    assert_eq!(gateway.seen().await.granted(CODE).len(), 2);
}
