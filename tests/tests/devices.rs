//! "My devices": the user's own sessions, and no others.

use cloakroom_tests::{Browser, Gateway, Setup};
use serde_json::Value;

async fn list(gateway: &Gateway, browser: &Browser) -> Vec<Value> {
    let body = browser.fetch("GET", &gateway.app("/bff/sessions")).csrf().send().await.expect(200).json();
    body["items"].as_array().unwrap_or_else(|| panic!("no list of sessions: {body}")).clone()
}

async fn own_id(gateway: &Gateway, browser: &Browser) -> String {
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    user["session"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn devices_lists_the_users_own_sessions_and_marks_this_one() {
    let gateway = Gateway::start().await;
    let (here, there) = (gateway.signed_in("alice").await, gateway.signed_in("alice").await);
    gateway.signed_in("bob").await;
    let sessions = list(&gateway, &here).await;
    let mut ids: Vec<_> = sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect();
    let mut expected = vec![own_id(&gateway, &here).await, own_id(&gateway, &there).await];
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected);
    let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1, "{sessions:?}");
    assert_eq!(current[0]["id"], own_id(&gateway, &here).await);
    let secrets = [here.session_cookie().unwrap().value, there.session_cookie().unwrap().value];
    assert!(secrets.iter().all(|secret| !format!("{sessions:?}").contains(secret)));
}

#[tokio::test]
async fn devices_ends_one_of_the_users_sessions_at_once() {
    let gateway = Gateway::start().await;
    let (here, there) = (gateway.signed_in("alice").await, gateway.signed_in("alice").await);
    there.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let url = gateway.app(&format!("/bff/sessions/{}", own_id(&gateway, &there).await));
    here.fetch("DELETE", &url).send().await.expect(403);
    there.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let answer = here.fetch("DELETE", &url).csrf().send().await;
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    there.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
    here.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    assert_eq!(list(&gateway, &here).await.len(), 1);
}

#[tokio::test]
async fn s07_devices_of_others_are_out_of_reach() {
    let gateway = Gateway::start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let bobs = own_id(&gateway, &bob).await;
    for id in [bobs.as_str(), "nowhere", "00000000-0000-0000-0000-000000000000", "%00", "..%2f..", "x'%20OR%201=1--"] {
        let answer = alice.fetch("DELETE", &gateway.app(&format!("/bff/sessions/{id}"))).csrf().send().await;
        assert!(matches!(answer.status, 400 | 404), "{id}: {answer:?}");
    }
    bob.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}

#[tokio::test]
async fn devices_ends_all_others_and_nobody_elses() {
    let gateway = Gateway::start().await;
    let here = gateway.signed_in("alice").await;
    let others = [gateway.signed_in("alice").await, gateway.signed_in("alice").await];
    let bob = gateway.signed_in("bob").await;
    let url = gateway.app("/bff/sessions/revoke-others");
    here.fetch("POST", &url).send().await.expect(403);
    Browser::new().fetch("POST", &url).csrf().send().await.expect(401);
    let answer = here.fetch("POST", &url).csrf().send().await;
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    for other in &others {
        other.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
    }
    for kept in [&here, &bob] {
        kept.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
}

#[tokio::test]
async fn devices_are_called_what_their_person_calls_them() {
    let gateway = Gateway::start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let own = own_id(&gateway, &alice).await;
    let rename = async |browser: &Browser, body: &str| {
        let url = gateway.app(&format!("/bff/sessions/{own}"));
        browser.fetch("PATCH", &url).csrf().body("application/json", body).send().await.status
    };
    assert_eq!(rename(&alice, r#"{"name": " Work laptop "}"#).await, 204);
    assert_eq!(list(&gateway, &alice).await[0]["name"], "Work laptop");
    for wrong in ["{}", r#"{"name": ""}"#, r#"{"name": "a\u0000b"}"#, r#"{"name": "x", "id": "y"}"#, "x"] {
        assert_eq!(rename(&alice, wrong).await, 400, "{wrong}");
    }
    assert_eq!(rename(&bob, r#"{"name": "mine"}"#).await, 404);
    assert_eq!(list(&gateway, &alice).await[0]["name"], "Work laptop");
}

/// Whoever got hold of one cookie does not put its owner out.
#[tokio::test]
async fn s20_ending_other_sessions_asks_for_a_recent_login_where_the_client_says_so() {
    let gateway = Setup::default().app("recent_login_secs = 2").start().await;
    let (mut here, there) = (gateway.signed_in("alice").await, gateway.signed_in("alice").await);
    tokio::time::sleep(std::time::Duration::from_millis(3_200)).await;
    let other = gateway.app(&format!("/bff/sessions/{}", own_id(&gateway, &there).await));
    let all = gateway.app("/bff/sessions/revoke-others");
    for (method, url) in [("DELETE", &other), ("POST", &all)] {
        let problem = here.fetch(method, url).csrf().send().await.expect(401).problem();
        assert_eq!(problem["type"], "urn:cloakroom:problem:step-up-needed", "{problem}");
    }
    there.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let problem = here.fetch("DELETE", &other).csrf().send().await.expect(401).problem();
    here.navigate(&gateway.app(problem["step_up_url"].as_str().expect("an address"))).await;
    here.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    here.fetch("DELETE", &other).csrf().send().await.expect(204);
    there.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
}
