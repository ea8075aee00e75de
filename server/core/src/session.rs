//! A session's life: started by a verified login, opened on every call, refreshed ahead of expiry, ended once.
//!
//! [`Sessions`] is the one place where it all happens; each step is a file of its own.

pub mod end;
pub mod erase;
pub mod exchange;
pub mod follow;
mod forget;
pub mod id;
pub mod limit;
pub mod locks;
pub mod mobile;
pub mod open;
mod opened;
pub mod provider_logout;
pub mod record;
pub mod refresh;
pub mod revocation;
pub mod start;
pub mod succession;
pub mod sweep;
pub mod telling;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use quick_cache::sync::Cache;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};

use crate::audit::event::Journal;
use crate::clock::{Clock, UnixMs};
use crate::figures::{Figures, MINUTE_MS};
use crate::keys::Keys;
use crate::oidc::Provider;
use crate::random::Random;
use crate::store::{Measure, Store, StoreResult};
use crate::vault::{SessionVault, TokenSeal};
use follow::{Shared, Trust};
use id::SessionId;
use limit::Turns;
use open::Live;
use succession::Successions;

/// What sessions are made of and live by. All of it comes from the composition root.
#[derive(Clone)]
pub struct Parts {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// What other nodes do there, where they share the store.
    pub shared: Option<Shared>,
    /// Seals their values.
    pub vault: SessionVault,
    /// The key ring's keeper.
    pub keys: Arc<Keys>,
    /// The audit log.
    pub journal: Arc<Journal>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The identity providers by id.
    pub providers: BTreeMap<String, Arc<Provider>>,
    /// Where work goes on that no caller waits for, or that must outlive its caller (S3).
    pub background: Handle,
}

/// All sessions of this node: those in use in memory, the rest in the store.
pub struct Sessions {
    parts: Parts,
    tokens: TokenSeal,
    live: Cache<SessionId, Arc<Live>>,
    trust: Arc<Trust>,
    seen: mpsc::UnboundedSender<(SessionId, UnixMs)>,
    successions: Successions,
    turns: Turns,
    /// How many sessions were taken out of memory: who puts one in can tell whether it may have been this one.
    forgotten: AtomicU64,
    /// Wakes whoever tells providers of ended sessions.
    to_tell: Notify,
    figures: Figures,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("cached", &self.live.len()).finish_non_exhaustive()
    }
}

/// Last-seen moments on their way to the store; the composition root flushes them once a second.
pub struct SeenQueue {
    store: Arc<dyn Store>,
    queue: mpsc::UnboundedReceiver<(SessionId, UnixMs)>,
}

impl std::fmt::Debug for SeenQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SeenQueue")
    }
}

impl SeenQueue {
    /// Writes what has gathered, in one unit of work.
    ///
    /// # Errors
    /// As the store's; what had gathered is then lost, and comes again a minute later.
    pub async fn flush(&mut self) -> StoreResult<()> {
        let mut seen = Vec::new();
        while let Ok(one) = self.queue.try_recv() {
            seen.push(one);
        }
        if seen.is_empty() { Ok(()) } else { self.store.touch(seen).await }
    }
}

impl Sessions {
    /// Sessions over their parts; at most `cached` of them in memory.
    #[must_use]
    pub fn new(parts: Parts, cached: usize) -> (Arc<Self>, SeenQueue) {
        let (seen, queue) = mpsc::unbounded_channel();
        let flush = SeenQueue { store: Arc::clone(&parts.store), queue };
        (
            Arc::new(Self {
                tokens: TokenSeal::new(parts.vault.key_ring()),
                trust: Arc::new(Trust::new(parts.shared.as_ref().map(|shared| shared.reread), parts.clock.now())),
                parts,
                live: Cache::new(cached),
                seen,
                successions: Successions::default(),
                turns: Turns::default(),
                forgotten: AtomicU64::new(0),
                to_tell: Notify::new(),
                figures: Figures::default(),
            }),
            flush,
        )
    }

    /// How many sessions are in memory.
    #[must_use]
    pub fn cached_count(&self) -> usize {
        self.live.len()
    }

    /// The store behind them.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.parts.store
    }

    /// Counts something of a client and a provider.
    pub fn count(&self, measure: Measure, of: (&str, &str, &str), n: u64) {
        self.figures.count(self.now(), measure, of, n);
    }

    /// Writes what was counted. What the store does not take is written with what comes next.
    ///
    /// # Errors
    /// As the store's.
    pub async fn write_figures(&self) -> StoreResult<()> {
        let taken = self.figures.take();
        if taken.is_empty() {
            return Ok(());
        }
        let written = self.parts.store.add_figures(taken.clone(), self.now().0.div_euclid(MINUTE_MS)).await;
        if written.is_err() {
            self.figures.give_back(taken);
        }
        written
    }

    /// The audit log.
    #[must_use]
    pub fn journal(&self) -> &Arc<Journal> {
        &self.parts.journal
    }

    /// Makes and reads the tokens of mobile apps.
    #[must_use]
    pub const fn token_seal(&self) -> &TokenSeal {
        &self.tokens
    }

    /// The vault.
    #[must_use]
    pub const fn vault(&self) -> &SessionVault {
        &self.parts.vault
    }

    /// The key ring's keeper.
    #[must_use]
    pub fn keys(&self) -> &Arc<Keys> {
        &self.parts.keys
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        self.parts.clock.now()
    }

    /// Time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    /// Every provider.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.parts.providers.values()
    }

    /// A provider by its id.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&Arc<Provider>> {
        self.parts.providers.get(id)
    }
}
