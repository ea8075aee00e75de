//! Ending many sessions: what was shown is what ends, at once, over restarts, and it is told what became of it.

mod flight;
mod guard;
mod provider;

use cloakroom_tests::wire::answer_framing;
use cloakroom_tests::{Answer, Browser, Gateway, SESSION_COOKIE, Script, Setup, eventually, rounds};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const REVOCATIONS: &str = "/admin/api/v1/revocations";

async fn get(gateway: &Gateway, browser: &Browser, path: &str) -> Answer {
    browser.fetch("GET", &gateway.console(path)).csrf().send().await
}

async fn post(gateway: &Gateway, browser: &Browser, path: &str, body: &Value) -> Answer {
    browser.fetch("POST", &gateway.console(path)).csrf().body("application/json", body.to_string()).send().await
}

/// What a filter would end, as an administrator is shown it.
async fn preview(gateway: &Gateway, administrator: &Browser, filter: &Value) -> Value {
    let body = json!({ "filter": filter });
    post(gateway, administrator, &format!("{REVOCATIONS}/preview"), &body).await.expect(200).json()
}

/// The decision that a preview leads to, with whatever has to be typed.
fn decision(preview: &Value) -> Value {
    let mut body = json!({ "token": preview["token"], "reason": "incident 4711" });
    if let Some(words) = preview["confirm_with"].as_str() {
        body["confirm"] = words.into();
    }
    body
}

/// Ends what a filter covers, and waits until every row has ended.
async fn revoke(gateway: &Gateway, administrator: &Browser, filter: &Value) -> Value {
    let preview = preview(gateway, administrator, filter).await;
    let answer = post(gateway, administrator, REVOCATIONS, &decision(&preview)).await;
    assert!(matches!(answer.status, 200 | 202), "{answer:?}");
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    finished(gateway, administrator, &id).await
}

async fn report(gateway: &Gateway, administrator: &Browser, id: &str) -> Value {
    get(gateway, administrator, &format!("{REVOCATIONS}/{id}")).await.expect(200).json()
}

async fn finished(gateway: &Gateway, administrator: &Browser, id: &str) -> Value {
    eventually("the revocation is through", async || {
        Some(report(gateway, administrator, id).await).filter(|report| report["state"] == "finished")
    })
    .await
}

/// The filter of one person at the usual provider.
fn user(gateway: &Gateway, sub: &str) -> Value {
    json!({ "user": { "issuer": gateway.issuer(), "sub": sub } })
}

async fn status(gateway: &Gateway, browser: &Browser) -> u16 {
    browser.fetch("GET", &gateway.app("/api/x")).send().await.status
}

#[tokio::test]
async fn u14_one_call_ends_every_session_of_a_person_and_nobody_elses() {
    let gateway = Gateway::start().await;
    let mut phones = [gateway.signed_in("alice").await, gateway.signed_in("alice").await];
    let (console, bob) = (gateway.administrator("alice").await, gateway.signed_in("bob").await);
    let cookie = phones[0].session_cookie().unwrap().value;
    let pieces = (0..60).map(|number| format!("data: {number}\n\n")).collect();
    gateway
        .upstream
        .script("/api/events", Script::Drip { content_type: "text/event-stream".into(), pieces, pause_ms: 100 });
    let request = gateway.request("GET", "/api/events").header("X-CSRF", "1");
    let request = request.header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
    let mut stream = gateway.connect().await;
    stream.write(request.bytes()).await.unwrap();
    let (answered, headers) = stream.status().await.unwrap();
    assert_eq!(answered, 200);

    let operator = gateway.administrator("oscar").await;
    let shown = preview(&gateway, &operator, &user(&gateway, "alice")).await;
    assert_eq!(
        (&shown["count"], &shown["mass"], &shown["own_session"]),
        (&json!(3), &json!(false), &json!("not_covered"))
    );
    assert_eq!(shown["by_client"][0]["id"], "app", "{shown}");
    let report = post(&gateway, &operator, REVOCATIONS, &decision(&shown)).await.expect(200).json();
    let decided = Instant::now();
    assert_eq!((&report["state"], &report["ended"]), (&json!("finished"), &json!(3)), "{report}");
    for phone in &phones {
        assert_eq!(status(&gateway, phone).await, 401);
    }
    assert!(decided.elapsed() < Duration::from_secs(1), "{:?}", decided.elapsed());
    drop(stream.body(answer_framing("GET", answered, &headers)).await);
    assert!(decided.elapsed() < Duration::from_millis(1_500), "the stream was cut after {:?}", decided.elapsed());
    get(&gateway, &console, "/admin/api/v1/me").await.expect(401);
    assert_eq!(status(&gateway, &bob).await, 200);
    // The person is told, and comes back only by a sign-in.
    let page = phones[0].navigate(&gateway.app("/pages/home")).await;
    assert!(page.status == 401 && page.body.contains("An administrator ended your session"), "{page:?}");
    // Ended sessions stay listed: who, when, why.
    let list = get(&gateway, &operator, "/admin/api/v1/sessions?state=ended&sub=alice").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 3, "{list}");
    for item in list["items"].as_array().unwrap() {
        let ended = &item["ended"];
        assert_eq!((&ended["reason_text"], &ended["by"]), (&json!("incident 4711"), &report["by"]), "{item}");
    }
}

