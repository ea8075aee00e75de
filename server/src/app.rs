//! The composition root: the one place that knows every room. Makes the parts, starts the workers and the control
//! runtime, and drains them.

mod build;
mod refusals;
mod running;
mod upkeep;
pub mod witness;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::runtime::{Handle, Runtime};
use tokio_rustls::TlsConnector;

use cloakroom_core::clock::Clock;
use cloakroom_core::http::HttpClient;
use cloakroom_core::oidc::Provider;
use cloakroom_core::random::{Random, SystemRandom};
use cloakroom_core::session::Sessions;
use cloakroom_core::store::Store;
use cloakroom_core::vault::KeyRing;
use cloakroom_store::{Postgres, Sqlite};

use crate::clock::SystemClock;
use crate::config::{self, Config};
use crate::outbound::{Egress, Outbound};
use crate::proxy::upstream::is_localhost;
use crate::telemetry::logs;

pub use running::Running;

/// Threads of the control runtime.
const CONTROL_THREADS: usize = 2;

/// What comes from outside the program; a test hands in its own.
#[derive(Clone)]
pub struct Ambient {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Outbound calls.
    pub http: Arc<dyn HttpClient>,
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ambient")
    }
}

impl Ambient {
    /// The machine's own.
    ///
    /// # Errors
    /// When outbound TLS cannot be set up.
    pub fn system() -> anyhow::Result<Self> {
        Ok(Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            http: Arc::new(Outbound::new(&Egress::default())?),
        })
    }
}

/// The runtime that owns the store, calls to providers, and Cloakroom's own endpoints.
///
/// # Errors
/// When threads cannot be started.
pub fn control_runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()
}

/// The configured providers, as the gateway would make them; none is called yet.
///
/// # Errors
/// When one cannot work from this machine.
pub fn providers(config: &Config, ambient: &Ambient) -> anyhow::Result<BTreeMap<String, Arc<Provider>>> {
    build::providers(config, ambient)
}

/// Connects to an upstream once, with the TLS handshake where it wants one.
///
/// # Errors
/// Why it does not take connections.
pub async fn connect(upstream: &config::Upstream) -> anyhow::Result<()> {
    let url = &upstream.url;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let name = if is_localhost(host) { "127.0.0.1" } else { host };
    let socket = TcpStream::connect((name, url.port_or_known_default().unwrap_or(80))).await?;
    if url.scheme() == "https" {
        let named = host.to_owned().try_into()?;
        drop(TlsConnector::from(upstream.trust.client_config()?).connect(named, socket).await?);
    }
    Ok(())
}

/// Opens the store and brings it up to date: a file for this process alone, a database beside other nodes.
///
/// # Errors
/// When it cannot be opened, or another process holds the file.
pub async fn open_store(config: &Config, background: &Handle) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &config.store {
        config::Store::Sqlite(path) => Arc::new(Sqlite::open(path, background).await?),
        config::Store::Postgres { settings, .. } => Arc::new(Postgres::open(settings).await?),
    })
}

/// The sessions of a store, for a command.
///
/// # Errors
/// When the root key does not open it.
pub async fn sessions(
    config: &Config,
    ambient: &Ambient,
    store: Arc<dyn Store>,
    background: &Handle,
) -> anyhow::Result<Arc<Sessions>> {
    Ok(build::sessions(config, ambient, store, background).await?.0)
}

/// The store's key ring, for a command.
///
/// # Errors
/// When the root key does not open it.
pub async fn key_ring(config: &Config, ambient: &Ambient, store: &Arc<dyn Store>) -> anyhow::Result<Arc<KeyRing>> {
    Ok(build::keyed(config, ambient, store).await?.ring)
}

/// Opens the store for reading, beside a running gateway.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_store_for_reading(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &config.store {
        config::Store::Sqlite(path) => Arc::new(Sqlite::open_read_only(path).await?),
        config::Store::Postgres { settings, .. } => Arc::new(Postgres::open_read_only(settings).await?),
    })
}

/// Runs the gateway until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// When it cannot start. Once it listens, it goes on.
pub fn serve(config: Config) -> anyhow::Result<()> {
    logs::start(config.log.format, &config.log.filter)?;
    let control = control_runtime()?;
    control.block_on(async {
        // Watched before anybody can hear that we are ready: a SIGTERM right then must drain too.
        let stop = stop_signal()?;
        let mut running = Running::start(config, Ambient::system()?).await?;
        tracing::info!(listen = %running.address(), management = %running.management(), "serving");
        tokio::select! {
            () = stop => {}
            // At once: whatever is served from now on may have been ended.
            () = running.fell_back() => anyhow::bail!("the store went back to what it was before; it is not served"),
        }
        tracing::info!("draining");
        running.drain().await;
        Ok(())
    })
}

/// Watches for SIGTERM and SIGINT from now on; what it gives back ends when one has come.
///
/// # Errors
/// When signals cannot be watched.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}
