//! Opening a session: from memory on the hot path, from the store when it is not there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed, Ordering::SeqCst};

use arc_swap::{ArcSwap, ArcSwapOption};
use http::HeaderValue;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::Sessions;
use super::exchange::Exchanged;
use super::follow::Trust;
use super::id::{SecretHash, SessionId};
pub use super::opened::Opened;
use super::record::{SealedSession, TokenSet};
use super::refresh::RefreshError;
use crate::audit::event::Person;
use crate::clock::UnixMs;
use crate::oidc::grant::Granted;
use crate::rate::Pace;
use crate::store::{SessionRow, SessionSummary, StoreError, StoredTokens};
use crate::vault::VaultError;

/// The stored last-seen moment is renewed once it is so old.
const SEEN_EVERY_MS: i64 = 60_000;

/// A refresh under way: its outcome, once there is one.
pub(super) type Flight = watch::Receiver<Option<Result<(), RefreshError>>>;

/// A session in memory. Its row decided once what it is; whether it still lives is decided on every call.
pub struct Live {
    /// Public id.
    pub id: SessionId,
    /// Tenant label.
    pub tenant: Box<str>,
    /// Client.
    pub client_id: Box<str>,
    /// Provider.
    pub provider_id: Box<str>,
    /// The provider's registration.
    pub registration_id: Box<str>,
    secret_hash: SecretHash,
    values: ArcSwap<SealedSession>,
    access: ArcSwapOption<Access>,
    ended: AtomicBool,
    pace: Pace,
    pub(super) seen_at: AtomicI64,
    seen_written_at: AtomicI64,
    idle_ms: i64,
    expires_at: UnixMs,
    /// When its row was last read, or sooner.
    pub(super) read_at: AtomicI64,
    pub(super) trust: Arc<Trust>,
    /// Until when it counts although a step-up has put another in its place; `i64::MAX` where none has.
    pub(super) good_until: AtomicI64,
    /// The refresh that runs, if one does.
    pub(super) flight: Mutex<Option<Flight>>,
    /// Tokens of other audiences.
    pub(super) exchanged: Exchanged,
    pub(crate) identities: crate::identity::Kept,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Live").field(&self.id).finish()
    }
}

/// An access token ready to be attached.
pub struct Access {
    /// `Bearer …`, marked as sensitive.
    pub authorization: HeaderValue,
    /// When the provider lets it expire; `None` when it did not say.
    pub expires_at: Option<UnixMs>,
    /// From when on it should be renewed, though it is still good.
    pub renew_from: Option<UnixMs>,
    /// The token set's generation.
    pub generation: i64,
    /// The scopes that were granted with it: where the answer named none, those that were asked for (RFC 6749
    /// section 5.1).
    pub scopes: Box<[String]>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl Access {
    /// The header of a token set. Renewed from 10 s before expiry on, or from four fifths of a shorter life.
    pub(super) fn of(tokens: &TokenSet, generation: i64) -> Option<Self> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", tokens.access_token.reveal())).ok()?;
        authorization.set_sensitive(true);
        let renew_from = tokens.access_expires_at.map(|at| {
            let life = at.0.saturating_sub(tokens.received_at.0).max(0);
            UnixMs(at.0.saturating_sub((life / 5).min(10_000)))
        });
        let scopes = tokens.scopes.clone().into();
        Some(Self { authorization, expires_at: tokens.access_expires_at, renew_from, generation, scopes })
    }
}

impl Access {
    /// The header of a token that was granted for an upstream. One that says nothing of its end is asked for anew after
    /// five minutes.
    pub(crate) fn granted(granted: Granted, generation: i64) -> Option<Self> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", granted.access_token.reveal())).ok()?;
        authorization.set_sensitive(true);
        let expires_at = granted.expires_at.unwrap_or_else(|| granted.received_at.plus_secs(300));
        let life = expires_at.0.saturating_sub(granted.received_at.0).max(0);
        let renew_from = Some(UnixMs(expires_at.0.saturating_sub((life / 5).min(10_000))));
        Some(Self {
            authorization,
            expires_at: Some(expires_at),
            renew_from,
            generation,
            scopes: granted.scopes.into(),
        })
    }

    /// Whether it is good for a while.
    pub(crate) fn is_fresh(&self, now: UnixMs) -> bool {
        self.renew_from.is_none_or(|at| now < at) && self.expires_at.is_none_or(|at| now < at)
    }
}

/// Whether a session in memory may be used at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It lives, and the secret is its own.
    Good,
    /// It was ended, or its time is over.
    Over,
    /// Its row must be read anew first.
    Stale,
    /// The secret is not its own.
    WrongSecret,
}

