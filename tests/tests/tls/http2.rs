//! HTTP/2 from clients, honest and hostile ones.

use super::{SITES, one_certificate, secure};
use cloakroom_tests::secure::{Client, Frames, Pair, block, frame};
use cloakroom_tests::{Gateway, SESSION_COOKIE};
use std::process::Command;

/// What a flood sends, round by round.
type Flood = Box<dyn Fn(u32) -> Vec<u8>>;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The pseudo-header fields of a GET.
const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":authority", "app.localhost"), (":path", "/public/odd")];

fn head(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(1, END_STREAM | END_HEADERS, stream, &block(fields))
}

#[tokio::test]
async fn s15_s02_session_cookie_in_pieces_is_one_and_the_call_arrives_as_http1() {
    let mut gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    gateway.stop().await;
    let pair = Pair::of(&SITES);
    secure(&gateway, &[("site", &pair)], "");
    gateway.launch().await;
    let mut connection = Client::new(gateway.port(), &[&pair], "h2").http2("app.localhost").await;
    let port = gateway.port();
    let request = http::Request::post(format!("https://app.localhost:{port}/api/deed?x=1"))
        .header("cookie", "theme=dark")
        .header("cookie", format!("{SESSION_COOKIE}={cookie}"))
        .header("cookie", "lang=en")
        .header("origin", format!("https://app.localhost:{port}"))
        .header("x-csrf", "1")
        .header("x-forwarded-host", "evil.example");
    let answer = connection.ask(request.body(()).unwrap(), b"a body").await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let calls = gateway.upstream.calls();
    let call = calls.iter().find(|call| call.target == "/api/deed?x=1").unwrap();
    assert_eq!((call.method.as_str(), call.body.as_slice()), ("POST", &b"a body"[..]));
    assert_eq!(call.headers.all("host"), [gateway.upstream.origin().trim_start_matches("http://")]);
    assert_eq!(call.headers.all("x-forwarded-host"), [format!("app.localhost:{port}")]);
    assert_eq!(call.headers.all("x-forwarded-proto"), ["https"]);
    assert!(call.headers.get("authorization").is_some_and(|value| value.starts_with("Bearer ")), "{call:?}");
    assert!(call.headers.get("cookie").is_none_or(|value| !value.contains(SESSION_COOKIE)), "{call:?}");
}

#[tokio::test]
async fn p04_http2_requests_that_http1_reads_differently_are_refused() {
    let (gateway, pair) = one_certificate("").await;
    let client = Client::new(gateway.port(), &[&pair], "h2");
    let with = |extra: (&'static str, &'static str)| [&GET[..], &[extra]].concat();
    let path = |path: &'static str| [&GET[..3], &[(":path", path)]].concat();
    let cases = [
        ("CR LF in a value", with(("x-a", "b\r\nx-evil: 1"))),
        ("LF in a value", with(("x-a", "b\nx-evil: 1"))),
        ("NUL in a value", with(("x-a", "b\0"))),
        ("CR LF in a name", with(("x-a: b\r\nx-evil", "1"))),
        ("a space in a name", with(("x a", "1"))),
        ("an upper-case name", with(("X-A", "1"))),
        ("Transfer-Encoding", with(("transfer-encoding", "chunked"))),
        ("Connection", with(("connection", "close"))),
        ("Keep-Alive", with(("keep-alive", "timeout=5"))),
        ("Upgrade", with(("upgrade", "h2c"))),
        ("TE", with(("te", "gzip"))),
        ("a length without a body", with(("content-length", "5"))),
        ("a length that is none", with(("content-length", "5x"))),
        ("another host", with(("host", "console.localhost"))),
        ("two paths", with((":path", "/public/odd"))),
        ("a pseudo field of none", with((":evil", "1"))),
        ("a space in the path", path("/public/odd HTTP/1.1")),
        ("CR LF in the path", path("/public/odd\r\nx-evil: 1")),
        ("NUL in the path", path("/public/odd\0")),
        ("a path without a slash", path("public/odd")),
        ("an absolute path", path("https://evil.localhost/public/odd")),
        ("an empty path", path("")),
        ("a byte beyond ASCII", path("/public/odd\u{e4}")),
        ("a way round", path("/public/../public/odd")),
        ("no path", GET[..3].to_vec()),
        ("no authority", [&GET[..2], &GET[3..]].concat()),
        ("no scheme", [&GET[..1], &GET[2..]].concat()),
        ("http", [&GET[..1], &[(":scheme", "http")], &GET[2..]].concat()),
        ("credentials", [&GET[..2], &[(":authority", "app.localhost@evil.localhost")], &GET[3..]].concat()),
        ("CONNECT", vec![(":method", "CONNECT"), (":authority", "app.localhost")]),
        ("a WebSocket", [&[(":method", "CONNECT"), (":protocol", "websocket")], &GET[1..]].concat()),
    ];
    let mut honest = client.http2("app.localhost").await;
    for (what, fields) in cases {
        let mut frames = Frames::open(&client, "app.localhost").await;
        frames.send(&head(1, &fields)).await.unwrap();
        loop {
            match frames.next().await {
                // 0x88 is `:status: 200` (RFC 7541 appendix A).
                Some((1, 1, payload)) => assert_ne!(payload[0], 0x88, "{what}"),
                Some((3, 1, _)) | None => {}
                Some(_) => continue,
            }
            break;
        }
        let calls = gateway.upstream.calls();
        assert!(calls.iter().all(|call| !call.target.contains("odd")), "{what} reached the API: {calls:?}");
    }
    assert_eq!(honest.get("https://app.localhost/public/fine").await.status, 200);
}

