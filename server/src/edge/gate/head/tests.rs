use super::*;
use proptest::prelude::*;

fn get(lines: &str) -> Result<Option<Next>, Refused> {
    whole(&format!("GET /api/x HTTP/1.1\r\nHost: app.example\r\n{lines}\r\n"))
}

fn whole(head: &str) -> Result<Option<Next>, Refused> {
    read(head.as_bytes()).map(|head| head.map(|head| head.next))
}

#[test]
fn p04_framing_that_could_be_read_two_ways_is_refused() {
    use Refused::{
        BareLineFeed, Coding, ControlCharacter, FieldName, Folded, Host, Length, LengthAndCoding, TwoLengths,
    };
    let refused = [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", LengthAndCoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", LengthAndCoding),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", LengthAndCoding),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", TwoLengths),
        ("Content-Length: 0\r\nContent-Length: 0\r\n", TwoLengths),
        ("Content-Length: 5\r\nX: 1\r\ncontent-LENGTH: 5\r\n", TwoLengths),
        ("Content-Length: 5, 5\r\n", Length),
        ("Content-Length: +5\r\n", Length),
        ("Content-Length: -5\r\n", Length),
        ("Content-Length: 0x5\r\n", Length),
        ("Content-Length: 5 5\r\n", Length),
        ("Content-Length:\r\n", Length),
        ("Content-Length: 99999999999999999999\r\n", Length),
        ("Transfer-Encoding: gzip, chunked\r\n", Coding),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Coding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Coding),
        ("Transfer-Encoding: chunked, chunked\r\n", Coding),
        ("Transfer-Encoding: identity\r\n", Coding),
        ("Transfer-Encoding: xchunked\r\n", Coding),
        ("Transfer-Encoding: \"chunked\"\r\n", Coding),
        ("Transfer-Encoding:\r\n", Coding),
        ("Transfer-Encoding: chunked;q=1\r\n", Coding),
        ("Transfer-Encoding : chunked\r\n", FieldName),
        ("Transfer Encoding: chunked\r\n", FieldName),
        (": x\r\n", FieldName),
        ("X\r\n", FieldName),
        ("X\u{e4}: 1\r\n", FieldName),
        ("X[1]: 1\r\n", FieldName),
        ("X: 1\r\n folded\r\n", Folded),
        ("X: 1\r\n\tfolded\r\n", Folded),
        ("X: 1\n", BareLineFeed),
        ("X: 1\r\nY: 2\n\r\n", BareLineFeed),
        ("X: 1\r\n\n", BareLineFeed),
        ("X: a\rb\r\n", ControlCharacter),
        ("X: a\0b\r\n", ControlCharacter),
        ("X: a\u{b}b\r\n", ControlCharacter),
        ("X: a\u{7f}\r\n", ControlCharacter),
        ("X: a\r\r\n", ControlCharacter),
        ("Host: app.example\r\n", Host),
        ("hOST: other.example\r\n", Host),
    ];
    for (lines, expected) in refused {
        assert_eq!(get(lines), Err(expected), "{lines:?}");
    }
}

#[test]
fn p04_framing_that_is_read_one_way_goes_on() {
    let taken = [
        ("", Next::Length(0)),
        ("Content-Length: 0\r\n", Next::Length(0)),
        ("Content-Length:5\r\n", Next::Length(5)),
        ("content-length: \t 0005 \t\r\n", Next::Length(5)),
        ("Transfer-Encoding: Chunked\r\n", Next::Chunks),
        ("X: \u{e4}\tb\r\nX-Empty:\r\n", Next::Length(0)),
        ("Upgrade: websocket\r\nConnection: Upgrade\r\n", Next::Handshake),
        ("Upgrade: WebSocket\r\nContent-Length: 0\r\n", Next::Handshake),
        ("Upgrade: websocket\r\nContent-Length: 3\r\n", Next::Length(3)),
        ("Upgrade: websocket, foo/2\r\n", Next::Length(0)),
        ("Upgrade: websocket\r\nUpgrade: foo\r\n", Next::Length(0)),
        ("Upgrade: TLS/1.3\r\n", Next::Length(0)),
    ];
    for (lines, expected) in taken {
        assert_eq!(get(lines), Ok(Some(expected)), "{lines:?}");
    }
}

