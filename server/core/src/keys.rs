//! The key ring's life: a new key that seals from now on, values moved away from the old ones, old ones retired, and
//! a key that others may know burned.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::audit::AuditRow;
use crate::audit::event::{Deed, Journal, Kind, Person};
use crate::clock::{Clock, UnixMs};
use crate::random::Random;
use crate::store::{
    AddKey, Begun, Ended, KeyUse, RetireKey, RetireOutcome, Rewrap, Store, StoreError, StoreResult, WrappedKeyRow,
};
use crate::vault::KeyRing;
use crate::vault::keyring::Change;
use crate::vault::ring::INDEX_ID;

/// A key id that nobody knows makes the stored ring be read at most so often.
const RELOAD_EVERY_MS: i64 = 1_000;

/// Events of the whole gateway belong to no tenant: a fenced administrator does not see them.
const NO_TENANT: &str = "";

/// The key ring's keeper.
pub struct Keys {
    store: Arc<dyn Store>,
    ring: Arc<KeyRing>,
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    reloaded: Mutex<Reloaded>,
}

/// The last time that the stored ring was read for a key id that nobody knew.
struct Reloaded {
    at: i64,
    heard: bool,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Keys").field(&self.ring).finish()
    }
}

/// Who turned a key: somebody with a shell on the host.
#[derive(Clone, Debug)]
pub struct By {
    /// The operating system's user, as a person of that host.
    pub person: Person,
    /// The host's name.
    pub host: String,
}

/// One key of the ring, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// Its id.
    pub id: String,
    /// Since when it seals, or sealed.
    pub created_at: UnixMs,
    /// Whether it seals now.
    pub active: bool,
    /// Sessions, live or over, that are sealed under it.
    pub sessions: u64,
    /// Persons' audit keys that are sealed under it.
    pub subjects: u64,
    /// Live sessions of its time and before: what burning it would end. None of the active key.
    pub begun: Begun,
}

