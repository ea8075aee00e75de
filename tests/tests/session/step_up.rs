//! A step-up changes the session's id and secret: what the old cookie is still worth, for how long, and what a later use
//! of it means (C14).

use cloakroom_tests::{Answer, Browser, Gateway, SESSION_COOKIE, Setup};
use std::time::Duration;
use tokio::time::Instant;

/// The moment's length here, and a route for those who proved more.
fn setup(grace_secs: u32) -> Setup {
    let gold = "[[routes]]\nsite = \"app\"\npath = \"/gold/\"\nupstream = \"api\"\ntoken = \"user\"\npolicy = { acr = [\"gold\"] }\n";
    Setup::default().app(&format!("step_up_grace_secs = {grace_secs}")).section(gold)
}

fn cookie(browser: &Browser) -> String {
    browser.session_cookie().expect("a session").value
}

/// A call with exactly this session cookie.
async fn with(gateway: &Gateway, cookie: &str, method: &str, path: &str) -> Answer {
    let request = gateway.request(method, path).header("X-CSRF", "1").header("Sec-Fetch-Site", "same-origin");
    request.header("Cookie", &format!("{SESSION_COOKIE}={cookie}")).send(gateway.port()).await.expect("an answer")
}

async fn step_up(gateway: &Gateway, browser: &mut Browser, query: &str) {
    browser.navigate(&gateway.app(&format!("/bff/login?return_to=/pages/home{query}"))).await;
    if browser.page().forms().iter().any(|form| form.has("username")) {
        browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    }
    assert_eq!((browser.page().status, browser.page().path()), (200, "/pages/home"), "{:?}", browser.page());
}

/// Waits until the old cookie is dead, which must not be early.
async fn dead(gateway: &Gateway, cookie: &str, since: Instant, grace: Duration) {
    cloakroom_tests::eventually("the old cookie is dead", async || {
        let status = with(gateway, cookie, "GET", "/api/x").await.status;
        assert!(status == 200 || status == 401, "{status}");
        (status == 401).then_some(())
    })
    .await;
    assert!(since.elapsed() >= grace, "dead after {:?}", since.elapsed());
}

async fn late_uses(gateway: &Gateway) -> Vec<String> {
    gateway.database().await.texts("SELECT facts FROM audit_events WHERE kind = 'session.old_cookie_used'").await
}

#[tokio::test]
async fn c14_c13_old_cookie_counts_for_a_moment_with_its_old_privilege_and_then_tells_of_theft() {
    let mut gateway = setup(3).start().await;
    let mut browser = gateway.signed_in("alice").await;
    let old = cookie(&browser);
    let before = with(&gateway, &old, "GET", "/bff/user").await.expect(200).json();
    let begun = Instant::now();
    step_up(&gateway, &mut browser, "&acr_values=gold").await;
    let new = cookie(&browser);
    // Cookies under the older key are sent anew, but not the old one.
    assert!(gateway.run(&["keys", "rotate"]).status.success());
    let user = with(&gateway, &new, "GET", "/bff/user").await.expect(200).json();
    assert_eq!(user["session"]["acr"], "gold");
    with(&gateway, &new, "GET", "/gold/x").await.expect(200);

    // A call of another tab that is on its way: with what it proved before, and no more.
    for _ in 0..3 {
        with(&gateway, &old, "GET", "/api/x").await.expect(200);
        with(&gateway, &old, "GET", "/gold/x").await.expect(401).problem();
        let still = with(&gateway, &old, "GET", "/bff/user").await.expect(200);
        assert!(still.headers.all("set-cookie").is_empty(), "the new cookie would be overwritten: {still:?}");
        let still = still.json();
        for what in ["id", "acr", "auth_time", "amr"] {
            assert_eq!(still["session"][what], before["session"][what], "{what}");
        }
        assert!(still["session"]["expires_in"].as_i64().unwrap() <= 3, "{still}");
        assert_ne!(still["session"]["id"], user["session"]["id"]);
    }
    dead(&gateway, &old, begun, Duration::from_secs(3)).await;
    for path in ["/api/x", "/bff/user", "/bff/sessions", "/gold/x"] {
        with(&gateway, &old, "GET", path).await.expect(401).problem();
    }
    with(&gateway, &new, "GET", "/gold/x").await.expect(200);

    // However often it is used: one event, which names the person, the address and the session that it became.
    let operator = gateway.administrator("oscar").await;
    let events = gateway.console(&format!("/admin/api/v1/sessions/{}", before["session"]["id"].as_str().unwrap()));
    let shown = operator.fetch("GET", &events).csrf().send().await.expect(200).text();
    assert!(shown.contains("session.old_cookie_used") && shown.contains("127.0.0.1"), "{shown}");
    gateway.stop().await;
    let facts = late_uses(&gateway).await;
    assert_eq!(facts.len(), 1, "{facts:?}");
    assert!(facts[0].contains(user["session"]["id"].as_str().unwrap()), "{facts:?}");
    assert!(gateway.log().contains("somebody may have copied it"));
}

