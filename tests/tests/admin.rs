//! The admin API: who may see and end sessions.

mod audit;
mod door;
mod figures;
mod list;
mod machines;
mod settings;
mod users;

use cloakroom_tests::{Answer, Browser, Gateway, SESSION_COOKIE};
use serde_json::{Value, json};

const SESSIONS: &str = "/admin/api/v1/sessions";

async fn get(gateway: &Gateway, browser: &Browser, path: &str) -> Answer {
    browser.fetch("GET", &gateway.console(path)).csrf().send().await
}

async fn post(gateway: &Gateway, browser: &Browser, path: &str, body: &Value) -> Answer {
    browser.fetch("POST", &gateway.console(path)).csrf().body("application/json", body.to_string()).send().await
}

/// The id of a user's newest session at the app, as the admin API shows it.
pub(crate) async fn session_of(gateway: &Gateway, administrator: &Browser, sub: &str) -> String {
    let list = get(gateway, administrator, SESSIONS).await.expect(200).json();
    let items = list["items"].as_array().expect("items").clone();
    let found = items.iter().find(|item| item["sub"] == sub && item["client_id"] == "app");
    found.unwrap_or_else(|| panic!("no session of {sub}: {list}"))["id"].as_str().unwrap().to_owned()
}

/// Ends a session as an administrator does.
pub(crate) async fn revoke(gateway: &Gateway, administrator: &Browser, id: &str) {
    let answer = post(gateway, administrator, &format!("{SESSIONS}/{id}/revoke"), &json!({ "reason": "a test" })).await;
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
}

#[tokio::test]
async fn a01_revoked_session_is_refused_on_its_next_call() {
    let gateway = Gateway::start().await;
    for name in ["oscar", "olivia", "carol"] {
        let app = gateway.signed_in("alice").await;
        app.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
        let administrator = gateway.administrator(name).await;
        let id = session_of(&gateway, &administrator, "alice").await;
        revoke(&gateway, &administrator, &id).await;
        app.fetch("GET", &gateway.app("/api/x")).send().await.expect(401).problem();
        app.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
        let list = get(&gateway, &administrator, SESSIONS).await.expect(200).json();
        let live = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|item| item["id"] == id.as_str() && item["ended_at"].is_null());
        assert!(!live, "{list}");
    }
    // The refresh tokens are revoked at the provider as well.
    cloakroom_tests::eventually("the refresh tokens are revoked", async || {
        let seen = gateway.seen().await;
        let revoked = seen.revoked();
        let all = seen
            .granted("authorization_code")
            .iter()
            .all(|grant| revoked.contains(&grant["refresh"].as_str().unwrap()));
        all.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a01_revoking_needs_a_reason_and_a_session() {
    let gateway = Gateway::start().await;
    let app = gateway.signed_in("alice").await;
    let operator = gateway.administrator("oscar").await;
    let id = session_of(&gateway, &operator, "alice").await;
    let path = format!("{SESSIONS}/{id}/revoke");
    for body in [
        json!({}),
        json!({ "reason": "" }),
        json!({ "reason": 7 }),
        json!({ "reason": "x".repeat(100_000) }),
        json!([]),
        json!(null),
    ] {
        let answer = post(&gateway, &operator, &path, &body).await;
        assert!(matches!(answer.status, 400 | 413 | 422), "{body}: {}", answer.status);
    }
    let broken =
        operator.fetch("POST", &gateway.console(&path)).csrf().body("application/json", "{\"reason\":").send().await;
    assert!(matches!(broken.status, 400 | 422), "{broken:?}");
    for id in ["nowhere", "00000000-0000-0000-0000-000000000000", "%00", "x'%20OR%201=1--"] {
        let answer = post(&gateway, &operator, &format!("{SESSIONS}/{id}/revoke"), &json!({ "reason": "x" })).await;
        assert!(matches!(answer.status, 400 | 404), "{id}: {answer:?}");
    }
    app.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}

#[tokio::test]
async fn a11_admin_api_answers_on_the_consoles_site_to_console_sessions_only() {
    let gateway = Gateway::start().await;
    // An owner by role, but with a session of the app.
    let mut owner = gateway.signed_in("olivia").await;
    for path in [SESSIONS, "/admin/api/v1/me", "/admin/", "/admin/api/v1/nowhere"] {
        owner.fetch("GET", &gateway.app(path)).csrf().send().await.expect(404);
        let page = owner.navigate(&gateway.app(path)).await;
        assert_eq!(page.status, 404, "{path}: {page:?}");
    }
    let app = owner.session_cookie().unwrap().value;
    let host = format!("console.localhost:{}", gateway.port());
    let request = cloakroom_tests::wire::Request::new("GET", &host, SESSIONS);
    let request = request.header("X-CSRF", "1").header("Cookie", &format!("{SESSION_COOKIE}={app}"));
    request.send(gateway.port()).await.unwrap().expect(401);
}

#[tokio::test]
async fn admin_api_says_who_is_asking() {
    let gateway = Gateway::start().await;
    for (name, role) in [("vera", "viewer"), ("oscar", "operator"), ("olivia", "owner"), ("carol", "owner")] {
        let administrator = gateway.administrator(name).await;
        let me = get(&gateway, &administrator, "/admin/api/v1/me").await.expect(200).json();
        assert_eq!((&me["sub"], &me["role"]), (&json!(name), &json!(role)), "{me}");
    }
}

#[tokio::test]
async fn s07_roles_come_from_the_console_session_alone() {
    let gateway = Gateway::start().await;
    // A user who only claims the name of the configured owner at another provider, or writes roles elsewhere.
    cloakroom_tests::Provider::shared()
        .user("Carol", json!({ "name": "Carol", "groups": ["owner"], "role": "owner" }))
        .await;
    let browser = gateway.administrator("Carol").await;
    get(&gateway, &browser, SESSIONS).await.expect(403);
}