/// Why a key was not turned. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Another rotation was faster.
    #[error("another rotation came first; look at `keys list`")]
    Raced,
    /// No such key.
    #[error("there is no key {0}; `keys list` shows the ring")]
    NoSuchKey(String),
    /// It seals.
    #[error("{0} is the key that seals now; `keys rotate` first, then it is an old one")]
    Active(String),
    /// Values are still sealed under it.
    #[error(
        "{sessions} sessions and {subjects} audit keys are still sealed under {id}; the running gateway moves them to \
         the new key by itself (`keys list` shows how far it is)"
    )]
    InUse {
        /// The key.
        id: String,
        /// Sessions.
        sessions: u64,
        /// Persons' audit keys.
        subjects: u64,
    },
    /// The ring in the store is not what the root key wrapped.
    #[error("the key ring in the store does not open: {0}")]
    Ring(#[from] crate::vault::VaultError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keys {
    /// The keeper of a ring.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        ring: Arc<KeyRing>,
        journal: Arc<Journal>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { store, ring, journal, clock, random, reloaded: Mutex::new(Reloaded { at: i64::MIN, heard: true }) }
    }

    /// Reads the stored ring, and takes it over if it is another.
    ///
    /// # Errors
    /// [`KeyError`]; the present ring stays.
    pub async fn reload(&self) -> Result<Change, KeyError> {
        Ok(self.ring.adopt(&self.store.keys().await?)?)
    }

    /// Reloads for a key id that this ring does not hold, at most once a second: whoever comes meanwhile waits for the next time, so
    /// that nobody is taken for a stranger whose cookie a new key sealed. Answers whether there may be a new ring.
    ///
    /// # Errors
    /// As the store's.
    pub async fn reload_for_unknown_key(&self) -> StoreResult<bool> {
        let came = self.clock.now().0;
        let mut last = self.reloaded.lock().await;
        // Read since this one came, for somebody who came a moment earlier.
        if last.at > came {
            return if last.heard {
                Ok(true)
            } else {
                Err(StoreError::Unavailable("the key ring was not read".into()))
            };
        }
        let wait_ms = RELOAD_EVERY_MS.saturating_sub(came.saturating_sub(last.at));
        if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        last.at = self.clock.now().0;
        let done = self.reload().await;
        last.heard = done.is_ok();
        match done {
            Ok(_) => Ok(true),
            Err(KeyError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::Corrupt(error.to_string())),
        }
    }

    /// The ring, oldest key first, with what is sealed under each.
    ///
    /// # Errors
    /// As the store's.
    pub async fn list(&self) -> StoreResult<Vec<KeyState>> {
        let mut rows = self.store.keys().await?;
        rows.retain(|row| row.id != INDEX_ID);
        rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let uses = self.store.key_uses().await?;
        let mut states = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            let (mut sessions, mut subjects) = (0, 0);
            for KeyUse { sessions: more, subjects: others, .. } in uses.iter().filter(|uses| uses.key_id == row.id) {
                (sessions, subjects) = (sessions + more, subjects + others);
            }
            let next = rows.get(place + 1);
            let begun = match next {
                Some(next) => self.store.begun_before(next.created_at, self.clock.now()).await?,
                None => Begun::default(),
            };
            let WrappedKeyRow { id, created_at, .. } = row.clone();
            states.push(KeyState { id, created_at, active: next.is_none(), sessions, subjects, begun });
        }
        Ok(states)
    }

    /// Adds a key that seals from now on; answers its id. Old ones go on to open.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn rotate(&self, by: &By) -> Result<String, KeyError> {
        self.reload().await?;
        let after = self.ring.current().newest().to_string();
        let key = self.ring.successor(self.clock.now(), &*self.random);
        let id = key.id.clone();
        let event = self.event(Kind::KeyRotated, by, &[("key", json!(id)), ("after", json!(after))]).await?;
        if !self.store.add_key(AddKey { key, after, event }).await? {
            return Err(KeyError::Raced);
        }
        self.reload().await?;
        Ok(id)
    }

    /// Moves up to `limit` values from old keys to the newest; answers how many there were.
    ///
    /// # Errors
    /// As the store's.
    pub async fn move_some(&self, limit: u32) -> StoreResult<usize> {
        let ring = self.ring.current();
        let newest = ring.newest().as_str();
        for old in ring.ids().filter(|id| id.as_str() != newest) {
            let found = self.store.wrapped_by(old.as_str(), limit).await?;
            let rewraps: Vec<_> = found
                .iter()
                .filter_map(|from| match ring.rewrap(&from.owner, &from.wrapped, &*self.random) {
                    Ok(wrapped) => Some(Rewrap { from: from.clone(), key_id: newest.to_owned(), wrapped }),
                    Err(error) => {
                        tracing::error!(owner = ?from.owner, %error, "a stored key does not open: its row was altered");
                        None
                    }
                })
                .collect();
            if rewraps.is_empty() {
                continue;
            }
            self.store.rewrap(rewraps).await?;
            return Ok(found.len());
        }
        Ok(0)
    }

    /// Takes an old key out of the ring, once nothing is sealed under it. Cookies that are still sealed under it are
    /// dead from then on.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn retire(&self, id: &str, by: &By) -> Result<(), KeyError> {
        self.successor_of(id).await?;
        let event = self.event(Kind::KeyRetired, by, &[("key", json!(id))]).await?;
        self.take_out(RetireKey { id: id.to_owned(), end_begun_before: None, event }).await.map(|_| ())
    }

    /// Burns an old key that others may know: every session of its time ends, since each was sealed under it once;
    /// answers how many. The persons' audit keys are kept.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn burn(&self, id: &str, by: &By) -> Result<u64, KeyError> {
        let next_at = self.successor_of(id).await?;
        while self.move_some(500).await? > 0 {}
        let now = self.clock.now();
        let begun = self.store.begun_before(next_at, now).await?;
        let event = self.event(Kind::KeyBurned, by, &[("key", json!(id)), ("sessions", json!(begun.live))]).await?;
        let ended =
            Ended { at: now, reason: "key_burned".into(), text: None, by: Some(by.person.display().to_owned()) };
        self.take_out(RetireKey { id: id.to_owned(), end_begun_before: Some((next_at, ended)), event }).await
    }

    async fn take_out(&self, retire: RetireKey) -> Result<u64, KeyError> {
        let id = retire.id.clone();
        match self.store.retire_key(retire).await? {
            RetireOutcome::Retired { ended } => {
                self.reload().await?;
                Ok(ended)
            }
            RetireOutcome::InUse { sessions, subjects } => Err(KeyError::InUse { id, sessions, subjects }),
            RetireOutcome::NotOld => Err(KeyError::Active(id)),
        }
    }

    /// Since when the key after this one seals.
    async fn successor_of(&self, id: &str) -> Result<UnixMs, KeyError> {
        let ring = self.list().await?;
        let place = ring.iter().position(|key| key.id == id).ok_or_else(|| KeyError::NoSuchKey(id.to_owned()))?;
        let next = ring.get(place + 1).ok_or_else(|| KeyError::Active(id.to_owned()))?;
        Ok(next.created_at)
    }

    async fn event(&self, kind: Kind, by: &By, facts: &[(&str, Value)]) -> StoreResult<AuditRow> {
        let mut all: Map<_, _> = facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        all.insert("host".into(), json!(by.host));
        let deed = Deed {
            kind,
            tenant: NO_TENANT,
            session: None,
            client_id: None,
            provider_id: None,
            subject: None,
            actor: Some(by.person.clone()),
            facts: all,
        };
        self.journal.row(deed).await
    }
}
