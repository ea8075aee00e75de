//! The unit of work of a provider's logout, and what logins are told of it.

use std::collections::HashSet;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{
    CommitLogout, LogoutOutcome, Named, NamedBy, Proven, SessionSummary, StoreResult, Tombstone,
};

use super::rows::{self, Columns};
use super::{audit, sessions, store_error, sweep};

pub(super) async fn named(readers: &SqlitePool, named: &Named) -> StoreResult<Vec<SessionSummary>> {
    let found = named_query(rows::SUMMARY, named).build().fetch_all(readers).await.map_err(store_error)?;
    found.iter().map(rows::summary).collect::<sqlx::Result<_>>().map_err(store_error)
}

/// The sessions that are named and have not ended.
pub(super) fn named_query(columns: &str, named: &Named) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(columns).push(" FROM sessions WHERE ended_at IS NULL");
    match named.by {
        NamedBy::Sid(sid) => {
            query.push(" AND upstream_sid = ").push_bind(sid.to_vec());
        }
        NamedBy::Subject(subject) => {
            query.push(" AND subject = ").push_bind(subject.to_vec());
        }
        NamedBy::SidOfSubject { sid, subject } => {
            query.push(" AND subject = ").push_bind(subject.to_vec());
            query.push(" AND upstream_sid = ").push_bind(sid.to_vec());
        }
    }
    if let Some(client_id) = &named.client_id {
        query.push(" AND client_id = ").push_bind(client_id.clone());
    }
    query.push(" AND live_until > ").push_bind(named.alive_after.0);
    query
}

pub(super) async fn commit(connection: &mut SqliteConnection, logout: CommitLogout) -> sqlx::Result<LogoutOutcome> {
    let used = sqlx::query("SELECT 1 FROM used_logout_tokens WHERE hash = ?")
        .bind(logout.token.as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    if used.is_some() {
        return Ok(LogoutOutcome::Replayed);
    }
    let prepared: HashSet<SessionId> = logout.ends.iter().map(|end| end.id).collect();
    for row in named_query("id", &logout.named).build().fetch_all(&mut *connection).await? {
        if !prepared.contains(&SessionId::from_bytes(Columns::of("sessions", &row).bytes("id")?)) {
            return Ok(LogoutOutcome::Changed);
        }
    }
    sqlx::query("INSERT INTO used_logout_tokens (hash, expires_at) VALUES (?, ?)")
        .bind(logout.token.as_slice())
        .bind(logout.token_expires_at.0)
        .execute(&mut *connection)
        .await?;
    sweep::logouts(connection, logout.now).await?;
    remember(connection, &logout.tombstone, logout.now).await?;
    audit::append(connection, &logout.event).await?;
    sessions::end_all(connection, logout.ends).await.map(LogoutOutcome::Done)
}

/// Of two logouts of one name, the later counts.
async fn remember(connection: &mut SqliteConnection, stone: &Tombstone, now: UnixMs) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO logout_tombstones AS stone (name, issued_at, received_at, expires_at) VALUES (?, ?, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET \
         issued_at = CASE WHEN excluded.issued_at > stone.issued_at THEN excluded.issued_at ELSE stone.issued_at END, \
         received_at = CASE WHEN excluded.received_at > stone.received_at THEN excluded.received_at ELSE stone.received_at END, \
         expires_at = CASE WHEN excluded.expires_at > stone.expires_at THEN excluded.expires_at ELSE stone.expires_at END",
    )
    .bind(stone.name.as_slice())
    .bind(stone.issued_at.0)
    .bind(now.0)
    .bind(stone.expires_at.0)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Whether a logout forbids the login: one that was issued with or after its ID token; or one that came while the login
/// was on its way, unless the person has proved who they are since.
pub(super) async fn forbids(connection: &mut SqliteConnection, proven: &Proven, now: UnixMs) -> sqlx::Result<bool> {
    let session = proven.upstream_sid.as_ref().unwrap_or(&proven.subject);
    let found = sqlx::query(
        "SELECT 1 FROM logout_tombstones WHERE (name = ? OR name = ?) AND expires_at > ? \
         AND (issued_at >= ? OR (received_at >= ? AND issued_at >= ?)) LIMIT 1",
    )
    .bind(session.as_slice())
    .bind(proven.subject.as_slice())
    .bind(now.0)
    .bind(proven.issued_at.0)
    .bind(proven.begun_at.0)
    .bind(proven.auth_time.0)
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}
