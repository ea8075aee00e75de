//! How many sessions a person may have at an app at once (C9).

use cloakroom_tests::{Browser, Gateway, Setup};
use serde_json::Value;
use tokio::task::JoinSet;

const MOST: usize = 3;

async fn limited(when_full: &str) -> Gateway {
    Setup::default().app(&format!("max_sessions = {MOST}\nwhen_full = \"{when_full}\"")).start().await
}

/// The status of a call to the API.
async fn status(gateway: &Gateway, browser: &Browser) -> u16 {
    browser.fetch("GET", &gateway.app("/api/x")).csrf().send().await.status
}

/// The administration's list of one person's sessions at the app that live.
async fn listed(gateway: &Gateway, operator: &Browser, sub: &str) -> Vec<Value> {
    let url = gateway.console(&format!("/admin/api/v1/sessions?state=live&client=app&sub={sub}&limit=100"));
    let page = operator.fetch("GET", &url).csrf().send().await.expect(200).json();
    page["items"].as_array().unwrap().clone()
}

/// A browser that is one step before its session.
async fn at_the_door(login: String) -> Browser {
    let mut browser = Browser::new();
    browser.hold_at("/bff/callback/finish");
    browser.navigate(&login).await;
    browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    browser
}

async fn metric(gateway: &Gateway, name: &str) -> Vec<String> {
    let text = gateway.management("/metrics").await.text();
    text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

#[tokio::test]
async fn c09_u19_one_login_too_many_ends_the_oldest_session_and_says_so() {
    let mut gateway = limited("end_oldest").await;
    let operator = gateway.administrator("oscar").await;
    let bob = gateway.signed_in("bob").await;
    let mut alices = Vec::new();
    for _ in 0..MOST {
        alices.push(gateway.signed_in("alice").await);
    }
    // Use makes no session younger; a login anew in the same browser makes room by itself.
    assert_eq!(status(&gateway, &alices[0]).await, 200);
    alices[2].sign_in(&gateway.app(""), "alice", "/pages/home").await;
    for alice in &alices {
        assert_eq!(status(&gateway, alice).await, 200, "a session that was not too many ended");
    }
    alices.push(gateway.signed_in("alice").await);
    let answer = alices[0].fetch("GET", &gateway.app("/api/x")).csrf().send().await.expect(401);
    assert!(answer.problem()["detail"].as_str().unwrap().contains("allows no more sessions"), "{answer:?}");
    let page = alices[0].navigate(&gateway.app("/pages/home")).await;
    assert!(page.body.contains("allows no more sessions"), "the person is sent away without a word: {page:?}");
    for alice in &alices[1..] {
        assert_eq!(status(&gateway, alice).await, 200, "the wrong one ended");
    }
    assert_eq!(status(&gateway, &bob).await, 200);
    assert_eq!(listed(&gateway, &operator, "alice").await.len(), MOST);
    gateway.stop().await;
    let mut database = gateway.database().await;
    assert_eq!(database.number("SELECT COUNT(*) FROM audit_events WHERE kind = 'session.evicted'").await, 1);
}

#[tokio::test]
async fn u19_c09_login_beyond_the_limit_can_be_refused_and_is_no_failed_login() {
    let mut gateway = limited("refuse").await;
    let mut alices = Vec::new();
    for _ in 0..MOST {
        alices.push(gateway.signed_in("alice").await);
    }
    let failed = metric(&gateway, "cloakroom_logins_total").await;
    let mut late = at_the_door(gateway.app("/bff/login?return_to=/pages/home")).await;
    let held = late.held();
    let page = late.resume(held, None).await;
    assert_eq!(page.status, 400, "{page:?}");
    assert!(page.body.contains("signed in 3 times already"), "{page:?}");
    assert!(late.session_cookie().is_none());
    assert_eq!(metric(&gateway, "cloakroom_logins_total").await, failed);
    for alice in &alices {
        assert_eq!(status(&gateway, alice).await, 200);
    }
    // A step-up and a login anew are about a session that is there; a sign-out makes room.
    alices[0].sign_in(&gateway.app(""), "alice", "/pages/home").await;
    alices[1].sign_out(&gateway.app("")).await;
    let late = gateway.signed_in("alice").await;
    assert_eq!(status(&gateway, &late).await, 200);
    gateway.stop().await;
    let mut database = gateway.database().await;
    assert_eq!(database.number("SELECT COUNT(*) FROM audit_events WHERE kind = 'session.refused'").await, 1);
}

#[tokio::test]
async fn c09_race_of_logins_never_exceeds_the_limit() {
    for when_full in ["end_oldest", "refuse"] {
        let gateway = limited(when_full).await;
        let operator = gateway.administrator("oscar").await;
        let login = gateway.app("/bff/login?return_to=/pages/home");
        let doors: JoinSet<_> = (0..50).map(|_| at_the_door(login.clone())).collect();
        let finish = async |mut browser: Browser| {
            let held = browser.held();
            browser.resume(held, None).await;
            browser
        };
        let finishes: JoinSet<_> = doors.join_all().await.into_iter().map(finish).collect();
        let browsers = finishes.join_all().await;
        let mut statuses = Vec::new();
        for browser in &browsers {
            statuses.push(status(&gateway, browser).await);
        }
        let live = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!((live, listed(&gateway, &operator, "alice").await.len()), (MOST, MOST), "{when_full}: {statuses:?}");
        let signed_in = browsers.iter().filter(|browser| browser.session_cookie().is_some()).count();
        assert_eq!(signed_in, if when_full == "refuse" { MOST } else { 50 }, "{when_full}");
    }
}
