//! The one writer: units of work that come together are committed together, each in a savepoint of its own. Answers
//! are sent after the commit, so that what was answered is on disk.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use cloakroom_core::store::{StoreError, StoreResult};

use super::store_error;

/// Units committed together at most.
const BATCH: usize = 256;
/// Units that wait; beyond them callers wait [`PATIENCE`] for a place.
const QUEUE: usize = 4_096;
const PATIENCE: Duration = Duration::from_secs(5);
/// What is answered while the file is copied, and after.
const FROZEN: &str = "the store takes no writes: its sessions go elsewhere";

/// The way to the writing task.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    counts: Arc<Counts>,
    frozen: Arc<AtomicBool>,
}

/// What the writing task owns, and hands back when its queue is closed and empty. The lock lasts as long as the
/// connection, also where the store is dropped without being closed.
#[derive(Debug)]
pub(super) struct Hands {
    pub(super) connection: SqliteConnection,
    pub(super) lock: File,
}

#[derive(Debug, Default)]
struct Counts {
    units: AtomicU64,
    commits: AtomicU64,
}

/// A unit of work in the queue.
#[async_trait]
trait Job: Send {
    /// Does the work; says why it is not to be kept.
    async fn run(&mut self, connection: &mut SqliteConnection) -> Result<(), String>;
    /// Tells the caller, once the batch is committed (`None`) or is not.
    fn answer(self: Box<Self>, failed: Option<&str>);
}

struct Unit<F, T> {
    work: Option<F>,
    outcome: Option<StoreResult<T>>,
    reply: oneshot::Sender<StoreResult<T>>,
}

#[async_trait]
impl<F, T> Job for Unit<F, T>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, sqlx::Result<T>> + Send,
    T: Send + 'static,
{
    async fn run(&mut self, connection: &mut SqliteConnection) -> Result<(), String> {
        let Some(work) = self.work.take() else { return Err("a unit of work runs once".into()) };
        let outcome = work(connection).await.map_err(store_error);
        let kept = outcome.as_ref().map(|_| ()).map_err(ToString::to_string);
        self.outcome = Some(outcome);
        kept
    }

    fn answer(self: Box<Self>, failed: Option<&str>) {
        let outcome = match (failed, self.outcome) {
            (None, Some(outcome)) => outcome,
            (Some(_), Some(Err(error))) => Err(error),
            (Some(why), _) => Err(StoreError::Unavailable(why.to_owned())),
            (None, None) => Err(StoreError::Unavailable("the unit of work was not run".into())),
        };
        if self.reply.send(outcome).is_err() {
            tracing::debug!("a caller did not wait for its answer");
        }
    }
}

impl Writer {
    pub(super) fn start(hands: Hands, background: &Handle) -> (Self, JoinHandle<Hands>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let counts = Arc::new(Counts::default());
        let frozen = Arc::new(AtomicBool::new(false));
        let ending = background.spawn(write(hands, waiting, Arc::clone(&counts), Arc::clone(&frozen)));
        (Self { queue: Mutex::new(Some(queue)), counts, frozen }, ending)
    }

    /// Runs a unit of work; answers after it is committed. The wait for a place in the queue is bounded; the wait for
    /// the answer is not, since a caller that gave up could not tell whether its work was kept.
    pub(super) async fn run<F, T>(&self, work: F) -> StoreResult<T>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, sqlx::Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let closed = || StoreError::Unavailable("the store is closed".into());
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(closed)?;
        let (reply, answer) = oneshot::channel();
        let unit = Unit { work: Some(work), outcome: None, reply };
        queue.send_timeout(Box::new(unit), PATIENCE).await.map_err(|error| match error {
            mpsc::error::SendTimeoutError::Timeout(_) => StoreError::Unavailable("too many writes wait".into()),
            mpsc::error::SendTimeoutError::Closed(_) => closed(),
        })?;
        drop(queue);
        answer.await.map_err(|_| closed())?
    }

    /// Refuses what comes from now on, after what came before is committed; or no longer.
    ///
    /// # Errors
    /// When what came before does not come to an end in time. Writes are taken then.
    pub(super) async fn freeze(&self, frozen: bool) -> StoreResult<()> {
        self.frozen.store(frozen, Relaxed);
        // Answered after every batch that was begun before, and while it is frozen with a refusal.
        match self.run(|_| Box::pin(async { Ok(()) })).await {
            Err(StoreError::Unavailable(why)) if frozen && why == FROZEN => {}
            Err(error) => {
                self.frozen.store(false, Relaxed);
                return Err(error);
            }
            Ok(()) => {}
        }
        tracing::info!(frozen, "the store takes no writes, or takes them again");
        Ok(())
    }

    /// Units that came and commits they took, so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.counts.units.load(Relaxed), self.counts.commits.load(Relaxed))
    }

    /// Takes no more work; what waits is still done.
    pub(super) fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

async fn write(
    mut hands: Hands,
    mut waiting: mpsc::Receiver<Box<dyn Job>>,
    counts: Arc<Counts>,
    frozen: Arc<AtomicBool>,
) -> Hands {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        if frozen.load(Relaxed) {
            batch.drain(..).for_each(|job| job.answer(Some(FROZEN)));
            continue;
        }
        counts.units.fetch_add(batch.len() as u64, Relaxed);
        let failed = commit_together(&mut hands.connection, &mut batch).await.err();
        match &failed {
            None => drop(counts.commits.fetch_add(1, Relaxed)),
            Some(error) => tracing::error!(error, units = batch.len(), "a batch of writes was not committed"),
        }
        for job in batch.drain(..) {
            job.answer(failed.as_deref());
        }
    }
    hands
}

/// Transactions are plain statements here: sqlx counts its own, and its count stays wrong for good when SQLite takes a
/// whole transaction back by itself, as it may when the disk is full.
async fn commit_together(connection: &mut SqliteConnection, batch: &mut [Box<dyn Job>]) -> Result<(), String> {
    execute(connection, "BEGIN IMMEDIATE").await?;
    let done = run_each(connection, batch).await;
    if done.is_err()
        && let Err(error) = execute(connection, "ROLLBACK").await
    {
        tracing::debug!(error, "SQLite had taken the transaction back already");
    }
    done
}

async fn run_each(connection: &mut SqliteConnection, batch: &mut [Box<dyn Job>]) -> Result<(), String> {
    let alone = batch.len() == 1;
    for job in batch {
        if alone {
            // Needs no savepoint: there is nothing beside it to keep.
            if job.run(connection).await.is_err() {
                return execute(connection, "ROLLBACK").await.or(Ok(()));
            }
            continue;
        }
        execute(connection, "SAVEPOINT unit").await?;
        if let Err(why) = job.run(connection).await {
            // Where SQLite has taken the whole transaction back, the savepoint is gone too.
            execute(connection, "ROLLBACK TO unit").await.map_err(|_| why)?;
        }
        execute(connection, "RELEASE unit").await?;
    }
    execute(connection, "COMMIT").await
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), String> {
    sqlx::query(statement).execute(connection).await.map(|_| ()).map_err(|error| error.to_string())
}