#[tokio::test]
async fn u15_what_is_shown_is_what_ends() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let mut survivors = vec![gateway.signed_in("bob").await];
    let own = async |browser: &Browser| {
        let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
        user["session"]["id"].as_str().unwrap().to_owned()
    };
    for kind in ["sessions", "user_agent", "network", "started_before", "client", "provider"] {
        let victim = {
            let mut browser = Browser::new();
            browser.always("User-Agent", "Odd/1.0 (test)");
            browser.sign_in(&gateway.app(""), "alice", "/pages/home").await;
            browser
        };
        let filter = match kind {
            "sessions" => json!({ "sessions": [own(&victim).await] }),
            "user_agent" => json!({ "user_agent": "odd/1.0" }),
            "network" => json!({ "network": "127.0.0.0/8", "user_agent": "odd/1.0" }),
            "started_before" => json!({ "started_before": "2999-01-01T00:00:00Z", "user_agent": "ODD/" }),
            "client" => json!({ "client": "app" }),
            _ => json!({ "provider": "main" }),
        };
        let whole = matches!(kind, "client" | "provider");
        let live = 1 + survivors.len() as u64;
        let shown = preview(&gateway, &owner, &filter).await;
        let expected = if whole { live } else { 1 };
        assert_eq!(shown["count"], expected, "{kind}: {shown}");
        assert_eq!(shown["sample"].as_array().unwrap().len() as u64, expected, "{kind}: {shown}");
        let split: u64 = shown["by_client"].as_array().unwrap().iter().map(|one| one["n"].as_u64().unwrap()).sum();
        assert_eq!(split, expected, "{kind}: {shown}");
        let report = revoke(&gateway, &owner, &filter).await;
        assert_eq!((&report["ended"], &report["expected"]), (&json!(expected), &json!(expected)), "{kind}: {report}");
        assert_eq!(report["filter"].as_object().unwrap().len(), filter.as_object().unwrap().len() + 1, "{report}");
        assert_eq!(status(&gateway, &victim).await, 401, "{kind}");
        for survivor in &survivors {
            assert_eq!(status(&gateway, survivor).await, if whole { 401 } else { 200 }, "{kind}");
        }
        if whole {
            survivors.clear();
        }
        get(&gateway, &owner, "/admin/api/v1/me").await.expect(200);
    }
    let nobody = preview(&gateway, &owner, &json!({ "network": "192.0.2.0/24" })).await;
    assert_eq!((&nobody["count"], &nobody["sample"]), (&json!(0), &json!([])));
    let list = get(&gateway, &owner, &format!("{REVOCATIONS}?limit=4")).await.expect(200).json();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["prev"]), (4, &json!(null)), "{list}");
    let next = get(&gateway, &owner, &format!("{REVOCATIONS}?limit=4&cursor={}", list["next"].as_str().unwrap())).await;
    let next = next.expect(200).json();
    assert_eq!((next["items"].as_array().unwrap().len(), &next["next"]), (2, &json!(null)), "{next}");
    let back = get(&gateway, &owner, &format!("{REVOCATIONS}?limit=4&cursor={}", next["prev"].as_str().unwrap())).await;
    let ids = |page: &Value| page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&back.expect(200).json()), ids(&list));
}

