//! The framing gate: what goes on is what came, however it is cut, and hyper's parser sees the same heads.

use cloakroom::edge::gate::{Rest, Scan, Scanner};

const SEEDS: &[&[u8]] = &[
    b"GET /a?b HTTP/1.1\r\nHost: a\r\nCookie: c=d\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcdeGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nA\r\n0123456789\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\nGET / HTTP/1.1\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
];

/// The bytes that go on when they come in pieces of `size`, and what is said of the rest.
fn passed(input: &[u8], size: usize) -> (Vec<u8>, Rest) {
    let (mut scanner, mut held, mut out) = (Scanner::default(), Vec::new(), Vec::new());
    for piece in input.chunks(size) {
        held.extend_from_slice(piece);
        let Scan { good, rest, .. } = scanner.scan(&held);
        out.extend(held.drain(..good));
        if matches!(rest, Rest::BadHead(_) | Rest::BadBody(_)) {
            return (out, rest);
        }
    }
    (out, if held.is_empty() { Rest::None } else { Rest::PartialHead })
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    SEEDS.iter().map(|seed| seed.to_vec()).collect()
}

pub(crate) fn try_one(input: &[u8]) {
    let (whole, rest) = passed(input, input.len().max(1));
    assert!(input.starts_with(&whole));
    for size in [1, 7] {
        let (pieces, other) = passed(input, size);
        // Bytes behind a handshake are one refusal if they come with it, and another if they come after.
        if !matches!(rest, Rest::BadHead(_)) {
            assert_eq!((pieces, other), (whole.clone(), rest));
        }
    }
    let mut lines = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut lines);
    if !whole.is_empty() {
        let parsed = request.parse(&whole).unwrap();
        assert!(parsed.is_complete());
        request.path.unwrap().parse::<http::Uri>().unwrap();
    }
}
