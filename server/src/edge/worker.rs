//! A worker: one single-threaded runtime per core. A connection lives and dies on its worker; what cannot be answered
//! from memory is asked of the control runtime.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::Waker;

use axum::response::Response;
use http::HeaderMap;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::LocalSet;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::grant::OwnToken;
use cloakroom_core::machine::{Machine, MachineFault};
use cloakroom_core::oidc::grant::{GrantAsk, GrantFailure};
use cloakroom_core::session::exchange::ExchangeError;
use cloakroom_core::session::id::{SecretHash, SessionId};
use cloakroom_core::session::open::{Access, Live, Opened};
use cloakroom_core::session::record::Token;
use cloakroom_core::session::refresh::RefreshError;
use cloakroom_core::store::StoreError;

use super::bearer;
use super::client::Client;
use super::connection::{self, Connection};
use super::gate::Record;
use super::http2;
use super::own::OwnCall;
use super::problem::Refusal;
use super::proxy_protocol;
use super::ticket::{self, Claimed, Memo};
use super::watch::{Watch, Watched};
use crate::gateway::Gateway;
use crate::proxy::upstream::Pool;
use crate::proxy::upstream::deadline::TICK;
use crate::telemetry::metrics::WorkerCounts;

/// What a WebSocket copies at once.
const SCRATCH_BYTES: usize = 16 * 1024;

/// What a worker asks of the control runtime.
#[derive(Debug)]
pub enum Cold {
    /// A session that is not in memory.
    Open {
        /// Which.
        id: SessionId,
        /// The secret's hash.
        secret: SecretHash,
        /// Who presents it.
        from: IpAddr,
        /// The answer.
        reply: oneshot::Sender<Result<Opened, StoreError>>,
    },
    /// A fresh access token.
    Token {
        /// Whose.
        live: Arc<Live>,
        /// The answer.
        reply: oneshot::Sender<Result<Arc<Access>, RefreshError>>,
    },
    /// A token of the gateway's own.
    OwnToken {
        /// Which.
        own: Arc<OwnToken>,
        /// The answer.
        reply: oneshot::Sender<Result<Arc<Access>, GrantFailure>>,
    },
    /// A session's token, exchanged for another.
    Exchange {
        /// Whose.
        live: Arc<Live>,
        /// For what.
        ask: Arc<GrantAsk>,
        /// The answer.
        reply: oneshot::Sender<Result<Arc<Access>, ExchangeError>>,
    },
    /// Whose token a machine's is.
    Machine {
        /// The token.
        token: Token,
        /// The answer.
        reply: oneshot::Sender<Result<Arc<Machine>, MachineFault>>,
    },
    /// The stored key ring, for a cookie under a key that is not known here.
    Keys {
        /// Whether there is a new ring.
        reply: oneshot::Sender<Result<bool, StoreError>>,
    },
    /// One of Cloakroom's own endpoints.
    Own {
        /// The call.
        call: Box<OwnCall>,
        /// The answer.
        reply: oneshot::Sender<Response>,
    },
}

/// One worker's state.
pub struct Worker {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) memo: Memo,
    pub(crate) machines: bearer::Memo,
    pub(crate) pool: Rc<Pool>,
    pub(crate) counts: Arc<WorkerCounts>,
    /// What WebSockets copy through, each for the length of one poll.
    pub(crate) scratch: RefCell<Box<[u8]>>,
    watch: Rc<Watch>,
    control: mpsc::Sender<Cold>,
    ids: Ids,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}

/// Request ids: 64 random bits of the worker, then a counter. 32 hexadecimal digits.
struct Ids {
    prefix: u64,
    next: Cell<u64>,
}

/// What a worker needs to start.
#[derive(Debug)]
pub struct Seat {
    /// Connections on their way to it.
    pub connections: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    /// How many it holds.
    pub load: Arc<AtomicUsize>,
    /// Whether connections wait for a place.
    pub crowded: Arc<AtomicBool>,
    /// Its counts.
    pub counts: Arc<WorkerCounts>,
    /// The way to the control runtime.
    pub control: mpsc::Sender<Cold>,
    /// Turns true when the process drains.
    pub drain: watch::Receiver<bool>,
}

/// Runs a worker on this thread until the acceptor is gone and the last connection is closed.
///
/// # Errors
/// When the runtime cannot start.
pub fn run(gateway: Arc<Gateway>, seat: Seat) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(gateway, seat));
    Ok(())
}

async fn serve(gateway: Arc<Gateway>, seat: Seat) {
    let Seat { mut connections, load, crowded, counts, control, drain } = seat;
    let ids = Ids { prefix: u64::from_be_bytes(gateway.random.bytes()), next: Cell::new(0) };
    let worker = Rc::new(Worker {
        pool: Rc::default(),
        memo: Memo::default(),
        gateway,
        counts,
        scratch: RefCell::new(vec![0; SCRATCH_BYTES].into()),
        watch: Rc::default(),
        machines: bearer::Memo::default(),
        control,
        ids,
    });
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut accepting = true;
    while accepting || load.load(Relaxed) > 0 {
        tokio::select! {
            connection = connections.recv(), if accepting => match connection {
                Some((stream, peer)) => {
                    let (worker, load, drain) = (Rc::clone(&worker), Arc::clone(&load), drain.clone());
                    tokio::task::spawn_local(async move {
                        if let Err(error) = serve_connection(worker, stream, peer, drain).await {
                            tracing::debug!(%peer, %error, "a connection broke");
                        }
                        load.fetch_sub(1, Relaxed);
                    });
                }
                None => accepting = false,
            },
            _ = tick.tick() => worker.tick(crowded.load(Relaxed) || worker.gateway.is_draining()),
        }
    }
}

