//! Making events and reading them back: personal fields go in and out under the key of the person they are about.

use std::sync::Arc;

use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AuditRow, EVENT_VERSION, StoredEvent};
use crate::clock::{Clock, UnixMs};
use crate::random::Random;
use crate::session::id::{SessionId, uuid_v7};
use crate::store::{Store, StoreError, StoreResult, SubjectKeyRow};
use crate::vault::KeyRing;

/// How far nodes' clocks may be apart.
const CLOCKS_APART_MS: i64 = 60_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person signed in: a session started.
    SessionStarted,
    /// A session ended: by sign-out, by its owner from another device, replaced by a new login, or refused or logged
    /// out by the provider. The fact `reason` says which.
    SessionEnded,
    /// An administrator ended a session.
    SessionRevoked,
    /// A session ended because its person signed in once more than the client allows, and it was the oldest.
    SessionEvicted,
    /// A person who proved who they are got no session: they have as many as the client allows.
    SessionRefused,
    /// The secret that a step-up replaced was used after its time: somebody may hold a copy. Noted once a session.
    OldCookieUsed,
    /// An administrator decided to end every session that a filter covers: from now on they are over.
    RevocationStarted,
    /// Every session of such a revocation has ended. The fact `sessions` says how many.
    RevocationFinished,
    /// An administrator locked a person, an app or a provider.
    LockSet,
    /// An administrator lifted a lock.
    LockLifted,
    /// Somebody with a shell on the host made a person an owner.
    OwnerGranted,
    /// A provider told that a person, or one of their sessions there, is logged out. The ends have events of their own.
    ProviderLogout,
    /// The key ring has a new key, which seals from now on.
    KeyRotated,
    /// An old key of the ring is gone, and whatever was still sealed under it.
    KeyRetired,
    /// A key that others may know was burned: every session of its time ended. The fact `sessions` says how many.
    KeyBurned,
    /// Requests were refused at a site within a minute. The facts say how many, and of which kinds from where.
    RequestsRefused,
    /// The provider was told to revoke the session's tokens, and said it did.
    ProviderRevoked,
    /// The provider could not be told, or would not.
    ProviderRevocationFailed,
    /// An administrator took events out of the log as a file. The facts say which.
    AuditExported,
    /// An administrator took out as a file what is kept of a person.
    UserExported,
    /// An owner made a service account. It is the event's person, as in the next two.
    AccountCreated,
    /// An owner replaced a service account's token.
    AccountRotated,
    /// An owner disabled a service account.
    AccountDisabled,
    /// An administrator had a person forgotten. The fact `sessions` says how many of theirs ran until then.
    UserErased,
}

impl Kind {
    /// The kind's code in the log.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SessionStarted => "session.started",
            Self::SessionEnded => "session.ended",
            Self::SessionRevoked => "session.revoked",
            Self::SessionEvicted => "session.evicted",
            Self::SessionRefused => "session.refused",
            Self::OldCookieUsed => "session.old_cookie_used",
            Self::RevocationStarted => "revocation.started",
            Self::RevocationFinished => "revocation.finished",
            Self::LockSet => "lock.set",
            Self::LockLifted => "lock.lifted",
            Self::OwnerGranted => "owner.granted",
            Self::ProviderLogout => "provider.logout",
            Self::KeyRotated => "key.rotated",
            Self::KeyRetired => "key.retired",
            Self::KeyBurned => "key.burned",
            Self::RequestsRefused => "requests.refused",
            Self::ProviderRevoked => "provider.revoked",
            Self::ProviderRevocationFailed => "provider.revocation_failed",
            Self::AuditExported => "audit.exported",
            Self::UserExported => "user.exported",
            Self::UserErased => "user.erased",
            Self::AccountCreated => "service_account.created",
            Self::AccountRotated => "service_account.rotated",
            Self::AccountDisabled => "service_account.disabled",
        }
    }
}

/// A person as an event names them. Sealed under that person's key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The provider's issuer.
    pub issuer: String,
    /// The person's id there.
    pub sub: String,
    /// Name, where known.
    pub name: Option<String>,
    /// Mail address, where known.
    pub email: Option<String>,
    /// Network address, where it matters.
    pub address: Option<String>,
    /// User agent, where it matters.
    pub user_agent: Option<String>,
}

impl Person {
    /// The name for people to read: name, else mail address, else sub.
    #[must_use]
    pub fn display(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or(&self.sub)
    }
}

/// What an event is about.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// What happened.
    pub kind: Kind,
    /// Tenant label.
    pub tenant: &'a str,
    /// The session.
    pub session: Option<SessionId>,
    /// The client.
    pub client_id: Option<&'a str>,
    /// The provider.
    pub provider_id: Option<&'a str>,
    /// The person it happened to.
    pub subject: Option<Person>,
    /// The administrator who did it.
    pub actor: Option<Person>,
    /// Facts that name nobody.
    pub facts: Map<String, Value>,
}

