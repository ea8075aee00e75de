//! An API behind the gateway that records what reached it and answers as a test tells it to.

use crate::websocket;
use crate::wire::{Conn, Headers, framing};
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// One request as the API received it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Method.
    pub method: String,
    /// Request target, byte for byte.
    pub target: String,
    /// Fields.
    pub headers: Headers,
    /// The body so far: it grows while the request is being read.
    pub body: Vec<u8>,
}

/// How the API answers a path.
#[derive(Clone, Debug)]
pub enum Script {
    /// These bytes, as they are, then the connection closes.
    Raw(String),
    /// One piece after another with a pause between, chunked: an event stream, a slow download.
    Drip {
        /// Media type.
        content_type: String,
        /// The pieces.
        pieces: Vec<String>,
        /// Milliseconds between two of them.
        pause_ms: u64,
    },
    /// These bytes, and then WebSocket frames: what comes is echoed, and `push N` answered by one frame of N bytes.
    WebSocket(String),
    /// The same, but only after so many milliseconds.
    LateWebSocket(String, u64),
    /// Never an answer.
    Hang,
    /// The connection closes after the request.
    Close,
}

impl Script {
    /// A complete answer with this head (status line's rest and fields, one a line) and body.
    pub fn answer(status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let fields: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let fields = fields.concat();
        Self::Raw(format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()))
    }
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    scripts: Vec<(String, Script)>,
    broken_off: usize,
    connections: usize,
}

/// The recording API. Its tasks end with the test's runtime.
#[derive(Clone)]
pub struct Upstream {
    state: Arc<Mutex<State>>,
    port: u16,
}

impl Upstream {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let upstream = Self { state: Arc::default(), port: listener.local_addr().unwrap().port() };
        let accepting = upstream.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                accepting.state.lock().unwrap().connections += 1;
                let serving = accepting.clone();
                tokio::spawn(async move { serving.serve(Conn::over(socket)?).await });
            }
        });
        upstream
    }

    /// Where it listens.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answers paths with this prefix by a script; the last one set wins.
    pub fn script(&self, prefix: &str, script: Script) {
        self.state.lock().unwrap().scripts.push((prefix.to_owned(), script));
    }

    /// Every request so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The newest request.
    pub fn last(&self) -> Call {
        self.calls().pop().expect("a request reached the API")
    }

    /// How many connections it took.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// How many answers the gateway did not take to their end.
    pub fn broken_off(&self) -> usize {
        self.state.lock().unwrap().broken_off
    }

    async fn serve(&self, mut conn: Conn) -> io::Result<()> {
        while let Some((start, headers)) = conn.head().await? {
            let mut parts = start.split(' ').map(str::to_owned);
            let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let call = Call { method, target, headers, body: Vec::new() };
            let index = self.record(call.clone());
            if let Some(mut body) = framing(&call.headers) {
                while let Some(piece) = conn.piece(&mut body).await? {
                    self.state.lock().unwrap().calls[index].body.extend(piece);
                }
            }
            let script = self.script_for(&call.target);
            let Some(script) = script else {
                conn.write(echo(&call)).await?;
                continue;
            };
            let played = play(&mut conn, script).await;
            if played.is_err() {
                self.state.lock().unwrap().broken_off += 1;
            }
            return played;
        }
        Ok(())
    }

    fn record(&self, call: Call) -> usize {
        let mut state = self.state.lock().unwrap();
        state.calls.push(call);
        state.calls.len() - 1
    }

    fn script_for(&self, target: &str) -> Option<Script> {
        let state = self.state.lock().unwrap();
        state.scripts.iter().rev().find(|(prefix, _)| target.starts_with(prefix)).map(|(_, script)| script.clone())
    }
}

/// What arrived, as JSON: the same shape as the demo API's `/api/echo`.
fn echo(call: &Call) -> String {
    let fields = call.headers.0.iter().map(|(name, value)| (name.to_lowercase(), Value::from(value.as_str())));
    let body =
        json!({ "method": call.method, "path": call.target, "headers": fields.collect::<serde_json::Map<_, _>>() });
    let body = if call.method == "HEAD" { String::new() } else { body.to_string() };
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn play(conn: &mut Conn, script: Script) -> io::Result<()> {
    match script {
        Script::Raw(bytes) => conn.write(bytes).await,
        Script::Close => Ok(()),
        Script::WebSocket(head) => {
            conn.write(head).await?;
            websocket::echo(conn).await
        }
        Script::LateWebSocket(head, wait_ms) => {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            conn.write(head).await?;
            websocket::echo(conn).await
        }
        Script::Hang => std::future::pending().await,
        Script::Drip { content_type, pieces, pause_ms } => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n");
            conn.write(head).await?;
            for piece in pieces {
                conn.write(format!("{:x}\r\n{piece}\r\n", piece.len())).await?;
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            conn.write("0\r\n\r\n").await
        }
    }
}
