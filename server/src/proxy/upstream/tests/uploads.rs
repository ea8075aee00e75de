//! Request bodies on their way up, through hyper's server as on a worker.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::rig::{HEAD, Rig, Step, ok, on_a_worker, pause, say, talk};

const LIMIT: u64 = 1_000_000;

fn post(length: usize, body: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

const CHUNKED: &str = "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn bodies_go_up_whole_and_the_connection_comes_back() {
    on_a_worker(async {
        let large = "0123456789abcdef".repeat(40_000);
        for body in ["small", &large] {
            let rig =
                Rig::start(vec![vec![HEAD, Step::HearBytes(body.len()), Step::Pause, ok("done"), Step::Stay]]).await;
            let front = rig.front(LIMIT).await;
            let heard = talk(front, &post(body.len(), body)).await;
            assert!(heard.starts_with("HTTP/1.1 200") && heard.ends_with("done"), "{heard}");
            let sent = &rig.heard()[0];
            assert!(sent.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{sent:.400}");
            assert!(sent.ends_with(&format!("\r\n\r\n{body}")), "{sent:.400}");
            assert_eq!((rig.connections(), rig.idle()), (1, 1));
        }
    });
}

#[test]
fn s10_an_empty_body_is_none() {
    on_a_worker(async {
        let rig = Rig::start(vec![vec![HEAD, ok("done"), Step::Stay]]).await;
        let heard = talk(rig.front(LIMIT).await, &post(0, "")).await;
        assert!(heard.ends_with("done"), "{heard}");
        assert!(rig.heard()[0].contains("\r\ncontent-length: 0\r\n"));
        assert_eq!(rig.idle(), 1);
    });
}

#[test]
fn bodies_of_unknown_length_go_up_in_chunks() {
    on_a_worker(async {
        let rig = Rig::start(vec![vec![Step::Hear("0\r\n\r\n"), ok("done"), Step::Stay]]).await;
        let heard = talk(rig.front(LIMIT).await, &format!("{CHUNKED}5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")).await;
        assert!(heard.starts_with("HTTP/1.1 200") && heard.ends_with("done"), "{heard}");
        let sent = &rig.heard()[0];
        let (head, body) = sent.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"), "{head}");
        assert!(
            ["5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n", "b\r\nfirstsecond\r\n0\r\n\r\n"].contains(&body),
            "{body:?}"
        );
        assert_eq!(rig.idle(), 1);
    });
}

#[test]
fn p08_a_body_in_chunks_is_counted() {
    on_a_worker(async {
        let rig = Rig::start(vec![vec![Step::HearEnd]]).await;
        let heard = talk(rig.front(10).await, &format!("{CHUNKED}b\r\n0123456789a\r\n0\r\n\r\n")).await;
        assert!(heard.starts_with("HTTP/1.1 413") && heard.ends_with("body-too-long"), "{heard}");
        pause().await;
        assert!(!rig.heard()[0].ends_with("0\r\n\r\n"), "the upstream must not take it for a whole request");
    });
}

#[test]
fn both_directions_flow_at_once() {
    on_a_worker(async {
        let script = vec![
            Step::Hear("\r\nping\r\n"),
            say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n"),
            Step::Hear("\r\nping2\r\n"),
            say("5\r\npong2\r\n"),
            Step::Hear("0\r\n\r\n"),
            say("0\r\n\r\n"),
            Step::Stay,
        ];
        let rig = Rig::start(vec![script]).await;
        let mut stream = TcpStream::connect(rig.front(LIMIT).await).await.expect("connects");
        let mut heard = String::new();
        for (said, expected) in [
            (format!("{CHUNKED}4\r\nping\r\n").as_str(), "pong\r\n"),
            ("5\r\nping2\r\n", "pong2\r\n"),
            ("0\r\n\r\n", "0\r\n\r\n"),
        ] {
            stream.write_all(said.as_bytes()).await.expect("writes");
            while !heard.ends_with(expected) {
                let mut buffer = [0; 1024];
                let n = stream.read(&mut buffer).await.expect("reads");
                assert!(n > 0, "{heard}");
                heard.push_str(&String::from_utf8_lossy(&buffer[..n]));
            }
        }
        pause().await;
        assert_eq!(rig.idle(), 1, "both are complete");
    });
}

#[test]
fn s10_an_early_answer_is_handed_on_and_its_connection_not_used_again() {
    on_a_worker(async {
        let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
        let large = "HTTP/1.1 403 Forbidden\r\nContent-Length: 20000\r\n\r\n".to_owned() + &"n".repeat(20_000);
        for answer in [refusal, &large] {
            for end in [Step::HearEnd, Step::Stay] {
                let rig = Rig::start(vec![vec![HEAD, say(answer), end], vec![HEAD, ok("good")]]).await;
                let mut stream = TcpStream::connect(rig.front(LIMIT).await).await.expect("connects");
                stream.write_all(format!("{CHUNKED}5\r\nfirst\r\n").as_bytes()).await.expect("writes");
                let mut heard = Vec::new();
                while !heard.ends_with(&answer.as_bytes()[answer.len() - 2..]) {
                    assert!(stream.read_buf(&mut heard).await.expect("reads") > 0);
                }
                assert!(heard.starts_with(b"HTTP/1.1 403"));
                pause().await;
                assert_eq!(rig.idle(), 0);
            }
        }
    });
}

#[test]
fn an_answer_counts_though_the_upstream_takes_no_more() {
    on_a_worker(async {
        let refusal = say("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
        let rig = Rig::start(vec![vec![HEAD, refusal, Step::Pause]]).await;
        let large = "x".repeat(900_000);
        let heard = talk(rig.front(LIMIT).await, &post(large.len(), &large)).await;
        assert!(heard.starts_with("HTTP/1.1 413"), "{heard}");
        assert_eq!(rig.idle(), 0);
    });
}

#[test]
fn s10_a_caller_that_breaks_off_never_makes_a_whole_request() {
    on_a_worker(async {
        for said in [post(100, "half"), post(50_000, "half"), format!("{CHUNKED}4\r\nhalf\r\n")] {
            let rig = Rig::start(vec![vec![Step::HearEnd]]).await;
            let mut stream = TcpStream::connect(rig.front(LIMIT).await).await.expect("connects");
            stream.write_all(said.as_bytes()).await.expect("writes");
            pause().await;
            drop(stream);
            pause().await;
            let heard = rig.heard();
            assert!(heard.iter().all(|heard| !heard.ends_with("0\r\n\r\n") && heard.len() < 1000), "{heard:?}");
            assert_eq!((rig.ended(), rig.idle()), (heard.len(), 0), "{said}");
        }
    });
}

#[test]
fn p08_p13_who_keeps_silent_is_told_so() {
    on_a_worker(async {
        // The caller stops: 408.
        for said in [post(100, "half"), format!("{CHUNKED}4\r\nhalf\r\n")] {
            let rig = Rig::start(vec![vec![Step::HearEnd]]).await;
            let heard = talk(rig.front(LIMIT).await, &said).await;
            assert!(heard.starts_with("HTTP/1.1 408") && heard.ends_with("request-timeout"), "{heard}");
        }
        // The upstream reads no more: 504.
        let rig = Rig::start(vec![vec![HEAD, Step::Stay]]).await;
        let large = "x".repeat(20_000_000);
        let front = rig.front(LIMIT).await;
        let mut stream = TcpStream::connect(front).await.expect("connects");
        let (mut read, mut write) = stream.split();
        let text = post(large.len(), &large);
        let mut heard = Vec::new();
        tokio::select! {
            _ = write.write_all(text.as_bytes()) => {}
            _ = read.read_buf(&mut heard) => {}
        }
        while heard.is_empty() && read.read_buf(&mut heard).await.is_ok_and(|n| n > 0) {}
        assert!(heard.starts_with(b"HTTP/1.1 504"), "{}", String::from_utf8_lossy(&heard));
    });
}

#[test]
fn p03_expect_is_answered_here_and_stays_here() {
    on_a_worker(async {
        let rig = Rig::start(vec![vec![Step::Hear("body"), ok("done"), Step::Stay]]).await;
        let mut stream = TcpStream::connect(rig.front(LIMIT).await).await.expect("connects");
        let head =
            "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n";
        stream.write_all(head.as_bytes()).await.expect("writes");
        let mut heard = Vec::new();
        while !heard.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut heard).await.expect("reads") > 0);
        }
        assert_eq!(heard, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(b"body").await.expect("writes");
        drop(stream.read_to_end(&mut heard).await);
        assert!(heard.ends_with(b"done"));
        assert!(!rig.heard()[0].contains("expect"));
    });
}