#[tokio::test]
async fn c14_c04_end_of_the_new_session_is_the_end_of_the_old_cookie() {
    let gateway = setup(300).start().await;
    let operator = gateway.administrator("oscar").await;
    for by in ["sign-out", "sign-out by the old cookie", "administrator", "login anew"] {
        let mut browser = gateway.signed_in("alice").await;
        let old = cookie(&browser);
        // Twice: an end is passed on along the way.
        for query in ["&acr_values=gold", "&max_age=0"] {
            step_up(&gateway, &mut browser, query).await;
        }
        let new = cookie(&browser);
        with(&gateway, &old, "GET", "/api/x").await.expect(200);
        let devices = with(&gateway, &old, "GET", "/bff/sessions").await.expect(200).json();
        assert_eq!(devices["items"].as_array().unwrap().len(), 1, "{devices}");
        assert_eq!(devices["items"][0]["current"], true, "{devices}");
        let ended = with(&gateway, &old, "POST", "/bff/sessions/revoke-others").await.expect(200).json();
        assert_eq!(ended["ended"], 0, "the browser's own session is no other");
        match by {
            "sign-out" => drop(with(&gateway, &new, "POST", "/bff/logout").await.expect(200)),
            "sign-out by the old cookie" => drop(with(&gateway, &old, "POST", "/bff/logout").await.expect(200)),
            "login anew" => browser.sign_in(&gateway.app(""), "alice", "/pages/home").await,
            _ => {
                let id = crate::admin::session_of(&gateway, &operator, "alice").await;
                crate::admin::revoke(&gateway, &operator, &id).await;
            }
        }
        for dead in [&old, &new] {
            with(&gateway, dead, "GET", "/api/x").await.expect(401);
            with(&gateway, dead, "GET", "/bff/user").await.expect(401);
        }
        if by == "login anew" {
            with(&gateway, &cookie(&browser), "POST", "/bff/logout").await.expect(200);
        }
    }
}

#[tokio::test]
async fn c14_whoever_does_not_step_up_leaves_no_old_cookie_behind() {
    let mut gateway = setup(300).start().await;
    // A login anew, one by another person, and a step-up that finds another person's session in its place.
    let mut alice = gateway.signed_in("alice").await;
    let first = cookie(&alice);
    alice.sign_in(&gateway.app(""), "alice", "/pages/home").await;
    with(&gateway, &first, "GET", "/api/x").await.expect(401);
    let mut bob = gateway.signed_in("bob").await;
    let bobs = bob.session_cookie().unwrap();
    bob.jar().insert(alice.session_cookie().unwrap());
    bob.sign_in(&gateway.app(""), "bob", "/pages/home").await;
    with(&gateway, &cookie(&alice), "GET", "/api/x").await.expect(401);
    alice.sign_in(&gateway.app(""), "alice", "/pages/home").await;
    alice.hold_at("/bff/callback/finish");
    alice.navigate(&gateway.app("/bff/login?return_to=/pages/home&acr_values=gold")).await;
    alice.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    let held = alice.held();
    with(&gateway, &bobs.value, "GET", "/api/x").await.expect(200);
    alice.jar().insert(bobs.clone());
    assert_eq!(alice.resume(held, None).await.status, 200);
    with(&gateway, &bobs.value, "GET", "/api/x").await.expect(401);
    gateway.stop().await;
    assert_eq!(late_uses(&gateway).await, [""; 0], "nobody stepped up");

    let gateway = setup(0).start().await;
    let mut browser = gateway.signed_in("alice").await;
    let old = cookie(&browser);
    step_up(&gateway, &mut browser, "&acr_values=gold").await;
    with(&gateway, &old, "GET", "/api/x").await.expect(401);
}

#[tokio::test]
async fn c14_moment_outlives_a_restart_and_ends_all_the_same() {
    let mut gateway = setup(5).start().await;
    let mut browser = gateway.signed_in("alice").await;
    let old = cookie(&browser);
    let begun = Instant::now();
    step_up(&gateway, &mut browser, "&acr_values=gold").await;
    gateway.stop().await;
    gateway.launch().await;
    with(&gateway, &old, "GET", "/api/x").await.expect(200);
    with(&gateway, &old, "GET", "/gold/x").await.expect(401);
    dead(&gateway, &old, begun, Duration::from_secs(5)).await;
    with(&gateway, &cookie(&browser), "GET", "/gold/x").await.expect(200);
}

#[tokio::test]
async fn c14_two_tabs_that_step_up_at_once_leave_one_session() {
    let gateway = setup(300).start().await;
    let mut browser = gateway.signed_in("alice").await;
    let mut late = browser.new_tab();
    late.hold_at("/bff/callback/finish");
    late.navigate(&gateway.app("/bff/login?return_to=/pages/home&acr_values=gold")).await;
    late.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    let held = late.held();
    let old = cookie(&browser);
    step_up(&gateway, &mut browser, "&max_age=0").await;
    let between = cookie(&browser);
    // The finish leg of the other tab left with the old cookie.
    let finish = held.url().clone();
    let transaction = browser.cookies().into_iter().filter(|cookie| cookie.name != SESSION_COOKIE);
    let mut cookies: Vec<_> = transaction.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
    cookies.push(format!("{SESSION_COOKIE}={old}"));
    let target = format!("{}?{}", finish.path(), finish.query().unwrap());
    let request = gateway.request("GET", &target).header("Cookie", &cookies.join("; "));
    let request = request.header("Sec-Fetch-Site", "same-origin").header("Sec-Fetch-Mode", "navigate");
    let answer = request.header("Sec-Fetch-Dest", "document").send(gateway.port()).await.unwrap().expect(303);
    let set = answer.headers.all("set-cookie").into_iter().find(|line| line.starts_with(SESSION_COOKIE)).unwrap();
    let last = set.split_once('=').unwrap().1.split(';').next().unwrap().to_owned();
    let devices = with(&gateway, &last, "GET", "/bff/sessions").await.expect(200).json();
    assert_eq!(devices["items"].as_array().unwrap().len(), 1, "{devices}");
    for cookie in [&old, &between, &last] {
        with(&gateway, cookie, "GET", "/api/x").await.expect(200);
    }
    with(&gateway, &last, "POST", "/bff/logout").await.expect(200);
    for cookie in [&old, &between, &last] {
        with(&gateway, cookie, "GET", "/api/x").await.expect(401);
    }
}
