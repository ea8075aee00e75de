//! Sessions: read, seen, ended.

use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{End, EndOutcome, SessionRow, StoreResult, StoredTokens};

use super::rows::{self, Columns};
use super::{audit, store_error};

pub(super) const ONE: &str = "SELECT * FROM sessions WHERE id = ?";
pub(super) const TOKENS: &str = "SELECT generation, sealed, refreshed_at, EXISTS (SELECT 1 FROM refresh_attempts a \
     WHERE a.session_id = tokens.session_id AND a.generation = tokens.generation) AS in_doubt FROM tokens WHERE session_id = ?";

pub(super) async fn one(readers: &SqlitePool, id: SessionId) -> StoreResult<Option<SessionRow>> {
    let row = sqlx::query(ONE).bind(id.as_bytes().as_slice()).fetch_optional(readers).await.map_err(store_error)?;
    row.as_ref().map(rows::session).transpose().map_err(store_error)
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

pub(super) async fn end_all(connection: &mut SqliteConnection, ends: Vec<End>) -> sqlx::Result<Vec<EndOutcome>> {
    let mut outcomes = Vec::with_capacity(ends.len());
    for one in ends {
        outcomes.push(end(&mut *connection, one).await?);
    }
    Ok(outcomes)
}

/// Ends a session that still runs, with its event. Unconditional: it wins against whatever else is under way.
pub(super) async fn end(connection: &mut SqliteConnection, end: End) -> sqlx::Result<EndOutcome> {
    let ended = sqlx::query(
        "UPDATE sessions SET ended_at = ?, ended_reason = ?, ended_text = ?, ended_by = ?, live_until = 0, \
         version = version + 1 WHERE id = ? AND ended_at IS NULL",
    )
    .bind(end.ended.at.0)
    .bind(&end.ended.reason)
    .bind(&end.ended.text)
    .bind(&end.ended.by)
    .bind(end.id.as_bytes().as_slice())
    .execute(&mut *connection)
    .await?;
    if ended.rows_affected() == 1 {
        audit::append(connection, &end.event).await?;
        return Ok(EndOutcome::Ended);
    }
    let row = sqlx::query("SELECT ended_at, ended_reason, ended_text, ended_by FROM sessions WHERE id = ?")
        .bind(end.id.as_bytes().as_slice())
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
    Ok(())
}