#[tokio::test]
async fn s15_floods_of_frames_close_the_connection_and_hurt_nobody_else() {
    let (gateway, pair) = one_certificate("").await;
    let client = Client::new(gateway.port(), &[&pair], "h2");
    let mut honest = client.http2("app.localhost").await;
    let floods: [(&str, Flood); 9] = [
        ("PING", Box::new(|_| frame(6, 0, 0, b"12345678").repeat(50))),
        ("PING acknowledged unasked", Box::new(|_| frame(6, 1, 0, b"12345678").repeat(50))),
        ("SETTINGS", Box::new(|_| frame(4, 0, 0, &[]).repeat(50))),
        ("PRIORITY", Box::new(|_| frame(2, 0, 1, &[0, 0, 0, 0, 9]).repeat(50))),
        ("WINDOW_UPDATE", Box::new(|_| frame(8, 0, 0, &[0, 0, 0, 1]).repeat(50))),
        ("frames of no known kind", Box::new(|_| frame(99, 0, 0, &[]).repeat(50))),
        (
            "requests reset at once",
            Box::new(|round| {
                (0..50)
                    .flat_map(|i| {
                        let stream = (round * 50 + i) * 2 + 1;
                        [head(stream, &GET), frame(3, 0, stream, &8_u32.to_be_bytes())].concat()
                    })
                    .collect()
            }),
        ),
        (
            "CONTINUATION",
            Box::new(|round| {
                let first = if round == 0 { frame(1, END_STREAM, 1, &block(&GET)) } else { Vec::new() };
                [first, frame(9, 0, 1, &block(&[("x-a", "1")])).repeat(50)].concat()
            }),
        ),
        (
            "empty DATA",
            Box::new(|round| {
                let fields = [&[(":method", "POST")], &GET[1..]].concat();
                let first = if round == 0 { frame(1, END_HEADERS, 1, &block(&fields)) } else { Vec::new() };
                [first, frame(0, 0, 1, &[]).repeat(50)].concat()
            }),
        ),
    ];
    for (what, bytes) in floods {
        let frames = Frames::open(&client, "app.localhost").await;
        assert!(frames.is_cut_off(bytes, 100).await, "{what}: it goes on");
        assert_eq!(honest.get("https://app.localhost/bff/user").await.status, 401, "{what}");
    }
}

