//! Hints between nodes by NOTIFY: without content, after the commit and in a transaction of their own, since one that
//! notifies holds up every other that does (PostgreSQL, src/backend/commands/async.c). Where the server has none, or one
//! is lost, the log is polled all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Mutex;

const CHANNEL: &str = "cloakroom";
/// The wait before a new connection, where one broke.
const AGAIN: Duration = Duration::from_secs(1);
/// A silent connection may be dead: after so long a new one is made.
const SILENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Hints {
    pool: PgPool,
    listener: Mutex<Option<PgListener>>,
    /// Whether a hint is on its way, which then tells of what is committed meanwhile too.
    sending: Arc<AtomicBool>,
}

impl Hints {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, listener: Mutex::new(None), sending: Arc::default() }
    }

    /// Tells the other nodes that there is news; nobody waits for it.
    pub(super) fn give(&self, through: &PgPool) {
        if self.sending.swap(true, Relaxed) {
            return;
        }
        let (pool, sending) = (through.clone(), Arc::clone(&self.sending));
        #[expect(clippy::disallowed_methods, reason = "a hint that a drain cuts off is one that was lost")]
        let told = tokio::spawn(async move {
            // What is committed from here on starts another.
            sending.store(false, Relaxed);
            if let Err(error) = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&pool).await {
                tracing::debug!(%error, "a hint was not given");
            }
        });
        drop(told);
    }

    /// Waits for a hint.
    pub(super) async fn wait(&self) {
        let mut listener = self.listener.lock().await;
        loop {
            if listener.is_none() {
                *listener = self.listen().await.ok();
            }
            let Some(open) = listener.as_mut() else {
                tokio::time::sleep(AGAIN).await;
                continue;
            };
            match tokio::time::timeout(SILENCE, open.try_recv()).await {
                Ok(Ok(Some(_))) => return,
                // Broken, closed, or silent for long: hints may have been lost.
                Ok(Ok(None) | Err(_)) | Err(_) => *listener = None,
            }
        }
    }

    async fn listen(&self) -> sqlx::Result<PgListener> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }
}
