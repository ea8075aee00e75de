//! Power cuts.

use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, rounds};

#[tokio::test]
async fn f01_kill_loses_no_session_and_brings_none_back() {
    let mut gateway = Gateway::start().await;
    let mut alive: Vec<Browser> = Vec::new();
    let mut dead = Vec::new();
    for round in 0..rounds(5, 100) {
        alive.push(gateway.signed_in("alice").await);
        let mut leaving = gateway.signed_in("bob").await;
        dead.push(leaving.session_cookie().unwrap().value);
        leaving.sign_out(&gateway.app("")).await;
        // The answer to the logout has been given: from here on it holds.
        gateway.kill().await;
        gateway.launch().await;
        for browser in &alive {
            let answer = browser.fetch("GET", &gateway.app("/api/x")).send().await;
            assert_eq!(answer.status, 200, "round {round}: a session was lost: {answer:?}");
        }
        for cookie in &dead {
            let request = gateway
                .request("GET", "/bff/user")
                .header("X-CSRF", "1")
                .header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
            let answer = request.send(gateway.port()).await.unwrap();
            assert_eq!(answer.status, 401, "round {round}: a session came back");
        }
    }
    gateway.kill().await;
    let verify = gateway.run(&["audit", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
}

#[tokio::test]
async fn f01_kill_under_load_leaves_a_store_that_opens() {
    let mut gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    for _ in 0..rounds(3, 200) {
        let mut logins = tokio::task::JoinSet::new();
        for user in ["alice", "bob", "carol", "vera"] {
            let login = gateway.app("/bff/login?return_to=/pages/home");
            logins.spawn(async move {
                let mut browser = Browser::new();
                browser.navigate(&login).await;
                browser.submit_form(&[("username", user), ("password", &format!("{user}-password"))]).await;
            });
        }
        tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        gateway.kill().await;
        // Whatever was under way has failed in the browser; that is what a power cut is.
        while logins.join_next().await.is_some() {}
        gateway.launch().await;
        browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
    gateway.stop().await;
    let verify = gateway.run(&["audit", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
    assert_eq!(gateway.database().await.texts("PRAGMA integrity_check").await, ["ok"]);
}