#[tokio::test]
async fn s15_heads_that_are_too_long_and_streams_beyond_the_limit_are_refused() {
    let (gateway, pair) = one_certificate("").await;
    let client = Client::new(gateway.port(), &[&pair], "h2");
    let mut connection = client.http2("app.localhost").await;
    let get = || http::Request::get("https://app.localhost/public/x");
    let mut split = get();
    for number in 0..12 {
        split = split.header("cookie", format!("c{number}={}", "x".repeat(4000)));
    }
    let answer = connection.ask(split.body(()).unwrap(), b"").await.unwrap();
    assert_eq!((answer.status, answer.problem()["type"].as_str()), (431, Some("urn:cloakroom:problem:head-too-long")));
    assert_eq!(connection.get("https://app.localhost/public/x").await.status, 200, "the connection goes on");
    // The client is told how many streams there may be, and what it sends beyond is refused.
    let mut frames = Frames::open(&client, "app.localhost").await;
    let mut post = GET;
    post[0] = (":method", "POST");
    for number in 0..101 {
        frames.send(&frame(1, END_HEADERS, number * 2 + 1, &block(&post))).await.unwrap();
    }
    loop {
        // REFUSED_STREAM (RFC 9113 section 7).
        if let (3, 201, payload) = frames.next().await.expect("a refusal") {
            assert_eq!(payload, 7_u32.to_be_bytes());
            break;
        }
    }
}

#[tokio::test]
async fn f05_sigterm_says_goodbye_to_http2_clients() {
    let (mut gateway, pair) = one_certificate("").await;
    let client = Client::new(gateway.port(), &[&pair], "h2");
    let mut frames = Frames::open(&client, "app.localhost").await;
    frames.send(&head(1, &GET)).await.unwrap();
    gateway.signal("TERM");
    let (mut answered, mut farewell) = (false, false);
    while let Some((kind, stream, payload)) = frames.next().await {
        answered |= kind == 1 && stream == 1;
        farewell |= kind == 7;
        if kind == 6 {
            // The graceful end waits for the answer to a PING.
            drop(frames.send(&frame(6, 1, 0, &payload)).await);
        }
    }
    assert!(answered && farewell, "answered {answered}, GOAWAY {farewell}");
    assert!(gateway.ended().await.success());
}

#[tokio::test]
async fn p13_idle_and_stalled_http2_connections_are_closed() {
    let pair = Pair::of(&SITES);
    let limits = "keep_alive_secs = 1\nbody_idle_timeout_secs = 2";
    let mut gateway = cloakroom_tests::Setup::default().server(limits).prepare().await;
    secure(&gateway, &[("site", &pair)], "");
    gateway.launch().await;
    let client = Client::new(gateway.port(), &[&pair], "h2");
    let mut idle = Frames::open(&client, "app.localhost").await;
    let mut stalled = Frames::open(&client, "app.localhost").await;
    let mut post = GET;
    post[0] = (":method", "POST");
    stalled.send(&frame(1, END_HEADERS, 1, &block(&post))).await.unwrap();
    stalled.send(&frame(0, 0, 1, b"half a bo")).await.unwrap();
    let mut farewell = false;
    while let Some((kind, _, payload)) = idle.next().await {
        farewell |= kind == 7;
        if kind == 6 {
            drop(idle.send(&frame(6, 1, 0, &payload)).await);
        }
    }
    assert!(farewell, "the idle one is told so");
    while stalled.next().await.is_some() {}
}

#[tokio::test]
async fn curl_speaks_both_protocols() {
    let (gateway, pair) = one_certificate("").await;
    pair.write(gateway.folder(), "trusted");
    let port = gateway.port();
    for (option, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "20", option, "--output", "/dev/null", "--cacert"]);
        command
            .arg(gateway.folder().join("trusted.pem"))
            .args(["--resolve", &format!("app.localhost:{port}:127.0.0.1")]);
        command.args([
            "--write-out",
            "%{http_version} %{response_code}",
            &format!("https://app.localhost:{port}/bff/user"),
        ]);
        // Where there is no curl, the other tests have a client of their own.
        let Ok(output) = command.output() else { return };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said, format!("{version} 401"), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
