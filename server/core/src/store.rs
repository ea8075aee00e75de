//! The storage contract: one method per unit of work, each atomic and durable when it returns.
//! No transaction handle leaves a store, and no caller sees half a unit.
//!
//! A store keeps what it is given and decides nothing: values are sealed before they come here
//! ([`crate::vault`]), columns beside them serve look-ups and lists only.

pub mod accounts;
pub mod audit_rows;
pub mod changes;
pub mod device;
pub mod figures;
pub mod key_rows;
pub mod locks;
pub mod login;
pub mod mobile;
pub mod refresh_rows;
pub mod revocations;
pub mod room;
pub mod rows;
pub mod succession;
pub mod sweep;
pub mod users;

use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::{AuditRow, ChainHead, ChainLink, StoredEvent};
use crate::clock::UnixMs;
use crate::session::id::SessionId;
pub use accounts::{Account, AccountId, AccountStore, Rights};
pub use audit_rows::{AuditPage, AuditPlace, AuditQuery};
pub use changes::{ChangeLog, Changes, Cursor};
pub use device::{DeviceGrant, DevicePoll};
pub use figures::{Figure, FigureKey, FigureQuery, FigureStore, Measure, Sum};
pub use key_rows::{AddKey, Begun, KeyUse, RetireKey, RetireOutcome, Rewrap, Wrapped, WrappedOwner};
pub use locks::{Lock, LockId, LockStore, Locked};
pub use login::{LoginOutcome, Proven};
pub use mobile::{MobileGrant, RedeemCode, RotateRefresh};
pub use refresh_rows::{BeginRefresh, CommitRefresh, Doubt, RefreshGrant};
pub use revocations::{
    Covered, Due, Facts, Filter, RevocationId, RevocationRow, RevocationStore, Telling, ToEnd, Told, ToldOutcome,
    Upstream, User,
};
pub use room::{Room, Verdict, WhenFull};
pub use rows::{
    CommitLogin, CommitLogout, Count, End, EndOutcome, Ended, ListPage, ListQuery, LogoutOutcome, Named, NamedBy,
    Place, SessionRow, SessionState, SessionSummary, Sort, StoredTokens, SubjectKeyRow, Tombstone, Totals,
    WrappedKeyRow,
};
pub use succession::{NoteReuse, Succession};
pub use sweep::SweepStore;
pub use users::{ERASED, Erase, EraseOutcome, UserQuery, UserRow, UserStore};

/// Why a unit of work was not done. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, is full, or gave up waiting. Trying again later may help.
    #[error("the session store is not available: {0}")]
    Unavailable(String),
    /// The store holds something that no version of this program writes.
    #[error("the session store holds something unreadable: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn retry_helps(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// A store's answer.
pub type StoreResult<T> = Result<T, StoreError>;