/// Killed while the rows are being ended: everybody stays out, and the rest is ended by the next process.
#[tokio::test]
async fn f01_u15_revocation_goes_on_after_a_kill_and_nothing_is_valid_again() {
    let mut gateway = Gateway::start().await;
    let browsers = [gateway.signed_in("alice").await, gateway.signed_in("bob").await];
    gateway.stop().await;
    let mut database = gateway.database().await;
    let columns = database.texts("SELECT name FROM pragma_table_info('sessions') WHERE name <> 'id'").await.join(", ");
    let count = rounds(4_000, 50_000);
    let copies = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) \
         INSERT INTO sessions (id, {columns}) SELECT randomblob(16), {columns} FROM n, sessions WHERE sub = 'alice'"
    );
    database.execute(&copies).await;
    drop(database);
    gateway.launch().await;
    let owner = gateway.administrator("olivia").await;
    let shown = preview(&gateway, &owner, &json!({ "client": "app" })).await;
    assert_eq!(shown["count"], count + 2, "{shown}");
    let began = Instant::now();
    let answer = post(&gateway, &owner, REVOCATIONS, &decision(&shown)).await;
    assert!(began.elapsed() < Duration::from_secs(1), "decided after {:?}", began.elapsed());
    assert_eq!(answer.status, 202, "too few sessions to be killed among them: {answer:?}");
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    gateway.kill().await;
    gateway.launch().await;
    for browser in &browsers {
        assert_eq!(status(&gateway, browser).await, 401);
    }
    let resumed = Instant::now();
    let report = loop {
        let report = report(&gateway, &owner, &id).await;
        if report["state"] == "finished" {
            break report;
        }
        assert!(resumed.elapsed() < Duration::from_mins(1), "{report}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(report["ended"], count + 2, "{report}");
    gateway.kill().await;
    let running = "SELECT COUNT(*) FROM sessions WHERE client_id = 'app' AND ended_at IS NULL";
    assert_eq!(gateway.database().await.number(running).await, 0);
    let verify = gateway.run(&["audit", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
}

#[tokio::test]
async fn a01_all_is_all_of_the_administrators_tenant() {
    let gateway = Setup::default().app("tenant = \"acme\"").section("tenant_claim = \"department\"").start().await;
    for (sub, org) in [("ann", "acme"), ("gus", "globex")] {
        let claims = json!({ "roles": ["owner"], "department": org });
        cloakroom_tests::Provider::shared().user(sub, claims).await;
    }
    let app = gateway.signed_in("alice").await;
    let (acme, globex) = (gateway.administrator("ann").await, gateway.administrator("gus").await);
    let shown = preview(&gateway, &globex, &json!({ "all": true })).await;
    assert_eq!((&shown["count"], &shown["by_client"], &shown["sample"]), (&json!(0), &json!([]), &json!([])));
    let foreign = revoke(&gateway, &globex, &json!({ "all": true })).await;
    assert_eq!((&foreign["ended"], status(&gateway, &app).await), (&json!(0), 200));
    let own = revoke(&gateway, &acme, &json!({ "all": true })).await;
    assert_eq!((&own["ended"], status(&gateway, &app).await), (&json!(1), 401));
    // Neither sees the other's.
    let id = own["id"].as_str().unwrap();
    get(&gateway, &globex, &format!("{REVOCATIONS}/{id}")).await.expect(404).problem();
    let list = get(&gateway, &globex, REVOCATIONS).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list["items"][0]["id"], foreign["id"]);
}
