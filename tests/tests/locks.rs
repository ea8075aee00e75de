//! Locks: who is kept out stays out, is told why, and comes back when the lock ends.

use cloakroom_tests::wire::answer_framing;
use cloakroom_tests::{Answer, Browser, Gateway, Provider, SESSION_COOKIE, Script, Setup, eventually};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const LOCKS: &str = "/admin/api/v1/locks";

async fn get(gateway: &Gateway, browser: &Browser, path: &str) -> Answer {
    browser.fetch("GET", &gateway.console(path)).csrf().send().await
}

async fn post(gateway: &Gateway, browser: &Browser, path: &str, body: &Value) -> Answer {
    browser.fetch("POST", &gateway.console(path)).csrf().body("application/json", body.to_string()).send().await
}

async fn call(gateway: &Gateway, browser: &Browser) -> Answer {
    browser.fetch("GET", &gateway.app("/api/x")).send().await
}

fn alice(gateway: &Gateway) -> Value {
    json!({ "user": { "issuer": gateway.issuer(), "sub": "alice" }, "reason": "phone stolen, call 4711" })
}

#[tokio::test]
async fn s14_lock_acts_at_once_on_calls_and_streams_and_unlock_brings_them_back() {
    let gateway = Gateway::start().await;
    let (mut phone, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let cookie = phone.session_cookie().unwrap().value;
    let pieces = (0..60).map(|number| format!("data: {number}\n\n")).collect();
    let script = Script::Drip { content_type: "text/event-stream".into(), pieces, pause_ms: 100 };
    gateway.upstream.script("/api/events", script);
    let request = gateway.request("GET", "/api/events").header("X-CSRF", "1");
    let request = request.header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
    let mut stream = gateway.connect().await;
    stream.write(request.bytes()).await.unwrap();
    let (answered, headers) = stream.status().await.unwrap();
    assert_eq!(answered, 200);
    let operator = gateway.administrator("oscar").await;
    let lock = post(&gateway, &operator, LOCKS, &alice(&gateway)).await.expect(200).json();
    let locked = Instant::now();
    assert_eq!((&lock["holds"], &lock["until"]), (&json!(true), &Value::Null), "{lock}");
    let problem = call(&gateway, &phone).await.expect(401).problem();
    assert_eq!(problem["detail"], "your account is locked: phone stolen, call 4711", "{problem}");
    drop(stream.body(answer_framing("GET", answered, &headers)).await);
    assert!(locked.elapsed() < Duration::from_millis(1_500), "the stream was cut after {:?}", locked.elapsed());
    call(&gateway, &bob).await.expect(200);
    // On a page the person reads so, and signing in anew does not help.
    let page = phone.navigate(&gateway.app("/pages/home")).await;
    assert!(page.status == 401 && page.body.contains("phone stolen, call 4711"), "{page:?}");
    let page = phone.click_link("Sign in").await;
    assert!(page.status == 400 && page.body.contains("phone stolen, call 4711"), "{page:?}");
    let path = format!("{LOCKS}/{}/lift", lock["id"].as_str().unwrap());
    let lifted = post(&gateway, &operator, &path, &json!({ "reason": "found" })).await.expect(200).json();
    assert_eq!((&lifted["holds"], &lifted["lifted_by"]), (&json!(false), &lock["by"]), "{lifted}");
    call(&gateway, &phone).await.expect(200);
    let list = get(&gateway, &operator, LOCKS).await.expect(200).json();
    assert_eq!(list["items"], json!([]));
    let list = get(&gateway, &operator, &format!("{LOCKS}?state=all")).await.expect(200).json();
    assert_eq!(list["items"][0]["id"], lock["id"], "{list}");
}

#[tokio::test]
async fn s14_lock_stops_a_login_and_a_refresh_on_their_way() {
    let gateway = Setup::default().access_ttl_secs(2).start().await;
    let operator = gateway.administrator("oscar").await;
    let phone = gateway.signed_in("alice").await;
    let mut laptop = gateway.signed_in("alice").await;
    laptop.jar().clear_host("app.localhost");
    laptop.hold_at("/bff/callback/finish");
    laptop.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    let on_its_way = laptop.held();
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let late = json!({ "endpoint": "token", "grant": "refresh_token", "mode": "late", "ms": 800 });
    Provider::shared().fault(gateway.client_id(), late).await;
    let (tab, url) = (phone.new_tab(), gateway.app("/api/x"));
    let running = tokio::spawn(async move { tab.fetch("GET", &url).send().await.status });
    eventually("the refresh is on its way", async || {
        (gateway.seen().await.token("refresh_token").len() == 1).then_some(())
    })
    .await;
    let lock = post(&gateway, &operator, LOCKS, &alice(&gateway)).await.expect(200).json();
    let page = laptop.resume(on_its_way, None).await.clone();
    assert!(page.status == 400 && page.body.contains("phone stolen, call 4711"), "{page:?}");
    assert!(laptop.session_cookie().is_none(), "{page:?}");
    assert_eq!(running.await.unwrap(), 401, "a call went through on a locked session");
    // What the provider answered is not lost: after the lock the session goes on by it.
    let path = format!("{LOCKS}/{}/lift", lock["id"].as_str().unwrap());
    post(&gateway, &operator, &path, &json!({ "reason": "found" })).await.expect(200);
    call(&gateway, &phone).await.expect(200);
    assert!(gateway.seen().await.refused().is_empty());
}

#[tokio::test]
async fn u14_locked_person_stays_out_over_a_restart_until_the_lock_ends() {
    let mut gateway = Gateway::start().await;
    let phone = gateway.signed_in("alice").await;
    let operator = gateway.administrator("oscar").await;
    let until = std::time::SystemTime::now() + Duration::from_secs(4);
    let secs = until.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut body = alice(&gateway);
    body["until"] = rfc3339(secs).into();
    let lock = post(&gateway, &operator, LOCKS, &body).await.expect(200).json();
    assert!(lock["told"].as_str().unwrap().starts_with("your account is locked until 20"), "{lock}");
    gateway.kill().await;
    gateway.launch().await;
    call(&gateway, &phone).await.expect(401);
    eventually("the lock ends by itself", async || (call(&gateway, &phone).await.status == 200).then_some(())).await;
}

fn rfc3339(secs: u64) -> String {
    let mut date = std::process::Command::new("date");
    date.args(["-u", "-d", &format!("@{secs}"), "+%Y-%m-%dT%H:%M:%SZ"]);
    String::from_utf8(date.output().expect("date runs").stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a05_locks_keep_nobody_out_who_could_lift_them() {
    let gateway = Gateway::start().await;
    let app = gateway.signed_in("alice").await;
    let (operator, owner) = (gateway.administrator("oscar").await, gateway.administrator("olivia").await);
    let user = |sub: &str| json!({ "issuer": gateway.issuer(), "sub": sub });
    for wrong in [
        json!({ "user": user("olivia") }),
        json!({ "client": "console" }),
        json!({ "client": "nowhere" }),
        json!({ "provider": "main" }),
        json!({ "provider": "nowhere" }),
        json!({}),
        json!({ "user": user("alice"), "client": "app" }),
        json!({ "user": { "issuer": "https://elsewhere.example", "sub": "alice" } }),
        json!({ "user": user("alice"), "until": "2020-01-01T00:00:00Z" }),
        json!({ "user": user("alice"), "until": "soon" }),
    ] {
        let mut body = wrong;
        body["reason"] = json!("x");
        post(&gateway, &owner, LOCKS, &body).await.expect(400).problem();
    }
    post(&gateway, &owner, LOCKS, &json!({ "user": user("alice"), "reason": " " })).await.expect(400);
    // Carol is an owner by the configuration: no operator keeps her out, nor a whole app.
    for forbidden in [json!({ "user": user("carol"), "reason": "x" }), json!({ "client": "app", "reason": "x" })] {
        let problem = post(&gateway, &operator, LOCKS, &forbidden).await.expect(403).problem();
        assert_eq!(problem["required_role"], "owner", "{problem}");
    }
    // Nor does an operator let her in again.
    let lock = post(&gateway, &owner, LOCKS, &json!({ "user": user("carol"), "reason": "x" })).await.expect(200).json();
    let path = format!("{LOCKS}/{}/lift", lock["id"].as_str().unwrap());
    let problem = post(&gateway, &operator, &path, &json!({ "reason": "x" })).await.expect(403).problem();
    assert_eq!(problem["required_role"], "owner", "{problem}");
    post(&gateway, &owner, &path, &json!({ "reason": "x" })).await.expect(200);
    call(&gateway, &app).await.expect(200);
    let lock = post(&gateway, &owner, LOCKS, &json!({ "client": "app", "reason": "leak" })).await.expect(200).json();
    assert_eq!(call(&gateway, &app).await.expect(401).problem()["detail"], "this app is locked: leak");
    let path = format!("{LOCKS}/{}/lift", lock["id"].as_str().unwrap());
    post(&gateway, &operator, &path, &json!({ "reason": "x" })).await.expect(403);
    post(&gateway, &owner, &path, &json!({ "reason": "x" })).await.expect(200);
    call(&gateway, &app).await.expect(200);
}
