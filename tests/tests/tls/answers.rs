//! Every kind of answer there is, over every protocol: none goes without its security headers.

use super::{SITES, secure};
use cloakroom_tests::secure::{Client, Pair, whole};
use cloakroom_tests::wire::raw;
use cloakroom_tests::{Answer, Gateway, Script, Setup};

/// Method, target, extra field, status, and whether the answer is the gateway's own.
type Kind = (&'static str, &'static str, (&'static str, &'static str), u16, bool);

/// What an https site says to browsers (RFC 6797).
const STRICT: [&str; 1] = ["max-age=31536000"];
const NO_FIELD: (&str, &str) = ("accept", "*/*");
const NAVIGATION: (&str, &str) = ("accept", "text/html");

const KINDS: &[Kind] = &[
    ("GET", "/public/x", NO_FIELD, 200, false),
    ("HEAD", "/public/x", NO_FIELD, 200, false),
    ("GET", "/public/stream", NO_FIELD, 200, false),
    ("GET", "/public/not-modified", NO_FIELD, 304, false),
    ("GET", "/public/nothing", NO_FIELD, 204, false),
    ("GET", "/public/moved", NO_FIELD, 302, false),
    ("GET", "/public/broken", NO_FIELD, 500, false),
    ("GET", "/public/closed", NO_FIELD, 502, true),
    ("GET", "/api/x", NO_FIELD, 401, true),
    ("GET", "/pages/x", NAVIGATION, 303, true),
    ("GET", "/bff/user", NO_FIELD, 401, true),
    ("GET", "/bff/callback", NAVIGATION, 200, true),
    ("GET", "/bff/login?return_to=//evil", NAVIGATION, 400, true),
    ("GET", "/bff/nowhere", NO_FIELD, 404, true),
    ("GET", "/bff/client.js", NO_FIELD, 200, true),
    ("GET", "/admin/", NO_FIELD, 404, true),
    ("POST", "/bff/user", NO_FIELD, 405, true),
    ("TRACE", "/public/x", NO_FIELD, 405, true),
    ("GET", "/public/../x", NO_FIELD, 400, true),
];

fn check(what: &str, answer: &Answer, own: bool, strict: &[&str]) {
    let all = |name: &str| answer.headers.all(name);
    assert_eq!(all("x-content-type-options"), ["nosniff"], "{what}: {answer:?}");
    assert_eq!(all("strict-transport-security"), strict, "{what}: {answer:?}");
    if own {
        for name in ["referrer-policy", "cache-control", "content-security-policy", "x-frame-options"] {
            assert_eq!(all(name).len(), 1, "{what}, {name}: {answer:?}");
        }
    }
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).unwrap();
    let fields =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = cloakroom_tests::wire::Headers(fields.collect());
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

fn scripts(gateway: &Gateway) {
    let pieces = vec!["one".to_owned(), "two".to_owned()];
    let stream = Script::Drip { content_type: "text/event-stream".into(), pieces, pause_ms: 1 };
    for (path, script) in [
        ("/public/stream", stream),
        ("/public/not-modified", Script::Raw("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n".into())),
        ("/public/nothing", Script::Raw("HTTP/1.1 204 No Content\r\n\r\n".into())),
        ("/public/moved", Script::answer("302 Found", &[("Location", "/elsewhere")], "")),
        ("/public/broken", Script::answer("500 Internal Server Error", &[], "broken")),
        ("/public/closed", Script::Close),
    ] {
        gateway.upstream.script(path, script);
    }
}

/// Requests that are refused before anybody knows what they ask for: the bytes, the status.
fn early(host: &str) -> Vec<(String, u16)> {
    vec![
        ("GET /public/x HTTP/1.1\r\nHost: nowhere.localhost\r\n\r\n".into(), 421),
        (format!("GET /public/x HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n"), 400),
        (format!("GET /public/x HTTP/1.1\r\nHost: {host}\r\nX-Long: {}\r\n\r\n", "x".repeat(70_000)), 431),
        (format!("GET /public/x#y HTTP/1.1\r\nHost: {host}\r\n\r\n"), 400),
        (format!("GET /public/x HTTP/1.1\r\nHost: {host}\r\n"), 408),
        (format!("POST /public/x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nab"), 408),
        (format!("POST /public/x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999\r\n\r\n"), 413),
    ]
}

#[tokio::test]
async fn s15_every_answer_has_its_security_headers_in_plain_text() {
    let gateway = Setup::default().server("head_timeout_secs = 1\nbody_idle_timeout_secs = 1").start().await;
    scripts(&gateway);
    for &(method, target, (name, value), status, own) in KINDS {
        let what = format!("{method} {target}");
        let answer = gateway.request(method, target).header(name, value).send(gateway.port()).await.unwrap();
        check(&what, &answer.expect(status), own, &[]);
    }
    for (bytes, status) in early(&gateway.host()) {
        let what = bytes.lines().take(3).collect::<Vec<_>>().join("|").chars().take(100).collect::<String>();
        let mut conn = gateway.connect().await;
        conn.write(&bytes).await.unwrap();
        let answer = conn.answer("GET").await.unwrap_or_else(|error| panic!("{what}: {error}"));
        check(&what, &answer.expect(status), true, &[]);
    }
    assert!(!raw(gateway.port(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.is_empty(), "a refusal, in HTTP/1.1");
}

#[tokio::test]
async fn s15_every_answer_has_its_security_headers_over_tls() {
    let pair = Pair::of(&SITES);
    let mut gateway = Setup::default().server("head_timeout_secs = 1\nbody_idle_timeout_secs = 1").prepare().await;
    secure(&gateway, &[("site", &pair)], "");
    gateway.launch().await;
    scripts(&gateway);
    let client = Client::new(gateway.port(), &[&pair], "http/1.1");
    let mut http2 = Client::new(gateway.port(), &[&pair], "h2").http2("app.localhost").await;
    for &(method, target, (name, value), status, own) in KINDS {
        let what = format!("{method} {target}");
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{name}: {value}\r\n\r\n",
            gateway.host()
        );
        let text = whole(client.connect("app.localhost").await.unwrap(), head.as_bytes()).await;
        check(&what, &parse(&text).expect(status), own, &STRICT);
        let request = http::Request::builder().method(method).uri(format!("https://{}{target}", gateway.host()));
        let answer = http2.ask(request.header(name, value).body(()).unwrap(), b"").await.unwrap();
        check(&format!("{what} over HTTP/2"), &answer.expect(status), own, &STRICT);
    }
    for (bytes, status) in early(&gateway.host()) {
        let what = bytes.lines().take(3).collect::<Vec<_>>().join("|").chars().take(100).collect::<String>();
        let text = whole(client.connect("app.localhost").await.unwrap(), bytes.as_bytes()).await;
        check(&what, &parse(&text).expect(status), true, &STRICT);
    }
    let elsewhere = http2.get("https://nowhere.localhost/public/x").await;
    check("421 over HTTP/2", &elsewhere.expect(421), true, &STRICT);
}
