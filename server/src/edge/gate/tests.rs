//! The gate before a stream that comes in pieces.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;

/// What goes on of `bytes`, sent in pieces that end at `cuts`, read in pieces of at most `space` bytes.
fn passed(bytes: &[u8], cuts: &[usize], space: usize) -> (Vec<u8>, Option<Refused>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let (mut client, server) = duplex(1 << 20);
        let record = Arc::new(Record::default());
        let mut gate = Gate::new(server, Arc::clone(&record));
        let mut sorted: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        sorted.sort_unstable();
        let mut heard = Vec::new();
        let mut buffer = vec![0; space];
        let mut sent = 0;
        for end in sorted.into_iter().chain([bytes.len()]) {
            client.write_all(&bytes[sent..end]).await.expect("room");
            sent = end;
            // Reads what there is; a read that waits is given up.
            while let Ok(Ok(n @ 1..)) = tokio::time::timeout(Duration::ZERO, gate.read(&mut buffer)).await {
                heard.extend_from_slice(&buffer[..n]);
            }
        }
        (heard, record.refused())
    })
}

const ASK: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const CHUNKED: &str = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

fn sign() -> String {
    String::from_utf8(SIGN.to_vec()).expect("text")
}

#[test]
fn p04_requests_go_on_as_they_are_and_a_bad_head_is_replaced_by_the_sign() {
    let body = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab\0\r\n".to_owned();
    let chunks = format!("{CHUNKED}5\r\nab\0\r\n\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n");
    let good = format!("{ASK}{body}\r\n{chunks}{ASK}");
    let bad = format!("GET /b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n{ASK}");
    let cases = [
        (good.clone(), good.clone(), None),
        (format!("{good}{bad}"), format!("{good}{}", sign()), Some(Refused::Host)),
        (bad, sign(), Some(Refused::Host)),
        (format!("{good}GET /b"), good.clone(), None),
        (format!("{body}{ASK}"), format!("{body}{ASK}"), None),
    ];
    for (text, expected, refused) in cases {
        for cuts in [vec![], vec![1], (0..text.len()).collect()] {
            for space in [1, 40, 8192] {
                let (heard, why) = passed(text.as_bytes(), &cuts, space);
                assert_eq!((String::from_utf8_lossy(&heard), why), (expected.as_str().into(), refused), "{text}");
            }
        }
    }
}

#[test]
fn p04_bodies_that_two_servers_could_read_differently_break_off() {
    use Refused::{Chunk, ChunkExtension, Trailer};
    let cases = [
        ("5;x=y\r\nabcde\r\n0\r\n\r\n", ChunkExtension),
        ("5 \r\nabcde\r\n0\r\n\r\n", ChunkExtension),
        ("5\nabcde\r\n0\r\n\r\n", Chunk),
        ("5\r\nabcde\n0\r\n\r\n", Chunk),
        ("5\r\nabcdef\r\n0\r\n\r\n", Chunk),
        ("\r\n", Chunk),
        ("zz\r\n", Chunk),
        ("-1\r\n", Chunk),
        ("0x5\r\n", Chunk),
        ("+5\r\n", Chunk),
        (" 5\r\n", Chunk),
        ("00000000000000005\r\n", Chunk),
        ("5\r\rabcde", Chunk),
        ("0\r\nX : 1\r\n\r\n", Trailer),
        ("0\r\n folded\r\n\r\n", Trailer),
        ("0\r\nX: 1\n\r\n", Trailer),
        ("0\r\nX: a\rb\r\n\r\n", Trailer),
        ("0\r\nX: a\0\r\n\r\n", Trailer),
        ("0\r\n\n", Trailer),
        ("0\r\nX\r\n\r\n", Trailer),
    ];
    for (body, refused) in cases {
        let text = format!("{CHUNKED}{body}{ASK}");
        for cuts in [vec![], (0..text.len()).collect()] {
            let (heard, why) = passed(text.as_bytes(), &cuts, 64);
            assert_eq!(why, Some(refused), "{body:?}");
            assert!(heard.len() < text.len() - ASK.len(), "{body:?}");
            assert!(text.as_bytes().starts_with(&heard), "{body:?}");
        }
    }
    let long = format!("{CHUNKED}0\r\nX: {}", "x".repeat(9000));
    assert_eq!(passed(long.as_bytes(), &[], 4096).1, Some(Trailer));
}

