//! `/bff/session/events`: what every tab of a session hears, and `/bff/client.js`.

use cloakroom_tests::wire::{Conn, Framing, Request, answer_framing};
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// An open event stream.
struct Events {
    conn: Conn,
    framing: Framing,
    text: String,
}

impl Events {
    async fn open(gateway: &Gateway, browser: &Browser) -> Self {
        let cookie = format!("{SESSION_COOKIE}={}", browser.session_cookie().unwrap().value);
        let request = Request::new("GET", &gateway.host(), "/bff/session/events").header("Cookie", &cookie);
        let request = request.header("Accept", "text/event-stream").header("Sec-Fetch-Site", "same-origin");
        let mut conn = gateway.connect().await;
        conn.write(request.bytes()).await.unwrap();
        let (status, headers) = conn.status().await.unwrap();
        assert_eq!((status, headers.get("content-type")), (200, Some("text/event-stream")));
        Self { conn, framing: answer_framing("GET", status, &headers), text: String::new() }
    }

    /// The next event: its type and its data. `None` when the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = line("event: ").map(|kind| (kind, line("data: ").unwrap()));
                let rest = rest.to_owned();
                self.text = rest;
                match found {
                    Some((kind, data)) => return Some((kind, serde_json::from_str(&data).unwrap())),
                    None => continue,
                }
            }
            let piece = timeout(Duration::from_secs(20), self.conn.piece(&mut self.framing)).await;
            let piece = piece.expect("something is heard").ok().flatten()?;
            self.text.push_str(str::from_utf8(&piece).unwrap());
        }
    }
}

#[tokio::test]
async fn u11_u12_events_start_at_once_and_end_with_the_reason() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    let mut tabs = [Events::open(&gateway, &browser).await, Events::open(&gateway, &browser).await];
    for tab in &mut tabs {
        let (kind, data) = tab.next().await.unwrap();
        assert_eq!((kind.as_str(), &data["id"]), ("session", &user["session"]["id"]));
        assert!(data["expires_in"].as_i64().unwrap() > 0 && data["idle_expires_in"].as_i64().unwrap() > 0, "{data}");
    }
    let operator = gateway.administrator("oscar").await;
    let id = user["session"]["id"].as_str().unwrap();
    crate::admin::revoke(&gateway, &operator, id).await;
    let told = Instant::now();
    for tab in &mut tabs {
        let (kind, data) = tab.next().await.unwrap();
        assert_eq!((kind.as_str(), &data["reason_code"]), ("ended", &json!("revoked")), "{data}");
        assert!(data["reason"].as_str().unwrap().contains("administrator"), "{data}");
        assert!(tab.next().await.is_none(), "the stream ends");
    }
    assert!(told.elapsed() < Duration::from_secs(3), "told after {:?}", told.elapsed());
}

#[tokio::test]
async fn listening_never_extends_a_session_and_its_end_is_announced() {
    let gateway = Setup::default().app("idle_secs = 4").start().await;
    let browser = gateway.signed_in("alice").await;
    let began = Instant::now();
    let mut events = Events::open(&gateway, &browser).await;
    let kinds = async {
        let mut kinds = Vec::new();
        while let Some((kind, data)) = events.next().await {
            if kind == "expiring" {
                assert_eq!(data["because"], "idle");
            }
            if kind == "ended" {
                assert_eq!(data["reason_code"], "expired");
            }
            kinds.push(kind);
        }
        kinds
    };
    assert_eq!(kinds.await, ["session", "expiring", "ended"]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[tokio::test]
async fn x01_events_are_for_the_own_origin_and_a_live_session() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let cookie = format!("{SESSION_COOKIE}={}", browser.session_cookie().unwrap().value);
    let cases: [(&[(&str, &str)], u16); 4] = [
        (&[("Cookie", &cookie)], 403),
        (&[("Cookie", &cookie), ("Sec-Fetch-Site", "same-site")], 403),
        (&[("Cookie", &cookie), ("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "same-origin")], 401),
    ];
    for (fields, status) in cases {
        let mut request = Request::new("GET", &gateway.host(), "/bff/session/events");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        request.send(gateway.port()).await.unwrap().expect(status).problem();
    }
}

#[tokio::test]
async fn f05_open_event_streams_do_not_hold_the_end_up() {
    let mut gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let mut events = Events::open(&gateway, &browser).await;
    assert_eq!(events.next().await.unwrap().0, "session");
    let began = Instant::now();
    assert!(gateway.stop().await.success());
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn client_module_and_its_types_are_served() {
    let gateway = Gateway::start().await;
    for (path, kind, part) in [
        ("/bff/client.js", "text/javascript", "export const cloakroom"),
        ("/bff/client.d.ts", "application/typescript", "export interface Cloakroom"),
    ] {
        let answer = gateway.request("GET", path).send(gateway.port()).await.unwrap().expect(200);
        assert!(answer.header("content-type").unwrap().starts_with(kind) && answer.text().contains(part), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn c14_tabs_hear_of_a_step_up_and_come_back_with_the_new_cookie() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let mut tab = Events::open(&gateway, &browser).await;
    let (_, first) = tab.next().await.unwrap();
    browser.navigate(&gateway.app("/bff/login?return_to=/pages/home&max_age=0")).await;
    browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!(tab.next().await, Some(("step-up".to_owned(), json!({}))));
    assert!(tab.next().await.is_none(), "the stream goes on");
    let (kind, again) = Events::open(&gateway, &browser).await.next().await.unwrap();
    assert_eq!(kind, "session");
    assert_ne!(again["id"], first["id"]);
}
