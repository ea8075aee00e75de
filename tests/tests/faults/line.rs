//! The way to PostgreSQL: slow, cut again and again, dead.

use cloakroom_tests::line::{Line, State};
use cloakroom_tests::postgres::Server;
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup, eventually};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A gateway whose database is at the end of a line.
async fn over_a_line(setup: Setup) -> (Line, Gateway) {
    let server = Server::shared();
    let database = server.database();
    let line = Line::to(server.port()).await;
    let gateway = setup.postgres(&Server::url_at(line.port, &database)).start().await;
    (line, gateway)
}

async fn call(gateway: &Gateway, cookie: &str, path: &str) -> (u16, Option<String>) {
    let cookie = format!("{SESSION_COOKIE}={cookie}");
    let request = gateway.request("GET", path).header("X-CSRF", "1").header("Cookie", &cookie);
    let answer = request.send(gateway.port()).await.unwrap();
    (answer.status, answer.header("set-cookie").map(str::to_owned))
}

fn cookie(browser: &Browser) -> String {
    browser.session_cookie().unwrap().value
}

#[tokio::test]
async fn f02_slow_store_slows_no_call_of_a_session_in_memory() {
    let (line, gateway) = over_a_line(Setup::default()).await;
    let alice = cookie(&gateway.signed_in("alice").await);
    assert_eq!(call(&gateway, &alice, "/api/x").await.0, 200);
    line.set(State::Slow(Duration::from_millis(150)));
    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        let began = Instant::now();
        assert_eq!(call(&gateway, &alice, "/api/x").await.0, 200);
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_millis(150), "a call waited for the store: {slowest:?}");
    // What needs the store takes its time, and is done.
    let mut bob = gateway.signed_in("bob").await;
    let bobs = cookie(&bob);
    assert_eq!(call(&gateway, &bobs, "/bff/user").await.0, 200);
    bob.sign_out(&gateway.app("")).await;
    assert_eq!(call(&gateway, &bobs, "/bff/user").await.0, 401);
}

#[tokio::test]
async fn f02_cut_connections_lose_no_session_and_the_pool_heals() {
    let (line, gateway) = over_a_line(Setup::default().store("pool_size = 4")).await;
    let known = cookie(&gateway.signed_in("alice").await);
    let mut logins = JoinSet::new();
    for user in ["bob", "vera", "bob", "vera"] {
        let origin = gateway.app("");
        logins.spawn(async move {
            let mut came = Vec::new();
            for _ in 0..3 {
                let mut browser = Browser::new();
                browser.navigate(&format!("{origin}/bff/login?return_to=/pages/home")).await;
                browser.submit_form(&[("username", user), ("password", &format!("{user}-password"))]).await;
                // A login that the cut met is told so, and may be begun again.
                came.extend(browser.session_cookie().map(|cookie| cookie.value));
            }
            came
        });
    }
    let mut cuts = 0;
    let mut came = Vec::new();
    loop {
        let wait = tokio::time::sleep(Duration::from_millis(250));
        tokio::select! {
            () = wait => {}
            done = logins.join_next() => match done {
                Some(done) => came.extend(done.unwrap()),
                None => break,
            }
        }
        line.cut_once().await;
        cuts += 1;
        assert_eq!(call(&gateway, &known, "/api/x").await, (200, None), "cut {cuts}");
    }
    // The line is whole: whatever came is there, and the next login meets no dead connection.
    for cookie in &came {
        assert_eq!(call(&gateway, cookie, "/bff/user").await.0, 200, "a session was lost");
    }
    gateway.signed_in("carol").await;
    assert!(!came.is_empty(), "no login came through between two cuts");
    println!("{cuts} cuts under 12 logins, {} of which were done; nothing was lost", came.len());
}

#[tokio::test]
async fn f02_u10_dead_line_refuses_in_time_signs_nobody_out_and_comes_back() {
    let (line, mut gateway) = over_a_line(Setup::default().store("reread_secs = 20")).await;
    let (alice, bob) = (cookie(&gateway.signed_in("alice").await), cookie(&gateway.signed_in("bob").await));
    gateway.stop().await;
    gateway.launch().await;
    assert_eq!(call(&gateway, &alice, "/api/x").await.0, 200);
    line.set(State::Dead);
    let began = Instant::now();
    let (in_memory, not) = tokio::join!(call(&gateway, &alice, "/api/x"), call(&gateway, &bob, "/bff/user"));
    assert_eq!(in_memory, (200, None));
    assert_eq!(not, (503, None), "never anonymous, never a cookie taken away");
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    line.set(State::Whole);
    eventually("the store is used again", async || (call(&gateway, &bob, "/bff/user").await.0 == 200).then_some(()))
        .await;
    assert_eq!(call(&gateway, &alice, "/bff/user").await.0, 200);
}