/// An event opened for reading. A person whose key was destroyed reads as `None`.
#[derive(Clone, Debug)]
pub struct ReadEvent {
    /// When.
    pub at: UnixMs,
    /// The kind's code.
    pub kind: String,
    /// The session.
    pub session: Option<SessionId>,
    /// The client.
    pub client_id: Option<String>,
    /// The provider.
    pub provider_id: Option<String>,
    /// The person.
    pub subject: Option<Person>,
    /// The administrator.
    pub actor: Option<Person>,
    /// Facts.
    pub facts: Map<String, Value>,
}

/// Makes and reads events.
pub struct Journal {
    store: Arc<dyn Store>,
    ring: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Persons' wrapped keys, so that a busy person's are not read anew for each event.
    keys: Cache<[u8; 32], Arc<SubjectKeyRow>>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journal")
    }
}

impl Journal {
    /// A journal over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, ring: Arc<KeyRing>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { store, ring, clock, random, keys: Cache::new(10_000) }
    }

    /// The row of a deed, to be stored in the deed's own unit of work.
    ///
    /// # Errors
    /// [`StoreError`] when a person's key cannot be had.
    pub async fn row(&self, deed: Deed<'_>) -> StoreResult<AuditRow> {
        let at = self.clock.now();
        let id = uuid_v7(at, &*self.random);
        let (subject, subject_sealed) = self.seal(deed.subject.as_ref(), &id).await?;
        let (actor, actor_sealed) = self.seal(deed.actor.as_ref(), &id).await?;
        Ok(AuditRow {
            id,
            version: EVENT_VERSION,
            tenant: deed.tenant.to_owned(),
            at,
            kind: deed.kind.code().to_owned(),
            session: deed.session,
            client_id: deed.client_id.map(str::to_owned),
            provider_id: deed.provider_id.map(str::to_owned),
            subject,
            address: self.address(deed.subject.as_ref()),
            subject_sealed,
            actor,
            actor_sealed,
            facts: Value::Object(deed.facts).to_string(),
        })
    }

    /// Stores a deed that belongs to no other unit of work.
    ///
    /// # Errors
    /// As the store's.
    pub async fn write(&self, deed: Deed<'_>) -> StoreResult<()> {
        let row = self.row(deed).await?;
        self.store.append(vec![row]).await
    }

    /// Opens an event for reading.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read, or the event was altered.
    pub async fn read(&self, event: &StoredEvent) -> StoreResult<ReadEvent> {
        let AuditRow { at, kind, session, client_id, provider_id, .. } = event.row.clone();
        let facts = serde_json::from_str(&event.row.facts).map_err(|_| unreadable("audit_events.facts"))?;
        let subject = self.open(&event.row, event.row.subject, &event.row.subject_sealed).await?;
        let actor = self.open(&event.row, event.row.actor, &event.row.actor_sealed).await?;
        Ok(ReadEvent { at, kind, session, client_id, provider_id, subject, actor, facts })
    }

    /// Forgets a person's key, which is no longer stored.
    pub fn forget(&self, subject: [u8; 32]) {
        self.keys.remove(&subject);
    }

    /// Forgets every person's key: another node may have destroyed some.
    pub fn forget_all(&self) {
        self.keys.clear();
    }

    fn address(&self, person: Option<&Person>) -> Option<[u8; 32]> {
        person.and_then(|person| person.address.as_deref()).map(|address| self.ring.current().address(address))
    }

    async fn seal(&self, person: Option<&Person>, event: &[u8; 16]) -> StoreResult<(Option<[u8; 32]>, Vec<u8>)> {
        let Some(person) = person else { return Ok((None, Vec::new())) };
        let ring = self.ring.current();
        let subject = ring.subject(&person.issuer, &person.sub);
        let key = match self.keys.get(&subject) {
            // Its ring key may have been retired since; what is stored was wrapped anew before.
            Some(key) if ring.holds(&key.key_id) => key,
            _ => {
                // Most persons have one: a look costs no write.
                let found = self.store.find_subject_key(subject).await?;
                let key = match found {
                    Some(key) => key,
                    None => self.store.subject_key(ring.new_subject_key(subject, &*self.random)).await?,
                };
                let key = Arc::new(key);
                self.keys.insert(subject, Arc::clone(&key));
                key
            }
        };
        let plain = serde_json::to_vec(person).map_err(|_| unreadable("person"))?;
        let sealed =
            ring.seal_personal(&key, event, &plain, &*self.random).map_err(|_| unreadable("subject_keys.wrapped"))?;
        Ok((Some(subject), sealed))
    }

    async fn open(&self, event: &AuditRow, subject: Option<[u8; 32]>, sealed: &[u8]) -> StoreResult<Option<Person>> {
        let Some(subject) = subject else { return Ok(None) };
        let Some(key) = self.store.find_subject_key(subject).await? else { return Ok(None) };
        let Ok(plain) = self.ring.current().open_personal(&key, &event.id, sealed) else {
            // Who was erased and came back has another key.
            let erased_at = self.store.erased_at(subject).await?;
            let before = erased_at.is_some_and(|at| event.at.0 <= at.0.saturating_add(CLOCKS_APART_MS));
            return if before { Ok(None) } else { Err(unreadable("audit_events' personal fields")) };
        };
        serde_json::from_slice(&plain).map(Some).map_err(|_| unreadable("audit_events' personal fields"))
    }
}

fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} does not open or is no JSON"))
}
