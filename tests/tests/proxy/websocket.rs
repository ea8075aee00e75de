//! WebSockets through routes: who may open one, what goes up, and when it ends.

use std::time::Duration;

use cloakroom_tests::websocket::{CLOSE, Frame, TEXT, accepted, bytes, handshake, read};
use cloakroom_tests::wire::{Conn, Request, talk};
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Script, Setup, eventually};
use tokio::time::Instant;

/// A gateway whose API speaks WebSocket under `/api/socket` and `/public/socket`.
async fn gateway() -> Gateway {
    prepared(Setup::default()).await
}

async fn prepared(setup: Setup) -> Gateway {
    let gateway = setup.start().await;
    for path in ["/api/socket", "/public/socket"] {
        gateway.upstream.script(path, Script::WebSocket(accepted()));
    }
    gateway
}

fn origin(gateway: &Gateway) -> String {
    gateway.app("")
}

fn asking(gateway: &Gateway, browser: &Browser, path: &str, origin: &str) -> Request {
    let cookie = browser.session_cookie().map(|cookie| format!("{SESSION_COOKIE}={}", cookie.value));
    let request = handshake(gateway.request("GET", path)).header("Origin", origin);
    cookie.into_iter().fold(request, |request, cookie| request.header("Cookie", &cookie))
}

/// An open WebSocket of a signed-in user.
async fn open(gateway: &Gateway, browser: &Browser) -> Conn {
    let mut conn = gateway.connect().await;
    conn.write(asking(gateway, browser, "/api/socket", &origin(gateway)).bytes()).await.unwrap();
    let (status, headers) = conn.status().await.unwrap();
    assert_eq!((status, headers.get("upgrade")), (101, Some("websocket")), "{headers:?}");
    assert_eq!(headers.get("sec-websocket-protocol"), Some("chat"));
    conn
}

async fn say(conn: &mut Conn, text: &str) -> Frame {
    conn.write(bytes(TEXT, text.as_bytes(), true)).await.unwrap();
    heard(conn).await
}

async fn heard(conn: &mut Conn) -> Frame {
    tokio::time::timeout(Duration::from_secs(20), read(conn)).await.expect("in time").expect("a frame")
}

#[tokio::test]
async fn p16_websocket_goes_through_with_the_token_and_without_the_cookie() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let mut conn = open(&gateway, &browser).await;
    let large = "y".repeat(200_000);
    for text in ["hello", "", &large] {
        assert_eq!(say(&mut conn, text).await, Frame { opcode: TEXT, payload: text.into() });
    }
    let call = gateway.upstream.last();
    let token = gateway.seen().await.granted("authorization_code")[0]["access"].as_str().unwrap().to_owned();
    assert_eq!(call.headers.all("authorization"), [format!("Bearer {token}")]);
    assert_eq!((call.headers.get("upgrade"), call.headers.get("connection")), (Some("websocket"), Some("upgrade")));
    assert!(call.headers.get("sec-websocket-key").is_some() && call.headers.get("cookie").is_none(), "{call:?}");
    // The closing handshake is theirs.
    conn.write(bytes(CLOSE, &1000_u16.to_be_bytes(), true)).await.unwrap();
    assert_eq!(heard(&mut conn).await.closing().0, 1000);
    assert!(read(&mut conn).await.is_err(), "the connection ends");
}

#[tokio::test]
async fn x04_handshakes_of_other_origins_are_refused() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let (own, port) = (origin(&gateway), gateway.port());
    let foreign = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("http://evil.localhost:{port}"),
        format!("http://console.localhost:{port}"),
        format!("https://app.localhost:{port}"),
        "http://app.localhost".to_owned(),
        format!("{own}.evil.example"),
        format!("{own}/"),
        String::new(),
    ];
    for path in ["/api/socket", "/public/socket"] {
        for origin in &foreign {
            let answer = asking(&gateway, &browser, path, origin).send(port).await.unwrap().expect(403);
            assert_eq!(answer.problem()["type"], "urn:cloakroom:problem:foreign-origin", "{origin}");
        }
        let twice = asking(&gateway, &browser, path, &own).header("Origin", "https://evil.example");
        twice.send(port).await.unwrap().expect(403);
        let none = handshake(gateway.request("GET", path)).header("X-CSRF", "1");
        none.send(port).await.unwrap().expect(403);
    }
    assert!(gateway.upstream.calls().iter().all(|call| !call.target.ends_with("/socket")));
}

