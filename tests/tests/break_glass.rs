//! Acts of emergency by somebody with a shell on the host, with the gateway up or down.

use cloakroom_tests::{Browser, Gateway};
use serde_json::Value;

const WHY: &str = "incident 4711";

/// Runs the command, and gives back what it printed.
fn act(gateway: &Gateway, arguments: &[&str]) -> String {
    let all = [&["break-glass"], arguments, &["--reason", WHY]].concat();
    let output = gateway.run(&all);
    assert!(output.status.success(), "{all:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn status(gateway: &Gateway, browser: &Browser) -> u16 {
    browser.fetch("GET", &gateway.app("/api/x")).send().await.status
}

async fn overview(gateway: &Gateway, browser: &Browser) -> Value {
    let url = gateway.console("/admin/api/v1/overview");
    browser.fetch("GET", &url).csrf().send().await.expect(200).json()
}

#[tokio::test]
async fn a12_break_glass_ends_sessions_with_the_gateway_up_and_down() {
    let mut gateway = Gateway::start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let issuer = gateway.issuer().to_owned();
    let said = act(&gateway, &["revoke", "--user", &issuer, "alice"]);
    assert!(said.starts_with("1 sessions ended"), "{said}");
    assert_eq!((status(&gateway, &alice).await, status(&gateway, &bob).await), (401, 200));
    gateway.stop().await;
    let said = act(&gateway, &["revoke", "--client", "app"]);
    assert!(said.starts_with("1 sessions ended"), "{said}");
    gateway.launch().await;
    assert_eq!(status(&gateway, &bob).await, 401);
    // Who, on which host, and why, stand in the audit log.
    let owner = gateway.administrator("olivia").await;
    let events = overview(&gateway, &owner).await["latest_events"].clone();
    let decided: Vec<_> =
        events.as_array().unwrap().iter().filter(|event| event["kind"] == "revocation.started").cloned().collect();
    assert_eq!(decided.len(), 2, "{events}");
    assert!(decided.iter().all(|event| event["text"].as_str().unwrap().ends_with(WHY)), "{decided:?}");
    for wrong in [&["revoke"][..], &["revoke", "--all", "--client", "app"], &["block-provider", "nowhere"]] {
        let output = gateway.run(&[&["break-glass"], wrong, &["--reason", WHY]].concat());
        assert!(!output.status.success(), "{wrong:?}: {output:?}");
    }
    assert!(!gateway.run(&["break-glass", "revoke", "--all", "--reason", " "]).status.success());
}

#[tokio::test]
async fn s14_blocked_provider_lets_nobody_in_until_it_is_unblocked() {
    let mut gateway = Gateway::start().await;
    let phone = gateway.signed_in("alice").await;
    act(&gateway, &["block-provider", "main"]);
    assert!(act(&gateway, &["block-provider", "main"]).contains("already"));
    let refused = phone.fetch("GET", &gateway.app("/api/x")).send().await.expect(401).problem();
    assert!(refused["detail"].as_str().unwrap().contains(WHY), "{refused}");
    let mut other = Browser::new();
    other.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    let page = other.submit_form(&[("username", "bob"), ("password", "bob-password")]).await;
    assert!(page.status == 400 && page.body.contains(WHY), "{page:?}");
    gateway.stop().await;
    act(&gateway, &["unblock-provider", "main"]);
    gateway.launch().await;
    assert_eq!(status(&gateway, &phone).await, 200);
}

#[tokio::test]
async fn a12_break_glass_makes_an_owner_whatever_the_claims_say() {
    let gateway = Gateway::start().await;
    let bob = gateway.administrator("bob").await;
    let me = gateway.console("/admin/api/v1/me");
    bob.fetch("GET", &me).csrf().send().await.expect(403);
    let wrong = ["break-glass", "grant-owner", "https://elsewhere.example", "bob", "--reason", WHY];
    assert!(!gateway.run(&wrong).status.success());
    bob.fetch("GET", &me).csrf().send().await.expect(403);
    act(&gateway, &["grant-owner", gateway.issuer(), "bob"]);
    assert_eq!(bob.fetch("GET", &me).csrf().send().await.expect(200).json()["role"], "owner");
    let events = overview(&gateway, &bob).await["latest_events"].clone();
    let granted = events.as_array().unwrap().iter().find(|event| event["kind"] == "owner.granted");
    let text = granted.expect("an event")["text"].as_str().unwrap().to_owned();
    assert!(text.contains("an owner on") && text.ends_with(WHY), "{text}");
}
