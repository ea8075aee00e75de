//! Several nodes on one store: what others end is heard by the change log, and whatever becomes of the log, no session
//! is served from memory whose row was last read too long ago (F9), or before the process stood still (F11).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;

use super::Sessions;
use super::id::SessionId;
use super::open::{Access, Live};
use super::record::SealedSession;
use crate::clock::UnixMs;
use crate::store::{ChangeLog, Cursor, SessionRow, StoreResult};
use crate::vault::keyring::Change;

/// How often the log is looked at.
const POLL_EVERY: Duration = Duration::from_millis(50);
/// How often the process shows that it runs.
const BEAT_EVERY: Duration = Duration::from_millis(200);
/// A process that showed nothing for so long stood still (stopped, suspended): others went on meanwhile.
const STOOD_STILL_MS: i64 = 1_000;
/// Rows read anew by one statement.
const TOGETHER: usize = 1_000;

/// A store that others use as well.
#[derive(Clone)]
pub struct Shared {
    /// What they do.
    pub log: Arc<dyn ChangeLog>,
    /// A session is served from memory for so long after its row was read.
    pub reread: Duration,
}

/// How far memory may be trusted.
#[derive(Debug)]
pub(super) struct Trust {
    /// `None` where this process alone uses the store.
    reread_ms: Option<i64>,
    /// When the process last showed that it runs.
    beat_at: AtomicI64,
    /// What was read before is not to be relied on.
    since: AtomicI64,
}

impl Trust {
    pub(super) fn new(reread: Option<Duration>, now: UnixMs) -> Self {
        let reread_ms = reread.map(|reread| i64::try_from(reread.as_millis()).unwrap_or(i64::MAX));
        Self { reread_ms, beat_at: AtomicI64::new(now.0), since: AtomicI64::new(i64::MIN) }
    }

    /// Whether what was read then is too old: a wall clock that was set back makes it so too.
    fn is_old(&self, read_at: i64, now: UnixMs) -> bool {
        self.reread_ms.is_some_and(|most| now.0.saturating_sub(read_at).saturating_abs() > most)
    }

    fn stands_still(&self, now: UnixMs) -> bool {
        now.0.saturating_sub(self.beat_at.load(Relaxed)).saturating_abs() > STOOD_STILL_MS
    }

    /// Whether what was read then must be read anew before it is used.
    fn is_stale(&self, read_at: i64, now: UnixMs) -> bool {
        self.reread_ms.is_some()
            && (self.is_old(read_at, now) || read_at < self.since.load(Relaxed) || self.stands_still(now))
    }

    /// From now on nothing counts that was read before.
    fn doubt(&self, now: UnixMs) {
        self.since.store(now.0, Relaxed);
    }

    /// Shows that the process runs; answers whether it had stood still.
    fn beat(&self, now: UnixMs) -> bool {
        let stood_still = self.stands_still(now);
        if stood_still {
            self.doubt(now);
        }
        self.beat_at.store(now.0, Relaxed);
        stood_still
    }
}

impl Live {
    /// Whether its row must be read anew before it is used.
    pub(super) fn is_stale(&self, now: UnixMs) -> bool {
        self.trust.is_stale(self.read_at.load(Relaxed), now)
    }

    /// Whether a stream of it may go on: it was not ended, its time is not over, and the store has said so within the
    /// bound.
    #[must_use]
    pub fn may_go_on(&self, now: UnixMs) -> bool {
        !self.is_over(now) && !self.trust.is_old(self.read_at.load(Relaxed), now)
    }

    /// Its row was read at `at` and says so: other nodes may have used and renewed it.
    pub(super) fn catch_up(&self, row: &SessionRow, values: SealedSession, access: Option<Access>, at: UnixMs) {
        self.seen_at.fetch_max(row.summary.last_seen_at.0, Relaxed);
        let known = self.access().map_or(0, |access| access.generation);
        if access.as_ref().is_some_and(|access| access.generation > known) {
            self.adopt(values, access);
        }
        self.was_read(at);
    }

    /// Its row was read then, and it ran.
    pub(super) fn was_read(&self, at: UnixMs) {
        self.read_at.fetch_max(at.0, Relaxed);
    }

    /// Whether it was used since its row was read half a bound ago, or is in somebody's hands, such as a stream's.
    fn wants_reading(self: &Arc<Self>, now: UnixMs, half_ms: i64) -> bool {
        let read_at = self.read_at.load(Relaxed);
        let due = self.is_stale(now) || now.0.saturating_sub(read_at) > half_ms;
        // One is the cache's, one is the caller's.
        due && !self.is_succeeded() && (self.seen_at.load(Relaxed) > read_at || Arc::strong_count(self) > 2)
    }
}

async fn pass_hints_on(log: &dyn ChangeLog, hinted: &Notify) {
    loop {
        log.hinted().await;
        hinted.notify_one();
    }
}

