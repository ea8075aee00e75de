//! What becomes of the tokens at the provider.

use super::{decision, finished, post, preview, report, user};
use cloakroom_tests::{Gateway, Provider, eventually};
use serde_json::json;

#[tokio::test]
async fn u15_report_says_what_the_provider_said_and_which_token_life_is_left() {
    let gateway = Gateway::start().await;
    gateway.signed_in("alice").await;
    let operator = gateway.administrator("oscar").await;
    let ended = super::revoke(&gateway, &operator, &user(&gateway, "alice")).await;
    let id = ended["id"].as_str().unwrap();
    let told = eventually("the provider is told", async || {
        Some(report(&gateway, &operator, id).await).filter(|report| report["provider"]["done"] == 1)
    })
    .await;
    let expected = json!({ "queued": 0, "done": 1, "failed": 0, "not_supported": 0 });
    assert_eq!((&told["provider"], &told["failures"]), (&expected, &json!([])), "{told}");
    // Whatever asks nobody back may take the access token for the rest of its hour.
    let until = told["access_tokens_until"].as_str().expect("a moment");
    assert!(until > told["decided_at"].as_str().unwrap(), "{told}");
    let refresh = gateway.seen().await.granted("authorization_code")[0]["refresh"].clone();
    assert!(gateway.seen().await.revoked().contains(&refresh.as_str().unwrap()));
}

/// The provider is down for as long as the gateway lives: the next process tells it.
#[tokio::test]
async fn u15_provider_that_was_down_is_told_after_a_restart() {
    let mut gateway = Gateway::start().await;
    gateway.signed_in("alice").await;
    let operator = gateway.administrator("oscar").await;
    let down = json!({ "endpoint": "revocation", "mode": "status", "status": 503, "times": 1000 });
    Provider::shared().fault(gateway.client_id(), down).await;
    let shown = preview(&gateway, &operator, &user(&gateway, "alice")).await;
    let id = post(&gateway, &operator, super::REVOCATIONS, &decision(&shown)).await.json()["id"].clone();
    let id = id.as_str().unwrap();
    finished(&gateway, &operator, id).await;
    eventually("it was tried", async || (!gateway.seen().await.revoked().is_empty()).then_some(())).await;
    assert_eq!(report(&gateway, &operator, id).await["provider"]["queued"], 1);
    gateway.kill().await;
    Provider::shared().heal(gateway.client_id()).await;
    let tried = gateway.seen().await.revoked().len();
    gateway.launch().await;
    let told = eventually("the provider is told", async || {
        Some(report(&gateway, &operator, id).await).filter(|report| report["provider"]["done"] == 1)
    })
    .await;
    assert_eq!(told["provider"]["queued"], 0, "{told}");
    assert_eq!(gateway.seen().await.revoked().len(), tried + 1);
    // It stands in the log of the session, and nothing more is tried.
    let list = super::get(&gateway, &operator, "/admin/api/v1/sessions?state=ended&sub=alice").await.expect(200).json();
    let session = list["items"][0]["id"].as_str().unwrap();
    let detail = super::get(&gateway, &operator, &format!("/admin/api/v1/sessions/{session}")).await.expect(200).json();
    let kinds: Vec<_> = detail["events"].as_array().unwrap().iter().map(|event| event["kind"].clone()).collect();
    assert!(kinds.contains(&json!("provider.revoked")), "{detail}");
    assert!(detail["token_set"].is_null(), "{detail}");
}
