//! A step-up changes the session's id and secret (C14). For a short time the old secret stays good, with what the old
//! session proved and nothing more, so that calls of other tabs that are on their way do not break. It stays good only
//! as long as the successor runs: an end of the one is an end of both. A use after that time is a theft signal: the
//! browser has had the new cookie for long, so somebody else seems to hold a copy of the old one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, json};

use super::Sessions;
use super::end::deed;
use super::id::{SecretHash, SessionId};
use super::open::{Live, Opened};
use crate::audit::event::{Kind, Person};
use crate::clock::UnixMs;
use crate::store::{Ended, NoteReuse, SessionRow, StoreError, StoreResult, Succession};

/// The most step-ups in a row that are followed from one old session.
const FOLLOWED: usize = 16;

/// Old sessions in memory that still count, by their successors.
#[derive(Debug, Default)]
pub(super) struct Successions(Mutex<HashMap<SessionId, (SessionId, UnixMs)>>);

impl Successions {
    fn put(&self, successor: SessionId, old: SessionId, until: UnixMs, now: UnixMs) {
        let mut known = self.0.lock();
        known.retain(|_, (_, until)| *until > now);
        known.insert(successor, (old, until));
    }

    /// The old session that counts only as long as this one does.
    pub(super) fn take(&self, successor: SessionId) -> Option<SessionId> {
        self.0.lock().remove(&successor).map(|(old, _)| old)
    }
}

impl Live {
    /// Whether a step-up has put another session in its place.
    #[must_use]
    pub fn is_succeeded(&self) -> bool {
        self.good_until.load(Relaxed) != i64::MAX
    }
}

impl Sessions {
    /// Opens a session for a caller who presents its secret. A secret whose time is over is noted.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot tell. Never taken for "not signed in" (pain 10).
    pub async fn present(&self, id: SessionId, secret: &SecretHash, from: IpAddr) -> Result<Opened, StoreError> {
        let opened = self.open(id, secret).await?;
        if matches!(&opened, Opened::Over(Some(ended)) if ended.reason == "replaced")
            && let Some(succession) = self.parts.store.succession(id).await?
            && succession.reused_at.is_none()
            && succession.good_until <= self.now()
        {
            self.note_reuse(id, succession.successor, from).await?;
        }
        Ok(opened)
    }

    async fn note_reuse(&self, id: SessionId, successor: SessionId, from: IpAddr) -> StoreResult<()> {
        let Some(row) = self.parts.store.session(id).await? else { return Ok(()) };
        let mut facts = Map::new();
        facts.insert("successor".into(), json!(successor));
        let mut deed = deed(Kind::OldCookieUsed, &row.summary, None, facts);
        if let Some(person) = &mut deed.subject {
            *person = Person { address: Some(from.to_string()), ..person.clone() };
        }
        let event = self.parts.journal.row(deed).await?;
        if self.parts.store.note_reuse(NoteReuse { id, at: self.now(), event }).await? {
            tracing::warn!(session = %id, %successor, %from, "an old cookie was used after a step-up: somebody may have copied it");
        }
        Ok(())
    }

    /// The session that has this one's place now: itself, or the last of those that took it by step-ups.
    ///
    /// # Errors
    /// As the store's.
    pub async fn newest(&self, id: SessionId) -> StoreResult<SessionId> {
        let mut newest = id;
        for _ in 0..FOLLOWED {
            let Some(Succession { successor, .. }) = self.parts.store.succession(newest).await? else { break };
            newest = successor;
        }
        Ok(newest)
    }

    /// What an ended session is still worth: until a moment after a step-up it counts, if its successor runs.
    pub(super) async fn succeeded(&self, mut row: SessionRow, ended: Ended) -> Result<Opened, StoreError> {
        let id = row.summary.id;
        let over = Ok(Opened::Over(Some(ended)));
        let (before, at) = (self.forgotten(), self.now());
        let Some(Succession { successor, good_until, .. }) = self.parts.store.succession(id).await? else {
            return over;
        };
        if good_until <= self.now() || !self.runs(self.newest(successor).await?).await? {
            return over;
        }
        row.summary.ended = None;
        let Some(live) = self.load(row, at).await? else { return Ok(Opened::Unknown) };
        self.count_until(&live, successor, good_until);
        // It may have ended between the reading and the putting.
        if self.forgotten() != before && !self.runs(self.newest(successor).await?).await? {
            self.forget(id);
        }
        if live.is_over(self.now()) { over } else { Ok(Opened::Live(live)) }
    }

    async fn runs(&self, id: SessionId) -> StoreResult<bool> {
        Ok(self.parts.store.session(id).await?.is_some_and(|row| row.summary.ended.is_none()))
    }

    /// After a step-up: the old session counts until `until`.
    pub(super) fn step_up(self: &Arc<Self>, old: SessionId, successor: SessionId, until: UnixMs) {
        if let Some(live) = self.cached(old) {
            self.count_until(&live, successor, until);
        }
        self.revoke_later(old, until);
    }

    /// From now on the session counts until `until`, and no longer than its successor.
    fn count_until(&self, old: &Live, successor: SessionId, until: UnixMs) {
        old.good_until.fetch_min(until.0, Relaxed);
        self.successions.put(successor, old.id, until, self.now());
    }

    /// Has the provider told of the old session once nobody may use its tokens any more: from then on it is due.
    fn revoke_later(self: &Arc<Self>, old: SessionId, until: UnixMs) {
        let (sessions, wait) = (Arc::clone(self), until.0.saturating_sub(self.now().0));
        drop(self.parts.background.spawn(async move {
            tokio::time::sleep(Duration::from_millis(wait.try_into().unwrap_or_default())).await;
            sessions.forget(old);
            sessions.to_tell.notify_one();
        }));
    }
}
