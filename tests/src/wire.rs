//! HTTP/1.1 by hand, so that a test can send what no client library would, and see each byte that came back.

use serde_json::Value;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// No exchange of a test takes longer than this.
const PATIENCE: Duration = Duration::from_mins(1);

/// Header fields in the order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// Every value of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }

    /// The header lines of a message, without the empty line at the end.
    fn lines(&self) -> String {
        let lines: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        lines.concat()
    }
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug)]
pub enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
    /// Until the peer closes.
    Close,
}

/// One answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// Body, without its framing.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header field's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text()))
    }

    /// The RFC 9457 problem that this answer must be.
    pub fn problem(&self) -> Value {
        let kind = self.header("content-type").unwrap_or_default();
        assert!(
            kind.starts_with("application/problem+json"),
            "not a problem+json: {} {kind} {}",
            self.status,
            self.text()
        );
        self.json()
    }

    /// Fails unless the status is the one expected, and shows the answer then.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.text());
        self
    }
}

/// A connection: to the gateway, or one that the recording API took.
pub struct Conn {
    stream: BufReader<TcpStream>,
}

impl Conn {
    /// Connects to a port of this machine.
    pub async fn open(port: u16) -> io::Result<Self> {
        TcpStream::connect(("127.0.0.1", port)).await.and_then(Self::over)
    }

    /// Takes over a socket.
    pub fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends bytes as they are.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref()).await?;
        self.stream.get_mut().flush().await
    }

    /// Reads up to the empty line: the start line and the fields. `None` when the peer closed before it.
    pub async fn head(&mut self) -> io::Result<Option<(String, Headers)>> {
        let mut start = String::new();
        let mut headers = Headers::default();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            match (start.is_empty(), line.split_once(':')) {
                (true, _) => start = line,
                (false, _) if line.is_empty() => return Ok(Some((start, headers))),
                (false, Some((name, value))) => {
                    headers.0.push((name.to_owned(), value.trim().to_owned()));
                }
                (false, None) => {
                    return Err(io::Error::other(format!("not a header field: {line}")));
                }
            }
        }
    }

    /// The next piece of a body as it arrives; `None` at its end.
    pub async fn piece(&mut self, framing: &mut Framing) -> io::Result<Option<Vec<u8>>> {
        match framing {
            Framing::Length(0) => Ok(None),
            Framing::Length(left) => {
                let mut buffer = vec![0; usize::try_from(*left).unwrap_or(usize::MAX).min(65_536)];
                let count = self.stream.read(&mut buffer).await?;
                if count == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                *left -= count as u64;
                buffer.truncate(count);
                Ok(Some(buffer))
            }
            Framing::Chunked => self.chunk().await,
            Framing::Close => {
                let mut buffer = vec![0; 65_536];
                let count = self.stream.read(&mut buffer).await?;
                buffer.truncate(count);
                Ok((count > 0).then_some(buffer))
            }
        }
    }

    async fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut size = String::new();
        self.stream.read_line(&mut size).await?;
        let size =
            usize::from_str_radix(size.trim().split(';').next().unwrap_or_default(), 16).map_err(io::Error::other)?;
        let mut data = vec![0; size + 2];
        self.stream.read_exact(&mut data).await?;
        data.truncate(size);
        Ok((size > 0).then_some(data))
    }

    /// Reads a body to its end.
    pub async fn body(&mut self, mut framing: Framing) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece(&mut framing).await? {
            body.extend(piece);
        }
        Ok(body)
    }

    /// Reads one whole answer to a request of this method.
    pub async fn answer(&mut self, method: &str) -> io::Result<Answer> {
        let read = async {
            let (status, headers) = self.status().await?;
            let body = self.body(answer_framing(method, status, &headers)).await?;
            Ok(Answer { status, headers, body })
        };
        tokio::time::timeout(PATIENCE, read).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// Reads so many bytes.
    pub async fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    /// Reads an answer's head alone.
    pub async fn status(&mut self) -> io::Result<(u16, Headers)> {
        let (start, headers) = self.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = start.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok((status.ok_or_else(|| io::Error::other(format!("not a status line: {start}")))?, headers))
    }
}

/// The framing of an answer, RFC 9112 section 6.3.
pub fn answer_framing(method: &str, status: u16, headers: &Headers) -> Framing {
    match (method, status) {
        ("HEAD", _) | (_, 100..=199 | 204 | 304) => Framing::Length(0),
        _ => framing(headers).unwrap_or(Framing::Close),
    }
}

/// The framing that the fields state.
pub fn framing(headers: &Headers) -> Option<Framing> {
    if headers.get("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Some(Framing::Chunked);
    }
    headers.get("content-length").and_then(|value| value.parse().ok()).map(Framing::Length)
}

/// A request as a browser or a program would write it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Request target: path and query.
    pub target: String,
    /// Fields, `Host` among them.
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &str, host: &str, target: &str) -> Self {
        let headers = Headers(vec![("Host".into(), host.into())]);
        Self { method: method.into(), target: target.into(), headers, body: Vec::new() }
    }

    /// Adds a field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.0.push((name.into(), value.into()));
        self
    }

    /// Leaves a field out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n{}", self.method, self.target, self.headers.lines());
        if !self.body.is_empty() || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") {
            head = format!("{head}Content-Length: {}\r\n", self.body.len());
        }
        head.push_str("\r\n");
        [head.into_bytes(), self.body.clone()].concat()
    }

    /// Sends it on a connection of its own and reads the answer.
    pub async fn send(&self, port: u16) -> io::Result<Answer> {
        let mut conn = Conn::open(port).await?;
        conn.write(self.bytes()).await?;
        conn.answer(&self.method).await
    }
}

/// Sends raw bytes and gives back whatever comes until the peer closes or a second passes without a byte.
pub async fn raw(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the listener answers");
    stream.write_all(bytes).await.expect("the listener reads");
    let mut all = Vec::new();
    let mut buffer = vec![0; 65_536];
    while let Ok(Ok(count @ 1..)) = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut buffer)).await {
        all.extend_from_slice(&buffer[..count]);
    }
    all
}

/// What came back on a connection of its own.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// Whether the peer closed; otherwise it kept silent for a second.
    pub closed: bool,
}

impl Heard {
    /// The one answer that this must be.
    pub fn answer(&self) -> io::Result<Answer> {
        let text = String::from_utf8_lossy(&self.bytes);
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("no answer"))?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|start| start.split(' ').nth(1)?.parse().ok());
        let fields = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into()));
        Ok(Answer {
            status: status.ok_or_else(|| io::Error::other("no status"))?,
            headers: Headers(fields.collect()),
            body: body.as_bytes().to_vec(),
        })
    }
}

/// Sends raw bytes in so many pieces, and hears the peer out. It may close before it has read them all.
pub async fn talk(port: u16, bytes: &[u8], pieces: usize) -> Heard {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the listener answers");
    stream.set_nodelay(true).expect("a socket");
    for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let mut heard = Heard { bytes: Vec::new(), closed: false };
    let mut buffer = vec![0; 65_536];
    while let Ok(read) = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut buffer)).await {
        let Ok(count @ 1..) = read else {
            heard.closed = true;
            break;
        };
        heard.bytes.extend_from_slice(&buffer[..count]);
    }
    heard
}
