//! Cookies of our name that another site planted beside the browser's own (C3).

use super::user_with;
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup};

async fn ticket(gateway: &Gateway, user: &str) -> (Browser, String) {
    let browser = gateway.signed_in(user).await;
    let value = browser.session_cookie().unwrap().value;
    (browser, value)
}

/// Every order in which dead tickets stand around the live one.
fn orders(dead: &[String], live: &str) -> Vec<String> {
    let pair = |value: &str| format!("{SESSION_COOKIE}={value}");
    let mut orders = Vec::new();
    for place in 0..=dead.len() {
        let mut values: Vec<_> = dead.iter().map(|value| pair(value)).collect();
        values.insert(place, pair(live));
        orders.push(values.join("; "));
    }
    orders
}

#[tokio::test]
async fn c03_ticket_of_a_dead_session_neither_wins_nor_locks_out() {
    let mut gateway = Setup::default().app("idle_secs = 5\nabsolute_secs = 5").start().await;
    let (_expired, expired) = ticket(&gateway, "vera").await;
    let (mut mallory, signed_out) = ticket(&gateway, "bob").await;
    mallory.sign_out(&gateway.app("")).await;
    let gone = async || (user_with(&gateway, &format!("{SESSION_COOKIE}={expired}")).await.status == 401).then_some(());
    cloakroom_tests::eventually("the session expired", gone).await;
    let dead = [expired, signed_out];
    for again in [false, true] {
        let (_alice, live) = ticket(&gateway, "alice").await;
        if again {
            // From here on nobody's session is in memory.
            gateway.stop().await;
            gateway.launch().await;
        }
        for cookies in orders(&dead, &live).into_iter().chain(orders(&dead[..1], &live)) {
            let seen = gateway.upstream.calls().len();
            for path in ["/bff/user", "/api/x", "/pages/home"] {
                let request = gateway.request("GET", path).header("Cookie", &cookies);
                let request = request.header("Sec-Fetch-Site", "same-origin").header("Sec-Fetch-Mode", "cors");
                let answer = request.send(gateway.port()).await.expect("an answer");
                assert_eq!(answer.status, 200, "{path} {cookies}: {answer:?}");
                assert_eq!(answer.header("set-cookie"), None, "{path} {cookies}");
            }
            assert_eq!(user_with(&gateway, &cookies).await.json()["sub"], "alice", "{cookies}");
            assert_eq!(gateway.upstream.calls().len(), seen + 2);
        }
    }
    // Where all are dead, nobody is signed in.
    let all = dead.map(|value| format!("{SESSION_COOKIE}={value}")).join("; ");
    user_with(&gateway, &all).await.expect(401).problem();
}
