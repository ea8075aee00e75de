//! An upstream that follows a script, byte for byte, and a worker's client before it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

use super::super::exchange::{RequestBody, exchange};
use super::super::{Pool, Upstream, UpstreamError};
use crate::edge::body::Body;
use crate::proxy::hygiene::{Forward, write_head};

/// What an upstream does with one connection, step by step; at the script's end it closes.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Reads on to the end of this text.
    Hear(&'static str),
    /// Reads on for so many bytes.
    HearBytes(usize),
    /// Reads until the other side ends.
    HearEnd,
    Say(Vec<u8>),
    /// Says so in pieces of one byte.
    Drip(Vec<u8>),
    /// Lets all others go on for a while.
    Pause,
    /// Breaks the connection.
    Reset,
    /// Keeps it open, silent.
    Stay,
}

pub(super) fn say(text: &str) -> Step {
    Step::Say(text.into())
}

/// Reads one head without a body.
pub(super) const HEAD: Step = Step::Hear("\r\n\r\n");

/// A complete answer of `length` bytes.
pub(super) fn ok(body: &str) -> Step {
    say(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// A whole answer, or the code of what went wrong: before the head, or behind it.
pub(super) type Asked = Result<(StatusCode, HeaderMap, Result<Vec<u8>, &'static str>), &'static str>;

#[derive(Clone)]
pub(super) struct Rig {
    pub(super) pool: Rc<Pool>,
    pub(super) upstream: Rc<Upstream>,
    /// What was heard, by connection.
    heard: Rc<RefCell<Vec<Vec<u8>>>>,
    /// Connections whose other side ended.
    ended: Rc<Cell<usize>>,
}

/// Runs a test on a worker's kind of runtime, with ticks.
pub(super) fn on_a_worker<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let limited = async { tokio::time::timeout(Duration::from_mins(1), test).await.expect("the test ends") };
    LocalSet::new().block_on(&runtime, limited)
}

/// Lets all others go on for a while.
pub(super) async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

impl Rig {
    /// Starts an upstream: the first connection gets the first script, and so on; any more are closed at once.
    pub(super) async fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let rig = Self::at(port);
        let served = rig.clone();
        spawn_local(async move {
            let mut scripts = scripts.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                let number = served.heard.borrow().len();
                served.heard.borrow_mut().push(Vec::new());
                let script = scripts.next().unwrap_or_default();
                let served = served.clone();
                spawn_local(async move { served.play(number, stream, script).await });
            }
        });
        rig
    }

    /// A client for whatever listens on a port.
    pub(super) fn at(port: u16) -> Self {
        let upstream = Upstream {
            number: 1,
            id: "api".into(),
            host: "api.localhost".into(),
            port,
            authority: format!("api.localhost:{port}").into(),
            tls: None,
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(20),
        };
        let pool: Rc<Pool> = Rc::default();
        let ticking = Rc::downgrade(&pool);
        spawn_local(async move {
            while let Some(pool) = ticking.upgrade() {
                pool.tick();
                drop(pool);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        Self { pool, upstream: Rc::new(upstream), heard: Rc::default(), ended: Rc::default() }
    }

    async fn play(&self, number: usize, mut stream: TcpStream, script: Vec<Step>) {
        // So much of what was heard the script has dealt with.
        let mut done = 0;
        for step in script {
            let outcome = match step {
                Step::Hear(end) => {
                    let at = |heard: &[u8]| heard.windows(end.len()).position(|part| part == end.as_bytes());
                    self.hear(number, &mut stream, &mut done, |heard| at(heard).map(|at| at + end.len())).await
                }
                Step::HearBytes(n) => {
                    self.hear(number, &mut stream, &mut done, |heard| (heard.len() >= n).then_some(n)).await
                }
                Step::HearEnd => {
                    let outcome = self.hear(number, &mut stream, &mut done, |_| None).await;
                    self.ended.set(self.ended.get() + 1);
                    outcome
                }
                Step::Say(bytes) => stream.write_all(&bytes).await.is_ok(),
                Step::Drip(bytes) => {
                    for byte in bytes {
                        drop(stream.write_all(&[byte]).await);
                        tokio::task::yield_now().await;
                    }
                    true
                }
                Step::Pause => {
                    pause().await;
                    true
                }
                Step::Reset => {
                    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a socket");
                    false
                }
                Step::Stay => std::future::pending().await,
            };
            if !outcome {
                return;
            }
        }
    }

    async fn hear(
        &self,
        number: usize,
        stream: &mut TcpStream,
        done: &mut usize,
        enough: impl Fn(&[u8]) -> Option<usize>,
    ) -> bool {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(n) = enough(&self.heard.borrow()[number][*done..]) {
                *done += n;
                return true;
            }
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return false,
                Ok(n) => self.heard.borrow_mut()[number].extend_from_slice(&buffer[..n]),
            }
        }
    }

    /// What each connection heard, as text.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.borrow().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// How many connections the client made.
    pub(super) fn connections(&self) -> usize {
        self.heard.borrow().len()
    }

    /// How many of them wait for another exchange.
    pub(super) fn idle(&self) -> usize {
        self.pool.idle(self.upstream.number)
    }

    /// How many connections the client was seen to close.
    pub(super) fn ended(&self) -> usize {
        self.ended.get()
    }

    /// Sends a request without a body, up to the answer's head.
    pub(super) async fn begin(&self, method: &Method) -> Result<(StatusCode, HeaderMap, Body), UpstreamError> {
        let write =
            |out: &mut Vec<u8>| out.extend_from_slice(format!("{method} / HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
        let (head, body) = exchange(&self.pool, &self.upstream, method, write, RequestBody::None).await?;
        Ok((head.status, head.headers, body))
    }

    /// Sends a request without a body and reads the answer whole.
    pub(super) async fn ask(&self, method: &Method) -> Asked {
        let (status, headers, body) = self.begin(method).await.map_err(|error| error.code())?;
        let body = body.collect().await.map(|body| body.to_bytes().to_vec()).map_err(|error| error.code());
        Ok((status, headers, body))
    }

    /// Asks with GET; the body, or what went wrong.
    pub(super) async fn get(&self) -> Result<String, &'static str> {
        let (_, _, body) = self.ask(&Method::GET).await?;
        Ok(String::from_utf8(body?).expect("UTF-8"))
    }

    /// A gateway's front: hyper's server before the client, as on a worker.
    pub(super) async fn front(&self, limit: u64) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let rig = self.clone();
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let rig = rig.clone();
                let service = hyper::service::service_fn(move |request| {
                    let rig = rig.clone();
                    async move { Ok::<_, std::convert::Infallible>(rig.forward(request, limit).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                spawn_local(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        address
    }

    async fn forward(&self, request: Request<Incoming>, limit: u64) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let (body, body_len) = match body.size_hint().exact() {
            Some(0) => (RequestBody::None, Some(0)),
            Some(length) => (RequestBody::Known { body, length }, Some(length)),
            None => (RequestBody::Chunked { body, limit }, None),
        };
        let (authority, scheme) = (HeaderValue::from_static("app.example"), HeaderValue::from_static("http"));
        let forward = Forward {
            host: b"api",
            authorization: None,
            peer: Ipv4Addr::LOCALHOST.into(),
            site: (&authority, &scheme),
            request_id: &[b'f'; 32],
            body_len,
            websocket: false,
        };
        let write = |out: &mut Vec<u8>| write_head(out, &parts, &forward);
        match exchange(&self.pool, &self.upstream, &parts.method, write, body).await {
            Ok((head, body)) => {
                let mut response = Response::new(body);
                *response.status_mut() = head.status;
                *response.headers_mut() = head.headers;
                response
            }
            Err(error) => {
                let mut response = Response::new(Body::from(error.code().to_owned()));
                *response.status_mut() = error.status();
                response
            }
        }
    }
}

/// Says `text` to a front and hears it out.
pub(super) async fn talk(front: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(front).await.expect("connects");
    stream.write_all(text.as_bytes()).await.expect("writes");
    let mut heard = Vec::new();
    drop(stream.read_to_end(&mut heard).await);
    String::from_utf8(heard).expect("UTF-8")
}