async fn serve_connection(
    worker: Rc<Worker>,
    stream: std::net::TcpStream,
    peer: SocketAddr,
    drain: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut stream = TcpStream::from_std(stream)?;
    stream.set_nodelay(true)?;
    let caller = proxy_protocol::caller(&worker.gateway.proxies, &worker.pool.ticks, &mut stream, peer.ip()).await?;
    let Some(tls) = worker.gateway.tls.clone() else {
        return connection::serve(Connection::new(worker, caller, None), stream, drain).await;
    };
    let (stream, secured) = tls.accept(stream).await?;
    let connection = Connection::new(worker, caller, Some(secured));
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        return http2::serve(connection, stream, drain).await;
    }
    connection::serve(connection, stream, drain).await
}

impl Worker {
    /// The present moment.
    pub(crate) fn now(&self) -> UnixMs {
        self.gateway.clock.now()
    }

    /// Moves the worker's clock: what is overdue is ended.
    fn tick(&self, crowded: bool) {
        self.pool.tick();
        self.watch.tick(self.pool.ticks.now(), &self.gateway.limits, crowded);
    }

    /// Watches a connection, whose task `waker` wakes, until what is given back goes.
    pub(super) fn watch(&self, record: &Arc<Record>, waker: &Waker) -> Watched {
        self.watch.over(record, waker, self.pool.ticks.now())
    }

    /// A new request id.
    pub(crate) fn next_id(&self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let n = self.ids.next.get().wrapping_add(1);
        self.ids.next.set(n);
        let mut out = [b'0'; 32];
        let number = (u128::from(self.ids.prefix) << 64) | u128::from(n);
        for (i, digit) in out.iter_mut().rev().enumerate() {
            *digit = *DIGITS.get((number >> (4 * i)) as usize & 15).unwrap_or(&b'0');
        }
        out
    }

    /// The session of a browser's request; `None` where no ticket of it opens. Of several tickets that of a session in use
    /// counts, wherever it stands (C3).
    pub(crate) async fn session(
        &self,
        client: &Client,
        headers: &HeaderMap,
        from: IpAddr,
    ) -> Result<Option<Opened>, Refusal> {
        let Some(first) = self.claimed(client, headers).await? else { return Ok(None) };
        let (sessions, now) = (&self.gateway.sessions, self.now());
        if let Some(live) = sessions.in_use(first.id, &first.secret, now) {
            return Ok(Some(Opened::Live(live)));
        }
        let all = self.memo.read_all(client, headers);
        if let Some(live) = all.iter().find_map(|claimed| sessions.in_use(claimed.id, &claimed.secret, now)) {
            return Ok(Some(Opened::Live(live)));
        }
        let mut found = Opened::Unknown;
        for claimed in all {
            found = found.or(self.open(claimed.id, claimed.secret, from).await?);
        }
        Ok(Some(found))
    }

    /// Who a request's first ticket says it is; a key that is not known here is looked for in the store (at most once a
    /// second).
    async fn claimed(&self, client: &Client, headers: &HeaderMap) -> Result<Option<Claimed>, Refusal> {
        let claimed = self.memo.read(client, headers);
        if claimed.is_some() || !ticket::names_unknown_key(client, headers) {
            return Ok(claimed);
        }
        let (reply, answer) = oneshot::channel();
        let anew = self.ask(Cold::Keys { reply }, answer).await??;
        Ok(if anew { self.memo.read(client, headers) } else { None })
    }

    /// Opens a session that is not in memory.
    pub(crate) async fn open(&self, id: SessionId, secret: SecretHash, from: IpAddr) -> Result<Opened, Refusal> {
        let (reply, answer) = oneshot::channel();
        Ok(self.ask(Cold::Open { id, secret, from, reply }, answer).await??)
    }

    /// A fresh access token, when the one in memory is not.
    pub(crate) async fn token(&self, live: Arc<Live>) -> Result<Result<Arc<Access>, RefreshError>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.ask(Cold::Token { live, reply }, answer).await
    }

    /// A token of the gateway's own, when the one in memory is not fresh.
    pub(crate) async fn own_token(&self, own: Arc<OwnToken>) -> Result<Result<Arc<Access>, GrantFailure>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.ask(Cold::OwnToken { own, reply }, answer).await
    }

    /// A session's token exchanged for another, when none is in memory.
    pub(crate) async fn exchanged(
        &self,
        live: Arc<Live>,
        ask: Arc<GrantAsk>,
    ) -> Result<Result<Arc<Access>, ExchangeError>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.ask(Cold::Exchange { live, ask, reply }, answer).await
    }

    /// Whose token this is, when that is not remembered.
    pub(crate) async fn machine(&self, token: Token) -> Result<Arc<Machine>, Refusal> {
        let (reply, answer) = oneshot::channel();
        Ok(self.ask(Cold::Machine { token, reply }, answer).await??)
    }

    /// The answer of an own endpoint.
    pub(crate) async fn own(&self, call: OwnCall) -> Result<Response, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.ask(Cold::Own { call: Box::new(call), reply }, answer).await
    }

    async fn ask<T>(&self, question: Cold, answer: oneshot::Receiver<T>) -> Result<T, Refusal> {
        const BUSY: Refusal = Refusal::TryLater { what: "the gateway's control", retry_after_secs: 1 };
        self.control.try_send(question).map_err(|_| BUSY)?;
        answer.await.map_err(|_| BUSY)
    }
}