#[test]
fn s10_bytes_behind_a_handshake_wait_for_its_answer() {
    let handshake = "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(passed(handshake.as_bytes(), &[7], 64), (handshake.into(), None));
    let early = format!("{handshake}x");
    assert_eq!(passed(early.as_bytes(), &[], 64), (SIGN.to_vec(), Some(Refused::Early)));
    let (heard, why) = passed(early.as_bytes(), &[handshake.len()], 64);
    assert_eq!((heard, why), (handshake.into(), Some(Refused::Early)), "a byte that came before the answer");
}

#[tokio::test]
async fn s10_after_another_answer_than_101_requests_go_on() {
    let (mut client, server) = duplex(4096);
    let record = Arc::new(Record::default());
    let mut gate = Gate::new(server, Arc::clone(&record));
    let handshake = "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";
    let mut buffer = vec![0; 4096];
    client.write_all(handshake.as_bytes()).await.expect("room");
    assert_eq!(gate.read(&mut buffer).await.expect("reads"), handshake.len());
    record.answered();
    client.write_all(ASK.as_bytes()).await.expect("room");
    assert_eq!(gate.read(&mut buffer).await.expect("reads"), ASK.len());
    assert!(!record.all_answered() && record.refused().is_none());
}

#[tokio::test]
async fn p13_what_is_overdue_is_refused_or_closed() {
    let cases = [
        ("GET /a HTTP/1.1\r\nHost", Phase::Head, Some(Refused::HeadTimeout)),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab", Phase::Body, Some(Refused::BodyTimeout)),
        ("", Phase::Idle, None),
    ];
    for (text, phase, refused) in cases {
        let (mut client, server) = duplex(4096);
        let record = Arc::new(Record::default());
        let mut gate = Gate::new(server, Arc::clone(&record));
        client.write_all(text.as_bytes()).await.expect("room");
        let mut buffer = vec![0; 4096];
        while tokio::time::timeout(Duration::from_millis(1), gate.read(&mut buffer)).await.is_ok() {}
        assert_eq!(record.phase(), phase);
        record.call_overdue(phase);
        let read = gate.read(&mut buffer).await;
        match phase {
            Phase::Head => assert_eq!(&buffer[..read.expect("the sign")], SIGN),
            Phase::Body => assert!(read.is_err()),
            _ => assert_eq!(read.expect("an end"), 0),
        }
        assert_eq!(record.refused(), refused);
    }
}

proptest! {
    /// Whatever comes, and however it is cut, what goes on is the same: a beginning of it, and perhaps the sign.
    #[test]
    fn p04_f08_cuts_change_nothing(
        pieces in prop::collection::vec(prop_oneof![
            6 => Just(ASK.to_owned()),
            4 => Just(CHUNKED.to_owned() + "3\r\nabc\r\n0\r\n\r\n"),
            2 => Just(CHUNKED.to_owned()),
            2 => Just("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n".to_owned()),
            1 => Just("\r\n".to_owned()),
            2 => "[0-9a-f]{1,2}\r\n",
            1 => "[ -~\r\n]{0,20}",
        ], 0..6),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        space in 1_usize..200,
    ) {
        let text = pieces.concat();
        let (whole, why) = passed(text.as_bytes(), &[], 8192);
        let (heard, why_cut) = passed(text.as_bytes(), &cuts, space);
        prop_assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(&whole));
        prop_assert_eq!(why, why_cut);
        let passed_on = whole.strip_suffix(SIGN).unwrap_or(&whole);
        prop_assert!(text.as_bytes().starts_with(passed_on));
    }
}