#[tokio::test]
async fn x04_handshakes_need_the_session_that_their_route_needs() {
    let gateway = gateway().await;
    let (nobody, own) = (Browser::new(), origin(&gateway));
    asking(&gateway, &nobody, "/api/socket", &own).send(gateway.port()).await.unwrap().expect(401).problem();
    let mut conn = gateway.connect().await;
    conn.write(asking(&gateway, &nobody, "/public/socket", &own).bytes()).await.unwrap();
    assert_eq!(conn.status().await.unwrap().0, 101);
    assert_eq!(say(&mut conn, "hello").await.payload, b"hello");
    assert!(gateway.upstream.last().headers.get("authorization").is_none());
}

#[tokio::test]
async fn p11_u11_websocket_is_closed_with_4401_when_its_session_is_revoked() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let mut idle = open(&gateway, &browser).await;
    let mut busy = open(&gateway, &browser).await;
    assert_eq!(say(&mut busy, "hello").await.payload, b"hello");
    let operator = gateway.administrator("oscar").await;
    let id = crate::admin::session_of(&gateway, &operator, "alice").await;
    // A frame is on its way, and nobody reads it: more than any buffer holds.
    busy.write(bytes(TEXT, b"push 3000000", true)).await.unwrap();
    crate::admin::revoke(&gateway, &operator, &id).await;
    let revoked = Instant::now();
    assert_eq!(heard(&mut idle).await.closing(), (4401, "the session is over".to_owned()));
    assert!(revoked.elapsed() < Duration::from_millis(1500), "cut after {:?}", revoked.elapsed());
    assert!(read(&mut idle).await.is_err(), "the connection ends");
    // What is read is whole frames, and the close frame last; or it breaks off.
    let end = loop {
        match tokio::time::timeout(Duration::from_secs(20), read(&mut busy)).await.expect("it ends") {
            Ok(frame) if frame.opcode == TEXT => assert_eq!(frame.payload.len(), 3_000_000),
            other => break other,
        }
    };
    assert!(end.is_err() || end.unwrap().closing().0 == 4401);
    asking(&gateway, &browser, "/api/socket", &origin(&gateway)).send(gateway.port()).await.unwrap().expect(401);
}

#[tokio::test]
async fn p11_websocket_is_closed_when_its_session_expires() {
    let gateway = prepared(Setup::default().app("absolute_secs = 4\nidle_secs = 4")).await;
    let browser = gateway.signed_in("alice").await;
    let mut conn = open(&gateway, &browser).await;
    let frame = heard(&mut conn).await;
    assert_eq!(frame.closing().0, 4401);
}

#[tokio::test]
async fn p11_u12_only_silence_of_both_sides_ends_a_websocket() {
    let gateway = gateway().await;
    let config = std::fs::read_to_string(gateway.config()).unwrap();
    let slow = config.replacen("[upstreams.api]\n", "[upstreams.api]\nidle_timeout_ms = 1500\n", 1);
    let gateway = restarted(gateway, &slow).await;
    let browser = gateway.signed_in("alice").await;
    let mut conn = open(&gateway, &browser).await;
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(say(&mut conn, "still here").await.payload, b"still here");
    }
    assert_eq!(heard(&mut conn).await.closing().0, 1001);
}

async fn restarted(mut gateway: Gateway, config: &str) -> Gateway {
    assert!(gateway.stop().await.success());
    std::fs::write(gateway.config(), config).unwrap();
    gateway.launch().await;
    gateway
}

