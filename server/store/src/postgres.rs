//! PostgreSQL: the one truth of several nodes. Each unit of work is a transaction at READ COMMITTED that locks the rows
//! it decides on; plain SQL, without extensions and advisory locks.

mod accounts;
mod address;
mod audit;
mod audit_search;
mod device;
mod figures;
mod hints;
mod keys;
mod list;
mod locks;
mod log;
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
mod unit;
mod users;

/// One text for both kinds of database, compiled with the rows of each.
mod rows {
    include!("rows.rs");
}

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::PgPool;

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

pub use address::Address;
use hints::Hints;
pub(crate) use open::write_alone;
pub use open::{ConnectError, Settings, Tls};
use unit::Mode::{Read, Snapshot, Write};

type Db = sqlx::Postgres;
type Row = sqlx::postgres::PgRow;

/// A store in a PostgreSQL database.
#[derive(Debug)]
pub struct Postgres {
    pool: PgPool,
    /// A connection of its own for the change log, so that hearing of an end never waits behind other units.
    log: PgPool,
    hints: Hints,
    /// Host and database, for messages.
    place: String,
}

/// Text as this server keeps it: without NUL, which it takes for no text at all. Only columns that serve lists hold text
/// of others; what decides is sealed.
fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

impl Postgres {
    /// After what may have been noted in the change log.
    fn hint<T>(&self, done: &StoreResult<T>) {
        if done.is_ok() {
            self.hints.give(&self.log);
        }
    }
}

#[async_trait]
impl Store for Postgres {
    async fn keys(&self) -> StoreResult<Vec<WrappedKeyRow>> {
        self.unit(Read, (), |c, ()| Box::pin(keys::all(c))).await
    }

    async fn add_first_key(&self, key: WrappedKeyRow) -> StoreResult<Vec<WrappedKeyRow>> {
        self.unit(Write, key, |c, key| Box::pin(keys::add_first(c, key))).await
    }

    async fn keep_index_key(&self, key: WrappedKeyRow) -> StoreResult<()> {
        self.unit(Write, key, |c, key| Box::pin(keys::keep_index(c, key))).await
    }

    async fn add_key(&self, add: AddKey) -> StoreResult<bool> {
        let done = self.unit(Write, add, |c, add| Box::pin(keys::add(c, add))).await;
        self.hint(&done);
        done
    }

    async fn key_uses(&self) -> StoreResult<Vec<KeyUse>> {
        self.unit(Read, (), |c, ()| Box::pin(keys::uses(c))).await
    }

    async fn begun_before(&self, moment: UnixMs, now: UnixMs) -> StoreResult<Begun> {
        self.unit(Read, (moment, now), |c, (moment, now)| Box::pin(keys::begun_before(c, *moment, *now))).await
    }

    async fn wrapped_by(&self, key_id: &str, limit: u32) -> StoreResult<Vec<Wrapped>> {
        let asked = (key_id.to_owned(), limit);
        self.unit(Read, asked, |c, (key_id, limit)| Box::pin(keys::wrapped_by(c, key_id, *limit))).await
    }

    async fn rewrap(&self, rewraps: Vec<Rewrap>) -> StoreResult<u64> {
        self.unit(Write, rewraps, |c, rewraps| Box::pin(keys::rewrap(c, rewraps))).await
    }

    async fn retire_key(&self, retire: RetireKey) -> StoreResult<RetireOutcome> {
        let done = self.unit(Write, retire, |c, retire| Box::pin(keys::retire(c, retire))).await;
        self.hint(&done);
        done
    }

    async fn subject_key(&self, candidate: SubjectKeyRow) -> StoreResult<SubjectKeyRow> {
        self.unit(Write, candidate, |c, candidate| Box::pin(keys::subject(c, candidate))).await
    }

    async fn find_subject_key(&self, subject: [u8; 32]) -> StoreResult<Option<SubjectKeyRow>> {
        self.unit(Read, subject, |c, subject| Box::pin(keys::find_subject(c, *subject))).await
    }

    async fn commit_login(&self, login: CommitLogin) -> StoreResult<LoginOutcome> {
        let done = self.unit(Write, login, |c, login| Box::pin(login::commit(c, login))).await;
        self.hint(&done);
        done
    }

    async fn session(&self, id: SessionId) -> StoreResult<Option<SessionRow>> {
        self.unit(Read, id, |c, id| Box::pin(sessions::one(c, *id))).await
    }

