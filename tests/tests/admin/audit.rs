//! The audit log over the API: searched, followed, verified, taken out as a file.

use super::{get, post, revoke, session_of};
use cloakroom_tests::browser::Opened;
use cloakroom_tests::{Browser, Gateway, Provider, Setup, eventually};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

const EVENTS: &str = "/admin/api/v1/audit/events";
const EXPORTS: &str = "/admin/api/v1/audit/exports";

async fn events(gateway: &Gateway, browser: &Browser, query: &str) -> Vec<Value> {
    let list = get(gateway, browser, &format!("{EVENTS}?{query}")).await.expect(200).json();
    list["items"].as_array().expect("items").clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().expect("a kind")).collect()
}

#[tokio::test]
async fn u17_audit_log_is_searched_by_person_administrator_kind_time_and_address() {
    let gateway = Gateway::start().await;
    let mut alice = gateway.signed_in("alice").await;
    gateway.signed_in("bob").await;
    let operator = gateway.administrator("oscar").await;
    let id = session_of(&gateway, &operator, "bob").await;
    revoke(&gateway, &operator, &id).await;
    alice.sign_out(&gateway.app("")).await;

    let of_alice = events(&gateway, &operator, "subject=alice").await;
    let ours: Vec<_> = kinds(&of_alice).into_iter().filter(|kind| kind.starts_with("session.")).collect();
    assert_eq!(ours, ["session.ended", "session.started"], "newest first");
    let started = of_alice.last().unwrap();
    assert_eq!((&started["subject"]["sub"], &started["client_id"]), (&json!("alice"), &json!("app")), "{started}");
    assert!(started["subject"]["address"] == "127.0.0.1" && started["text"].as_str().unwrap().contains("127.0.0.1"));

    let by_oscar = events(&gateway, &operator, "actor=oscar").await;
    assert_eq!(kinds(&by_oscar), ["session.revoked"]);
    assert_eq!((&by_oscar[0]["subject"]["sub"], &by_oscar[0]["session_id"]), (&json!("bob"), &json!(id)));
    let one = get(&gateway, &operator, &format!("{EVENTS}/{}", by_oscar[0]["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(one.json()["text"], by_oscar[0]["text"]);

    let issuer: String = url::form_urlencoded::byte_serialize(gateway.issuer().as_bytes()).collect();
    for (query, found) in [
        ("kind=session.revoked".to_owned(), 1),
        ("kind=session.revoked,session.started".to_owned(), 4),
        ("kind=session.started&subject=bob".to_owned(), 1),
        (format!("subject=bob&subject_issuer={issuer}&kind=session.revoked"), 1),
        ("subject=bob&subject_issuer=https://elsewhere.example&kind=session.revoked".to_owned(), 0),
        ("address=127.0.0.1".to_owned(), 3),
        ("address=::ffff:127.0.0.1&kind=session.started".to_owned(), 3),
        ("address=192.0.2.1".to_owned(), 0),
        (format!("session={id}&kind=session.started"), 1),
        ("from=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z".to_owned(), 0),
        ("from=2020-01-01T00:00:00%2B02:00&kind=session.revoked".to_owned(), 1),
    ] {
        let events = events(&gateway, &operator, &query).await;
        assert_eq!(events.len(), found, "{query}: {:?}", kinds(&events));
    }
    for bad in ["from=yesterday", "kind=SESSION", "address=here", "session=x", "subject_issuer=x", "subjcet=alice"] {
        get(&gateway, &operator, &format!("{EVENTS}?{bad}")).await.expect(400).problem();
    }
}

#[tokio::test]
async fn s13_audit_is_walked_by_cursors_that_belong_to_their_filter() {
    let gateway = Gateway::start().await;
    for _ in 0..3 {
        gateway.signed_in("alice").await;
    }
    let viewer = gateway.administrator("vera").await;
    let all = events(&gateway, &viewer, "kind=session.started").await;
    let mut walked = Vec::new();
    let mut query = "kind=session.started&limit=1".to_owned();
    loop {
        let page = get(&gateway, &viewer, &format!("{EVENTS}?{query}")).await.expect(200).json();
        assert_eq!(page["count"], json!({ "n": 4, "exact": true }));
        walked.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        let foreign = format!("{EVENTS}?kind=session.ended&limit=1&cursor={next}");
        get(&gateway, &viewer, &foreign).await.expect(400).problem();
        let list = format!("/admin/api/v1/sessions?limit=1&cursor={next}");
        get(&gateway, &viewer, &list).await.expect(400).problem();
        query = format!("kind=session.started&limit=1&cursor={next}");
    }
    let ids = |events: &[Value]| events.iter().map(|event| event["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&walked), ids(&all));
}

#[tokio::test]
async fn a03_a_file_of_events_holds_no_formula_and_its_ticket_is_good_once() {
    let gateway = Gateway::start().await;
    let name = "=cmd|' /C calc'!A0\u{202e}\",\u{7}";
    Provider::shared().user("mallory", json!({ "name": name })).await;
    gateway.signed_in("mallory").await;
    let viewer = gateway.administrator("vera").await;
    let asked = json!({ "format": "csv", "filter": { "subject": "mallory" } });
    let ticket = post(&gateway, &viewer, EXPORTS, &asked).await.expect(200).json();
    let path = ticket["path"].as_str().unwrap();
    // Of another session, even of the same person's, it is none.
    get(&gateway, &gateway.administrator("vera").await, path).await.expect(404);
    // A plain link of the console's own page, without a header of its own.
    let file = viewer.fetch("GET", &gateway.console(path)).element("document").send().await.expect(200);
    assert!(file.header("content-type").unwrap().starts_with("text/csv"));
    assert!(file.header("content-disposition").unwrap().starts_with("attachment"));
    assert!(file.header("cache-control").unwrap().contains("no-store"));
    let text = file.text();
    assert!(text.starts_with("at,kind,") && text.lines().count() == 2, "{text}");
    assert!(text.contains("\"'=cmd|' /C calc'!A0\\u{202e}\"\",\\u{7}\""), "{text}");
    assert!(!text.contains('\u{202e}') && !text.contains('\u{7}'));
    get(&gateway, &viewer, path).await.expect(404).problem();

    let asked = json!({ "format": "ndjson", "filter": { "kind": ["session.started"] } });
    let ticket = post(&gateway, &viewer, EXPORTS, &asked).await.expect(200).json();
    let file = get(&gateway, &viewer, ticket["path"].as_str().unwrap()).await.expect(200).text();
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.len() == 3 && lines.iter().any(|event| event["subject"]["name"] == name), "{file}");

    // Who took what stands in the log, and names nobody else.
    let exports = events(&gateway, &viewer, "kind=audit.exported").await;
    assert_eq!((exports.len(), &exports[0]["actor"]["sub"]), (2, &json!("vera")));
    let narrowed = exports[1]["facts"].to_string();
    assert!(narrowed.contains("subject") && !narrowed.contains("mallory"), "{narrowed}");
    for bad in [json!({ "format": "xls" }), json!({ "format": "csv", "filter": { "subjcet": "x" } }), json!({})] {
        post(&gateway, &viewer, EXPORTS, &bad).await.expect(400).problem();
    }
}

#[tokio::test]
async fn a07_chain_is_verified_over_the_api() {
    let mut gateway = Gateway::start().await;
    gateway.signed_in("alice").await;
    let viewer = gateway.administrator("vera").await;
    let chain = "/admin/api/v1/audit/chain";
    let first = get(&gateway, &viewer, chain).await.expect(200).json();
    assert_eq!(first["verification"]["state"], "never", "{first}");
    eventually("the events are linked", async || {
        let chain = get(&gateway, &viewer, chain).await.expect(200).json();
        (chain["head"]["seq"] == 2).then_some(())
    })
    .await;
    let verify = "/admin/api/v1/audit/verify";
    let whole = post(&gateway, &viewer, verify, &json!({})).await.expect(200).json();
    assert_eq!((&whole["verification"]["state"], &whole["verification"]["up_to"]), (&json!("whole"), &json!(2)));
    let altered = "UPDATE audit_events SET facts = '{\"a\":1}' WHERE seq = 2";
    gateway.stop().await;
    assert_eq!(gateway.database().await.execute(altered).await, 1);
    gateway.launch().await;
    let broken = post(&gateway, &viewer, verify, &json!({})).await.expect(200).json();
    assert_eq!((&broken["verification"]["state"], &broken["verification"]["up_to"]), (&json!("broken"), &json!(1)));
    assert!(broken["verification"]["what"].as_str().unwrap().contains("event 2"), "{broken}");
    assert_eq!(get(&gateway, &viewer, chain).await.expect(200).json()["verification"], broken["verification"]);
}

#[tokio::test]
async fn a10_a_tenants_administrator_learns_no_number_of_the_chain() {
    let gateway = Setup::default().app("tenant = \"acme\"").section("tenant_claim = \"department\"").start().await;
    for (sub, org) in [("ann", "acme"), ("gus", "globex")] {
        Provider::shared().user(sub, json!({ "roles": ["owner"], "department": org })).await;
    }
    gateway.signed_in("alice").await;
    let (acme, globex) = (gateway.administrator("ann").await, gateway.administrator("gus").await);
    let carol = gateway.administrator("carol").await;
    eventually("the events are linked", async || {
        let events = events(&gateway, &carol, "subject=alice").await;
        events[0]["seq"].is_u64().then_some(())
    })
    .await;
    let seen = events(&gateway, &acme, "").await;
    assert_eq!((seen.len(), &seen[0]["subject"]["sub"]), (1, &json!("alice")), "{seen:?}");
    assert!(seen[0].get("seq").is_none() && seen[0].get("hash").is_none(), "{seen:?}");
    let verified = post(&gateway, &acme, "/admin/api/v1/audit/verify", &json!({})).await.expect(200).json();
    assert_eq!(verified["verification"]["state"], "whole");
    assert!(verified.get("head").is_none() && verified["verification"].get("up_to").is_none(), "{verified}");
    assert_eq!(events(&gateway, &globex, "").await, Vec::<Value>::new());
    assert_eq!(events(&gateway, &globex, "subject=alice").await, Vec::<Value>::new());
    let id = seen[0]["id"].as_str().unwrap();
    get(&gateway, &globex, &format!("{EVENTS}/{id}")).await.expect(404).problem();
    get(&gateway, &acme, &format!("{EVENTS}/{id}")).await.expect(200);
}

/// An open tail.
struct Tail {
    stream: Opened,
    text: String,
}

impl Tail {
    async fn open(gateway: &Gateway, browser: &Browser, query: &str) -> Self {
        let url = gateway.console(&format!("/admin/api/v1/audit/tail?{query}"));
        let mut stream = browser.fetch("GET", &url).csrf().open().await;
        assert_eq!((stream.status, stream.headers.get("content-type")), (200, Some("text/event-stream")));
        stream.piece().await.expect("it listens");
        Self { stream, text: String::new() }
    }

    /// The next event; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                let rest = rest.to_owned();
                self.text = rest;
                match data {
                    Some(data) => return Some(serde_json::from_str(&data).expect("JSON")),
                    None => continue,
                }
            }
            let piece = timeout(Duration::from_secs(20), self.stream.piece()).await.expect("something is heard")?;
            self.text.push_str(str::from_utf8(&piece).unwrap());
        }
    }
}

#[tokio::test]
async fn p11_audit_is_followed_as_it_comes_until_the_session_ends() {
    let gateway = Gateway::start().await;
    let viewer = gateway.administrator("vera").await;
    let mut all = Tail::open(&gateway, &viewer, "").await;
    let mut revocations = Tail::open(&gateway, &viewer, "kind=session.revoked").await;
    gateway.signed_in("alice").await;
    let started = all.next().await.unwrap();
    assert_eq!((&started["kind"], &started["subject"]["sub"]), (&json!("session.started"), &json!("alice")));
    let operator = gateway.administrator("oscar").await;
    let id = session_of(&gateway, &operator, "alice").await;
    revoke(&gateway, &operator, &id).await;
    let revoked = revocations.next().await.unwrap();
    assert_eq!((&revoked["session_id"], &revoked["actor"]["sub"]), (&json!(id), &json!("oscar")));
    get(&gateway, &viewer, "/admin/api/v1/audit/tail?address=127.0.0.1").await.expect(400).problem();

    let me = get(&gateway, &viewer, "/admin/api/v1/me").await.expect(200).json();
    revoke(&gateway, &operator, me["session_id"].as_str().unwrap()).await;
    // What still waited may come; then it ends.
    let ended = async { while revocations.next().await.is_some() {} };
    timeout(Duration::from_secs(5), ended).await.expect("the stream ends with the session");
}
