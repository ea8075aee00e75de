//! Which connection carries which exchange.

use std::io::{Read as _, Write as _};

use http::Method;

use super::rig::{HEAD, Rig, Step, ok, on_a_worker, pause, say};

#[test]
fn s10_a_connection_carries_one_exchange_after_another() {
    on_a_worker(async {
        let chunked = say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n");
        let large = "3".repeat(30_000);
        let rig =
            Rig::start(vec![vec![HEAD, ok("one"), HEAD, chunked, HEAD, ok(&large), HEAD, ok("four"), Step::Stay]])
                .await;
        for expected in ["one", "two", &large, "four"] {
            assert_eq!(rig.get().await.as_deref(), Ok(expected));
        }
        assert_eq!((rig.connections(), rig.idle()), (1, 1));
    });
}

#[test]
fn s10_two_exchanges_at_once_have_two_connections() {
    on_a_worker(async {
        let script = vec![HEAD, Step::Pause, ok("x"), Step::Stay];
        let rig = Rig::start(vec![script.clone(), script]).await;
        let both = tokio::join!(rig.get(), rig.get());
        assert_eq!(both, (Ok("x".into()), Ok("x".into())));
        assert_eq!((rig.connections(), rig.idle()), (2, 2));
    });
}

#[test]
fn s10_what_ends_with_its_answer_is_not_used_again() {
    on_a_worker(async {
        for said in [
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
            "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nmore",
        ] {
            let rig = Rig::start(vec![vec![HEAD, say(said), Step::HearEnd], vec![HEAD, ok("good")]]).await;
            assert_eq!(rig.get().await.as_deref(), Ok("x"), "{said}");
            assert_eq!(rig.get().await.as_deref(), Ok("good"), "{said}");
            pause().await;
            assert_eq!(rig.ended(), 1, "{said}");
        }
    });
}

#[test]
fn p16_bytes_that_nobody_asked_for_close_an_idle_connection() {
    on_a_worker(async {
        let forged = say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        for method in [Method::GET, Method::POST] {
            let first = vec![HEAD, ok("first"), Step::Pause, forged.clone(), Step::HearEnd];
            let rig = Rig::start(vec![first, vec![HEAD, ok("good")]]).await;
            assert_eq!(rig.get().await.as_deref(), Ok("first"));
            tokio::join!(pause(), pause());
            pause().await;
            let (_, _, body) = rig.ask(&method).await.expect("an answer");
            assert_eq!(body.as_deref(), Ok(&b"good"[..]));
        }
    });
}

#[test]
fn p16_what_the_kernel_knows_alone_is_asked_for_before_a_request_that_goes_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (close, told) = std::sync::mpsc::channel();
    let (closed, heard) = std::sync::mpsc::channel();
    // On a thread of its own, so that it closes while the worker, which is busy, learns of nothing.
    let upstream = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().expect("a connection");
            assert!(stream.read(&mut [0; 1024]).expect("a request") > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood").expect("writes");
            told.recv().expect("a word");
            drop(stream);
            closed.send(()).expect("a listener");
        }
    });
    on_a_worker(async {
        let rig = Rig::at(port);
        assert_eq!(rig.get().await.as_deref(), Ok("good"));
        close.send(()).expect("a listener");
        heard.recv().expect("a word");
        let (_, _, body) = rig.ask(&Method::POST).await.expect("an answer");
        assert_eq!(body.as_deref(), Ok(&b"good"[..]));
        close.send(()).expect("a listener");
    });
    upstream.join().expect("it ends well");
}

#[test]
fn p09_a_connection_that_was_closed_while_idle_costs_nobody_an_answer() {
    on_a_worker(async {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let rig = Rig::start(vec![vec![HEAD, ok("first")], vec![HEAD, ok("good")]]).await;
            assert_eq!(rig.get().await.as_deref(), Ok("first"));
            pause().await;
            let (_, _, body) = rig.ask(&method).await.expect("an answer");
            assert_eq!(body.as_deref(), Ok(&b"good"[..]), "{method}");
            assert_eq!(rig.heard()[1].matches("HTTP/1.1").count(), 1);
        }
    });
}

#[test]
fn p09_only_what_changes_nothing_is_sent_again_and_once() {
    on_a_worker(async {
        // The upstream reads the second request and closes without a byte.
        let dying = vec![HEAD, ok("first"), HEAD];
        let cases = [
            (Method::GET, Ok("good")),
            (Method::HEAD, Ok("")),
            (Method::OPTIONS, Ok("good")),
            (Method::POST, Err("upstream-broke-off")),
            (Method::PUT, Err("upstream-broke-off")),
            (Method::PATCH, Err("upstream-broke-off")),
            (Method::DELETE, Err("upstream-broke-off")),
        ];
        for (method, expected) in cases {
            let rig = Rig::start(vec![dying.clone(), vec![HEAD, ok("good")]]).await;
            assert_eq!(rig.get().await.as_deref(), Ok("first"));
            let got =
                rig.ask(&method).await.map(|(_, _, body)| String::from_utf8(body.expect("a body")).expect("UTF-8"));
            assert_eq!(got.as_deref(), expected.as_ref().map(|text| *text), "{method}");
            let sent = rig.heard().iter().filter(|heard| heard.contains(&format!("{method} / "))).count();
            let requests: usize = rig.heard().iter().map(|heard| heard.matches(" / HTTP/1.1").count()).sum();
            assert_eq!((sent > 0, requests), (true, if expected.is_ok() { 3 } else { 2 }), "{method}");
        }
        let rig = Rig::start(vec![dying, vec![HEAD], vec![HEAD, ok("third")]]).await;
        assert_eq!(rig.get().await.as_deref(), Ok("first"));
        assert_eq!(rig.get().await, Err("upstream-broke-off"), "a second time is enough");
        assert_eq!(rig.connections(), 2);
    });
}

#[test]
fn p09_what_was_answered_in_part_is_not_asked_again() {
    on_a_worker(async {
        for part in ["H", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"] {
            let rig = Rig::start(vec![vec![HEAD, ok("first"), HEAD, say(part)], vec![HEAD, ok("again")]]).await;
            assert_eq!(rig.get().await.as_deref(), Ok("first"));
            assert_eq!(rig.get().await, Err("upstream-broke-off"), "{part}");
            assert_eq!(rig.connections(), 1, "{part}");
        }
        let rig = Rig::start(vec![vec![HEAD], vec![HEAD, ok("again")]]).await;
        assert_eq!(rig.get().await, Err("upstream-broke-off"), "a new connection was not idle");
    });
}

#[test]
fn p08_idle_connections_are_closed_after_a_while() {
    on_a_worker(async {
        let rig = Rig::start(vec![vec![HEAD, ok("x"), Step::HearEnd]]).await;
        assert_eq!(rig.get().await.as_deref(), Ok("x"));
        assert_eq!(rig.idle(), 1);
        for _ in 0..470 {
            rig.pool.tick();
        }
        pause().await;
        assert_eq!((rig.idle(), rig.ended()), (0, 1));
    });
}
