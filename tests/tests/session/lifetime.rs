//! How long a session lives.

use cloakroom_tests::{Browser, Gateway, Setup};
use std::time::Duration;

#[tokio::test]
async fn c04_cookie_is_dead_after_logout() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let copy = browser.session_cookie().unwrap();
    browser.sign_out(&gateway.app("")).await;
    let thief = Browser::new();
    thief.jar().insert(copy);
    for path in ["/bff/user", "/api/x", "/bff/sessions"] {
        thief.fetch("GET", &gateway.app(path)).csrf().send().await.expect(401).problem();
    }
    assert!(gateway.upstream.calls().iter().all(|call| !call.target.starts_with("/api/")));
}

#[tokio::test]
async fn c05_idle_session_ends_and_a_used_one_goes_on() {
    let gateway = Setup::default().app("idle_secs = 4\nabsolute_secs = 3600").start().await;
    let (used, idle) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        used.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
    idle.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
    idle.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
    used.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn c05_asking_without_sliding_does_not_keep_a_session_alive() {
    let gateway = Setup::default().app("idle_secs = 4\nabsolute_secs = 3600").start().await;
    let browser = gateway.signed_in("alice").await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1700)).await;
        browser.fetch("GET", &gateway.app("/bff/user?slide=false")).send().await;
    }
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
}

#[tokio::test]
async fn c05_absolute_end_comes_whatever_happens() {
    let gateway = Setup::default().app("idle_secs = 4\nabsolute_secs = 4").start().await;
    let browser = gateway.signed_in("alice").await;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(1200)).await;
        browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
    tokio::time::sleep(Duration::from_millis(2500)).await;
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
}

#[tokio::test]
async fn session_outlives_a_restart() {
    let mut gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    assert!(gateway.stop().await.success());
    gateway.launch().await;
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}
