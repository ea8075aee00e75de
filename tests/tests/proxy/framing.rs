//! Requests that two parsers could read in two ways never get past the first.

use cloakroom_tests::Gateway;
use cloakroom_tests::wire::raw;

/// POST requests: what is wrong, fields, body. `{next}` is a second request, `{length}` its length.
const POSTS: &[(&str, &str, &str)] = &[
    ("two lengths", "Content-Length: 0\r\nContent-Length: {length}", "{next}"),
    ("a list of lengths", "Content-Length: 0, {length}", "{next}"),
    ("a signed length", "Content-Length: +0", "{next}"),
    ("a negative length", "Content-Length: -1", "{next}"),
    ("a hexadecimal length", "Content-Length: 0x5", "{next}"),
    ("an unknown coding", "Transfer-Encoding: xchunked", "0\r\n\r\n{next}"),
    ("chunked not last", "Transfer-Encoding: chunked, identity", "0\r\n\r\n{next}"),
    ("a quoted coding", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n{next}"),
    ("a coding behind a tab", "Transfer-Encoding: \u{b}chunked", "0\r\n\r\n{next}"),
    ("a space before the colon", "Transfer-Encoding : chunked", "0\r\n\r\n{next}"),
    ("a folded coding", "Transfer-Encoding:\r\n chunked", "0\r\n\r\n{next}"),
    ("a folded identity", "X-A: b\r\n X-Forwarded-User: admin", ""),
    ("a bare carriage return", "X-A: b\rTransfer-Encoding: chunked", "{next}"),
    ("a NUL in a value", "X-A: b\0c", ""),
    ("a chunk size that is none", "Transfer-Encoding: chunked", "zz\r\n\r\n{next}"),
    ("a negative chunk size", "Transfer-Encoding: chunked", "-1\r\n\r\n{next}"),
    ("a chunk size beyond 64 bits", "Transfer-Encoding: chunked", "10000000000000000\r\nx\r\n0\r\n\r\n{next}"),
    ("a chunk without its end", "Transfer-Encoding: chunked", "1\r\nxx\r\n0\r\n\r\n{next}"),
];

/// Whole requests.
const WHOLE: &[(&str, &str)] = &[
    ("a space in the path", "GET /public/x y HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("HTTP/0.9", "GET /public/x\r\n\r\n"),
    ("HTTP/9.9", "GET /public/x HTTP/9.9\r\nHost: {host}\r\n\r\n"),
    (
        "chunked in HTTP/1.0",
        "POST /public/x HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{next}",
    ),
    ("CONNECT", "CONNECT evil.localhost:1 HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("no method", " /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n"),
];

#[tokio::test]
async fn framing_that_cannot_be_read_is_refused_and_the_connection_closes() {
    let gateway = Gateway::start().await;
    let host = gateway.host();
    let next = format!("GET /public/smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let posts = POSTS.iter().map(|(what, fields, body)| {
        let head = "POST /public/x HTTP/1.1\r\nHost: {host}\r\n";
        (*what, format!("{head}{fields}\r\n\r\n{body}"))
    });
    let whole = WHOLE.iter().map(|(what, bytes)| (*what, (*bytes).to_owned()));
    for (what, template) in posts.chain(whole) {
        let length = next.len().to_string();
        let bytes = template.replace("{length}", &length).replace("{next}", &next).replace("{host}", &host);
        let text = String::from_utf8_lossy(&raw(gateway.port(), bytes.as_bytes()).await).into_owned();
        let first = text.lines().next().unwrap_or_default();
        let refused = first.is_empty() || first.starts_with("HTTP/1.1 4") || first.starts_with("HTTP/1.1 5");
        assert!(refused, "{what}: {text}");
        assert!(text.matches("HTTP/1.").count() <= 1, "{what}: the connection was used on: {text}");
        let calls = gateway.upstream.calls();
        assert!(calls.iter().all(|call| !call.target.contains("smuggled")), "{what}: smuggled through");
    }
}

#[tokio::test]
async fn s10_upgrade_to_http2_in_clear_text_is_not_taken() {
    let gateway = Gateway::start().await;
    let head = format!(
        "GET /public/x HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        gateway.host()
    );
    let text = String::from_utf8_lossy(&raw(gateway.port(), head.as_bytes()).await).into_owned();
    assert!(!text.starts_with("HTTP/1.1 101"), "{text}");
    for call in gateway.upstream.calls() {
        assert!(call.headers.get("upgrade").is_none() && call.headers.get("http2-settings").is_none(), "{call:?}");
    }
}

#[tokio::test]
async fn p13_slow_heads_keep_nobody_else_waiting() {
    let gateway = Gateway::start().await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut conn = gateway.connect().await;
        conn.write("GET /public/x HTTP/1.1\r\nHost: ").await.unwrap();
        slow.push(conn);
    }
    let began = tokio::time::Instant::now();
    let answer = gateway.request("GET", "/public/x").send(gateway.port()).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(began.elapsed().as_millis() < 500, "served after {:?}", began.elapsed());
}
