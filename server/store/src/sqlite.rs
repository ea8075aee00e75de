//! Embedded SQLite: WAL, `synchronous = FULL`, one writer with group commit, a few readers, one process per file.

mod accounts;
mod audit;
mod audit_search;
mod device;
mod figures;
mod keys;
mod list;
mod locks;
mod login;
mod logout;
mod mobile;
mod open;
mod refresh;
mod revocations;
mod room;
mod sessions;
mod succession;
mod sweep;
mod telling;
mod users;
mod writer;

/// One text for both kinds of database, compiled with the rows of each.
mod rows {
    include!("rows.rs");
}

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sqlx::{Connection as _, SqlitePool};
use tokio::task::JoinHandle;

use cloakroom_core::audit::{AuditRow, ChainHead, ChainLink, StoredEvent};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{
    AddKey, BeginRefresh, Begun, CommitLogin, CommitLogout, CommitRefresh, DeviceGrant, DevicePoll, Doubt, End,
    EndOutcome, KeyUse, ListPage, ListQuery, LoginOutcome, LogoutOutcome, MobileGrant, Named, NoteReuse, RedeemCode,
    RetireKey, RetireOutcome, Rewrap, RotateRefresh, SessionRow, SessionSummary, Store, StoreError, StoreResult,
    StoredTokens, SubjectKeyRow, Succession, Totals, Wrapped, WrappedKeyRow,
};
use cloakroom_core::store::{AuditPage, AuditPlace, AuditQuery, ChangeLog};

pub use open::OpenError;
pub(crate) use open::read_alone;
use writer::{Hands, Writer};

type Db = sqlx::Sqlite;
type Row = sqlx::sqlite::SqliteRow;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    /// `None` where the file was opened for reading.
    writer: Option<Writer>,
    readers: SqlitePool,
    ending: Mutex<Option<JoinHandle<Hands>>>,
}

/// How much was written since the file was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writes {
    /// Units of work that came.
    pub units: u64,
    /// Commits they took, each with a sync to disk.
    pub commits: u64,
}

impl Sqlite {
    /// How much was written so far.
    #[must_use]
    pub fn writes(&self) -> Writes {
        let (units, commits) = self.writer.as_ref().map_or((0, 0), Writer::counts);
        Writes { units, commits }
    }

    fn writer(&self) -> StoreResult<&Writer> {
        self.writer.as_ref().ok_or_else(|| StoreError::Unavailable("the store was opened for reading".into()))
    }
}