/// Sessions, token sets, keys and the audit log, kept.
#[async_trait]
pub trait Store:
    RevocationStore + LockStore + SweepStore + UserStore + AccountStore + FigureStore + Send + Sync + 'static
{
    // Keys

    /// Every wrapped key of the ring, oldest first.
    async fn keys(&self) -> StoreResult<Vec<WrappedKeyRow>>;

    /// Adds a key to the ring when the ring is empty; answers the ring as it then stands.
    /// Two nodes that start at once agree on the first one's key.
    async fn add_first_key(&self, key: WrappedKeyRow) -> StoreResult<Vec<WrappedKeyRow>>;

    /// Keeps the index key beside the ring, unless one is kept already.
    async fn keep_index_key(&self, key: WrappedKeyRow) -> StoreResult<()>;

    /// Adds a key to the ring with its audit event, unless there is a newer one than the caller knows; answers whether
    /// it was added.
    async fn add_key(&self, add: AddKey) -> StoreResult<bool>;

    /// How much is sealed under each key of the ring, and under keys that are gone.
    async fn key_uses(&self) -> StoreResult<Vec<KeyUse>>;

    /// The live sessions that began before `moment`, and how many of them were not seen since.
    async fn begun_before(&self, moment: UnixMs, now: UnixMs) -> StoreResult<Begun>;

    /// Up to `limit` keys that this ring key wraps.
    async fn wrapped_by(&self, key_id: &str, limit: u32) -> StoreResult<Vec<Wrapped>>;

    /// Stores keys wrapped anew, each only if it is still wrapped as it was read; answers how many were.
    async fn rewrap(&self, rewraps: Vec<Rewrap>) -> StoreResult<u64>;

    /// Takes an old key out of the ring with its audit event; sessions of its time end first where that is asked.
    /// Nothing is done while persons' audit keys, or sessions that go on, are still wrapped by it.
    async fn retire_key(&self, retire: RetireKey) -> StoreResult<RetireOutcome>;

    /// The key that seals one person's fields in the audit log: the stored one, or else `candidate`, now stored.
    async fn subject_key(&self, candidate: SubjectKeyRow) -> StoreResult<SubjectKeyRow>;

    /// The key of this person if there is one.
    async fn find_subject_key(&self, subject: [u8; 32]) -> StoreResult<Option<SubjectKeyRow>>;

    // Sessions

    /// Uses the login transaction up, stores the new session with its token set, ends the browser's
    /// old session, and appends the audit events: all of it or nothing. A session that ran until now and was stepped up
    /// is kept in mind with its successor. Where the person has as many sessions at the client as they may, the oldest
    /// end or the login is refused, as `room` says.
    async fn commit_login(&self, login: CommitLogin) -> StoreResult<LoginOutcome>;

    /// One session's row, live or ended.
    async fn session(&self, id: SessionId) -> StoreResult<Option<SessionRow>>;

    /// One session's sealed token set; `None` once it is forgotten.
    async fn tokens(&self, id: SessionId) -> StoreResult<Option<StoredTokens>>;

    /// Which session took this one's place by a step-up; `None` where none did.
    async fn succession(&self, id: SessionId) -> StoreResult<Option<Succession>>;

    /// Notes the first use of a stepped-up session's secret after its time, with its audit event; answers whether this
    /// was the first.
    async fn note_reuse(&self, reuse: NoteReuse) -> StoreResult<bool>;

    /// Sets when sessions were last seen. A moment older than the stored one changes nothing, and
    /// neither does an ended session.
    async fn touch(&self, seen: Vec<(SessionId, UnixMs)>) -> StoreResult<()>;

    /// Ends each session that still runs, with its audit event; the answers are in the order asked.
    async fn end(&self, ends: Vec<End>) -> StoreResult<Vec<EndOutcome>>;

    /// The sessions that a provider's logout names, in no order.
    async fn named(&self, named: Named) -> StoreResult<Vec<SessionSummary>>;

    /// Uses a logout token up, ends the sessions that it names, remembers it for logins on their way, and appends the
    /// audit events: all of it or nothing. Nothing too when a session is named whose end is not there.
    async fn commit_logout(&self, logout: CommitLogout) -> StoreResult<LogoutOutcome>;

    /// Deletes an ended session's token set, of which no provider is to be told.
    async fn forget_tokens(&self, id: SessionId) -> StoreResult<()>;

    /// The live sessions of one person at one client, newest first, at most 1000.
    async fn sessions_of(&self, subject: [u8; 32], client_id: &str, now: UnixMs) -> StoreResult<Vec<SessionSummary>>;

    /// One page of sessions for administrators.
    async fn list(&self, query: ListQuery) -> StoreResult<ListPage>;

    /// Live sessions in all, by client and by provider, and audit events by kind since `since`: one tenant's, or all.
    async fn totals(&self, tenant: Option<&str>, now: UnixMs, since: UnixMs) -> StoreResult<Totals>;

    // Refresh (architecture.md, T7)

    /// Takes the refresh lease of a session and commits an attempt row for the present generation,
    /// before the first byte of a refresh leaves. What an open attempt without a lease means, `doubt` says.
    async fn begin_refresh(
        &self,
        id: SessionId,
        owner: &str,
        now: UnixMs,
        lease_until: UnixMs,
        doubt: Doubt,
    ) -> StoreResult<BeginRefresh>;

    /// Adopts a provider's answer while the generation still stands, the session was not ended and its absolute expiry
    /// has not passed; answers whether it was adopted. The lease may be over: a provider that rotates has used the old
    /// token up all the same. Adoption closes every attempt of the generation, else this one alone is closed. Gives
    /// the lease back if it is still this fence's.
    async fn commit_refresh(&self, refresh: CommitRefresh) -> StoreResult<bool>;

    /// Closes the one attempt of this fence, whose request surely never reached the provider or was plainly refused,
    /// and gives the lease back, so that the same generation may be tried again. Earlier attempts in doubt stay so.
    async fn abandon_refresh(&self, id: SessionId, fence: i64) -> StoreResult<()>;

    /// Gives the lease of an attempt without a known outcome back: the generation stays in doubt.
    async fn leave_in_doubt(&self, id: SessionId, fence: i64) -> StoreResult<()>;

    // Mobile apps' sessions

    /// What stands for a mobile app's session: its code and its refresh token.
    async fn mobile_grant(&self, id: SessionId) -> StoreResult<Option<MobileGrant>>;

    /// Redeems a session's code and gives the session its life, unless the code was redeemed before or is too old, or the
    /// session has ended; answers whether it did.
    async fn redeem_code(&self, redeem: RedeemCode) -> StoreResult<bool>;

    /// Puts a new refresh token in the place of the one that was presented, unless that is no longer the present one, or
    /// the session has ended; answers whether it did.
    async fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreResult<bool>;

    /// Remembers a hash until it expires; answers whether it was not remembered before. Check and use are one step (S8).
    async fn use_once(&self, hash: [u8; 32], expires_at: UnixMs, now: UnixMs) -> StoreResult<bool>;

    /// Gives a session that has not ended a name of its owner's; answers whether there was one.
    async fn name_device(&self, id: SessionId, name: Option<String>) -> StoreResult<bool>;

    // Devices' sign-ins

    /// Keeps what a device asked for, unless `most` wait already or its user code is another's; answers whether it did.
    /// Those that are over are forgotten.
    async fn begin_device(&self, grant: DeviceGrant, most: i64) -> StoreResult<bool>;

    /// The device that waits with this user code.
    async fn waiting_device(&self, user_code: [u8; 32], now: UnixMs) -> StoreResult<Option<DeviceGrant>>;

    /// Notes the person's yes (the session's sealed code) or no, unless it was decided before or is too late; answers
    /// whether it did.
    async fn decide_device(&self, device: [u8; 32], code: Option<Vec<u8>>, now: UnixMs) -> StoreResult<bool>;

    /// How a device's sign-in stands, and notes that it asked.
    async fn poll_device(&self, device: [u8; 32], now: UnixMs) -> StoreResult<Option<DevicePoll>>;

    // Audit

    /// Appends events that belong to no other unit of work.
    async fn append(&self, events: Vec<AuditRow>) -> StoreResult<()>;

    /// The last link of the chain, and up to `limit` events that are not linked yet, in the order they came.
    async fn unchained(&self, limit: u32) -> StoreResult<(ChainHead, Vec<StoredEvent>)>;

    /// Links events to the chain. Refused (`false`) when the head is no longer `after`: another sequencer was faster.
    async fn chain(&self, after: ChainHead, links: Vec<ChainLink>) -> StoreResult<bool>;

    /// Up to `limit` linked events after the sequence number `after`, in order.
    async fn chained(&self, after: i64, limit: u32) -> StoreResult<Vec<StoredEvent>>;

    /// Events of one session, oldest first, at most 200.
    async fn events_of_session(&self, id: SessionId) -> StoreResult<Vec<StoredEvent>>;

    /// The newest `limit` events: one tenant's, or all.
    async fn latest_events(&self, tenant: Option<&str>, limit: u32) -> StoreResult<Vec<StoredEvent>>;

    /// One page of events for administrators, newest first, 1 to 500 of them.
    async fn search_events(&self, query: &AuditQuery, place: Option<AuditPlace>, limit: u32) -> StoreResult<AuditPage>;

    /// One event.
    async fn event(&self, id: [u8; 16]) -> StoreResult<Option<StoredEvent>>;

    /// Up to `limit` events that came after a place, in the order they came: one tenant's, or all.
    async fn events_after(&self, tenant: Option<&str>, place: i64, limit: u32) -> StoreResult<Vec<StoredEvent>>;

    // Operation

    /// Whether a write would succeed now.
    async fn ready(&self) -> StoreResult<()>;

    /// Takes no more writes, once those that came before are kept; or takes them again. Only where this process alone uses
    /// the store.
    async fn freeze(&self, frozen: bool) -> StoreResult<()>;

    /// The change log, where several processes may use the store at once.
    fn change_log(self: Arc<Self>) -> Option<Arc<dyn ChangeLog>>;

    /// Waits for what is queued and closes every connection.
    async fn close(&self);
}