    async fn tokens(&self, id: SessionId) -> StoreResult<Option<StoredTokens>> {
        self.unit(Read, id, |c, id| Box::pin(sessions::tokens(c, *id))).await
    }

    async fn succession(&self, id: SessionId) -> StoreResult<Option<Succession>> {
        self.unit(Read, id, |c, id| Box::pin(succession::of(c, *id))).await
    }

    async fn note_reuse(&self, reuse: NoteReuse) -> StoreResult<bool> {
        self.unit(Write, reuse, |c, reuse| Box::pin(succession::note_reuse(c, reuse))).await
    }

    async fn touch(&self, seen: Vec<(SessionId, UnixMs)>) -> StoreResult<()> {
        self.unit(Write, seen, |c, seen| Box::pin(sessions::touch(c, seen))).await
    }

    async fn end(&self, ends: Vec<End>) -> StoreResult<Vec<EndOutcome>> {
        let done = self.unit(Write, ends, |c, ends| Box::pin(sessions::end_all(c, ends))).await;
        self.hint(&done);
        done
    }

    async fn named(&self, named: Named) -> StoreResult<Vec<SessionSummary>> {
        self.unit(Read, named, |c, named| Box::pin(logout::named(c, named))).await
    }

    async fn commit_logout(&self, logout: CommitLogout) -> StoreResult<LogoutOutcome> {
        let done = self.unit(Write, logout, |c, logout| Box::pin(logout::commit(c, logout))).await;
        self.hint(&done);
        done
    }

    async fn forget_tokens(&self, id: SessionId) -> StoreResult<()> {
        self.unit(Write, id, |c, id| Box::pin(sessions::forget_tokens(c, *id))).await
    }

    async fn sessions_of(&self, subject: [u8; 32], client_id: &str, now: UnixMs) -> StoreResult<Vec<SessionSummary>> {
        let asked = (subject, client_id.to_owned(), now);
        self.unit(Read, asked, |c, (subject, client, now)| Box::pin(list::of_subject(c, *subject, client, *now))).await
    }

    async fn list(&self, query: ListQuery) -> StoreResult<ListPage> {
        self.unit(Snapshot, query, |c, query| Box::pin(list::page(c, query))).await
    }

    async fn totals(&self, tenant: Option<&str>, now: UnixMs, since: UnixMs) -> StoreResult<Totals> {
        let asked = (tenant.map(str::to_owned), now, since);
        self.unit(Snapshot, asked, |c, (tenant, now, since)| Box::pin(list::totals(c, tenant.as_deref(), *now, *since)))
            .await
    }

    async fn begin_refresh(
        &self,
        id: SessionId,
        owner: &str,
        now: UnixMs,
        lease_until: UnixMs,
        doubt: Doubt,
    ) -> StoreResult<BeginRefresh> {
        let asked = refresh::Asked { id, owner: owner.to_owned(), now, until: lease_until, doubt };
        self.unit(Write, asked, |c, asked| Box::pin(refresh::begin(c, asked))).await
    }

    async fn commit_refresh(&self, refresh: CommitRefresh) -> StoreResult<bool> {
        self.unit(Write, refresh, |c, refresh| Box::pin(refresh::commit(c, refresh))).await
    }

    async fn abandon_refresh(&self, id: SessionId, fence: i64) -> StoreResult<()> {
        self.unit(Write, (id, fence), |c, (id, fence)| Box::pin(refresh::abandon(c, *id, *fence))).await
    }

    async fn leave_in_doubt(&self, id: SessionId, fence: i64) -> StoreResult<()> {
        self.unit(Write, (id, fence), |c, (id, fence)| Box::pin(refresh::give_back(c, *id, *fence))).await
    }

    async fn mobile_grant(&self, id: SessionId) -> StoreResult<Option<MobileGrant>> {
        self.unit(Read, id, |c, id| Box::pin(mobile::grant(c, *id))).await
    }

    async fn redeem_code(&self, redeem: RedeemCode) -> StoreResult<bool> {
        self.unit(Write, redeem, |c, redeem| Box::pin(mobile::redeem(c, redeem))).await
    }

    async fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreResult<bool> {
        self.unit(Write, rotate, |c, rotate| Box::pin(mobile::rotate(c, rotate))).await
    }

