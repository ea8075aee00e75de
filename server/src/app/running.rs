//! A running gateway: workers on threads of their own, everything else on the control runtime.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

use cloakroom_core::audit::chain;
use cloakroom_core::session::{SeenQueue, Sessions};

use super::witness::{self, Witness};
use super::{Ambient, build, refusals, upkeep};
use crate::config::Config;
use crate::edge::listener::{self, Desk, Hall};
use crate::edge::own::Own;
use crate::edge::tls;
use crate::edge::worker::{self, Cold, Seat};
use crate::gateway::Gateway;
use crate::telemetry::health;
use crate::telemetry::metrics::WorkerCounts;

/// Questions of workers that wait for the control runtime; beyond them callers get 503.
const QUESTIONS: usize = 4_096;
/// Files that are no client's connection and no upstream's: store, listeners, providers, threads.
const OTHER_FILES: usize = 256;
/// How often what was counted is written.
const FIGURES_EVERY: Duration = Duration::from_secs(5);
/// How often the machine's clock is looked at and last-seen moments are written.
const SEEN_EVERY: Duration = Duration::from_secs(1);
/// How often what was refused is written down.
const REFUSED_EVERY: Duration = Duration::from_mins(1);
/// How often new audit events are linked.
const LINK_EVERY: Duration = Duration::from_millis(500);

/// A gateway that serves.
#[derive(Debug)]
pub struct Running {
    gateway: Arc<Gateway>,
    address: SocketAddr,
    management: SocketAddr,
    drain: watch::Sender<bool>,
    drain_limit: Duration,
    workers: Vec<JoinHandle<()>>,
    keeper: (oneshot::Sender<()>, tokio::task::JoinHandle<()>),
    following: tokio::task::AbortHandle,
    fell_back: oneshot::Receiver<()>,
}

impl Running {
    /// Starts to serve. Must be called on the control runtime.
    ///
    /// # Errors
    /// When the store, a key or an address is not to be had; nothing then runs.
    pub async fn start(config: Config, ambient: Ambient) -> anyhow::Result<Self> {
        let background = Handle::current();
        // Before anybody hears that the gateway is ready: a SIGHUP that nobody listens to would end it.
        let hangup = signal(SignalKind::hangup())?;
        let public = bind(config.server.listen, "server.listen").await?;
        let management = bind(config.server.management, "server.management").await?;
        let counts: Vec<_> = (0..config.server.workers).map(|_| Arc::new(WorkerCounts::default())).collect();
        let (gateway, seen) = build::gateway(&config, &ambient, &background, counts.clone()).await?;
        let witness = meet(&config, &gateway).await?;
        let following = upkeep::start(&gateway.sessions, &config, &background).await?;
        let (drain, drained) = watch::channel(false);
        let (questions, asked) = mpsc::channel(QUESTIONS);
        let crowded = Arc::new(AtomicBool::new(false));
        let mut desks = Vec::new();
        let mut workers = Vec::new();
        for (i, counts) in counts.into_iter().enumerate() {
            let (connections, coming) = mpsc::unbounded_channel();
            let load = Arc::new(AtomicUsize::new(0));
            desks.push(Desk { connections, load: Arc::clone(&load) });
            let (control, crowded, drain) = (questions.clone(), Arc::clone(&crowded), drained.clone());
            let seat = Seat { connections: coming, load, crowded, counts, control, drain };
            workers.push(start_worker(i, Arc::clone(&gateway), seat)?);
        }
        let (address, management_address) = (public.local_addr()?, management.local_addr()?);
        let health = health::router(Arc::clone(&gateway));
        drop(background.spawn(async move {
            if let Err(error) = axum::serve(management, health).await {
                tracing::error!(%error, "the management listener broke down");
            }
        }));
        drop(background.spawn(answer_questions(Arc::clone(&gateway), asked)));
        let hall = Hall { desks, places: places(config.server.max_connections), crowded };
        drop(background.spawn(listener::accept(public, hall, drained)));
        drop(background.spawn(tls::keep_fresh(gateway.tls.clone(), hangup)));
        let (stop, stopped) = oneshot::channel();
        let (tell, fell_back) = oneshot::channel();
        let witness = witness.map(|witness| (witness, tell));
        let keeper = background.spawn(keep(Arc::clone(&gateway), seen, witness, stopped));
        Ok(Self {
            gateway,
            address,
            management: management_address,
            drain,
            drain_limit: Duration::from_secs(config.server.drain_secs),
            workers,
            keeper: (stop, keeper),
            following,
            fell_back,
        })
    }

    /// Waits until the store no longer holds what it held: for good, as a rule.
    pub async fn fell_back(&mut self) {
        if (&mut self.fell_back).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The public listener's address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The management listener's address.
    #[must_use]
    pub const fn management(&self) -> SocketAddr {
        self.management
    }

    /// Takes no new connection, lets calls under way end (up to the configured limit), writes what is to be kept, and
    /// closes the store.
    pub async fn drain(self) {
        self.gateway.draining.store(true, Relaxed);
        self.drain.send_replace(true);
        let workers = self.workers;
        let ended = tokio::task::spawn_blocking(move || workers.into_iter().all(|worker| worker.join().is_ok()));
        if tokio::time::timeout(self.drain_limit, ended).await.is_err() {
            tracing::warn!(limit_secs = self.drain_limit.as_secs(), "calls still under way are cut off");
        }
        let (stop, keeper) = self.keeper;
        if stop.send(()).is_ok()
            && let Err(error) = keeper.await
        {
            tracing::error!(%error, "the last moments of the sessions were not written");
        }
        self.following.abort();
        self.gateway.sessions.store().close().await;
    }
}

/// Compares the store with what was last seen of it; refuses one that others went on from.
async fn meet(config: &Config, gateway: &Gateway) -> anyhow::Result<Option<Witness>> {
    if let Some(file) = config.store.file() {
        witness::refuse_moved(file)?;
    }
    match &config.witness {
        Some(path) => Witness::meet(path, &**gateway.sessions.store()).await.map(Some),
        None => Ok(None),
    }
}

async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{key} = \"{address}\": cannot listen there"))
}