#[test]
fn s10_h2c_and_connect_are_refused_in_every_company() {
    for lines in ["Upgrade: h2c\r\n", "Upgrade: websocket, H2C\r\n", "Upgrade: websocket\r\nUpgrade: h2c-14\r\n"] {
        assert_eq!(get(lines), Err(Refused::HttpUpgrade), "{lines}");
    }
    assert_eq!(whole("CONNECT app.example:443 HTTP/1.1\r\nHost: app.example\r\n\r\n"), Err(Refused::Connect));
}

#[test]
fn p04_s02_request_lines_are_read_one_way_or_refused() {
    use Refused::{BareLineFeed, RequestLine, Target, TargetForm, Version};
    let refused = [
        ("GET  /x HTTP/1.1", Target),
        ("GET /x  HTTP/1.1", Target),
        ("GET /x y HTTP/1.1", Target),
        ("GET\t/x HTTP/1.1", RequestLine),
        ("GET /x\tHTTP/1.1", RequestLine),
        ("GET /x", RequestLine),
        ("GET", RequestLine),
        (" GET /x HTTP/1.1", RequestLine),
        ("G[T /x HTTP/1.1", RequestLine),
        ("GET /x HTTP/1.1 ", RequestLine),
        ("GET /x HTTP/1.1\r", Version),
        ("GET /x http/1.1", RequestLine),
        ("GET /x HTTP/1.2", Version),
        ("GET /x HTTP/2.0", Version),
        ("GET /x HTTP/11.1", Version),
        ("GET /x#y HTTP/1.1", Target),
        ("GET /x\u{e4} HTTP/1.1", Target),
        ("GET /x\0 HTTP/1.1", Target),
        ("GET /<x> HTTP/1.1", Target),
        ("GET http://app.example/x HTTP/1.1", TargetForm),
        ("GET app.example:80 HTTP/1.1", TargetForm),
        ("OPTIONS * HTTP/1.1", TargetForm),
        ("GET ?x HTTP/1.1", TargetForm),
        ("\u{16}\u{3}\u{1}", RequestLine),
        ("\n", BareLineFeed),
    ];
    for (line, expected) in refused {
        let refused = whole(&format!("{line}\r\nHost: app.example\r\n\r\n"));
        let also = line.starts_with('\n') && refused == Err(RequestLine);
        assert!(refused == Err(expected) || also, "{line:?}: {refused:?}");
    }
    for line in ["GET / HTTP/1.1", "M-SEARCH /\"x\"?a=b|c{d}&e=[f]` HTTP/1.1", "GET /x HTTP/1.0", "\r\nPUT /x HTTP/1.1"]
    {
        assert_eq!(whole(&format!("{line}\r\nHost: app.example\r\n\r\n")), Ok(Some(Next::Length(0))), "{line:?}");
    }
    assert_eq!(whole("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Err(RequestLine), "one empty line and no more");
    assert_eq!(whole("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(Refused::OldCoding));
    assert_eq!(whole("GET / HTTP/1.1\r\nX: 1\r\n\r\n"), Err(Refused::Host));
}

#[test]
fn p13_heads_have_a_limit_each_way() {
    let long = |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(n));
    assert_eq!(whole(&long(HEAD_BYTES)), Err(Refused::HeadTooLong));
    assert_eq!(whole(&long(1000)), Ok(None));
    let exact = long(HEAD_BYTES - long(0).len() - 4) + "\r\n\r\n";
    assert_eq!((exact.len(), whole(&exact)), (HEAD_BYTES, Ok(Some(Next::Length(0)))));
    let over = long(HEAD_BYTES - long(0).len() - 3) + "\r\n\r\n";
    assert_eq!(whole(&over), Err(Refused::HeadTooLong));
    let target = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(n));
    assert_eq!(whole(&target(TARGET_BYTES - 1)), Ok(Some(Next::Length(0))));
    assert_eq!(whole(&target(TARGET_BYTES)), Err(Refused::TargetTooLong));
    assert_eq!(whole(&format!("GET /{}", "x".repeat(HEAD_BYTES))), Err(Refused::TargetTooLong));
    let lines = |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a: b\r\n".repeat(n - 1));
    assert_eq!(whole(&lines(LINES)), Ok(Some(Next::Length(0))));
    assert_eq!(whole(&lines(LINES + 1)), Err(Refused::TooManyLines));
}

/// What hyper's parser says of a head that the gate lets go on: it must be whole, end at the same byte, and be a URI.
fn hyper_agrees(head: &[u8], len: usize) {
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let mut request = httparse::Request::new(&mut lines);
    assert_eq!(request.parse(head), Ok(httparse::Status::Complete(len)), "{:?}", String::from_utf8_lossy(head));
    let target = request.path.expect("a target");
    let uri: http::Uri = target.parse().expect("a URI");
    assert_eq!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), Some(target));
    http::Method::from_bytes(request.method.expect("a method").as_bytes()).expect("a method");
    let hosts = request.headers.iter().filter(|line| line.name.eq_ignore_ascii_case("host")).count();
    assert_eq!(hosts, 1);
}