/// What SQLite says, as callers act on it.
fn store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Decode(what) => StoreError::Corrupt(what.to_string()),
        sqlx::Error::Database(error) if damaged(&*error) => StoreError::Corrupt(error.to_string()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// Whether SQLite found the file itself damaged: `SQLITE_CORRUPT` or `SQLITE_NOTADB`, extended codes included.
fn damaged(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

#[async_trait]
impl Store for Sqlite {
    async fn keys(&self) -> StoreResult<Vec<WrappedKeyRow>> {
        keys::all(&self.readers).await
    }

    async fn add_first_key(&self, key: WrappedKeyRow) -> StoreResult<Vec<WrappedKeyRow>> {
        self.writer()?.run(move |c| Box::pin(keys::add_first(c, key))).await
    }

    async fn keep_index_key(&self, key: WrappedKeyRow) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(keys::keep_index(c, key))).await
    }

    async fn add_key(&self, add: AddKey) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(keys::add(c, add))).await
    }

    async fn key_uses(&self) -> StoreResult<Vec<KeyUse>> {
        keys::uses(&self.readers).await
    }

    async fn begun_before(&self, moment: UnixMs, now: UnixMs) -> StoreResult<Begun> {
        keys::begun_before(&self.readers, moment, now).await
    }

    async fn wrapped_by(&self, key_id: &str, limit: u32) -> StoreResult<Vec<Wrapped>> {
        keys::wrapped_by(&self.readers, key_id, limit).await
    }

    async fn rewrap(&self, rewraps: Vec<Rewrap>) -> StoreResult<u64> {
        self.writer()?.run(move |c| Box::pin(keys::rewrap(c, rewraps))).await
    }

    async fn retire_key(&self, retire: RetireKey) -> StoreResult<RetireOutcome> {
        self.writer()?.run(move |c| Box::pin(keys::retire(c, retire))).await
    }

    async fn subject_key(&self, candidate: SubjectKeyRow) -> StoreResult<SubjectKeyRow> {
        self.writer()?.run(move |c| Box::pin(keys::subject(c, candidate))).await
    }

    async fn find_subject_key(&self, subject: [u8; 32]) -> StoreResult<Option<SubjectKeyRow>> {
        keys::find_subject(&self.readers, subject).await
    }

    async fn commit_login(&self, login: CommitLogin) -> StoreResult<LoginOutcome> {
        self.writer()?.run(move |c| Box::pin(login::commit(c, login))).await
    }

    async fn session(&self, id: SessionId) -> StoreResult<Option<SessionRow>> {
        sessions::one(&self.readers, id).await
    }

    async fn tokens(&self, id: SessionId) -> StoreResult<Option<StoredTokens>> {
        sessions::tokens(&self.readers, id).await
    }

    async fn succession(&self, id: SessionId) -> StoreResult<Option<Succession>> {
        succession::of(&self.readers, id).await
    }

    async fn note_reuse(&self, reuse: NoteReuse) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(succession::note_reuse(c, reuse))).await
    }

    async fn touch(&self, seen: Vec<(SessionId, UnixMs)>) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(sessions::touch(c, seen))).await
    }

    async fn end(&self, ends: Vec<End>) -> StoreResult<Vec<EndOutcome>> {
        self.writer()?.run(move |c| Box::pin(sessions::end_all(c, ends))).await
    }

    async fn named(&self, named: Named) -> StoreResult<Vec<SessionSummary>> {
        logout::named(&self.readers, &named).await
    }

    async fn commit_logout(&self, logout: CommitLogout) -> StoreResult<LogoutOutcome> {
        self.writer()?.run(move |c| Box::pin(logout::commit(c, logout))).await
    }

    async fn forget_tokens(&self, id: SessionId) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(sessions::forget_tokens(c, id))).await
    }

    async fn sessions_of(&self, subject: [u8; 32], client_id: &str, now: UnixMs) -> StoreResult<Vec<SessionSummary>> {
        list::of_subject(&self.readers, subject, client_id, now).await
    }

    async fn list(&self, query: ListQuery) -> StoreResult<ListPage> {
        list::page(&self.readers, query).await
    }

    async fn totals(&self, tenant: Option<&str>, now: UnixMs, since: UnixMs) -> StoreResult<Totals> {
        list::totals(&self.readers, tenant, now, since).await
    }

    async fn begin_refresh(
        &self,
        id: SessionId,
        owner: &str,
        now: UnixMs,
        lease_until: UnixMs,
        doubt: Doubt,
    ) -> StoreResult<BeginRefresh> {
        let asked = refresh::Asked { owner: owner.to_owned(), now, until: lease_until, doubt };
        self.writer()?.run(move |c| Box::pin(refresh::begin(c, id, asked))).await
    }

    async fn commit_refresh(&self, refresh: CommitRefresh) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(refresh::commit(c, refresh))).await
    }

    async fn abandon_refresh(&self, id: SessionId, fence: i64) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(refresh::abandon(c, id, fence))).await
    }

    async fn leave_in_doubt(&self, id: SessionId, fence: i64) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(refresh::give_back(c, id, fence))).await
    }

    async fn begin_device(&self, grant: DeviceGrant, most: i64) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(device::begin(c, grant, most))).await
    }

    async fn waiting_device(&self, user_code: [u8; 32], now: UnixMs) -> StoreResult<Option<DeviceGrant>> {
        device::waiting(&self.readers, user_code, now).await
    }

    async fn decide_device(&self, device: [u8; 32], code: Option<Vec<u8>>, now: UnixMs) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(device::decide(c, device, code, now))).await
    }

    async fn poll_device(&self, device: [u8; 32], now: UnixMs) -> StoreResult<Option<DevicePoll>> {
        self.writer()?.run(move |c| Box::pin(device::poll(c, device, now))).await
    }

    async fn mobile_grant(&self, id: SessionId) -> StoreResult<Option<MobileGrant>> {
        mobile::grant(&self.readers, id).await
    }

    async fn redeem_code(&self, redeem: RedeemCode) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(mobile::redeem(c, redeem))).await
    }

    async fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(mobile::rotate(c, rotate))).await
    }

    async fn use_once(&self, hash: [u8; 32], expires_at: UnixMs, now: UnixMs) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(mobile::use_once(c, hash, expires_at, now))).await
    }

    async fn name_device(&self, id: SessionId, name: Option<String>) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(mobile::name_device(c, id, name))).await
    }

    async fn append(&self, events: Vec<AuditRow>) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(async move { audit::append_all(c, &events).await })).await
    }

    async fn unchained(&self, limit: u32) -> StoreResult<(ChainHead, Vec<StoredEvent>)> {
        audit::unchained(&self.readers, limit).await
    }

    async fn chain(&self, after: ChainHead, links: Vec<ChainLink>) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(audit::chain(c, after, links))).await
    }

    async fn chained(&self, after: i64, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        audit::chained(&self.readers, after, limit).await
    }

    async fn events_of_session(&self, id: SessionId) -> StoreResult<Vec<StoredEvent>> {
        audit::of_session(&self.readers, id).await
    }

    async fn latest_events(&self, tenant: Option<&str>, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        audit::latest(&self.readers, tenant, limit).await
    }

    async fn search_events(&self, query: &AuditQuery, place: Option<AuditPlace>, limit: u32) -> StoreResult<AuditPage> {
        audit_search::page(&self.readers, query, place, limit).await
    }

    async fn event(&self, id: [u8; 16]) -> StoreResult<Option<StoredEvent>> {
        audit_search::one(&self.readers, id).await
    }

    async fn events_after(&self, tenant: Option<&str>, place: i64, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        audit_search::after(&self.readers, tenant, place, limit).await
    }

    async fn ready(&self) -> StoreResult<()> {
        self.writer()?.run(|c| Box::pin(async move { keys::probe(c).await })).await
    }

    async fn freeze(&self, frozen: bool) -> StoreResult<()> {
        self.writer()?.freeze(frozen).await
    }

    fn change_log(self: Arc<Self>) -> Option<Arc<dyn ChangeLog>> {
        None
    }

    async fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close();
        }
        let ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let hands = match ending {
            Some(ending) => ending.await.map_err(|error| tracing::error!(%error, "the writing task broke down")).ok(),
            None => None,
        };
        self.readers.close().await;
        let Some(Hands { connection, lock }) = hands else { return };
        // Last, since only the last connection, and one that writes, folds the log into the file.
        if let Err(error) = connection.close().await {
            tracing::warn!(%error, "the store did not close cleanly");
        }
        drop(lock);
    }
}
