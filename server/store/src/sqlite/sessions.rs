//! Sessions: read, seen, ended.

use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{End, EndOutcome, SessionRow, StoreResult, StoredTokens};

use super::rows::{self, Columns};
use super::{audit, revocations, store_error, users};

pub(super) const ONE: &str = "SELECT * FROM sessions WHERE id = ?";
pub(super) const TOKENS: &str = "SELECT generation, sealed, refreshed_at, EXISTS (SELECT 1 FROM refresh_attempts a \
     WHERE a.session_id = tokens.session_id AND a.generation = tokens.generation) AS in_doubt FROM tokens WHERE session_id = ?";

pub(super) async fn one(readers: &SqlitePool, id: SessionId) -> StoreResult<Option<SessionRow>> {
    let row = sqlx::query(ONE).bind(id.as_bytes().as_slice()).fetch_optional(readers).await.map_err(store_error)?;
    let row = row.as_ref().map(rows::session).transpose().map_err(store_error)?;
    revocations::told_of(readers, row).await.map_err(store_error)
}

pub(super) async fn tokens(readers: &SqlitePool, id: SessionId) -> StoreResult<Option<StoredTokens>> {
    let row = sqlx::query(TOKENS).bind(id.as_bytes().as_slice()).fetch_optional(readers).await.map_err(store_error)?;
    row.as_ref().map(stored_tokens).transpose().map_err(store_error)
}

pub(super) fn stored_tokens(row: &SqliteRow) -> sqlx::Result<StoredTokens> {
    let row = Columns::of("tokens", row);
    Ok(StoredTokens {
        generation: row.get("generation")?,
        sealed: row.get("sealed")?,
        refreshed_at: row.moment("refreshed_at")?,
        in_doubt: row.get("in_doubt")?,
    })
}

pub(super) async fn touch(connection: &mut SqliteConnection, seen: Vec<(SessionId, UnixMs)>) -> sqlx::Result<()> {
    for (id, at) in seen {
        sqlx::query(
            "UPDATE sessions SET last_seen_at = ?1, \
             live_until = CASE WHEN ?1 + idle_ms < expires_at THEN ?1 + idle_ms ELSE expires_at END \
             WHERE id = ?2 AND ended_at IS NULL AND last_seen_at < ?1",
        )
        .bind(at.0)
        .bind(id.as_bytes().as_slice())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Sessions that one statement ends.
const TOGETHER: usize = 100;

/// Ends sessions that still run, each with its event, those that end in the same way together. Unconditional: it wins
/// against whatever else is under way.
pub(super) async fn end_all(connection: &mut SqliteConnection, ends: Vec<End>) -> sqlx::Result<Vec<EndOutcome>> {
    let mut outcomes = Vec::with_capacity(ends.len());
    let alike = ends.chunk_by(|one, next| one.ended == next.ended);
    for ends in alike.flat_map(|ends| ends.chunks(TOGETHER)) {
        let mut ended = end_alike(connection, ends).await?;
        let mut events = Vec::with_capacity(ended.len());
        for end in ends {
            if ended.remove(&end.id) {
                events.push(end.event.clone());
                outcomes.push(EndOutcome::Ended);
            } else {
                outcomes.push(ended_before(connection, end.id).await?);
            }
        }
        audit::append_all(connection, &events).await?;
    }
    Ok(outcomes)
}

pub(super) async fn end(connection: &mut SqliteConnection, end: End) -> sqlx::Result<EndOutcome> {
    Ok(end_all(connection, vec![end]).await?.pop().unwrap_or(EndOutcome::NotFound))
}

/// Which of the sessions ran until now.
async fn end_alike(connection: &mut SqliteConnection, ends: &[End]) -> sqlx::Result<HashSet<SessionId>> {
    let Some(End { ended, .. }) = ends.first() else { return Ok(HashSet::new()) };
    let mut query =
        QueryBuilder::<Sqlite>::new("UPDATE sessions SET live_until = 0, version = version + 1, ended_at = ");
    query.push_bind(ended.at.0).push(", ended_reason = ").push_bind(&ended.reason);
    query.push(", ended_text = ").push_bind(&ended.text).push(", ended_by = ").push_bind(&ended.by);
    query.push(" WHERE ended_at IS NULL AND id IN (");
    let mut ids = query.separated(", ");
    for end in ends {
        ids.push_bind(end.id.as_bytes().as_slice());
    }
    query.push(") RETURNING id");
    let rows = query.build().fetch_all(&mut *connection).await?;
    let ended: HashSet<SessionId> = rows
        .iter()
        .map(|row| Columns::of("sessions", row).bytes("id").map(SessionId::from_bytes))
        .collect::<sqlx::Result<_>>()?;
    have_providers_told(connection, &ended).await?;
    Ok(ended)
}

/// The tokens of ended sessions wait until their provider is told.
async fn have_providers_told(connection: &mut SqliteConnection, ended: &HashSet<SessionId>) -> sqlx::Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<Sqlite>::new("UPDATE tokens SET tell_at = 0 WHERE session_id IN (");
    let mut ids = query.separated(", ");
    for id in ended {
        ids.push_bind(id.as_bytes().as_slice());
    }
    query.push(")");
    query.build().execute(connection).await.map(|_| ())
}

/// How a session that does not run ended.
async fn ended_before(connection: &mut SqliteConnection, id: SessionId) -> sqlx::Result<EndOutcome> {
    let row = sqlx::query("SELECT ended_at, ended_reason, ended_text, ended_by FROM sessions WHERE id = ?")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    let ended = row.as_ref().map(|row| rows::ended(Columns::of("sessions", row))).transpose()?.flatten();
    Ok(ended.map_or(EndOutcome::NotFound, EndOutcome::AlreadyEnded))
}

pub(super) async fn forget_tokens(connection: &mut SqliteConnection, id: SessionId) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM tokens WHERE session_id = ?1 AND EXISTS (SELECT 1 FROM sessions WHERE id = ?1 AND ended_at IS NOT NULL)",
        "DELETE FROM refresh_attempts WHERE session_id = ?1 AND NOT EXISTS (SELECT 1 FROM tokens WHERE session_id = ?1)",
        "DELETE FROM refresh_leases WHERE session_id = ?1 AND NOT EXISTS (SELECT 1 FROM tokens WHERE session_id = ?1)",
    ] {
        sqlx::query(statement).bind(id.as_bytes().as_slice()).execute(&mut *connection).await?;
    }
    users::forget_rest(connection, id.as_bytes()).await
}
