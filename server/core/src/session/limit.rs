//! How many sessions a person may have at a client at once (C9). The count is made in the login's own unit of work, so
//! that no race exceeds it; who must make room is found beforehand, since each end has an audit event of its own.

use std::sync::Arc;

use serde_json::{Map, json};
use tokio::sync::{Mutex, MutexGuard};

use super::Sessions;
use super::end::How;
use super::id::SessionId;
use super::start::{Start, started};
use crate::audit::event::{Kind, Person};
use crate::store::{Room, SessionRow, StoreError, StoreResult, WhenFull};

/// Logins of so many persons at most wait for one another for no reason.
const TURNS: usize = 64;
/// So many of a person's sessions the store lists at once.
const LISTED: usize = 1_000;

/// How many sessions of one person a client allows, and what happens beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimit {
    /// How many at once.
    pub most: u32,
    /// Whether the oldest ends or the login is refused.
    pub refuses: bool,
}

/// One person's logins take turns on a node: they would only find each other's sessions in the way. Nodes need no turns;
/// the store has them look again.
#[derive(Debug)]
pub(super) struct Turns([Mutex<()>; TURNS]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    pub(super) async fn take(&self, subject: &[u8; 32]) -> Option<MutexGuard<'_, ()>> {
        let place = usize::from(subject[0]) % TURNS;
        Some(self.0.get(place)?.lock().await)
    }
}

impl Sessions {
    /// What the store needs to know to keep the limit: among others who would make room, as it looks now.
    pub(super) async fn room(
        self: &Arc<Self>,
        limit: SessionLimit,
        row: &SessionRow,
        replaces: Option<SessionId>,
    ) -> Result<Room, StoreError> {
        if limit.refuses {
            return Ok(Room { most: limit.most, when_full: WhenFull::Refuse });
        }
        let summary = &row.summary;
        let kept = usize::try_from(limit.most.saturating_sub(1)).unwrap_or(usize::MAX);
        loop {
            let mut others = self.parts.store.sessions_of(row.subject, &summary.client_id, summary.created_at).await?;
            let listed = others.len();
            others.retain(|other| Some(other.id) != replaces);
            let too_many = others.split_off(kept.min(others.len()));
            if listed < LISTED {
                let mut ends = Vec::with_capacity(too_many.len());
                for oldest in too_many.iter().rev() {
                    ends.push(self.end_of(oldest, &How::evicted()).await?);
                }
                return Ok(Room { most: limit.most, when_full: WhenFull::EndOldest(ends) });
            }
            // From before there was a limit: there may be older ones than the store lists at once.
            let surplus: Vec<_> = too_many.iter().map(|session| session.id).collect();
            self.end(&surplus, &How::evicted()).await?;
        }
    }

    /// Notes that a person was refused a session: no failed sign-in, they did prove who they are.
    pub(super) async fn note_refused(&self, start: &Start<'_>, person: Person, most: u32) -> StoreResult<()> {
        let mut facts = Map::new();
        facts.insert("most".into(), json!(most));
        self.parts.journal.write(started(start, None, person, Kind::SessionRefused, facts)).await
    }
}