    async fn use_once(&self, hash: [u8; 32], expires_at: UnixMs, now: UnixMs) -> StoreResult<bool> {
        let once = (hash, expires_at, now);
        self.unit(Write, once, |c, (hash, until, now)| Box::pin(mobile::use_once(c, *hash, *until, *now))).await
    }

    async fn name_device(&self, id: SessionId, name: Option<String>) -> StoreResult<bool> {
        self.unit(Write, (id, name), |c, (id, name)| Box::pin(mobile::name_device(c, *id, name.as_deref()))).await
    }

    async fn begin_device(&self, grant: DeviceGrant, most: i64) -> StoreResult<bool> {
        self.unit(Write, (grant, most), |c, (grant, most)| Box::pin(device::begin(c, grant, *most))).await
    }

    async fn waiting_device(&self, user_code: [u8; 32], now: UnixMs) -> StoreResult<Option<DeviceGrant>> {
        let asked = (user_code, now);
        self.unit(Read, asked, |c, (user_code, now)| Box::pin(device::waiting(c, *user_code, *now))).await
    }

    async fn decide_device(&self, device: [u8; 32], code: Option<Vec<u8>>, now: UnixMs) -> StoreResult<bool> {
        let asked = (device, code, now);
        self.unit(Write, asked, |c, (device, code, now)| Box::pin(device::decide(c, *device, code.as_deref(), *now)))
            .await
    }

    async fn poll_device(&self, device: [u8; 32], now: UnixMs) -> StoreResult<Option<DevicePoll>> {
        self.unit(Write, (device, now), |c, (device, now)| Box::pin(device::poll(c, *device, *now))).await
    }

    async fn append(&self, events: Vec<AuditRow>) -> StoreResult<()> {
        self.unit(Write, events, |c, events| Box::pin(audit::append_all(c, events))).await
    }

    async fn unchained(&self, limit: u32) -> StoreResult<(ChainHead, Vec<StoredEvent>)> {
        self.unit(Snapshot, limit, |c, limit| Box::pin(audit::unchained(c, *limit))).await
    }

    async fn chain(&self, after: ChainHead, links: Vec<ChainLink>) -> StoreResult<bool> {
        self.unit(Write, (after, links), |c, (after, links)| Box::pin(audit::chain(c, *after, links))).await
    }

    async fn chained(&self, after: i64, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        self.unit(Read, (after, limit), |c, (after, limit)| Box::pin(audit::chained(c, *after, *limit))).await
    }

    async fn events_of_session(&self, id: SessionId) -> StoreResult<Vec<StoredEvent>> {
        self.unit(Read, id, |c, id| Box::pin(audit::of_session(c, *id))).await
    }

    async fn latest_events(&self, tenant: Option<&str>, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        let asked = (tenant.map(str::to_owned), limit);
        self.unit(Read, asked, |c, (tenant, limit)| Box::pin(audit::latest(c, tenant.as_deref(), *limit))).await
    }

    async fn search_events(&self, query: &AuditQuery, place: Option<AuditPlace>, limit: u32) -> StoreResult<AuditPage> {
        let asked = (query.clone(), place, limit);
        self.unit(Snapshot, asked, |c, (query, place, limit)| Box::pin(audit_search::page(c, query, *place, *limit)))
            .await
    }

    async fn event(&self, id: [u8; 16]) -> StoreResult<Option<StoredEvent>> {
        self.unit(Read, id, |c, id| Box::pin(audit_search::one(c, *id))).await
    }

    async fn events_after(&self, tenant: Option<&str>, place: i64, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        let asked = (tenant.map(str::to_owned), place, limit);
        self.unit(Read, asked, |c, (tenant, place, limit)| {
            Box::pin(audit_search::after(c, tenant.as_deref(), *place, *limit))
        })
        .await
    }

    async fn ready(&self) -> StoreResult<()> {
        self.unit(Write, (), |c, ()| Box::pin(keys::probe(c))).await
    }

    async fn freeze(&self, _frozen: bool) -> StoreResult<()> {
        Err(StoreError::Unavailable(format!("{}: others may write to a database", self.place)))
    }

    fn change_log(self: Arc<Self>) -> Option<Arc<dyn ChangeLog>> {
        Some(self)
    }

    async fn close(&self) {
        self.log.close().await;
        self.pool.close().await;
    }
}
