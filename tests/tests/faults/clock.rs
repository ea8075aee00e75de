//! The machine's clock is set, back and forth, while the gateway runs (Debian's `faketime`).

use cloakroom_tests::{Gateway, Setup};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The library that stands between a program and the clock.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut found =
        folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).filter(|path| path.exists());
    found.next().expect("faketime is installed (cargo xtask setup, or apt-get install faketime)")
}

async fn gateway_under(clock: &Path) -> Gateway {
    let mut gateway = Setup::default().app("idle_secs = 600\nabsolute_secs = 3600").prepare().await;
    fs::write(clock, "+0").unwrap();
    gateway.environment("LD_PRELOAD", library().to_str().unwrap());
    gateway.environment("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap());
    gateway.environment("FAKETIME_NO_CACHE", "1");
    gateway.environment("DONT_FAKE_MONOTONIC", "1");
    gateway.launch().await;
    gateway
}

#[tokio::test]
async fn f04_clock_that_jumps_ends_no_session_and_stops_no_login() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    let mut gateway = gateway_under(&clock).await;
    let alice = gateway.signed_in("alice").await;
    for jump in ["+2h", "-2h", "+400d", "+0"] {
        fs::write(&clock, jump).unwrap();
        // At least two looks.
        tokio::time::sleep(Duration::from_millis(2_200)).await;
        for path in ["/api/x", "/bff/user"] {
            let answer = alice.fetch("GET", &gateway.app(path)).csrf().send().await;
            assert_eq!((answer.status, answer.header("set-cookie")), (200, None), "{jump} {path}: {answer:?}");
        }
        let bob = gateway.signed_in("bob").await;
        bob.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
    let log = gateway.log();
    assert!(log.contains("clock jumped") && log.contains("back where it was"), "{log}");
    // Started by a clock that is wrong for good, it believes it: whoever has not come for so long is signed out.
    gateway.stop().await;
    fs::write(&clock, "+2h").unwrap();
    gateway.launch().await;
    assert_eq!(alice.fetch("GET", &gateway.app("/api/x")).send().await.status, 401);
    // By itself, so that the library takes its shared memory back.
    gateway.stop().await;
}
