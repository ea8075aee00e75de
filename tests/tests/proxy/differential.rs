//! The same odd requests to a real nginx and to us. Every difference stands here with its reason, and in
//! docs/differential.md.

use std::fmt::Write as _;

use cloakroom_tests::wire::{Heard, talk};
use cloakroom_tests::{Gateway, Nginx};

const PAGE: &str = include_str!("../../../docs/differential.md");

/// What is odd, the request (`{host}`, `{next}` and `{long}` are filled in), what nginx and what we make of it (0: no
/// answer), and why that differs.
type Row = (&'static str, &'static str, u16, u16, &'static str);

/// Request lines and targets.
const LINES: &[Row] = &[
    ("an empty line before", "\r\nGET /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n", 200, 200, ""),
    (
        "two empty lines before",
        "\r\n\r\nGET /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "one is forgiven (RFC 9112 section 2.2), more are not",
    ),
    (
        "a line feed alone before",
        "\nGET /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "lines end with CR LF alone: a server before or behind us may read on",
    ),
    (
        "two spaces before the target",
        "GET  /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "one space is the grammar (RFC 9112 section 3); servers split the rest differently",
    ),
    (
        "two spaces behind the target",
        "GET /public/x  HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "one space is the grammar (RFC 9112 section 3); servers split the rest differently",
    ),
    ("a space in the target", "GET /public/x y HTTP/1.1\r\nHost: {host}\r\n\r\n", 400, 400, ""),
    ("a tab in the line", "GET\t/public/x HTTP/1.1\r\nHost: {host}\r\n\r\n", 400, 400, ""),
    (
        "a fragment",
        "GET /public/x#y HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "never sent by a client; where the target ends would depend on the reader",
    ),
    (
        "a byte beyond ASCII",
        "GET /public/\u{e4} HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "must be escaped (RFC 3986); readers differ in its encoding",
    ),
    (
        "absolute form",
        "GET http://{host}/public/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "for proxies; here it would name the site a second time beside Host, and no browser sends it",
    ),
    (
        "absolute form of another host",
        "GET http://a/public/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "for proxies; it must not choose the site or the upstream (S2, P10)",
    ),
    ("authority form", "GET {host} HTTP/1.1\r\nHost: {host}\r\n\r\n", 400, 400, ""),
    ("asterisk form", "OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n", 400, 400, ""),
    ("CONNECT", "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n", 400, 400, ""),
    ("an unknown method", "M-SEARCH /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n", 200, 200, ""),
    (
        "a method in small letters",
        "get /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        400,
        200,
        "a method is any token (RFC 9110 section 9.1); routes say which they take",
    ),
    ("HTTP/0.9", "GET /public/x\r\n\r\n", 0, 400, "nginx answers without a head; no client of this century asks so"),
    ("HTTP/1.0", "GET /public/x HTTP/1.0\r\nHost: {host}\r\n\r\n", 200, 200, ""),
    (
        "HTTP/1.2",
        "GET /public/x HTTP/1.2\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "there is none; what it would mean nobody knows",
    ),
    (
        "HTTP/2.0",
        "GET /public/x HTTP/2.0\r\nHost: {host}\r\n\r\n",
        505,
        400,
        "nginx says 505; to us it is no request line of HTTP/1",
    ),
    ("http in small letters", "GET /public/x http/1.1\r\nHost: {host}\r\n\r\n", 400, 400, ""),
    (
        "an escaped dot segment",
        "GET /public/%2e%2e/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "nginx resolves it; we forward what we judged, byte for byte (P5)",
    ),
    (
        "a dot segment",
        "GET /public/../x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "nginx resolves it; we forward what we judged, byte for byte (P5)",
    ),
    (
        "two slashes",
        "GET /public//x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        200,
        400,
        "nginx merges them; we forward what we judged, byte for byte (P5)",
    ),
    ("an escaped NUL", "GET /public/%00 HTTP/1.1\r\nHost: {host}\r\n\r\n", 400, 400, ""),
    ("a broken escape", "GET /public/%zz HTTP/1.1\r\nHost: {host}\r\n\r\n", 400, 400, ""),
];

/// Header lines.
const HEADERS: &[Row] = &[
    ("no Host", "GET /public/x HTTP/1.1\r\n\r\n", 400, 400, ""),
    ("no Host in HTTP/1.0", "GET /public/x HTTP/1.0\r\n\r\n", 200, 400, "the site is known by Host alone"),
    ("two Hosts", "GET /public/x HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n", 400, 400, ""),
    (
        "an unknown Host",
        "GET /public/x HTTP/1.1\r\nHost: nowhere\r\n\r\n",
        200,
        421,
        "only configured sites are served (S2)",
    ),
    ("a space before the colon", "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX : y\r\n\r\n", 400, 400, ""),
    ("a folded line", "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX: y\r\n z\r\n\r\n", 400, 400, ""),
    (
        "a line without a colon",
        "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX\r\n\r\n",
        200,
        400,
        "nginx drops it; a line that one server drops and another reads is a way to smuggle",
    ),
    ("an empty name", "GET /public/x HTTP/1.1\r\nHost: {host}\r\n: y\r\n\r\n", 400, 400, ""),
    (
        "a name with brackets",
        "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX[]: y\r\n\r\n",
        200,
        400,
        "nginx drops or forwards it; names are tokens (RFC 9110 section 5.1)",
    ),
    (
        "a name beyond ASCII",
        "GET /public/x HTTP/1.1\r\nHost: {host}\r\n\u{e4}: y\r\n\r\n",
        200,
        400,
        "nginx drops or forwards it; names are tokens (RFC 9110 section 5.1)",
    ),
    (
        "a line feed alone",
        "GET /public/x HTTP/1.1\r\nHost: {host}\nX: y\r\n\r\n",
        200,
        400,
        "lines end with CR LF alone: a server before or behind us may read one line",
    ),
    (
        "line feeds alone at the end",
        "GET /public/x HTTP/1.1\r\nHost: {host}\n\n",
        200,
        400,
        "lines end with CR LF alone: a server before or behind us may wait for the end",
    ),
    ("a carriage return in a value", "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX: a\rb\r\n\r\n", 400, 400, ""),
    ("a NUL in a value", "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX: a\0b\r\n\r\n", 400, 400, ""),
    (
        "a bell in a value",
        "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX: a\u{7}b\r\n\r\n",
        200,
        400,
        "control characters are malformed (RFC 9110 section 5.5), and ugly in logs",
    ),
    ("a long target", "GET /public/{long} HTTP/1.1\r\nHost: {host}\r\n\r\n", 414, 414, ""),
    (
        "a long line",
        "GET /public/x HTTP/1.1\r\nHost: {host}\r\nX: {long}{long}\r\n\r\n",
        400,
        431,
        "nginx says 400; the status for it is 431 (RFC 6585 section 5)",
    ),
    (
        "an upgrade to h2c",
        "GET /public/x HTTP/1.1\r\nHost: {host}\r\nUpgrade: h2c\r\n\r\n",
        200,
        400,
        "nginx ignores it; such a request means to leave HTTP/1 behind a proxy's back (S10)",
    ),
    (
        "an unknown expectation",
        "POST /public/x HTTP/1.1\r\nHost: {host}\r\nExpect: y\r\nContent-Length: 0\r\n\r\n",
        200,
        200,
        "",
    ),
];

/// Bodies: header lines and body of a POST.
const BODIES: &[Row] = &[
    ("length and coding", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, 400, ""),
    ("coding and length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, 400, ""),
    ("two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy", 400, 400, ""),
    ("the same length twice", "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, 400, ""),
    ("a list of lengths", "Content-Length: 1, 1\r\n\r\nx", 400, 400, ""),
    ("a signed length", "Content-Length: +1\r\n\r\nx", 400, 400, ""),
    ("an empty length", "Content-Length:\r\n\r\n", 400, 400, ""),
    (
        "gzip before chunked",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        501,
        400,
        "nginx says 501; what cannot be framed is malformed to us, and the connection is closed",
    ),
    ("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, 400, ""),
    (
        "identity",
        "Transfer-Encoding: identity\r\n\r\n",
        501,
        400,
        "nginx says 501; what cannot be framed is malformed to us, and the connection is closed",
    ),
    (
        "an unknown coding",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        501,
        400,
        "nginx says 501; what cannot be framed is malformed to us, and the connection is closed",
    ),
    ("chunks", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, 200, ""),
    (
        "a chunk extension",
        "Transfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n",
        200,
        400,
        "nobody uses them, and readers differ in where they end",
    ),
    (
        "a space behind a size",
        "Transfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n",
        200,
        400,
        "not in the grammar (RFC 9112 section 7.1)",
    ),
    (
        "a line feed behind a size",
        "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
        200,
        400,
        "lines end with CR LF alone: readers differ in where the chunk begins",
    ),
    (
        "a line feed behind a chunk",
        "Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
        200,
        400,
        "lines end with CR LF alone: readers differ in where the next chunk begins",
    ),
    ("a size that is none", "Transfer-Encoding: chunked\r\n\r\nz\r\n", 400, 400, ""),
    ("a size beyond 64 bits", "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", 400, 400, ""),
    ("a trailer", "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", 200, 200, ""),
    (
        "a malformed trailer",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nX y\r\n\r\n",
        200,
        400,
        "header lines in a trailer are as strict as in a head",
    ),
];

fn status(heard: &Heard) -> u16 {
    heard.answer().map_or(0, |answer| answer.status)
}

#[tokio::test]
async fn p04_odd_requests_are_taken_as_nginx_takes_them_or_the_difference_has_a_reason() {
    let gateway = Gateway::start().await;
    let nginx = Nginx::before(&gateway.upstream).await;
    let posts = BODIES.iter().map(|row| (*row, format!("POST /public/x HTTP/1.1\r\nHost: {{host}}\r\n{}", row.1)));
    let gets = LINES.iter().chain(HEADERS).map(|row| (*row, row.1.to_owned()));
    let asked = gets.chain(posts).map(|(row, template)| {
        let bytes = template.replace("{host}", &gateway.host()).replace("{long}", &"x".repeat(20_000)).into_bytes();
        let (theirs, ours) = (nginx.port, gateway.port());
        (row, tokio::spawn(async move { tokio::join!(talk(theirs, &bytes, 1), talk(ours, &bytes, 1)) }))
    });
    let asked: Vec<_> = asked.collect();
    let (mut wrong, mut page) = (String::new(), String::new());
    for ((what, _, nginx_expected, our_expected, reason), heard) in asked {
        let (theirs, ours) = heard.await.unwrap();
        let (theirs, ours) = (status(&theirs), status(&ours));
        if (theirs, ours) != (nginx_expected, our_expected) || (theirs == ours) != reason.is_empty() {
            writeln!(wrong, "{what}: nginx {theirs}, we {ours}: {reason}").unwrap();
        }
        if !reason.is_empty() {
            let theirs = if theirs == 0 { "no head".to_owned() } else { theirs.to_string() };
            writeln!(page, "| {what} | {theirs} | {ours} | {reason} |").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(PAGE.contains(&page), "docs/differential.md should say:\n{page}");
}
