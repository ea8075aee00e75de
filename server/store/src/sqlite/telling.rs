//! What providers are still to be told: the token sets of ended sessions, each with the moment of its next try.

use sqlx::{SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{Due, RevocationId, Told, ToldOutcome};

use super::rows::Columns;
use super::{audit, sessions};

pub(super) async fn is_any_due(readers: &SqlitePool, now: UnixMs) -> sqlx::Result<bool> {
    let row =
        sqlx::query("SELECT 1 FROM tokens WHERE tell_at <= ? LIMIT 1").bind(now.0).fetch_optional(readers).await?;
    Ok(row.is_some())
}

pub(super) async fn claim(
    connection: &mut SqliteConnection,
    now: UnixMs,
    lease_until: UnixMs,
    limit: u32,
) -> sqlx::Result<Vec<Due>> {
    let rows = sqlx::query(
        "UPDATE tokens SET tell_at = ?1, tell_tries = tell_tries + 1 WHERE session_id IN \
         (SELECT session_id FROM tokens WHERE tell_at <= ?2 ORDER BY tell_at LIMIT ?3) RETURNING session_id, tell_tries",
    )
    .bind(lease_until.0)
    .bind(now.0)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let due = |row| {
        let row = Columns::of("tokens", row);
        Ok(Due { id: SessionId::from_bytes(row.bytes("session_id")?), tries: row.get("tell_tries")? })
    };
    rows.iter().map(due).collect()
}

pub(super) async fn again(connection: &mut SqliteConnection, id: SessionId, at: UnixMs) -> sqlx::Result<()> {
    sqlx::query("UPDATE tokens SET tell_at = ? WHERE session_id = ? AND tell_at IS NOT NULL")
        .bind(at.0)
        .bind(id.as_bytes().as_slice())
        .execute(connection)
        .await
        .map(|_| ())
}

/// Ends every lease: who told before the file was opened is gone. What waits for another try is tried at once.
pub(super) async fn give_back_all(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("UPDATE tokens SET tell_at = 0 WHERE tell_at > 0 AND tell_tries > 0")
        .execute(connection)
        .await
        .map(|_| ())
}

pub(super) async fn done(connection: &mut SqliteConnection, told: Told) -> sqlx::Result<()> {
    let row = sqlx::query("SELECT revocation_id FROM tokens WHERE session_id = ? AND tell_at IS NOT NULL")
        .bind(told.id.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    // Told before, by whoever had it when its lease ran out.
    let Some(row) = row else { return Ok(()) };
    let revocation: Option<[u8; 16]> = Columns::of("tokens", &row).optional_bytes("revocation_id")?;
    sessions::forget_tokens(connection, told.id).await?;
    audit::append(connection, &told.event).await?;
    let Some(revocation) = revocation else { return Ok(()) };
    let statement = match &told.outcome {
        ToldOutcome::Done => {
            "UPDATE revocations SET told = told + 1, access_until = max(ifnull(access_until, 0), ?1) WHERE id = ?2"
        }
        ToldOutcome::NotSupported => {
            "UPDATE revocations SET not_supported = not_supported + 1, access_until = max(ifnull(access_until, 0), ?1) WHERE id = ?2"
        }
        ToldOutcome::Failed(_) => {
            "UPDATE revocations SET untold = untold + 1, access_until = max(ifnull(access_until, 0), ?1) WHERE id = ?2"
        }
    };
    sqlx::query(statement)
        .bind(told.access_until.map_or(0, |at| at.0))
        .bind(revocation.as_slice())
        .execute(&mut *connection)
        .await?;
    if let ToldOutcome::Failed(detail) = told.outcome {
        sqlx::query(
            "INSERT INTO revocation_failures (revocation_id, session_id, detail) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(revocation.as_slice())
        .bind(told.id.as_bytes().as_slice())
        .bind(detail)
        .execute(connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn failures(
    readers: &SqlitePool,
    id: RevocationId,
    limit: u32,
) -> sqlx::Result<Vec<(SessionId, String)>> {
    let rows = sqlx::query(
        "SELECT session_id, detail FROM revocation_failures WHERE revocation_id = ? ORDER BY session_id LIMIT ?",
    )
    .bind(id.as_bytes().as_slice())
    .bind(limit)
    .fetch_all(readers)
    .await?;
    let failure = |row| {
        let row = Columns::of("revocation_failures", row);
        Ok((SessionId::from_bytes(row.bytes("session_id")?), row.get("detail")?))
    };
    rows.iter().map(failure).collect()
}
