//! Who may decide, upon what, and how often they are asked.

use super::{REVOCATIONS, decision, get, post, preview, revoke, status, user};
use cloakroom_tests::{Gateway, Setup};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn s13_decision_is_bound_to_its_preview() {
    let gateway = Gateway::start().await;
    let app = gateway.signed_in("alice").await;
    let (operator, other) = (gateway.administrator("oscar").await, gateway.administrator("olivia").await);
    for filter in [
        json!({}),
        json!({ "all": false }),
        json!({ "all": true, "client": "app" }),
        json!({ "clinet": "app" }),
        json!({ "client": "" }),
        json!({ "user": { "sub": "alice" } }),
        json!({ "network": "127.0.0.1/7" }),
        json!({ "network": "anywhere" }),
        json!({ "started_before": "yesterday" }),
        json!({ "started_from": "2026-01-02T00:00:00Z", "started_before": "2026-01-01T00:00:00Z" }),
        json!({ "sessions": [] }),
        json!({ "sessions": ["nowhere"] }),
        json!(null),
    ] {
        let path = format!("{REVOCATIONS}/preview");
        post(&gateway, &operator, &path, &json!({ "filter": filter })).await.expect(400).problem();
    }
    let shown = preview(&gateway, &operator, &user(&gateway, "alice")).await;
    let token = shown["token"].as_str().unwrap();
    let flipped = format!("{}{}", if token.starts_with('A') { "B" } else { "A" }, &token[1..]);
    for (token, reason) in [(flipped.as_str(), "x"), ("", "x"), (&token[..40], "x"), (token, ""), (token, " ")] {
        let body = json!({ "token": token, "reason": reason });
        post(&gateway, &operator, REVOCATIONS, &body).await.expect(400).problem();
    }
    post(&gateway, &other, REVOCATIONS, &decision(&shown)).await.expect(400).problem();
    let mut wider = decision(&shown);
    wider["filter"] = json!({ "all": true });
    post(&gateway, &operator, REVOCATIONS, &wider).await.expect(400).problem();
    assert_eq!(status(&gateway, &app).await, 200);

    // Twice is once: whoever signed in anew between the two stays.
    let first = post(&gateway, &operator, REVOCATIONS, &decision(&shown)).await.expect(200).json();
    let again = gateway.signed_in("alice").await;
    let second = post(&gateway, &operator, REVOCATIONS, &decision(&shown)).await.expect(200).json();
    assert_eq!((&first["id"], &first["ended"]), (&second["id"], &second["ended"]));
    assert_eq!((status(&gateway, &app).await, status(&gateway, &again).await), (401, 200));

    // Many more than were shown are shown first.
    let shown = preview(&gateway, &operator, &user(&gateway, "alice")).await;
    assert_eq!(shown["count"], 1);
    for _ in 0..12 {
        gateway.signed_in("alice").await;
    }
    let problem = post(&gateway, &operator, REVOCATIONS, &decision(&shown)).await.expect(409).problem();
    assert_eq!(problem["type"], "urn:cloakroom:problem:changed", "{problem}");
    assert_eq!(status(&gateway, &again).await, 200);
}

#[tokio::test]
async fn a05_mass_revocation_asks_twice_and_says_whom_it_locks_out() {
    let gateway = Gateway::start().await;
    let app = gateway.signed_in("alice").await;
    let (operator, owner) = (gateway.administrator("oscar").await, gateway.administrator("olivia").await);
    let all = json!({ "all": true });
    let shown = preview(&gateway, &operator, &all).await;
    let problem = post(&gateway, &operator, REVOCATIONS, &decision(&shown)).await.expect(403).problem();
    assert_eq!(problem["required_role"], "owner", "{problem}");

    let shown = preview(&gateway, &owner, &all).await;
    assert_eq!((&shown["mass"], &shown["own_session"], &shown["count"]), (&json!(true), &json!("spared"), &json!(2)));
    assert!(shown["warnings"].to_string().contains("1 other sessions of the console end"), "{shown}");
    for confirm in [Value::Null, json!(""), json!("yes"), json!("end 3 sessions")] {
        let mut body = decision(&shown);
        body["confirm"] = confirm;
        post(&gateway, &owner, REVOCATIONS, &body).await.expect(400).problem();
    }
    assert_eq!(status(&gateway, &app).await, 200);
    let report = revoke(&gateway, &owner, &all).await;
    assert_eq!((&report["ended"], status(&gateway, &app).await), (&json!(2), 401), "{report}");
    get(&gateway, &operator, "/admin/api/v1/me").await.expect(401);
    get(&gateway, &owner, "/admin/api/v1/me").await.expect(200);

    // The last owner may end their own session too, but not without having read and typed it.
    let body = json!({ "filter": all, "include_own": true });
    let shown = post(&gateway, &owner, &format!("{REVOCATIONS}/preview"), &body).await.expect(200).json();
    assert_eq!((&shown["own_session"], &shown["count"]), (&json!("included"), &json!(1)), "{shown}");
    assert!(shown["warnings"].to_string().contains("no owner stays signed in"), "{shown}");
    assert_eq!(shown["confirm_with"], "end 1 sessions and my own", "{shown}");
    let mut half = decision(&shown);
    half["confirm"] = json!("end 1 sessions");
    post(&gateway, &owner, REVOCATIONS, &half).await.expect(400);
    post(&gateway, &owner, REVOCATIONS, &decision(&shown)).await.expect(200);
    get(&gateway, &owner, "/admin/api/v1/me").await.expect(401);

    // Who, why and how many stand in the audit log.
    let carol = gateway.administrator("carol").await;
    let overview = get(&gateway, &carol, "/admin/api/v1/overview").await.expect(200).json();
    let events = overview["latest_events"].as_array().unwrap();
    let decided: Vec<_> = events.iter().filter(|event| event["kind"] == "revocation.started").collect();
    assert_eq!(decided.len(), 2, "{overview}");
    for event in decided {
        assert!(event["text"].as_str().unwrap().ends_with("incident 4711"), "{event}");
        assert!(event["actor"].as_str().is_some_and(|actor| !actor.is_empty()), "{event}");
    }
}

#[tokio::test]
async fn a12_ending_the_sessions_of_an_app_needs_a_recent_login() {
    let gateway = Setup::default().section("recent_login_secs = 3").start().await;
    let app = gateway.signed_in("alice").await;
    let mut owner = gateway.administrator("olivia").await;
    tokio::time::sleep(Duration::from_millis(4_200)).await;
    let shown = preview(&gateway, &owner, &json!({ "client": "app" })).await;
    let problem = post(&gateway, &owner, REVOCATIONS, &decision(&shown)).await.expect(401).problem();
    assert_eq!(problem["type"], "urn:cloakroom:problem:step-up-needed", "{problem}");
    assert_eq!(status(&gateway, &app).await, 200);
    // One person's sessions end without it.
    revoke(&gateway, &owner, &user(&gateway, "bob")).await;
    owner.navigate(&gateway.console(problem["step_up_url"].as_str().expect("an address"))).await;
    owner.submit_form(&[("username", "olivia"), ("password", "olivia-password")]).await;
    assert_eq!(owner.page().path(), "/admin/", "{:?}", owner.page());
    // The preview stays good over it.
    post(&gateway, &owner, REVOCATIONS, &decision(&shown)).await.expect(200);
    assert_eq!(status(&gateway, &app).await, 401);
}
