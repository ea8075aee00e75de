//! An answer's head: parsed by `httparse`, filtered while it is read, its framing decided by RFC 9112 section 6.3.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::UpstreamError;
use crate::proxy::hygiene::comes_back;

/// Heads beyond this are refused.
pub(crate) const HEAD_BYTES: usize = 64 * 1024;
/// Header lines beyond this are refused.
const HEADERS: usize = 100;
/// How an answer starts; nothing, not even an empty line, may stand before it.
const START: &[u8] = b"HTTP/1.";

/// How an answer's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With its last chunk.
    Chunked,
    /// With the connection.
    Close,
}

/// An answer's head.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
    /// Whether the connection may carry another exchange.
    pub(crate) keep_alive: bool,
    /// Whether it says that the protocol is now WebSocket (RFC 6455 section 4.1).
    pub(crate) websocket: bool,
}

impl Head {
    /// The answer with this head and a body.
    pub(crate) fn response<B>(self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Takes a whole head out of `input`; `None` when more bytes are needed.
///
/// Values are slices of the connection's buffer, not copies: the buffer is the connection's own again as soon as the
/// answer's head is written.
pub(crate) fn take(input: &mut BytesMut, method: &Method) -> Result<Option<Head>, UpstreamError> {
    let start = input.get(..START.len().min(input.len())).unwrap_or_default();
    if !START.starts_with(start) {
        return Err(bad("its head is no HTTP/1.1"));
    }
    let mut lines = [const { MaybeUninit::uninit() }; HEADERS];
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let len = match parser.parse_response_with_uninit_headers(&mut parsed, input, &mut lines) {
        Ok(httparse::Status::Complete(len)) if len <= HEAD_BYTES => len,
        Ok(httparse::Status::Partial) if input.len() <= HEAD_BYTES => return Ok(None),
        Ok(_) => return Err(bad("its head is too long")),
        Err(httparse::Error::TooManyHeaders) => return Err(bad("it has too many headers")),
        Err(_) => return Err(bad("its head is no HTTP/1.1")),
    };
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(|_| bad("its status is no number"))?;
    let old = parsed.version != Some(1);
    let mut places = [Place::default(); HEADERS];
    let count = parsed.headers.len();
    for (place, line) in places.iter_mut().zip(parsed.headers.iter()) {
        *place = Place::of(input, line);
    }
    let text = input.split_to(len).freeze();
    if memchr::memchr_iter(b'\n', &text).any(|at| at == 0 || text.get(at - 1) != Some(&b'\r')) {
        return Err(bad("a line ends without CR LF"));
    }
    let mut facts = Facts { keep_alive: !old, ..Facts::default() };
    let headers = read_lines(&text, places.get(..count).unwrap_or_default(), &mut facts, method)?;
    if old && facts.chunked {
        // RFC 9112 section 6.1: such framing is faulty.
        return Err(bad("it is HTTP/1.0 with Transfer-Encoding"));
    }
    let framing = facts.framing(status, method)?;
    let keep_alive = facts.keep_alive && framing != Framing::Close && !facts.is_odd(status);
    let websocket = facts.websocket && facts.hop_by_hop.contains(&header::UPGRADE);
    Ok(Some(Head { status, headers, framing, keep_alive, websocket }))
}

/// Where a header's name and value stand in the head.
#[derive(Clone, Copy, Default)]
struct Place {
    name: (usize, usize),
    value: (usize, usize),
}

impl Place {
    fn of(input: &[u8], line: &httparse::Header<'_>) -> Self {
        let base = input.as_ptr().addr();
        let place = |part: &[u8]| {
            let start = part.as_ptr().addr().wrapping_sub(base);
            (start, start.wrapping_add(part.len()))
        };
        // An empty value may stand nowhere.
        let value = if line.value.is_empty() { (0, 0) } else { place(line.value) };
        Self { name: place(line.name.as_bytes()), value }
    }
}

fn read_lines(text: &Bytes, places: &[Place], facts: &mut Facts, method: &Method) -> Result<HeaderMap, UpstreamError> {
    let mut headers = HeaderMap::with_capacity(places.len() + 4);
    for place in places {
        let name = text.get(place.name.0..place.name.1).unwrap_or_default();
        let name = HeaderName::from_bytes(name).map_err(|_| bad("a header's name is malformed"))?;
        let value = text.slice(place.value.0..place.value.1);
        facts.note(&name, &value)?;
        // The length that a GET would have had is all that a HEAD asks for.
        if comes_back(&name) || (name == header::CONTENT_LENGTH && method == Method::HEAD) {
            let value = HeaderValue::from_maybe_shared(value).map_err(|_| bad("a header's value is malformed"))?;
            headers.append(name, value);
        }
    }
    for name in &facts.hop_by_hop {
        headers.remove(name);
    }
    Ok(headers)
}

#[derive(Default)]
struct Facts {
    keep_alive: bool,
    length: Option<u64>,
    chunked: bool,
    /// Whether `Upgrade` is `websocket`.
    websocket: bool,
    /// What `Connection` names: for this hop alone (RFC 9110 section 7.6.1).
    hop_by_hop: Vec<HeaderName>,
}

impl Facts {
    fn note(&mut self, name: &HeaderName, value: &[u8]) -> Result<(), UpstreamError> {
        match *name {
            header::CONTENT_LENGTH => {
                let length = length(value).ok_or_else(|| bad("its Content-Length is no number"))?;
                if self.length.replace(length).is_some() {
                    return Err(bad("it has two Content-Length headers"));
                }
            }
            header::TRANSFER_ENCODING => {
                if self.chunked || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Err(bad("its Transfer-Encoding is not chunked alone"));
                }
                self.chunked = true;
            }
            header::UPGRADE => self.websocket = value.trim_ascii().eq_ignore_ascii_case(b"websocket"),
            header::CONNECTION => {
                let text = String::from_utf8_lossy(value);
                for token in text.split(',').map(str::trim) {
                    if token.eq_ignore_ascii_case("close") {
                        self.keep_alive = false;
                    } else if let Ok(name) = token.parse() {
                        self.hop_by_hop.push(name);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the answer promises a body where there can be none (RFC 9112 sections 6.1 and 6.2). Should the body come
    /// all the same, it must not be read as the next answer.
    fn is_odd(&self, status: StatusCode) -> bool {
        status == StatusCode::NO_CONTENT && (self.chunked || self.length.is_some_and(|length| length > 0))
    }

    fn framing(&self, status: StatusCode, method: &Method) -> Result<Framing, UpstreamError> {
        if self.chunked && self.length.is_some() {
            return Err(bad("it has both Content-Length and Transfer-Encoding"));
        }
        let bodyless = method == Method::HEAD
            || status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED;
        Ok(match (bodyless, self.chunked, self.length) {
            (true, ..) => Framing::Length(0),
            (false, true, _) => Framing::Chunked,
            (false, false, Some(length)) => Framing::Length(length),
            (false, false, None) => Framing::Close,
        })
    }
}

/// Digits alone.
fn length(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(value).ok()?.parse().ok()
}

const fn bad(what: &'static str) -> UpstreamError {
    UpstreamError::BadAnswer(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framing(head: &str) -> Result<Framing, String> {
        let mut input = BytesMut::from(head.as_bytes());
        match take(&mut input, &Method::GET) {
            Ok(Some(head)) => Ok(head.framing),
            Ok(None) => Err("partial".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn p08_framing_is_read_strictly() {
        assert_eq!(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n"), Ok(Framing::Length(0)));
        assert_eq!(framing("HTTP/1.1 304 Not\r\n\r\n"), Ok(Framing::Length(0)));
        assert_eq!(framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"), Ok(Framing::Chunked));
        assert_eq!(framing("HTTP/1.1 200 OK\r\n\r\n"), Ok(Framing::Close));
        for bad in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
            "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.2 200 OK\r\n\r\n",
            "http/1.1 200 OK\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\n",
            "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\n Content-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 099 Odd\r\n\r\n",
            "HTTP/1.1 2000 Odd\r\n\r\n",
        ] {
            assert!(framing(bad).is_err(), "{bad}");
        }
    }

    fn head(text: &str, method: &Method) -> Head {
        take(&mut BytesMut::from(text.as_bytes()), method).expect("good").expect("whole")
    }

    #[test]
    fn s10_what_a_connection_may_carry_next() {
        let cases = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: X-Hop , Close\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", false),
            ("HTTP/1.1 204 No Content\r\n\r\n", true),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false),
            ("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", false),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true),
        ];
        for (text, expected) in cases {
            assert_eq!(head(text, &Method::GET).keep_alive, expected, "{text}");
        }
    }

    #[test]
    fn p07_a_heads_length_is_told_to_head_alone() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Empty:\r\nX-Hop: 1\r\nConnection: x-hop\r\n\r\n";
        let asked = head(text, &Method::HEAD);
        assert_eq!((asked.framing, asked.headers.len()), (Framing::Length(0), 2));
        assert_eq!(asked.headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes), Some(&b"5"[..]));
        assert_eq!(asked.headers.get("x-empty").map(HeaderValue::as_bytes), Some(&b""[..]));
        assert!(!head(text, &Method::GET).headers.contains_key(header::CONTENT_LENGTH));
    }

    #[test]
    fn p08_a_header_bomb_is_refused() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert!(framing(&many).is_err_and(|error| error.contains("too many headers")));
        let long = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(HEAD_BYTES));
        assert!(framing(&long).is_err_and(|error| error.contains("too long")));
    }

    proptest! {
        #[test]
        fn f08_any_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut input = BytesMut::from(&bytes[..]);
            drop(take(&mut input, &Method::GET));
            let mut input = BytesMut::from(&[b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat()[..]);
            drop(take(&mut input, &Method::GET));
        }

        #[test]
        fn f08_a_head_reads_the_same_however_it_is_cut(
            lines in prop::collection::vec(("x-[a-z]{1,8}", "[ -~]{0,20}"), 0..12), cut in 0_usize..400, rest in "[a-z]{0,9}"
        ) {
            let lines_text = lines.iter().fold(String::new(), |text, (name, value)| text + name + ": " + value + "\r\n");
            let text = format!("HTTP/1.1 200 OK\r\n{lines_text}\r\n{rest}");
            let cut = cut.min(text.len() - rest.len() - 1);
            let mut input = BytesMut::from(&text.as_bytes()[..cut]);
            prop_assert!(take(&mut input, &Method::GET).expect("good so far").is_none());
            input.extend_from_slice(&text.as_bytes()[cut..]);
            let head = take(&mut input, &Method::GET).expect("good").expect("whole");
            prop_assert_eq!(&input[..], rest.as_bytes());
            for (name, value) in &lines {
                let expected = value.trim_matches([' ', '\t']).as_bytes();
                let mut known = head.headers.get_all(name).iter();
                prop_assert!(!comes_back(&name.parse().unwrap()) || known.any(|value| value.as_bytes() == expected));
            }
        }
    }
}
