//! Requests that two parsers could read in two ways never get past the first.

use cloakroom_tests::Gateway;
use cloakroom_tests::wire::{Answer, talk};

/// POST requests: what is wrong, header lines, body. `{next}` is a second request, `{length}` its length.
const POSTS: &[(&str, &str, &str)] = &[
    ("length and coding", "Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n{next}"),
    ("coding and length", "Transfer-Encoding: chunked\r\nContent-Length: {length}", "0\r\n\r\n{next}"),
    ("two lengths", "Content-Length: 0\r\nContent-Length: {length}", "{next}"),
    ("the same length twice", "Content-Length: 0\r\nContent-Length: 0", "{next}"),
    ("a list of lengths", "Content-Length: 0, {length}", "{next}"),
    ("a signed length", "Content-Length: +0", "{next}"),
    ("a negative length", "Content-Length: -1", "{next}"),
    ("a hexadecimal length", "Content-Length: 0x5", "{next}"),
    ("an empty length", "Content-Length:", "{next}"),
    ("an unknown coding", "Transfer-Encoding: xchunked", "0\r\n\r\n{next}"),
    ("another coding before", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "0\r\n\r\n{next}"),
    ("two codings", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n{next}"),
    ("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n{next}"),
    ("chunked not last", "Transfer-Encoding: chunked, identity", "0\r\n\r\n{next}"),
    ("a quoted coding", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n{next}"),
    ("a coding behind a tab", "Transfer-Encoding: \u{b}chunked", "0\r\n\r\n{next}"),
    ("a space before the colon", "Transfer-Encoding : chunked", "0\r\n\r\n{next}"),
    ("a folded coding", "Transfer-Encoding:\r\n chunked", "0\r\n\r\n{next}"),
    ("a folded identity", "X-A: b\r\n X-Forwarded-User: admin", ""),
    ("a bare line feed", "X-A: b\nTransfer-Encoding: chunked", "0\r\n\r\n{next}"),
    ("a bare line feed at the end", "X-A: b\r\n\nX-B: c", "{next}"),
    ("a bare carriage return", "X-A: b\rTransfer-Encoding: chunked", "{next}"),
    ("a NUL in a value", "X-A: b\0c", ""),
    ("a name that is none", "X A: b", ""),
    ("an empty name", ": b", ""),
    ("a second Host", "Host: console.localhost", ""),
];

/// Chunked bodies: what is wrong, the body.
const CHUNKED: &[(&str, &str)] = &[
    ("a chunk size that is none", "zz\r\n\r\n{next}"),
    ("a negative chunk size", "-1\r\n\r\n{next}"),
    ("a chunk size beyond 64 bits", "10000000000000000\r\nx\r\n0\r\n\r\n{next}"),
    ("a chunk without its end", "1\r\nxx\r\n0\r\n\r\n{next}"),
    ("a chunk extension", "1;a=b\r\nx\r\n0\r\n\r\n{next}"),
    ("a space behind a chunk size", "1 \r\nx\r\n0\r\n\r\n{next}"),
    ("a line feed behind a chunk size", "1\nx\r\n0\r\n\r\n{next}"),
    ("a line feed behind a chunk", "1\r\nx\n0\r\n\r\n{next}"),
    ("a folded trailer", "0\r\nX-A: b\r\n c\r\n\r\n{next}"),
    ("a trailer without a name", "0\r\n: b\r\n\r\n{next}"),
];

/// Whole requests, and the status.
const WHOLE: &[(&str, u16, &str)] = &[
    ("a space in the path", 400, "GET /public/x y HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("two spaces", 400, "GET  /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("a tab", 400, "GET\t/public/x HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("a fragment", 400, "GET /public/x#y HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("a byte beyond ASCII", 400, "GET /public/\u{e4} HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("absolute form", 400, "GET http://{host}/public/x HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("absolute form of another host", 400, "GET http://evil.localhost/ HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("authority form", 400, "GET {host} HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("asterisk form", 400, "OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("HTTP/0.9", 400, "GET /public/x\r\n\r\n"),
    ("HTTP/9.9", 400, "GET /public/x HTTP/9.9\r\nHost: {host}\r\n\r\n"),
    ("HTTP/2's preface", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("a TLS greeting", 400, "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0"),
    (
        "chunked in HTTP/1.0",
        400,
        "POST /public/x HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{next}",
    ),
    ("no Host", 400, "GET /public/x HTTP/1.1\r\n\r\n{next}"),
    ("no Host in HTTP/1.0", 400, "GET /public/x HTTP/1.0\r\n\r\n{next}"),
    ("no method", 400, " /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    ("a method that is none", 400, "G{T /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    ("two empty lines", 400, "\r\n\r\nGET /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("a bare line feed before", 400, "\nGET /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("a long target", 414, "GET /public/{long} HTTP/1.1\r\nHost: {host}\r\n\r\n{next}"),
    ("a long header", 431, "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX: {long}{long}\r\n\r\n{next}"),
    ("many header lines", 431, "GET /public/x HTTP/1.1\r\nHost: {host}\r\n{many}\r\n{next}"),
];

/// A request that is refused is answered once, clearly, and the connection closed; nothing behind it is read.
async fn refused(gateway: &Gateway, what: &str, status: u16, template: &str) {
    let host = gateway.host();
    let next = format!("GET /public/smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let bytes = template
        .replace("{length}", &next.len().to_string())
        .replace("{next}", &next)
        .replace("{host}", &host)
        .replace("{long}", &"x".repeat(20_000))
        .replace("{many}", &"X-Many: x\r\n".repeat(101));
    // Together, and byte by byte as far as the head goes.
    for pieces in [1, 2] {
        let heard = talk(gateway.port(), bytes.as_bytes(), pieces).await;
        let text = String::from_utf8_lossy(&heard.bytes).into_owned();
        let answer = heard.answer().unwrap_or_else(|error| panic!("{what}: {error}: {text}"));
        assert_refusal(what, status, &answer);
        assert_eq!(text.matches("\r\n\r\n").count(), 1, "{what}: the connection was used on: {text}");
        assert!(heard.closed, "{what}: the connection stays open");
    }
    let calls = gateway.upstream.calls();
    assert!(calls.iter().all(|call| !call.target.contains("smuggled")), "{what}: smuggled through");
}

fn assert_refusal(what: &str, status: u16, answer: &Answer) {
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    let problem = answer.problem();
    let code = match status {
        414 => "target-too-long",
        431 => "head-too-long",
        408 => "request-timeout",
        _ => "bad-framing",
    };
    assert_eq!(problem["type"], format!("urn:cloakroom:problem:{code}"), "{what}: {problem}");
    assert!(problem["detail"].as_str().unwrap().len() > 10, "{what}: {problem}");
    for name in ["content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy"] {
        assert!(answer.header(name).is_some(), "{what}: {name} is missing: {answer:?}");
    }
    assert_eq!(answer.header("connection"), Some("close"), "{what}: {answer:?}");
}

#[tokio::test]
async fn p04_heads_that_two_servers_could_read_differently_are_refused() {
    let gateway = Gateway::start().await;
    for (what, lines, body) in POSTS {
        let template = format!("POST /public/x HTTP/1.1\r\nHost: {{host}}\r\n{lines}\r\n\r\n{body}");
        refused(&gateway, what, 400, &template).await;
    }
    for (what, status, template) in WHOLE {
        refused(&gateway, what, *status, template).await;
    }
    assert!(gateway.upstream.calls().is_empty(), "{:?}", gateway.upstream.calls());
}

#[tokio::test]
async fn p04_s15_bodies_that_two_servers_could_read_differently_are_refused() {
    let gateway = Gateway::start().await;
    for path in ["/public/x", "/bff/logout"] {
        for (what, body) in CHUNKED {
            let head = format!("POST {path} HTTP/1.1\r\nHost: {{host}}\r\nTransfer-Encoding: chunked\r\n\r\n");
            refused(&gateway, what, 400, &format!("{head}{body}")).await;
        }
    }
}

#[tokio::test]
async fn p04_requests_before_a_refused_one_are_answered() {
    let gateway = Gateway::start().await;
    let host = gateway.host();
    let good = format!("GET /public/good HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let body = format!("POST /public/body HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nHost:");
    let bad = format!("GET /public/bad HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n{good}");
    let heard = talk(gateway.port(), format!("{good}{body}{good}{bad}").as_bytes(), 1).await;
    let text = String::from_utf8_lossy(&heard.bytes).into_owned();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
    assert_eq!(text.matches("HTTP/1.1 400 Bad Request").count(), 1, "{text}");
    assert!(heard.closed && text.contains("exactly one Host"), "{text}");
    let targets: Vec<_> = gateway.upstream.calls().into_iter().map(|call| call.target).collect();
    assert_eq!(targets, ["/public/good", "/public/body", "/public/good"]);
}

#[tokio::test]
async fn s10_connect_and_upgrade_to_http2_in_clear_text_are_refused() {
    let gateway = Gateway::start().await;
    let upgrade = "GET /public/x HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n{next}";
    refused(&gateway, "h2c", 400, upgrade).await;
    refused(&gateway, "CONNECT", 400, "CONNECT evil.localhost:1 HTTP/1.1\r\nHost: {host}\r\n\r\n{next}").await;
    let other = "GET /public/x HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: TLS/1.3\r\n\r\n";
    let heard = talk(gateway.port(), other.replace("{host}", &gateway.host()).as_bytes(), 1).await;
    assert!(heard.bytes.starts_with(b"HTTP/1.1 200"), "another upgrade is ignored: {heard:?}");
    for call in gateway.upstream.calls() {
        assert!(call.headers.get("upgrade").is_none() && call.headers.get("http2-settings").is_none(), "{call:?}");
    }
}
