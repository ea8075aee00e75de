//! A disk without room: no file may be written, neither the store's nor the log.
//!
//! By a limit on the size of files, which needs no privilege. SQLite takes that for a failed write; what it does where it
//! knows that the disk is full is tried beside its code (`server/store/src/sqlite/tests/writing.rs`).

use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, eventually};
use std::process::Command;

#[tokio::test]
async fn f03_full_disk_refuses_clearly_loses_nothing_and_heals() {
    let mut gateway = Gateway::start().await;
    let alice = gateway.signed_in("alice").await;
    let mut bob = gateway.signed_in("bob").await;
    assert_eq!(alice.fetch("GET", &gateway.app("/api/x")).send().await.status, 200);

    limit_files(&gateway, "1");
    // A session in memory goes on; what must be written is refused, and the answer says so.
    assert_eq!(alice.fetch("GET", &gateway.app("/api/x")).send().await.status, 200);
    let mut vera = Browser::new();
    vera.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    let page = vera.submit_form(&[("username", "vera"), ("password", "vera-password")]).await;
    assert_eq!(page.status, 503, "{page:?}");
    assert!(vera.session_cookie().is_none(), "a session was given out that is not kept");
    let page = bob.sign_out(&gateway.app("")).await;
    assert_eq!(page.status, 503, "a logout that is not kept is not confirmed: {page:?}");
    assert_eq!(gateway.management("/readyz").await.status, 503);
    assert_eq!(gateway.management("/healthz").await.status, 200);

    limit_files(&gateway, "unlimited");
    let ready = async || (gateway.management("/readyz").await.status == 200).then_some(());
    eventually("the gateway is ready again", ready).await;
    gateway.signed_in("vera").await;
    let cookie = format!("{SESSION_COOKIE}={}", alice.session_cookie().unwrap().value);
    gateway.kill().await;
    gateway.launch().await;
    let request = gateway.request("GET", "/bff/user").header("X-CSRF", "1").header("Cookie", &cookie);
    assert_eq!(request.send(gateway.port()).await.unwrap().status, 200);
    gateway.stop().await;
    let verify = gateway.run(&["audit", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
    assert_eq!(gateway.database().await.texts("PRAGMA integrity_check").await, ["ok"]);
}

/// No file of the gateway's may be written beyond so many bytes.
fn limit_files(gateway: &Gateway, bytes: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit.arg(format!("--pid={}", gateway.pid())).arg(format!("--fsize={bytes}:unlimited"));
    assert!(prlimit.status().expect("prlimit runs (util-linux)").success());
}
