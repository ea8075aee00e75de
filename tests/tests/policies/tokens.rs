//! Tokens for upstreams that are not the session's own: the gateway's, and exchanged ones.

use super::route;
use cloakroom_tests::{Browser, Gateway, Provider, Setup, Upstream, eventually};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const SECRET: &str = "the-secret-of-the-gateway-as-a-machine";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A provider answers exchanges as a scripted token endpoint would; everything else is the real one's.
async fn scripted(gateway: &Gateway, body: Value, times: u32) {
    let fault = json!({
        "endpoint": "token", "grant": EXCHANGE, "mode": "status", "status": 200, "body": body.to_string(), "times": times,
    });
    Provider::shared().fault(gateway.client_id(), fault).await;
}

fn token(name: &str) -> Value {
    json!({
        "access_token": name, "token_type": "Bearer", "expires_in": 3600,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    })
}

async fn attached(gateway: &Gateway, browser: &Browser, path: &str) -> String {
    browser.fetch("GET", &gateway.app(path)).send().await.expect(200);
    gateway.upstream.last().headers.get("authorization").unwrap_or_default().to_owned()
}

async fn exchanges(gateway: &Gateway) -> Vec<Value> {
    gateway.seen().await.token(EXCHANGE).into_iter().cloned().collect()
}

fn exchanging() -> Setup {
    let of = |ask: &str| format!("token = {{ mode = \"exchange\", {ask} }}");
    let routes = [
        route("/orders/", &of("audience = \"orders\", scopes = [\"read\"]")),
        route("/bills/", &of("audience = \"orders read\"")),
    ];
    Setup::default().section(&routes.concat())
}

#[tokio::test]
async fn s04_exchanged_tokens_are_shared_by_no_two_users_and_no_two_purposes() {
    let gateway = exchanging().start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let mut expected = Vec::new();
    for (browser, path) in [(&alice, "/orders/x"), (&alice, "/bills/x"), (&bob, "/orders/x"), (&bob, "/bills/x")] {
        let name = format!("exchanged-{}", expected.len());
        scripted(&gateway, token(&name), 1).await;
        assert_eq!(attached(&gateway, browser, path).await, format!("Bearer {name}"));
        expected.push((browser, path, name));
    }
    // From memory now, each their own.
    for (browser, path, name) in expected {
        assert_eq!(attached(&gateway, browser, path).await, format!("Bearer {name}"));
    }
    let asked = exchanges(&gateway).await;
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert_eq!((&asked[0]["audience"], &asked[0]["scope"]), (&json!("orders"), &json!("read")));
    assert_eq!((&asked[1]["audience"], &asked[1]["scope"]), (&json!("orders read"), &Value::Null));
    let seen = gateway.seen().await;
    let own: Vec<_> = seen.granted("authorization_code").iter().map(|grant| grant["access"].clone()).collect();
    assert_eq!(
        [&asked[0]["subject_token"], &asked[2]["subject_token"]],
        [&own[0], &own[1]],
        "each from their own token"
    );
}

#[tokio::test]
async fn t08_exchange_that_fails_falls_back_on_nothing() {
    let gateway = exchanging().start().await;
    let browser = gateway.signed_in("alice").await;
    for (status, body, expected) in [
        (400, json!({ "error": "invalid_target" }), 502),
        (200, json!({ "access_token": "x", "token_type": "Bearer" }), 502),
        (200, json!({ "access_token": "x", "token_type": "N_A", "issued_token_type": "x" }), 502),
        (503, json!({}), 503),
    ] {
        Provider::shared()
            .fault(
                gateway.client_id(),
                json!({ "endpoint": "token", "grant": EXCHANGE, "mode": "status", "status": status, "body": body.to_string() }),
            )
            .await;
        let answer = browser.fetch("GET", &gateway.app("/orders/x")).send().await.expect(expected);
        let code = if expected == 502 { "token-not-granted" } else { "try-later" };
        assert!(answer.problem()["type"].as_str().unwrap().ends_with(code), "{body}");
        Provider::shared().heal(gateway.client_id()).await;
    }
    assert!(
        gateway.upstream.calls().iter().all(|call| !call.target.starts_with("/orders")),
        "a call went up without it"
    );
}

#[tokio::test]
async fn t08_exchanged_tokens_die_with_the_session_and_with_the_token_they_were_made_from() {
    let gateway = exchanging().access_ttl_secs(4).start().await;
    let browser = gateway.signed_in("alice").await;
    Provider::shared().access_ttl(gateway.client_id(), 3600).await;
    scripted(&gateway, token("first"), 1).await;
    assert_eq!(attached(&gateway, &browser, "/orders/x").await, "Bearer first");
    scripted(&gateway, token("second"), 10).await;
    // Once the session's own token was renewed, what the old one was exchanged for is no longer used.
    eventually("another exchange follows the renewed token", async || {
        let token = attached(&gateway, &browser, "/orders/x").await;
        assert!(token == "Bearer first" || token == "Bearer second", "{token}");
        (token == "Bearer second").then_some(())
    })
    .await;
    assert_eq!(gateway.seen().await.granted("refresh_token").len(), 1);
    // A new session of the same person starts without it.
    let before = exchanges(&gateway).await.len();
    let again = gateway.signed_in("alice").await;
    assert_eq!(attached(&gateway, &again, "/orders/x").await, "Bearer second");
    assert_eq!(exchanges(&gateway).await.len(), before + 1);
}

#[tokio::test]
async fn t08_gateways_own_token_is_asked_for_once_and_is_nobody_elses() {
    let id = format!("own-{}", std::process::id());
    let metadata = json!({
        "client_id": id, "client_secret": SECRET, "grant_types": ["client_credentials"],
        "response_types": [], "redirect_uris": [],
    });
    Provider::shared().register(metadata).await;
    let lines = "token = { mode = \"client_credentials\", registration = \"main.machine\", \
                 resource = \"https://api.example.com\", scopes = [\"notes:read\"] }";
    let setup = [
        format!(
            "[providers.main.registrations.machine]\nclient_id = \"{id}\"\nclient_secret = \"env:TESTS_OWN_SECRET\"\n"
        ),
        route("/own/", lines),
    ];
    let mut gateway = Setup::default().section(&setup.concat()).prepare().await;
    gateway.environment("TESTS_OWN_SECRET", SECRET);
    gateway.launch().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let tab = if number % 2 == 0 { alice.new_tab() } else { bob.new_tab() };
        let url = gateway.app(&format!("/own/{number}"));
        calls.spawn(async move { tab.fetch("GET", &url).send().await.status });
    }
    while let Some(status) = calls.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let seen = Provider::shared().seen(&id).await;
    let granted = seen.granted("client_credentials");
    assert_eq!(granted.len(), 1, "one request for all");
    let upstream: &Upstream = &gateway.upstream;
    let own = format!("Bearer {}", granted[0]["access"].as_str().unwrap());
    let calls = upstream.calls();
    let mine = calls.iter().filter(|call| call.target.starts_with("/own/"));
    assert!(mine.clone().count() == 40 && mine.clone().all(|call| call.headers.all("authorization") == [own.clone()]));
    // A refusal is told, and nothing else is sent instead.
    assert!(!gateway.log().contains(&own[7..]), "a token in the log");
}
