//! Sessions: read, seen, ended.

use std::collections::{BTreeMap, HashSet};

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{End, EndOutcome, SessionRow, StoredTokens};

use super::log::{self, Change};
use super::rows::{self, Columns};
use super::{Row, audit, revocations, text, users};

const TOKENS: &str = "SELECT generation, sealed, refreshed_at, EXISTS (SELECT 1 FROM refresh_attempts a \
     WHERE a.session_id = tokens.session_id AND a.generation = tokens.generation) AS in_doubt FROM tokens WHERE session_id = $1";

pub(super) async fn one(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<Option<SessionRow>> {
    let row = sqlx::query("SELECT * FROM sessions WHERE id = $1")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    let row = row.as_ref().map(rows::session).transpose()?;
    revocations::told_of(connection, row).await
}

/// The session, which no other unit ends or renews until this one is over. Every unit that touches a session and its
/// token set takes the session first.
pub(super) async fn locked(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<Option<SessionRow>> {
    let row = sqlx::query("SELECT * FROM sessions WHERE id = $1 FOR NO KEY UPDATE")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    let row = row.as_ref().map(rows::session).transpose()?;
    revocations::told_of(connection, row).await
}

pub(super) async fn tokens(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<Option<StoredTokens>> {
    let row = sqlx::query(TOKENS).bind(id.as_bytes().as_slice()).fetch_optional(connection).await?;
    row.as_ref().map(stored_tokens).transpose()
}

fn stored_tokens(row: &Row) -> sqlx::Result<StoredTokens> {
    let row = Columns::of("tokens", row);
    Ok(StoredTokens {
        generation: row.get("generation")?,
        sealed: row.get("sealed")?,
        refreshed_at: row.moment("refreshed_at")?,
        in_doubt: row.get("in_doubt")?,
    })
}

/// Each session's latest moment; rows are locked in the order of their ids, so that two nodes never wait for each
/// other. A moment that a power cut loses comes again a minute later: nothing waits for the disk.
pub(super) async fn touch(connection: &mut PgConnection, seen: &[(SessionId, UnixMs)]) -> sqlx::Result<()> {
    let mut latest = BTreeMap::<&[u8; 16], i64>::new();
    for (id, at) in seen {
        let kept = latest.entry(id.as_bytes()).or_insert(at.0);
        *kept = (*kept).max(at.0);
    }
    let ids: Vec<&[u8]> = latest.keys().map(|id| id.as_slice()).collect();
    let moments: Vec<i64> = latest.values().copied().collect();
    sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *connection).await?;
    sqlx::query(
        "UPDATE sessions SET last_seen_at = due.at, live_until = LEAST(due.at + idle_ms, expires_at) \
         FROM (SELECT sessions.id, seen.at FROM sessions JOIN UNNEST($1::bytea[], $2::bigint[]) AS seen (id, at) \
               ON sessions.id = seen.id ORDER BY sessions.id FOR NO KEY UPDATE OF sessions) AS due \
         WHERE sessions.id = due.id AND ended_at IS NULL AND last_seen_at < due.at",
    )
    .bind(ids)
    .bind(moments)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Sessions that one statement ends.
const TOGETHER: usize = 500;

/// Ends sessions that still run, each with its event, those that end in the same way together, and notes it in the
/// change log. Unconditional: it wins against whatever else is under way.
pub(super) async fn end_all(connection: &mut PgConnection, ends: &[End]) -> sqlx::Result<Vec<EndOutcome>> {
    let mut outcomes = Vec::with_capacity(ends.len());
    let mut over = Vec::new();
    let alike = ends.chunk_by(|one, next| one.ended == next.ended);
    for ends in alike.flat_map(|ends| ends.chunks(TOGETHER)) {
        let mut ended = end_alike(connection, ends).await?;
        let mut events = Vec::with_capacity(ended.len());
        for end in ends {
            if ended.remove(&end.id) {
                events.push(end.event.clone());
                over.push(end.id);
                outcomes.push(EndOutcome::Ended);
            } else {
                outcomes.push(ended_before(connection, end.id).await?);
            }
        }
        audit::append_all(connection, &events).await?;
    }
    log::note(connection, Change::Ended(&over)).await?;
    Ok(outcomes)
}

/// Which of the sessions ran until now. Their rows are locked in the order of their ids.
async fn end_alike(connection: &mut PgConnection, ends: &[End]) -> sqlx::Result<HashSet<SessionId>> {
    let Some(End { ended, .. }) = ends.first() else { return Ok(HashSet::new()) };
    let ids: Vec<&[u8]> = ends.iter().map(|end| end.id.as_bytes().as_slice()).collect();
    let rows = sqlx::query(
        "WITH running AS (SELECT id FROM sessions WHERE id = ANY($1) AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE) \
         UPDATE sessions SET live_until = 0, version = version + 1, ended_at = $2, ended_reason = $3, ended_text = $4, \
         ended_by = $5 FROM running WHERE sessions.id = running.id AND ended_at IS NULL RETURNING sessions.id",
    )
    .bind(ids)
    .bind(ended.at.0)
    .bind(text(&ended.reason))
    .bind(ended.text.as_deref().map(text))
    .bind(ended.by.as_deref().map(text))
    .fetch_all(&mut *connection)
    .await?;
    // Their tokens wait until their provider is told.
    let ended: Vec<&[u8]> =
        rows.iter().map(|row| Columns::of("sessions", row).get("id")).collect::<sqlx::Result<_>>()?;
    sqlx::query("UPDATE tokens SET tell_at = 0 WHERE session_id = ANY($1)").bind(ended).execute(connection).await?;
    rows.iter().map(|row| Columns::of("sessions", row).bytes("id").map(SessionId::from_bytes)).collect()
}

/// How a session that does not run ended.
async fn ended_before(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<EndOutcome> {
    let row = sqlx::query("SELECT ended_at, ended_reason, ended_text, ended_by FROM sessions WHERE id = $1")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    let ended = row.as_ref().map(|row| rows::ended(Columns::of("sessions", row))).transpose()?.flatten();
    Ok(ended.map_or(EndOutcome::NotFound, EndOutcome::AlreadyEnded))
}

pub(super) async fn forget_tokens(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<()> {
    match locked(connection, id).await? {
        Some(session) if session.summary.ended.is_some() => {}
        _ => return Ok(()),
    }
    for statement in [
        "DELETE FROM tokens WHERE session_id = $1",
        "DELETE FROM refresh_attempts WHERE session_id = $1",
        "DELETE FROM refresh_leases WHERE session_id = $1",
    ] {
        sqlx::query(statement).bind(id.as_bytes().as_slice()).execute(&mut *connection).await?;
    }
    users::forget_rest(connection, id).await
}