impl Live {
    fn new(
        row: &SessionRow,
        values: SealedSession,
        access: Option<Access>,
        (trust, at): (&Arc<Trust>, UnixMs),
    ) -> Self {
        let SessionSummary { id, tenant, client_id, provider_id, last_seen_at, .. } = &row.summary;
        Self {
            id: *id,
            tenant: tenant.as_str().into(),
            client_id: client_id.as_str().into(),
            provider_id: provider_id.as_str().into(),
            registration_id: row.registration_id.as_str().into(),
            secret_hash: row.secret_hash,
            idle_ms: values.idle_secs.saturating_mul(1000),
            expires_at: values.expires_at,
            values: ArcSwap::from_pointee(values),
            access: ArcSwapOption::from_pointee(access),
            pace: Pace::default(),
            ended: AtomicBool::new(row.summary.ended.is_some()),
            seen_at: AtomicI64::new(last_seen_at.0),
            seen_written_at: AtomicI64::new(last_seen_at.0),
            good_until: AtomicI64::new(i64::MAX),
            read_at: AtomicI64::new(at.0),
            trust: Arc::clone(trust),
            flight: Mutex::new(None),
            exchanged: Exchanged::default(),
            identities: crate::identity::Kept::default(),
        }
    }

    /// May the holder of this secret use the session now?
    #[must_use]
    pub fn standing(&self, secret: &SecretHash, now: UnixMs) -> Standing {
        if !self.secret_hash.matches(secret) {
            Standing::WrongSecret
        } else if self.is_over(now) {
            Standing::Over
        } else if self.is_stale(now) {
            Standing::Stale
        } else {
            Standing::Good
        }
    }

    /// Whether it was ended or its time is over.
    #[must_use]
    pub fn is_over(&self, now: UnixMs) -> bool {
        self.ended.load(Relaxed) || now >= self.expires_at() || now >= self.idle_expires_at()
    }

    /// When it ends if it is not used.
    #[must_use]
    pub fn idle_expires_at(&self) -> UnixMs {
        UnixMs(self.seen_at.load(Relaxed).saturating_add(self.idle_ms))
    }

    /// How long it may go unused, in seconds.
    #[must_use]
    pub const fn idle_secs(&self) -> i64 {
        self.idle_ms / 1000
    }

    /// When it ends in any case.
    #[must_use]
    pub fn expires_at(&self) -> UnixMs {
        self.expires_at.min(UnixMs(self.good_until.load(Relaxed)))
    }

    /// What counts its calls, where they are limited.
    #[must_use]
    pub const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// What decisions read.
    #[must_use]
    pub fn values(&self) -> Arc<SealedSession> {
        self.values.load_full()
    }

    /// The access token as it stands; it may have expired.
    #[must_use]
    pub fn access(&self) -> Option<Arc<Access>> {
        self.access.load_full()
    }

    /// The person, for an event.
    #[must_use]
    pub fn person(&self) -> Person {
        person_of(&self.values.load())
    }

    /// What its figures are counted by: tenant, client, provider.
    pub(super) fn counted_by(&self) -> (&str, &str, &str) {
        (&self.tenant, &self.client_id, &self.provider_id)
    }

    /// The secret's hash, for what is bound to it.
    #[must_use]
    pub const fn secret_hash(&self) -> &SecretHash {
        &self.secret_hash
    }

    pub(super) fn mark_ended(&self) {
        self.ended.store(true, Relaxed);
    }

    pub(super) fn adopt(&self, values: SealedSession, access: Option<Access>) {
        self.values.store(Arc::new(values));
        self.access.store(access.map(Arc::new));
    }
}

/// The person behind sealed values.
pub(super) fn person_of(values: &SealedSession) -> Person {
    let text = |name: &str| values.claims.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    Person {
        issuer: values.issuer.clone(),
        sub: values.sub.clone(),
        name: text("name").or_else(|| text("preferred_username")),
        email: text("email"),
        address: None,
        user_agent: None,
    }
}

impl Sessions {
    /// The session from memory, if the holder of this secret may use it now.
    #[must_use]
    pub fn in_use(&self, id: SessionId, secret: &SecretHash, now: UnixMs) -> Option<Arc<Live>> {
        self.cached(id).filter(|live| live.standing(secret, now) == Standing::Good)
    }

    /// The session from memory, without asking whether it still lives.
    #[must_use]
    pub fn cached(&self, id: SessionId) -> Option<Arc<Live>> {
        self.live.get(&id)
    }

