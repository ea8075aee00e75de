//! Bodies stream both ways.

use cloakroom_tests::wire::{Framing, answer_framing};
use cloakroom_tests::{Gateway, SESSION_COOKIE, Script, Setup, eventually};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn u12_answer_streams_piece_by_piece() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    let pieces = (0..4).map(|number| format!("data: {number}\n\n")).collect();
    gateway
        .upstream
        .script("/api/events", Script::Drip { content_type: "text/event-stream".into(), pieces, pause_ms: 400 });
    let mut conn = gateway.connect().await;
    let request = gateway
        .request("GET", "/api/events")
        .header("X-CSRF", "1")
        .header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
    let began = Instant::now();
    conn.write(request.bytes()).await.unwrap();
    let (status, headers) = conn.status().await.unwrap();
    assert_eq!((status, headers.get("content-type")), (200, Some("text/event-stream")));
    let mut framing = answer_framing("GET", status, &headers);
    let first = conn.piece(&mut framing).await.unwrap().expect("a piece");
    assert_eq!(first, b"data: 0\n\n");
    assert!(began.elapsed() < Duration::from_millis(350), "the first piece was held back for {:?}", began.elapsed());
    let rest = conn.body(framing).await.unwrap();
    assert_eq!(String::from_utf8(rest).unwrap(), "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    assert!(began.elapsed() >= Duration::from_millis(1200));
}

#[tokio::test]
async fn request_body_streams_piece_by_piece() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    let mut conn = gateway.connect().await;
    let head = format!(
        "POST /api/upload HTTP/1.1\r\nHost: {}\r\nX-CSRF: 1\r\nCookie: {SESSION_COOKIE}={cookie}\r\nTransfer-Encoding: chunked\r\n\r\n",
        gateway.host()
    );
    conn.write(head).await.unwrap();
    conn.write("5\r\nfirst\r\n").await.unwrap();
    let upload = async || gateway.upstream.calls().into_iter().find(|call| call.target == "/api/upload");
    eventually("the first piece is at the API", async || upload().await.filter(|call| call.body == b"first")).await;
    conn.write("6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    assert_eq!(conn.answer("POST").await.unwrap().status, 200);
    assert_eq!(upload().await.unwrap().body, b"firstsecond");
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let body = "0123456789abcdef".repeat(256 * 1024);
    browser.fetch("POST", &gateway.app("/api/large")).csrf().body("text/plain", body.clone()).send().await.expect(200);
    assert_eq!(gateway.upstream.last().body.len(), body.len());
    gateway.upstream.script("/api/large", Script::answer("200 OK", &[], &body));
    assert_eq!(browser.fetch("GET", &gateway.app("/api/large")).send().await.expect(200).text(), body);
}

#[tokio::test]
async fn body_over_the_routes_limit_is_a_413() {
    let route = "[[routes]]\nsite = \"app\"\npath = \"/small/\"\nupstream = \"api\"\nkind = \"api\"\ntoken = \"user\"\naccess = \"signed_in\"\nbody_limit_bytes = 1000\n";
    let gateway = Setup::default().section(route).start().await;
    let browser = gateway.signed_in("alice").await;
    browser
        .fetch("POST", &gateway.app("/small/x"))
        .csrf()
        .body("text/plain", "x".repeat(1000))
        .send()
        .await
        .expect(200);
    browser
        .fetch("POST", &gateway.app("/small/x"))
        .csrf()
        .body("text/plain", "x".repeat(1001))
        .send()
        .await
        .expect(413)
        .problem();
    let cookie = browser.session_cookie().unwrap().value;
    let mut conn = gateway.connect().await;
    let chunk = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let head = format!(
        "POST /small/x HTTP/1.1\r\nHost: {}\r\nX-CSRF: 1\r\nCookie: {SESSION_COOKIE}={cookie}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}",
        gateway.host()
    );
    conn.write(head).await.unwrap();
    assert_eq!(conn.answer("POST").await.unwrap().status, 413, "a chunked body was not counted");
    let whole =
        gateway.upstream.calls().iter().filter(|call| call.target == "/small/x" && call.body.len() > 1000).count();
    assert_eq!(whole, 0, "too much reached the API");
}

#[tokio::test]
async fn p08_answer_cut_short_is_seen_as_cut_short() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    let cases = [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
    ];
    for script in cases {
        gateway.upstream.script("/api/cut", Script::Raw(script.into()));
        let mut conn = gateway.connect().await;
        let request = gateway
            .request("GET", "/api/cut")
            .header("X-CSRF", "1")
            .header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
        conn.write(request.bytes()).await.unwrap();
        let answer = conn.answer("GET").await;
        assert!(answer.as_ref().map_or(true, |answer| answer.status == 502), "{script:?} looks whole: {answer:?}");
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    let mut conn = gateway.connect().await;
    for (path, status) in [("/api/1", 200), ("/bff/user", 200), ("/api/2", 200), ("/bff/nowhere", 404), ("/api/3", 200)]
    {
        let request =
            gateway.request("GET", path).header("X-CSRF", "1").header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
        conn.write(request.bytes()).await.unwrap();
        let (got, headers) = conn.status().await.unwrap();
        assert_eq!(got, status, "{path}");
        let framing = answer_framing("GET", got, &headers);
        assert!(!matches!(framing, Framing::Close), "{path} needs a new connection");
        conn.body(framing).await.unwrap();
    }
}

#[tokio::test]
async fn p11_u11_running_stream_is_cut_when_its_session_is_revoked() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let cookie = browser.session_cookie().unwrap().value;
    let pieces = (0..60).map(|number| format!("data: {number}\n\n")).collect();
    let script = Script::Drip { content_type: "text/event-stream".into(), pieces, pause_ms: 100 };
    gateway.upstream.script("/api/events", script);
    let request = gateway.request("GET", "/api/events").header("X-CSRF", "1");
    let request = request.header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
    let mut conn = gateway.connect().await;
    conn.write(request.bytes()).await.unwrap();
    let (status, headers) = conn.status().await.unwrap();
    assert_eq!(status, 200);
    let operator = gateway.administrator("oscar").await;
    let id = crate::admin::session_of(&gateway, &operator, "alice").await;
    crate::admin::revoke(&gateway, &operator, &id).await;
    let revoked = Instant::now();
    let body = conn.body(answer_framing("GET", status, &headers)).await;
    assert!(revoked.elapsed() < Duration::from_millis(1500), "cut after {:?}", revoked.elapsed());
    assert!(body.is_err() || body.unwrap().len() < 600, "the stream went on to its end");
}