impl Sessions {
    /// Begins to follow what other nodes do; to be called before the first session is read. What it gives back goes on
    /// for good, and ends at once where the store is this process's alone.
    ///
    /// # Errors
    /// As the store's.
    pub async fn follow(self: &Arc<Self>) -> StoreResult<impl Future<Output = ()> + Send + use<>> {
        let begun = match &self.parts.shared {
            Some(shared) => Some((shared.clone(), shared.log.end_of_log().await?)),
            None => None,
        };
        let sessions = Arc::clone(self);
        Ok(async move {
            let Some((shared, cursor)) = begun else { return };
            let hinted = Notify::new();
            futures_util::join!(
                sessions.show_life(),
                pass_hints_on(&*shared.log, &hinted),
                sessions.hear(&*shared.log, cursor, &hinted),
                sessions.read_anew_for_good(&shared),
            );
        })
    }

    async fn show_life(&self) {
        let mut tick = tokio::time::interval(BEAT_EVERY);
        loop {
            tick.tick().await;
            if self.trust.beat(self.now()) {
                tracing::info!("the process stood still: sessions are read anew");
            }
        }
    }

    /// Reads the log, each 50 ms and where another node hints.
    async fn hear(&self, log: &dyn ChangeLog, mut cursor: Cursor, hinted: &Notify) {
        let mut tick = tokio::time::interval(POLL_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut silent = false;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = hinted.notified() => {}
            }
            match self.hear_once(log, &mut cursor).await {
                Ok(()) => {
                    if silent {
                        tracing::info!("the change log is heard again");
                    }
                    silent = false;
                }
                Err(error) if !silent => {
                    tracing::warn!(%error, "the change log is not heard; sessions in memory go on within the bound");
                    silent = true;
                }
                Err(_) => {}
            }
        }
    }

    async fn hear_once(&self, log: &dyn ChangeLog, cursor: &mut Cursor) -> StoreResult<()> {
        loop {
            let changes = log.changes(cursor).await?;
            for id in changes.ended {
                // An old session that was stepped up counts for a moment yet.
                if self.cached(id).is_none_or(|live| !live.is_succeeded()) {
                    self.forget(id);
                }
            }
            if changes.any {
                tracing::info!("any session may have ended: they are read anew");
                self.trust.doubt(self.now());
                self.parts.journal.forget_all();
                self.read_anew(log, 0).await?;
            }
            if changes.keys {
                self.reload_keys().await;
            }
            *cursor = changes.cursor;
            if !changes.more {
                return Ok(());
            }
        }
    }

    /// Takes the stored key ring over, and forgets what was sealed under a key that is gone.
    pub async fn reload_keys(&self) {
        match self.keys().reload().await {
            Ok(Change::Retired) => self.forget_all(),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the stored key ring was not read"),
        }
    }

    async fn read_anew_for_good(&self, shared: &Shared) {
        let half_ms = i64::try_from(shared.reread.as_millis() / 2).unwrap_or(i64::MAX);
        let mut tick = tokio::time::interval((shared.reread / 8).max(BEAT_EVERY));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.read_anew(&*shared.log, half_ms).await {
                tracing::debug!(%error, "sessions wait to be read anew");
            }
        }
    }

    /// Reads the rows of sessions in use anew that were read longer ago, and forgets those that have ended.
    async fn read_anew(&self, log: &dyn ChangeLog, half_ms: i64) -> StoreResult<()> {
        let now = self.now();
        let due = self.live.iter().filter(|(_, live)| live.wants_reading(now, half_ms));
        let due: Vec<SessionId> = due.map(|(id, _)| id).collect();
        for ids in due.chunks(TOGETHER) {
            let at = self.now();
            let running: HashSet<SessionId> = log.running(ids.to_vec()).await?.into_iter().collect();
            for id in ids {
                if !running.contains(id) {
                    self.forget(*id);
                } else if let Some(live) = self.cached(*id) {
                    live.was_read(at);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust() -> Trust {
        Trust::new(Some(Duration::from_mins(1)), UnixMs(1_000_000))
    }

    #[test]
    fn f09_memory_counts_for_the_bound_and_no_longer() {
        let trust = trust();
        for (age_ms, stale) in [(0, false), (60_000, false), (60_001, true), (-60_000, false), (-60_001, true)] {
            let now = UnixMs(1_000_000);
            assert_eq!(trust.is_stale(now.0 - age_ms, now), stale, "{age_ms} ms");
        }
        let alone = Trust::new(None, UnixMs(0));
        assert!(!alone.is_stale(i64::MIN, UnixMs(i64::MAX)) && !alone.is_old(i64::MIN, UnixMs(i64::MAX)));
    }

    #[test]
    fn f11_what_was_read_before_a_standstill_does_not_count() {
        let trust = trust();
        let read_at = 1_000_000;
        assert!(!trust.is_stale(read_at, UnixMs(1_001_000)));
        // Before anything has run again, and after the first beat.
        assert!(trust.is_stale(read_at, UnixMs(1_001_001)));
        assert!(trust.beat(UnixMs(1_005_000)));
        assert!(trust.is_stale(read_at, UnixMs(1_005_001)));
        assert!(!trust.is_stale(1_005_000, UnixMs(1_005_001)));
        assert!(!trust.beat(UnixMs(1_005_200)));
    }
}
