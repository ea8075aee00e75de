//! Answers that are streamed: whoever leaves closes, whoever may not go on is cut.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http::Method;
use http_body::Body as _;
use http_body_util::BodyExt as _;

use super::rig::{HEAD, Rig, Step, ok, on_a_worker, pause, say, talk};
use crate::edge::body::Body;

const STREAM: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n";

#[test]
fn s10_a_caller_that_leaves_closes_the_upstreams_connection() {
    on_a_worker(async {
        let rig = Rig::start(vec![vec![HEAD, say(STREAM), Step::HearEnd]]).await;
        let (_, _, mut body) = rig.begin(&Method::GET).await.expect("a head");
        assert_eq!(body.frame().await.expect("a piece").expect("good").into_data().expect("data"), "first");
        drop(body);
        pause().await;
        assert_eq!((rig.ended(), rig.idle()), (1, 0));

        let rig = Rig::start(vec![vec![HEAD, Step::HearEnd]]).await;
        tokio::select! {
            _ = rig.get() => unreachable!("nothing is answered"),
            () = pause() => {}
        }
        pause().await;
        assert_eq!((rig.ended(), rig.idle()), (1, 0));
    });
}

#[test]
fn p11_a_stream_is_cut_when_its_session_is_over_silent_or_not() {
    on_a_worker(async {
        let chatty: Vec<Step> = (0..500).flat_map(|_| [say("1\r\nx\r\n"), Step::Pause]).collect();
        for rest in [vec![Step::HearEnd], chatty] {
            let rig = Rig::start(vec![[vec![HEAD, say(STREAM)], rest].concat()]).await;
            let (_, _, body) = rig.begin(&Method::GET).await.expect("a head");
            let Body::Upstream(mut stream) = body else { unreachable!("a stream") };
            let live = Rc::new(Cell::new(true));
            let watched = Rc::clone(&live);
            stream.only_while(move || watched.get());
            let mut body = Body::Upstream(stream);
            for _ in 0..40 {
                // As long as the session lives, the stream does.
                let next = tokio::time::timeout(Duration::from_millis(1), body.frame()).await;
                assert!(next.is_err() || next.is_ok_and(|frame| frame.expect("a piece").is_ok()));
            }
            live.set(false);
            let began = rig.pool.ticks.now();
            let error = loop {
                if let Err(error) = body.frame().await.expect("no quiet end") {
                    break error;
                }
            };
            assert_eq!(error.code(), "session-over");
            assert!(rig.pool.ticks.now() - began <= 10, "within a second");
            assert!(body.is_end_stream() && body.frame().await.is_none(), "nothing more comes");
        }
    });
}

#[test]
fn u12_pieces_go_on_as_they_come_and_the_connection_comes_back() {
    on_a_worker(async {
        let script = vec![
            HEAD,
            say(STREAM),
            Step::Pause,
            say("6\r\nsecond\r\n"),
            Step::Pause,
            say("0\r\n\r\n"),
            HEAD,
            ok("next"),
            Step::Stay,
        ];
        let rig = Rig::start(vec![script]).await;
        let (_, _, mut body) = rig.begin(&Method::GET).await.expect("a head");
        for expected in ["first", "second"] {
            assert_eq!(body.frame().await.expect("a piece").expect("good").into_data().expect("data"), expected);
        }
        assert!(body.frame().await.is_none());
        assert_eq!(rig.get().await.as_deref(), Ok("next"));
        assert_eq!(rig.connections(), 1);
    });
}

#[test]
fn s10_hyper_gives_the_connection_back_of_every_kind_of_answer() {
    on_a_worker(async {
        let large = "x".repeat(100_000);
        let chunked = say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        for (answer, expected) in [(ok("small"), "small"), (ok(&large), &*large), (chunked, "3\r\nabc\r\n0\r\n\r\n")] {
            let rig = Rig::start(vec![vec![HEAD, answer, Step::Stay]]).await;
            let front = rig.front(0).await;
            let heard = talk(front, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
            assert!(heard.ends_with(&format!("\r\n\r\n{expected}")), "{heard:.200}");
            assert_eq!(rig.idle(), 1, "{expected:.20}");
        }
    });
}

#[test]
fn p08_a_large_answer_is_not_held_in_memory() {
    on_a_worker(async {
        // Nobody reads on: what is buffered is what one read brought, the rest waits at the upstream.
        let large = vec![b'x'; 64 * 1024 * 1024];
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", large.len());
        let rig = Rig::start(vec![vec![HEAD, say(&head), Step::Say(large.clone()), Step::Stay]]).await;
        let (_, _, mut body) = rig.begin(&Method::GET).await.expect("a head");
        let (mut total, mut largest) = (0, 0);
        while let Some(frame) = body.frame().await {
            let piece = frame.expect("good").into_data().expect("data");
            total += piece.len();
            largest = largest.max(piece.len());
        }
        assert_eq!(total, large.len());
        assert!(largest <= 256 * 1024, "{largest}");
        assert_eq!(rig.idle(), 1);
    });
}