/// How many client connections there may be: as many as configured, if the machine lets us open so many files. A quarter
/// is left for connections to upstreams, which idle clients do not need.
fn places(configured: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files stays as it is");
        }
    }
    let files = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let possible = (files.saturating_sub(OTHER_FILES) / 4 * 3).max(16);
    if possible < configured {
        tracing::info!(
            open_files = files,
            possible,
            configured,
            "the machine allows fewer connections than configured"
        );
    }
    configured.min(possible)
}

fn start_worker(i: usize, gateway: Arc<Gateway>, seat: Seat) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(format!("worker-{i}")).spawn(move || {
        if let Err(error) = worker::run(gateway, seat) {
            tracing::error!(%error, "a worker did not start");
        }
    })
}

/// Answers what workers ask, each question in a task of its own that outlives its caller.
async fn answer_questions(gateway: Arc<Gateway>, mut asked: mpsc::Receiver<Cold>) {
    let own = Own::new(&gateway);
    while let Some(question) = asked.recv().await {
        let (gateway, own) = (Arc::clone(&gateway), own.clone());
        drop(Handle::current().spawn(answer(gateway, own, question)));
    }
}

async fn answer(gateway: Arc<Gateway>, own: Own, question: Cold) {
    // A caller that hung up is not there for its answer; what was to be done is done all the same.
    let heard = match question {
        Cold::Open { id, secret, from, reply } => reply.send(gateway.sessions.present(id, &secret, from).await).is_ok(),
        Cold::Token { live, reply } => reply.send(gateway.sessions.fresh_token(&live).await).is_ok(),
        Cold::OwnToken { own, reply } => reply.send(own.get().await).is_ok(),
        Cold::Exchange { live, ask, reply } => reply.send(gateway.sessions.exchange(&live, &ask).await).is_ok(),
        Cold::Machine { token, reply } => reply.send(gateway.machines.verify(&token).await).is_ok(),
        Cold::Keys { reply } => reply.send(gateway.sessions.keys().reload_for_unknown_key().await).is_ok(),
        Cold::Own { call, reply } => reply.send(own.answer(*call).await).is_ok(),
    };
    if !heard {
        tracing::debug!("a caller did not wait for its answer");
    }
}

/// Writes last-seen moments and what was refused, and links audit events, until told to stop; then once more.
async fn keep(
    gateway: Arc<Gateway>,
    mut seen: SeenQueue,
    mut witness: Option<(Witness, oneshot::Sender<()>)>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut flush = tokio::time::interval(SEEN_EVERY);
    let mut link = tokio::time::interval(LINK_EVERY);
    let mut refused = tokio::time::interval(REFUSED_EVERY);
    let mut figures = tokio::time::interval(FIGURES_EVERY);
    let sessions = &gateway.sessions;
    loop {
        let last = tokio::select! {
            _ = flush.tick() => {
                gateway.clock.follow();
                write_seen(&mut seen).await;
                false
            }
            _ = link.tick() => {
                link_events(sessions).await;
                look_back(&mut witness, sessions).await;
                false
            }
            _ = refused.tick() => {
                refusals::write(&gateway).await;
                false
            }
            _ = figures.tick() => {
                write_figures(sessions).await;
                false
            }
            _ = &mut stopped => true,
        };
        if last {
            write_seen(&mut seen).await;
            refusals::write(&gateway).await;
            write_figures(sessions).await;
            link_events(sessions).await;
            look_back(&mut witness, sessions).await;
            return;
        }
    }
}

async fn write_figures(sessions: &Sessions) {
    if let Err(error) = sessions.write_figures().await {
        tracing::warn!(%error, "figures were not written; they wait for the next turn");
    }
}

async fn write_seen(seen: &mut SeenQueue) {
    if let Err(error) = seen.flush().await {
        tracing::warn!(%error, "last-seen moments were not written");
    }
}

async fn link_events(sessions: &Sessions) {
    if let Err(error) = chain::link_pending(&**sessions.store()).await {
        tracing::warn!(%error, "audit events wait to be linked");
    }
}

/// Looks whether the store still holds what it held; tells once where it does not.
async fn look_back(witness: &mut Option<(Witness, oneshot::Sender<()>)>, sessions: &Sessions) {
    let Some((seen, _)) = witness else { return };
    match seen.look(&**sessions.store()).await {
        Ok(true) => {}
        Ok(false) => {
            tracing::error!("the store went back to what it was before: a backup was restored under the gateway");
            if let Some((_, tell)) = witness.take()
                && tell.send(()).is_err()
            {
                tracing::debug!("the process ends already");
            }
        }
        Err(error) => tracing::debug!(%error, "how far the store is was not seen"),
    }
}