    /// Opens a session, from the store if need be.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot tell. Never taken for "not signed in" (pain 10).
    pub async fn open(&self, id: SessionId, secret: &SecretHash) -> Result<Opened, StoreError> {
        if let Some(live) = self.cached(id) {
            match live.standing(secret, self.now()) {
                Standing::Good => return Ok(Opened::Live(live)),
                Standing::WrongSecret => return Ok(Opened::Unknown),
                Standing::Over | Standing::Stale => {}
            }
        }
        let (before, at) = (self.forgotten(), self.now());
        let Some(row) = self.parts.store.session(id).await? else { return Ok(Opened::Unknown) };
        if !row.secret_hash.matches(secret) {
            return Ok(Opened::Unknown);
        }
        if let Some(lock) = self.parts.store.lock_on(&row, self.now()).await? {
            return Ok(Opened::Over(Some(lock.as_end())));
        }
        if let Some(ended) = row.summary.ended.clone() {
            return self.succeeded(row, ended).await;
        }
        let Some(live) = self.load(row, at).await? else { return Ok(Opened::Unknown) };
        self.settle(id, before).await?;
        if live.is_over(self.now()) { Ok(Opened::Over(None)) } else { Ok(Opened::Live(live)) }
    }

    /// Puts a session into memory whose row was read at `at`; `None` when the row was altered.
    pub(super) async fn load(&self, row: SessionRow, at: UnixMs) -> Result<Option<Arc<Live>>, StoreError> {
        let id = row.summary.id;
        let stored = self.parts.store.tokens(id).await?;
        let mut unsealed = self.unseal(&row, stored.as_ref());
        // Another node may have added a key a moment ago.
        if matches!(unsealed, Err(VaultError::UnknownKey)) && self.keys().reload_for_unknown_key().await? {
            unsealed = self.unseal(&row, stored.as_ref());
        }
        let Ok((values, access)) = unsealed else {
            tracing::error!(session = %id, "a stored session does not open: its row was altered, or its key is gone");
            return Ok(None);
        };
        if let Some(live) = self.cached(id) {
            live.catch_up(&row, values, access, at);
            return Ok(Some(live));
        }
        let new = || Ok::<_, StoreError>(Arc::new(Live::new(&row, values, access, (&self.trust, at))));
        Ok(Some(self.live.get_or_insert_with(&id, new)?))
    }

    fn unseal(
        &self,
        row: &SessionRow,
        stored: Option<&StoredTokens>,
    ) -> Result<(SealedSession, Option<Access>), VaultError> {
        let key = self.parts.vault.data_key(row)?;
        let values = self.parts.vault.open_session(&key, row)?;
        let access = match stored {
            Some(stored) => {
                let tokens = self.parts.vault.open_tokens(&key, row, stored)?;
                Access::of(&tokens, stored.generation)
            }
            None => None,
        };
        Ok((values, access))
    }

    pub(super) fn remember(&self, row: &SessionRow, values: SealedSession, access: Option<Access>) -> Arc<Live> {
        let began = (&self.trust, row.summary.created_at);
        let live = Arc::new(Live::new(row, values, access, began));
        self.live.insert(live.id, Arc::clone(&live));
        live
    }

    /// How many sessions were taken out of memory so far.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten.load(SeqCst)
    }

    /// Takes every session out of memory, so that each is read anew: what one of them was sealed under is gone.
    pub fn forget_all(&self) {
        self.forgotten.fetch_add(1, SeqCst);
        for (id, _) in self.live.iter() {
            self.forget(id);
        }
    }

    pub(super) fn forget(&self, id: SessionId) {
        self.forgotten.fetch_add(1, SeqCst);
        if let Some((_, live)) = self.live.remove(&id) {
            live.mark_ended();
        }
        if let Some(old) = self.successions.take(id) {
            self.forget(old);
        }
    }

    /// Notes that the session is in use. The store hears of it at most once a minute, or ten times per idle span.
    pub fn seen(&self, live: &Live, now: UnixMs) {
        live.seen_at.fetch_max(now.0, Relaxed);
        let written = live.seen_written_at.load(Relaxed);
        let due = now.0.saturating_sub(written) >= SEEN_EVERY_MS.min(live.idle_ms / 10);
        let ours = due && live.seen_written_at.compare_exchange(written, now.0, Relaxed, Relaxed).is_ok();
        if ours && self.seen.send((live.id, now)).is_err() {
            tracing::debug!(session = %live.id, "shutting down: last-seen is no longer written");
        }
    }
}

#[cfg(test)]
mod tests;
