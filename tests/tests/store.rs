//! A writer of the database gains nothing: decisions read only what is sealed.

use cloakroom_tests::{Browser, Gateway, Setup};
use std::time::Duration;

/// Stops the gateway, changes its store behind its back, and starts it again.
async fn rewrite(gateway: &mut Gateway, statements: &[&str]) {
    gateway.stop().await;
    let mut database = gateway.database().await;
    for statement in statements {
        assert!(database.execute(statement).await > 0, "{statement}");
    }
    drop(database);
    gateway.launch().await;
}

/// Who the app's answers take this browser for, if anybody.
async fn taken_for(gateway: &Gateway, browser: &Browser) -> Option<String> {
    let answer = browser.fetch("GET", &gateway.app("/bff/user")).send().await;
    (answer.status == 200).then(|| answer.json()["sub"].as_str().unwrap().to_owned())
}

const ALICE: &str = "(SELECT id FROM sessions WHERE sub = 'alice')";
const BOB: &str = "(SELECT id FROM sessions WHERE sub = 'bob')";

#[tokio::test]
async fn v01_sealed_values_of_one_session_do_not_open_in_another() {
    for columns in
        [&["sealed"][..], &["wrapped_key"], &["sealed", "wrapped_key"], &["sealed", "wrapped_key", "key_id", "subject"]]
    {
        let mut gateway = Gateway::start().await;
        let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
        let sets = columns.iter().map(|name| format!("{name} = (SELECT {name} FROM sessions WHERE sub = 'bob')"));
        let sets = sets.collect::<Vec<_>>().join(", ");
        rewrite(&mut gateway, &[&format!("UPDATE sessions SET {sets} WHERE sub = 'alice'")]).await;
        assert_ne!(taken_for(&gateway, &alice).await.as_deref(), Some("bob"), "{columns:?}");
        let call = alice.fetch("GET", &gateway.app("/api/x")).send().await;
        assert_ne!(call.status, 200, "{columns:?}: {call:?}");
        assert_eq!(taken_for(&gateway, &bob).await.as_deref(), Some("bob"), "{columns:?}");
    }
}

#[tokio::test]
async fn v01_secret_written_into_another_row_opens_nothing() {
    let mut gateway = Gateway::start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let swap =
        "UPDATE sessions SET secret_hash = (SELECT secret_hash FROM sessions WHERE sub = 'alice') WHERE sub = 'bob'";
    rewrite(&mut gateway, &[swap]).await;
    assert_eq!(taken_for(&gateway, &alice).await.as_deref(), Some("alice"));
    assert_eq!(taken_for(&gateway, &bob).await, None, "a row with another's secret still serves");
}

#[tokio::test]
async fn v01_token_set_of_another_is_never_sent() {
    let mut gateway = Gateway::start().await;
    let (alice, _bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let copy = format!(
        "UPDATE tokens SET sealed = (SELECT sealed FROM tokens WHERE session_id = {BOB}) WHERE session_id = {ALICE}"
    );
    rewrite(&mut gateway, &[&copy]).await;
    let before = gateway.upstream.calls().len();
    let answer = alice.fetch("GET", &gateway.app("/api/x")).send().await;
    assert_ne!(answer.status, 200, "{answer:?}");
    assert_eq!(gateway.upstream.calls().len(), before, "a call went up");
}

#[tokio::test]
async fn v01_edited_columns_make_nobody_an_owner() {
    let mut gateway = Gateway::start().await;
    let mallory = gateway.administrator("bob").await;
    let owner = gateway.administrator("carol").await;
    let edit = "UPDATE sessions SET sub = 'carol', name = 'Carol', subject = (SELECT subject FROM sessions WHERE sub = 'carol') WHERE sub = 'bob'";
    rewrite(&mut gateway, &[edit]).await;
    let url = gateway.console("/admin/api/v1/sessions");
    let answer = mallory.fetch("GET", &url).csrf().send().await;
    assert_ne!(answer.status, 200, "{answer:?}");
    owner.fetch("GET", &url).csrf().send().await.expect(200);
}

#[tokio::test]
async fn v01_later_end_written_into_a_row_is_ignored() {
    let mut gateway = Setup::default().app("idle_secs = 4\nabsolute_secs = 4").start().await;
    let alice = gateway.signed_in("alice").await;
    let far = "UPDATE sessions SET expires_at = expires_at + 1000000000, idle_ms = 1000000000, last_seen_at = last_seen_at + 1000000";
    rewrite(&mut gateway, &[far]).await;
    tokio::time::sleep(Duration::from_millis(4200)).await;
    assert_eq!(taken_for(&gateway, &alice).await, None);
}

#[tokio::test]
async fn v01_columns_that_say_where_tokens_go_and_which_key_seals_cannot_be_edited() {
    let mut gateway = Gateway::start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    rewrite(&mut gateway, &["UPDATE sessions SET registration_id = 'console' WHERE sub = 'alice'"]).await;
    let before = gateway.upstream.calls().len();
    assert_eq!(taken_for(&gateway, &alice).await, None);
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
    assert_eq!(gateway.upstream.calls().len(), before, "a call went up");
    assert_eq!(taken_for(&gateway, &bob).await.as_deref(), Some("bob"));

    gateway.stop().await;
    let mut database = gateway.database().await;
    assert_eq!(database.execute("UPDATE ring_keys SET created_at = created_at + 1 WHERE id <> 'index'").await, 1);
    drop(database);
    let done = gateway.run(&["keys", "list"]);
    assert!(!done.status.success(), "a key's age decides which one seals: {done:?}");
}
