//! A store that becomes another: from SQLite to PostgreSQL, and back in time from a backup.

use cloakroom_tests::postgres::Server;
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup};
use std::fs;
use std::process::Output;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn status(gateway: &Gateway, cookie: &str) -> u16 {
    let cookie = format!("{SESSION_COOKIE}={cookie}");
    let request = gateway.request("GET", "/bff/user").header("X-CSRF", "1").header("Cookie", &cookie);
    request.send(gateway.port()).await.unwrap().status
}

fn cookie(browser: &Browser) -> String {
    browser.session_cookie().unwrap().value
}

/// A configuration like the gateway's, with another store; its file's name.
fn with_store(gateway: &Gateway, store: &str) -> String {
    let text = fs::read_to_string(gateway.config()).unwrap();
    let path = gateway.folder().join("new.toml");
    fs::write(&path, text.replace("\"sqlite:cloakroom.db\"", &format!("\"{store}\""))).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn u10_sessions_copied_to_postgres_under_a_running_gateway_stay_signed_in() {
    let server = Server::shared();
    let database = server.database();
    let mut gateway = Setup::default().access_ttl_secs(2).start().await;
    gateway.environment("TESTS_STORE", &server.url(&database));
    let alice = gateway.signed_in("alice").await;
    let mut bob = gateway.signed_in("bob").await;
    let gone = cookie(&bob);
    bob.sign_out(&gateway.app("")).await;
    assert!(gateway.run(&["keys", "rotate"]).status.success());
    let vera = gateway.signed_in("vera").await;

    let new = with_store(&gateway, "env:TESTS_STORE");
    let copied = gateway.run(&["sessions", "copy", "--to", &new]);
    assert!(copied.status.success() && said(&copied).contains("3 sessions copied"), "{}", said(&copied));
    // What is known goes on; nothing is kept that the copy would not have.
    assert_eq!(status(&gateway, &cookie(&alice)).await, 200);
    let mut late = Browser::new();
    late.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    let page = late.submit_form(&[("username", "carol"), ("password", "carol-password")]).await;
    assert_eq!((page.status, late.session_cookie().is_none()), (503, true));
    assert_eq!(gateway.management("/readyz").await.status, 503);
    gateway.stop().await;

    // Not twice: neither from the file, nor into the database.
    let old = gateway.run(&["serve"]);
    assert!(!old.status.success() && said(&old).contains(&database), "{}", said(&old));
    assert!(!gateway.run(&["sessions", "copy", "--to", &new]).status.success());
    fs::remove_file(gateway.folder().join("cloakroom.db.moved")).unwrap();
    let again = gateway.run(&["sessions", "copy", "--to", &new]);
    assert!(!again.status.success() && said(&again).contains("empty"), "{}", said(&again));

    fs::copy(&new, gateway.config()).unwrap();
    gateway.launch().await;
    for browser in [&alice, &vera] {
        assert_eq!(status(&gateway, &cookie(browser)).await, 200);
        // With a refresh: the token sets came along too.
        browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
    assert_eq!(status(&gateway, &gone).await, 401);
    gateway.signed_in("carol").await;
    let verify = gateway.run(&["audit", "verify"]);
    assert!(verify.status.success(), "{}", said(&verify));
}

#[tokio::test]
async fn copy_that_cannot_be_made_leaves_the_gateway_as_it_was() {
    let server = Server::shared();
    let mut gateway = Gateway::start().await;
    let database = server.database();
    gateway.environment("TESTS_STORE", &server.url(&database));
    let new = with_store(&gateway, "env:TESTS_STORE");
    let first = gateway.signed_in("alice").await;
    server.psql(&database, "CREATE TABLE sessions (id INT)");
    let refused = gateway.run(&["sessions", "copy", "--to", &new]);
    assert!(!refused.status.success() && said(&refused).contains("schema"), "{}", said(&refused));
    let other_key = fs::read_to_string(&new).unwrap().replace("file:root.key", "file:other.key");
    fs::copy(gateway.folder().join("root.key"), gateway.folder().join("other.key")).unwrap();
    fs::write(gateway.folder().join("other.key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    fs::write(&new, other_key).unwrap();
    let refused = gateway.run(&["sessions", "copy", "--to", &new]);
    assert!(!refused.status.success() && said(&refused).contains("keys.root"), "{}", said(&refused));
    assert_eq!(status(&gateway, &cookie(&first)).await, 200);
    gateway.signed_in("bob").await;
}

#[tokio::test]
async fn f10_restored_file_serves_only_after_restore() {
    let mut gateway = Gateway::start().await;
    let mut alice = gateway.signed_in("alice").await;
    let cookie = cookie(&alice);
    gateway.stop().await;
    let (file, backup) = (gateway.folder().join("cloakroom.db"), gateway.folder().join("backup"));
    fs::copy(&file, &backup).unwrap();
    gateway.launch().await;
    alice.sign_out(&gateway.app("")).await;
    gateway.stop().await;

    fs::copy(&backup, &file).unwrap();
    let refused = gateway.run(&["serve"]);
    assert!(!refused.status.success() && said(&refused).contains("after-restore"), "{}", said(&refused));
    let done = gateway.run(&["sessions", "after-restore"]);
    assert!(done.status.success() && said(&done).contains("1 sessions ended"), "{}", said(&done));
    gateway.launch().await;
    assert_eq!(status(&gateway, &cookie).await, 401, "a session that was ended came back with the backup");
    gateway.signed_in("alice").await;
    assert!(!gateway.run(&["sessions", "after-restore"]).status.success(), "it is being served");
}

#[tokio::test]
async fn f10_database_that_goes_back_in_time_is_no_longer_served() {
    let server = Server::shared();
    let database = server.database();
    let setup = Setup::default().store("witness = \"seen\"");
    let mut gateway = setup.postgres(&server.url(&database)).start().await;
    let mut alice = gateway.signed_in("alice").await;
    let cookie = cookie(&alice);
    gateway.stop().await;
    let backup = format!("{database}_backup");
    server.psql("postgres", &format!("CREATE DATABASE {backup} TEMPLATE {database}"));
    gateway.launch().await;
    alice.sign_out(&gateway.app("")).await;
    gateway.stop().await;
    gateway.environment("TESTS_STORE", &server.url(&backup));
    let refused = gateway.run(&["serve"]);
    assert!(!refused.status.success() && said(&refused).contains("after-restore"), "{}", said(&refused));
    assert!(gateway.run(&["sessions", "after-restore"]).status.success());
    gateway.launch().await;
    assert_eq!(status(&gateway, &cookie).await, 401);
    gateway.signed_in("bob").await;

    // The same under a running gateway: it stops.
    server.psql(
        &backup,
        "DELETE FROM audit_events WHERE seq > 1; \
        UPDATE audit_head SET seq = 1, hash = (SELECT hash FROM audit_events WHERE seq = 1)",
    );
    assert!(!gateway.ended().await.success());
    assert!(gateway.log().contains("went back"), "{}", gateway.log());
}

#[tokio::test]
async fn u10_every_kind_of_row_is_copied_as_it_is() {
    let server = Server::shared();
    let database = server.database();
    let mut gateway = Setup::default().start().await;
    gateway.environment("TESTS_STORE", &server.url(&database));
    gateway.signed_in("alice").await;
    gateway.stop().await;
    for (device, denied) in [("01", 0), ("02", 1)] {
        let row = format!(
            "INSERT INTO device_grants (device, user_code, client_id, scopes, address, created_at, expires_at, polled_at, \
             interval_ms, denied) VALUES (unhex('{0}'), unhex('{0}'), 'tv', 'openid', '192.0.2.1', 1, 2, 1, 5000, {denied})",
            device.repeat(32)
        );
        assert_eq!(gateway.database().await.execute(&row).await, 1);
    }
    let figure = "INSERT INTO figures VALUES (60, 0, 'default', 'login', 'app', 'main', 3)";
    assert_eq!(gateway.database().await.execute(figure).await, 1);
    let new = with_store(&gateway, "env:TESTS_STORE");
    let copied = gateway.run(&["sessions", "copy", "--to", &new]);
    assert!(copied.status.success(), "{}", said(&copied));
    let denied = server.psql(&database, "SELECT string_agg(denied::text, ' ' ORDER BY device) FROM device_grants");
    assert_eq!(denied.trim(), "false true");
    assert_eq!(server.psql(&database, "SELECT n FROM figures WHERE minute = 0").trim(), "3");
}
