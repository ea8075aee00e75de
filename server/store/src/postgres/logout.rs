//! The unit of work of a provider's logout, and what logins are told of it.

use std::collections::HashSet;

use sqlx::{PgConnection, Postgres, QueryBuilder};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{CommitLogout, LogoutOutcome, Named, NamedBy, Proven, SessionSummary, Tombstone};

use super::rows::{self, Columns};
use super::{audit, sessions, sweep};

pub(super) async fn named(connection: &mut PgConnection, named: &Named) -> sqlx::Result<Vec<SessionSummary>> {
    let found = named_query(rows::SUMMARY, named).build().fetch_all(connection).await?;
    found.iter().map(rows::summary).collect()
}

/// The sessions that are named and have not ended.
fn named_query(columns: &str, named: &Named) -> QueryBuilder<Postgres> {
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

/// Where logins and logouts of a name meet; two uses of one logout token too, since it names the same.
const fn slot(name: &[u8; 32]) -> i16 {
    name[0] as i16
}

pub(super) async fn commit(connection: &mut PgConnection, logout: &CommitLogout) -> sqlx::Result<LogoutOutcome> {
    sqlx::query("SELECT slot FROM locks WHERE slot = $1 FOR UPDATE")
        .bind(slot(&logout.tombstone.name))
        .fetch_one(&mut *connection)
        .await?;
    let used = sqlx::query("SELECT 1 FROM used_logout_tokens WHERE hash = $1")
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
    sqlx::query("INSERT INTO used_logout_tokens (hash, expires_at) VALUES ($1, $2)")
        .bind(logout.token.as_slice())
        .bind(logout.token_expires_at.0)
        .execute(&mut *connection)
        .await?;
    sweep::logouts(connection, logout.now).await?;
    remember(connection, &logout.tombstone, logout.now).await?;
    audit::append(connection, &logout.event).await?;
    sessions::end_all(connection, &logout.ends).await.map(LogoutOutcome::Done)
}

/// Of two logouts of one name, the later counts.
async fn remember(connection: &mut PgConnection, stone: &Tombstone, now: UnixMs) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO logout_tombstones AS stone (name, issued_at, received_at, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET issued_at = GREATEST(excluded.issued_at, stone.issued_at), \
         received_at = GREATEST(excluded.received_at, stone.received_at), \
         expires_at = GREATEST(excluded.expires_at, stone.expires_at)",
    )
    .bind(stone.name.as_slice())
    .bind(stone.issued_at.0)
    .bind(now.0)
    .bind(stone.expires_at.0)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Keeps every other login and logout of these names waiting until this unit is over.
pub(super) async fn hold(connection: &mut PgConnection, proven: &Proven) -> sqlx::Result<()> {
    let session = proven.upstream_sid.as_ref().unwrap_or(&proven.subject);
    sqlx::query("SELECT slot FROM locks WHERE slot = ANY($1) ORDER BY slot FOR UPDATE")
        .bind([slot(session), slot(&proven.subject)].as_slice())
        .fetch_all(connection)
        .await
        .map(|_| ())
}

/// Whether a logout forbids the login: one that was issued with or after its ID token; or one that came while the login
/// was on its way, unless the person has proved who they are since. A logout of the same name that comes now waits for
/// this login's commit, and then finds its session.
pub(super) async fn forbids(connection: &mut PgConnection, proven: &Proven, now: UnixMs) -> sqlx::Result<bool> {
    let session = proven.upstream_sid.as_ref().unwrap_or(&proven.subject);
    sqlx::query("SELECT slot FROM locks WHERE slot = ANY($1) ORDER BY slot FOR SHARE")
        .bind([slot(session), slot(&proven.subject)].as_slice())
        .fetch_all(&mut *connection)
        .await?;
    let found = sqlx::query(
        "SELECT 1 FROM logout_tombstones WHERE (name = $1 OR name = $2) AND expires_at > $3 \
         AND (issued_at >= $4 OR (received_at >= $5 AND issued_at >= $6)) LIMIT 1",
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
