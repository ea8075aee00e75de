//! Answers, good and bad.

use http::{Method, StatusCode, header};

use super::rig::{HEAD, Rig, Step, ok, on_a_worker, say};

const BAD: &str = "upstream-bad-answer";
const BROKE: &str = "upstream-broke-off";
const TIMEOUT: &str = "upstream-timeout";

/// One answer to one GET, the connection staying open behind it.
async fn get(said: &str) -> Result<String, &'static str> {
    Rig::start(vec![vec![HEAD, say(said), Step::Stay]]).await.get().await
}

#[test]
fn p08_bad_heads_are_refused() {
    on_a_worker(async {
        let head = |lines: &str| format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        let cases = [
            ("both framings", head("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n"),
            ("the other way round", head("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") + "abc"),
            ("two lengths", head("Content-Length: 3\r\nContent-Length: 4\r\n") + "abcd"),
            ("two equal lengths", head("Content-Length: 3\r\nContent-Length: 3\r\n") + "abc"),
            ("a list of lengths", head("Content-Length: 3, 3\r\n") + "abc"),
            ("a signed length", head("Content-Length: +3\r\n") + "abc"),
            ("another coding", head("Transfer-Encoding: gzip, chunked\r\n")),
            ("chunked, but not last", head("Transfer-Encoding: chunked, gzip\r\n")),
            ("a folded line", head("X: 1\r\n  folded\r\n")),
            ("a bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n".to_owned()),
            ("an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n".to_owned()),
            ("no HTTP", "220 smtp.example.com ESMTP\r\n".to_owned()),
            ("HTTP/2", "\0\0\u{12}\u{4}\0\0\0\0\0".to_owned()),
            ("a header bomb in number", head(&"A: b\r\n".repeat(101))),
            ("a header bomb in size", head(&format!("A: {}\r\n", "b".repeat(70_000)))),
            ("a header bomb without an end", format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(200_000))),
            ("another protocol, unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n".to_owned()),
            ("too many interim answers", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(9)),
        ];
        for (what, said) in cases {
            assert_eq!(get(&said).await, Err(BAD), "{what}");
        }
    });
}

#[test]
fn p08_bodies_that_do_not_keep_their_promise_are_cut() {
    on_a_worker(async {
        let long = "x".repeat(40_000);
        let cases = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_owned(), BROKE),
            (format!("HTTP/1.1 200 OK\r\nContent-Length: 40001\r\n\r\n{long}"), BROKE),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n".to_owned(), BROKE),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab".to_owned(), BROKE),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n".to_owned(), BROKE),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n".to_owned(), BAD),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n".to_owned(), BAD),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n".to_owned(), BAD),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n".to_owned(), BAD),
        ];
        for (said, expected) in cases {
            let rig = Rig::start(vec![vec![HEAD, say(&said)]]).await;
            assert_eq!(rig.get().await, Err(expected), "{said:.90}");
            assert_eq!(rig.idle(), 0, "{said:.90}");
        }
    });
}

#[test]
fn p08_a_reset_is_no_end() {
    on_a_worker(async {
        for said in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nuntil the end"] {
            let rig = Rig::start(vec![vec![HEAD, say(said), Step::Pause, Step::Reset]]).await;
            assert_eq!(rig.get().await, Err(BROKE), "{said:?}");
        }
    });
}

#[test]
fn p08_silence_is_a_timeout_wherever_it_begins() {
    on_a_worker(async {
        for said in [
            "",
            "HTTP/1.1 200 OK\r\nContent-",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "HTTP/1.1 200 OK\r\n\r\nabc",
        ] {
            assert_eq!(get(said).await, Err(TIMEOUT), "{said:?}");
        }
    });
}

#[test]
fn p08_nobody_there_is_told_at_once() {
    on_a_worker(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        assert_eq!(Rig::at(port).get().await, Err("upstream-unreachable"));
    });
}

#[test]
fn good_answers_arrive_whole() {
    on_a_worker(async {
        let long = "0123456789abcdef".repeat(20_000);
        let chunked: String = long.as_bytes().chunks(3_001).map(|part| chunk(&String::from_utf8_lossy(part))).collect();
        let cases = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(), ""),
            ("HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc".to_owned(), "abc"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".to_owned(), "abc"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: dropped\r\n\r\n".to_owned(), "abc"),
            (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{long}", long.len()), &long),
            (format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}0\r\n\r\n"), &long),
        ];
        for (said, expected) in cases {
            let rig = Rig::start(vec![vec![HEAD, say(&said), Step::Stay]]).await;
            assert_eq!(rig.get().await.as_deref(), Ok(expected), "{said:.90}");
            assert_eq!(rig.idle(), 1, "{said:.90}");
        }
        let rig = Rig::start(vec![vec![HEAD, say(&format!("HTTP/1.0 200 OK\r\n\r\n{long}"))]]).await;
        assert_eq!((rig.get().await, rig.idle()), (Ok(long), 0));
    });
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

#[test]
fn an_answer_that_drips_in_is_as_good() {
    on_a_worker(async {
        for (said, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n\r\nabc", "abc"),
            (
                "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                "abc",
            ),
        ] {
            let rig = Rig::start(vec![vec![HEAD, Step::Drip(said.into()), Step::Stay]]).await;
            assert_eq!((rig.get().await.as_deref(), rig.idle()), (Ok(expected), 1), "{said}");
        }
    });
}

#[test]
fn p07_answers_that_have_no_body_have_none() {
    on_a_worker(async {
        let cases = [
            (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", 200, Some("400")),
            (Method::HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, None),
            (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n", 204, None),
            (Method::GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 400\r\nETag: x\r\n\r\n", 304, None),
        ];
        for (method, said, status, length) in cases {
            let rig = Rig::start(vec![vec![HEAD, say(said), HEAD, ok("next"), Step::Stay]]).await;
            let (got, headers, body) = rig.ask(&method).await.expect("an answer");
            assert_eq!((got, body), (StatusCode::from_u16(status).expect("a status"), Ok(Vec::new())), "{said}");
            let told = headers.get(header::CONTENT_LENGTH).map(|value| value.to_str().expect("ASCII"));
            assert_eq!(told, length, "{said}");
            assert_eq!(rig.get().await.as_deref(), Ok("next"), "{said}");
            assert_eq!(rig.connections(), 1, "{said}");
        }
    });
}