#[test]
fn p04_every_byte_that_may_stand_in_a_target_is_one_for_hyper() {
    let mut taken = 0;
    for (byte, start) in (0..=0xff_u8).flat_map(|byte| [(byte, "/x"), (byte, "/?")]) {
        let head = [b"GET ", start.as_bytes(), &[byte], b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        if let Ok(Some(read)) = read(&head) {
            hyper_agrees(&head, read.len);
            taken += 1;
        }
    }
    assert_eq!(taken, 2 * (94 - 4));
}

/// Pieces that heads are made of, good ones and bad ones.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => Just("\r\n".to_owned()),
        2 => Just("\r\n\r\n".to_owned()),
        1 => Just("\n".to_owned()),
        1 => Just("\r".to_owned()),
        4 => Just("GET /a HTTP/1.1\r\nHost: a\r\n".to_owned()),
        2 => Just("POST /a?b HTTP/1.1".to_owned()),
        2 => Just("Host: a".to_owned()),
        2 => Just("Content-Length: 5".to_owned()),
        2 => Just("Transfer-Encoding: chunked".to_owned()),
        1 => Just("Upgrade: websocket".to_owned()),
        4 => "[!-~]{1,8}: [ -~\t\u{80}-\u{ff}]{0,12}",
        2 => "[ -~]{0,12}",
    ]
}

proptest! {
    #[test]
    fn p04_f08_what_goes_on_is_one_request_to_hyper(
        start in prop_oneof![Just(""), Just("GET / HTTP/1.1\r\nHost: a\r\n")],
        pieces in prop::collection::vec(piece(), 0..12),
    ) {
        let text = start.to_owned() + &pieces.concat();
        if let Ok(Some(head)) = read(text.as_bytes()) {
            hyper_agrees(&text.as_bytes()[..head.len], head.len);
            prop_assert!(text.as_bytes()[..head.len].ends_with(b"\r\n\r\n"));
        }
    }

    #[test]
    fn f08_any_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for text in [bytes.clone(), [b"GET / HTTP/1.1\r\n", &bytes[..]].concat()] {
            prop_assert!(read(&text).is_err() || text.len() < 300 + 16);
        }
    }

    #[test]
    fn f08_more_bytes_never_turn_a_refusal_into_a_request(pieces in prop::collection::vec(piece(), 1..10)) {
        let text = pieces.concat();
        let whole = read(text.as_bytes());
        for cut in 0..text.len() {
            match read(&text.as_bytes()[..cut]) {
                Ok(None) => {}
                Ok(Some(head)) => prop_assert_eq!(whole, Ok(Some(head))),
                Err(_) => prop_assert!(whole.is_err()),
            }
        }
    }
}