#[tokio::test]
async fn f05_sigterm_closes_websockets_at_once() {
    let mut gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let mut conn = open(&gateway, &browser).await;
    assert_eq!(say(&mut conn, "hello").await.payload, b"hello");
    let began = Instant::now();
    gateway.signal("TERM");
    assert_eq!(heard(&mut conn).await.closing().0, 1001);
    assert!(gateway.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn s10_answers_that_do_not_prove_the_handshake_are_a_502() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let good = accepted();
    let bad = [
        good.replace("s3pP", "s3pQ"),
        good.replace("Upgrade: websocket\r\n", ""),
        good.replace("Upgrade: websocket", "Upgrade: h2c"),
        good.replace("Connection: Upgrade\r\n", ""),
        good.replace("Sec-WebSocket-Accept", "X-Accept"),
    ];
    for (number, head) in bad.into_iter().enumerate() {
        let path = format!("/api/bad-{number}");
        gateway.upstream.script(&path, Script::Raw(head.clone()));
        let answer = asking(&gateway, &browser, &path, &origin(&gateway)).send(gateway.port()).await.unwrap();
        assert_eq!((answer.status, answer.header("upgrade")), (502, None), "{head}");
    }
    // Nor does a 101 that nobody asked for.
    gateway.upstream.script("/api/unasked", Script::Raw(good));
    browser.fetch("GET", &gateway.app("/api/unasked")).send().await.expect(502).problem();
    // Any other answer is one like any other, and the connection goes on.
    gateway.upstream.script("/api/teapot", Script::answer("418 I'm a teapot", &[], "no"));
    let mut conn = gateway.connect().await;
    for _ in 0..2 {
        conn.write(asking(&gateway, &browser, "/api/teapot", &origin(&gateway)).bytes()).await.unwrap();
        assert_eq!(conn.answer("GET").await.unwrap().expect(418).text(), "no");
    }
}

#[tokio::test]
async fn p16_s10_nothing_is_tunnelled_before_the_101() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let ask = asking(&gateway, &browser, "/api/socket", &origin(&gateway)).bytes();
    let next = gateway.request("GET", "/public/smuggled").bytes();
    let heard = talk(gateway.port(), &[ask.clone(), next.clone()].concat(), 1).await;
    assert_eq!(heard.answer().unwrap().expect(400).problem()["type"], "urn:cloakroom:problem:bad-framing");
    assert!(heard.closed);
    // The same, while the API still thinks about it: it then switches, and the client is not let in.
    gateway.upstream.script("/api/thinks", Script::LateWebSocket(accepted(), 300));
    let before = gateway.upstream.calls().len();
    let mut conn = gateway.connect().await;
    conn.write(asking(&gateway, &browser, "/api/thinks", &origin(&gateway)).bytes()).await.unwrap();
    eventually("the API is asked", async || (gateway.upstream.calls().len() > before).then_some(())).await;
    conn.write(&next).await.unwrap();
    let refused = conn.answer("GET").await.unwrap().expect(400);
    assert_eq!(refused.problem()["type"], "urn:cloakroom:problem:bad-framing");
    assert!(gateway.upstream.calls().iter().all(|call| !call.target.contains("smuggled")));
}

#[tokio::test]
async fn s10_malformed_handshakes_are_refused() {
    let gateway = gateway().await;
    let browser = gateway.signed_in("alice").await;
    let good = asking(&gateway, &browser, "/api/socket", &origin(&gateway));
    for (name, value) in [
        ("Sec-WebSocket-Version", "8"),
        ("Sec-WebSocket-Key", "short"),
        ("Sec-WebSocket-Key", ""),
        ("Connection", "keep-alive"),
    ] {
        let mut request = good.clone();
        for (known, said) in &mut request.headers.0 {
            if known.as_str() == name {
                said.clear();
                said.push_str(value);
            }
        }
        request.send(gateway.port()).await.unwrap().expect(400).problem();
    }
    assert!(gateway.upstream.calls().iter().all(|call| call.target != "/api/socket"));
}
