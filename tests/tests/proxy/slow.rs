//! Clients that keep us waiting: slow heads and bodies, answers that nobody takes, connections that idle.

use std::time::Duration;

use cloakroom_tests::wire::Conn;
use cloakroom_tests::{Gateway, Script, Setup, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A gateway that is out of patience soon.
async fn impatient() -> Gateway {
    Setup::default().server("head_timeout_secs = 1\nbody_idle_timeout_secs = 1\nkeep_alive_secs = 1").start().await
}

/// The answer to a client that waited too long, after which the connection is closed.
async fn timed_out(conn: &mut Conn, began: Instant) {
    let answer = conn.answer("POST").await.expect("an answer").expect(408);
    assert_eq!(answer.problem()["type"], "urn:cloakroom:problem:request-timeout");
    assert!(began.elapsed() >= Duration::from_millis(900), "after {:?}", began.elapsed());
    assert!(conn.head().await.expect("no more").is_none(), "the connection stays open");
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
    let began = Instant::now();
    let answer = gateway.request("GET", "/public/x").send(gateway.port()).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(began.elapsed().as_millis() < 500, "served after {:?}", began.elapsed());
}

#[tokio::test]
async fn p13_slow_heads_are_cut_however_steadily_they_drip() {
    let gateway = impatient().await;
    let stream = TcpStream::connect(("127.0.0.1", gateway.port())).await.unwrap();
    let (mut heard, (mut read, mut write)) = (Vec::new(), stream.into_split());
    let head = format!("GET /public/x HTTP/1.1\r\nHost: {}\r\nX-Slow: ", gateway.host());
    let began = Instant::now();
    let drips = tokio::spawn(async move {
        write.write_all(head.as_bytes()).await.unwrap();
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let end = tokio::time::timeout(Duration::from_secs(20), read.read_to_end(&mut heard)).await;
    end.expect("it is cut").expect("a clean end, though more came all the time");
    assert!(began.elapsed() >= Duration::from_millis(900), "after {:?}", began.elapsed());
    assert!(heard.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&heard));
    drips.await.unwrap();
    assert!(gateway.upstream.calls().is_empty());
}

#[tokio::test]
async fn p13_slow_bodies_are_cut() {
    let gateway = impatient().await;
    for (path, framing, piece) in [
        ("/public/x", "Content-Length: 100000", "a piece"),
        ("/public/x", "Content-Length: 100", "a piece"),
        ("/public/x", "Transfer-Encoding: chunked", "5\r\nab"),
        ("/bff/logout", "Content-Length: 100", "a piece"),
    ] {
        let mut conn = gateway.connect().await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\n{framing}\r\n\r\n{piece}", gateway.host());
        let began = Instant::now();
        conn.write(head).await.unwrap();
        timed_out(&mut conn, began).await;
    }
}

#[tokio::test]
async fn p13_bodies_that_go_on_are_not_cut() {
    let gateway = impatient().await;
    let mut conn = gateway.connect().await;
    let head = format!("POST /public/x HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\n", gateway.host());
    conn.write(head).await.unwrap();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        conn.write("x").await.unwrap();
    }
    conn.answer("POST").await.unwrap().expect(200);
    assert_eq!(gateway.upstream.last().body, b"xxxxxxxxxx");
}

#[tokio::test]
async fn p13_idle_connections_are_closed_and_busy_ones_are_not() {
    let gateway = impatient().await;
    let mut fresh = gateway.connect().await;
    let mut used = gateway.connect().await;
    let request = gateway.request("GET", "/public/x").bytes();
    used.write(&request).await.unwrap();
    used.answer("GET").await.unwrap().expect(200);
    let pieces = (0..8).map(|number| format!("data: {number}\n\n")).collect();
    let script = Script::Drip { content_type: "text/event-stream".into(), pieces, pause_ms: 500 };
    gateway.upstream.script("/public/events", script);
    let mut busy = gateway.connect().await;
    busy.write(gateway.request("GET", "/public/events").bytes()).await.unwrap();
    for conn in [&mut fresh, &mut used] {
        let end = tokio::time::timeout(Duration::from_secs(20), conn.head()).await.expect("it is closed in time");
        assert!(end.expect("a quiet end").is_none());
    }
    // A stream with pauses is an answer under way.
    let events = busy.answer("GET").await.unwrap().expect(200).text();
    assert!(events.ends_with("data: 7\n\n"), "{events}");
}

#[tokio::test]
async fn p13_answers_that_nobody_takes_are_given_up() {
    let gateway = impatient().await;
    let large = "x".repeat(64 * 1024 * 1024);
    gateway.upstream.script("/public/large", Script::answer("200 OK", &[], &large));
    let mut conn = gateway.connect().await;
    conn.write(gateway.request("GET", "/public/large").bytes()).await.unwrap();
    conn.status().await.unwrap();
    // Not a byte more is read; the API's connection is let go of.
    let let_go = async || (gateway.upstream.broken_off() > 0).then_some(());
    eventually("the answer is given up", let_go).await;
}

#[tokio::test]
async fn p13_f05_half_a_head_does_not_hold_up_the_drain() {
    let mut gateway = impatient().await;
    let mut half = gateway.connect().await;
    half.write("GET /public/x HTTP/1.1\r\nHost: ").await.unwrap();
    let mut whole = gateway.connect().await;
    whole.write(format!("GET /public/y HTTP/1.1\r\nHost: {}\r\n", gateway.host())).await.unwrap();
    // Both are read before the signal comes.
    gateway.request("GET", "/public/x").send(gateway.port()).await.unwrap().expect(200);
    let began = Instant::now();
    gateway.signal("TERM");
    whole.write("\r\n").await.unwrap();
    assert_eq!(whole.answer("GET").await.unwrap().status, 200, "a request whose end came in time is answered");
    assert!(gateway.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(10), "drained after {:?}", began.elapsed());
}

#[tokio::test]
async fn p13_idle_connections_make_room_when_every_place_is_taken() {
    let gateway = Setup::default().server("max_connections = 20").start().await;
    let mut idle = Vec::new();
    for _ in 0..60 {
        idle.push(gateway.connect().await);
    }
    let began = Instant::now();
    gateway.request("GET", "/public/x").send(gateway.port()).await.unwrap().expect(200);
    assert!(began.elapsed() < Duration::from_secs(20), "served after {:?}", began.elapsed());
}
