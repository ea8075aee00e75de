//! A writer of the database gains nothing: decisions read only what is sealed.

use cloakroom_tests::store::Database;
use cloakroom_tests::{Browser, Gateway, Provider, Setup};
use serde_json::json;
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

/// One edit of an attacker's rows (`{me}`) by what a victim's (`{her}`) hold, while the gateway runs.
const EDITS: &[&str] = &[
    "UPDATE sessions SET secret_hash = (SELECT secret_hash FROM sessions WHERE id = {me}) WHERE id = {her}",
    "UPDATE sessions SET sealed = (SELECT sealed FROM sessions WHERE id = {her}) WHERE id = {me}",
    "UPDATE sessions SET (sealed, wrapped_key, key_id, subject) = (SELECT sealed, wrapped_key, key_id, subject FROM sessions WHERE id = {her}) WHERE id = {me}",
    "UPDATE sessions SET (sealed, wrapped_key, key_id) = (SELECT sealed, wrapped_key, key_id FROM sessions WHERE id = {her}) WHERE id = {me}; \
     UPDATE tokens SET (sealed, generation) = (SELECT sealed, generation FROM tokens WHERE session_id = {her}) WHERE session_id = {me}",
    "UPDATE sessions SET (sub, issuer, name, email, subject) = (SELECT sub, issuer, name, email, subject FROM sessions WHERE id = {her}) WHERE id = {me}",
    "UPDATE sessions SET tenant = 'other' WHERE id = {me}",
    "UPDATE sessions SET client_id = 'console', registration_id = 'console' WHERE id = {me}",
    "UPDATE sessions SET expires_at = expires_at + 1000000000, live_until = live_until + 1000000000, idle_ms = 1000000000 WHERE id = {me}",
    "UPDATE tokens SET sealed = (SELECT sealed FROM tokens WHERE session_id = {her}) WHERE session_id = {me}",
    "UPDATE tokens SET generation = generation + 1 WHERE session_id = {me}",
    // Under the name of an old session whose place hers took: its own cookie opens hers no more than before.
    "INSERT INTO successions (session_id, successor, good_until) VALUES ({me}, {her}, 9000000000000)",
];

#[tokio::test]
async fn v01_rows_edited_under_the_running_gateway_gain_nothing_then_or_after_a_restart() {
    let mut gateway = Setup::default().app("absolute_secs = 30\nidle_secs = 30").start().await;
    let victim = gateway.signed_in("alice").await;
    let hers = "(SELECT id FROM sessions WHERE sub = 'alice' AND name LIKE 'Alice%' LIMIT 1)";
    victim.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let her_token = gateway.upstream.last().headers.get("authorization").unwrap().to_owned();
    let expires = |user: &serde_json::Value| user["session"]["expires_in"].as_i64().unwrap();
    let mut attackers = Vec::new();
    let mut database = Database::open(&gateway.folder().join("cloakroom.db")).await;
    for (number, edit) in EDITS.iter().enumerate() {
        let name = format!("mallory{number}");
        Provider::shared().user(&name, json!({ "name": "Mallory" })).await;
        let attacker = gateway.signed_in(&name).await;
        let me = format!("(SELECT id FROM sessions WHERE sub = '{name}')");
        let edit = edit.replace("{me}", &me).replace("{her}", hers);
        let restore = number == 0;
        let before = database.texts(&format!("SELECT hex(secret_hash) FROM sessions WHERE id = {hers}")).await;
        for statement in edit.split(';') {
            assert_eq!(database.execute(statement).await, 1, "{statement}");
        }
        judge(&gateway, &attacker, &name, &her_token, &edit).await;
        if restore {
            database.execute(&format!("UPDATE sessions SET secret_hash = x'{}' WHERE id = {hers}", before[0])).await;
        }
        attackers.push((attacker, name, edit));
    }
    drop(database);
    gateway.stop().await;
    gateway.launch().await;
    for (attacker, name, edit) in &attackers {
        judge(&gateway, attacker, name, &her_token, edit).await;
        if let Some(user) = user(&gateway, attacker).await {
            assert!(expires(&user) <= 30, "{edit}: {user}");
        }
    }
    assert_eq!(taken_for(&gateway, &victim).await.as_deref(), Some("alice"));
}

async fn user(gateway: &Gateway, browser: &Browser) -> Option<serde_json::Value> {
    let answer = browser.fetch("GET", &gateway.app("/bff/user")).send().await;
    (answer.status == 200).then(|| answer.json())
}

/// Whoever edited rows is at most who they were, and no token but their own goes up for them.
async fn judge(gateway: &Gateway, attacker: &Browser, name: &str, her_token: &str, edit: &str) {
    let taken = taken_for(gateway, attacker).await;
    assert!(taken.as_deref().is_none_or(|taken| taken == name), "{edit}: {taken:?}");
    let before = gateway.upstream.calls().len();
    attacker.fetch("GET", &gateway.app("/api/x")).send().await;
    for call in &gateway.upstream.calls()[before..] {
        assert_ne!(call.headers.get("authorization"), Some(her_token), "{edit}");
    }
}
