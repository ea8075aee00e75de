//! Leases, attempts and adoption of refreshed token sets.

use sqlx::SqliteConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{BeginRefresh, CommitRefresh, Doubt, RefreshGrant, SessionRow, StoredTokens};

use super::revocations;
use super::rows::{self, Columns};
use super::sessions::{ONE, TOKENS, stored_tokens};

/// Who asks for a lease, when, until when, and what doubt means to them.
pub(super) struct Asked {
    pub(super) owner: String,
    pub(super) now: UnixMs,
    pub(super) until: UnixMs,
    pub(super) doubt: Doubt,
}

pub(super) async fn begin(
    connection: &mut SqliteConnection,
    id: SessionId,
    asked: Asked,
) -> sqlx::Result<BeginRefresh> {
    let Some((session, tokens)) = refreshable(connection, id, asked.now).await? else {
        return Ok(BeginRefresh::Over);
    };
    let (last_fence, until) = lease(connection, id).await?;
    if until > asked.now.0 {
        return Ok(BeginRefresh::Held { until: UnixMs(until) });
    }
    if asked.doubt == Doubt::Tell
        && let Some(since) = doubted_since(connection, id, tokens.generation).await?
    {
        return Ok(BeginRefresh::InDoubt { since });
    }
    let fence = last_fence + 1;
    sqlx::query(
        "INSERT INTO refresh_leases (session_id, owner, fence, until) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (session_id) DO UPDATE SET owner = ?2, fence = ?3, until = ?4",
    )
    .bind(id.as_bytes().as_slice())
    .bind(asked.owner)
    .bind(fence)
    .bind(asked.until.0)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO refresh_attempts (session_id, generation, fence, begun_at) VALUES (?, ?, ?, ?)")
        .bind(id.as_bytes().as_slice())
        .bind(tokens.generation)
        .bind(fence)
        .bind(asked.now.0)
        .execute(&mut *connection)
        .await?;
    Ok(BeginRefresh::Granted(Box::new(RefreshGrant { fence, session, tokens })))
}

/// The session and its token set, unless it is over or its tokens are forgotten. The idle span is not looked at: the
/// stored last-seen moment may be behind the node's.
async fn refreshable(
    connection: &mut SqliteConnection,
    id: SessionId,
    now: UnixMs,
) -> sqlx::Result<Option<(SessionRow, StoredTokens)>> {
    let key = id.as_bytes().as_slice();
    let session = sqlx::query(ONE).bind(key).fetch_optional(&mut *connection).await?;
    let tokens = sqlx::query(TOKENS).bind(key).fetch_optional(&mut *connection).await?;
    let session = revocations::told_of(connection, session.as_ref().map(rows::session).transpose()?).await?;
    let tokens = tokens.as_ref().map(stored_tokens).transpose()?;
    Ok(session.zip(tokens).filter(|(session, _)| session.summary.ended.is_none() && session.summary.expires_at > now))
}

/// The last fence, and the end of its lease.
async fn lease(connection: &mut SqliteConnection, id: SessionId) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query("SELECT fence, until FROM refresh_leases WHERE session_id = ?")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok((0, 0)) };
    let row = Columns::of("refresh_leases", &row);
    Ok((row.get("fence")?, row.get("until")?))
}

async fn doubted_since(
    connection: &mut SqliteConnection,
    id: SessionId,
    generation: i64,
) -> sqlx::Result<Option<UnixMs>> {
    let row =
        sqlx::query("SELECT min(begun_at) AS since FROM refresh_attempts WHERE session_id = ? AND generation = ?")
            .bind(id.as_bytes().as_slice())
            .bind(generation)
            .fetch_one(connection)
            .await?;
    Ok(Columns::of("refresh_attempts", &row).get::<Option<i64>>("since")?.map(UnixMs))
}

pub(super) async fn commit(connection: &mut SqliteConnection, refresh: CommitRefresh) -> sqlx::Result<bool> {
    let key = refresh.id.as_bytes().as_slice();
    // Over by a revocation that has not reached its row yet: nothing is adopted (T5).
    let session = sqlx::query(ONE).bind(key).fetch_optional(&mut *connection).await?;
    let session = revocations::told_of(&mut *connection, session.as_ref().map(rows::session).transpose()?).await?;
    let runs = session.is_some_and(|session| session.summary.ended.is_none());
    let adopted = runs && sqlx::query(
        "UPDATE tokens SET generation = ?1, sealed = ?2, refreshed_at = ?3 WHERE session_id = ?4 AND generation = ?5 \
         AND EXISTS (SELECT 1 FROM sessions WHERE id = ?4 AND ended_at IS NULL AND expires_at > ?3)",
    )
    .bind(refresh.tokens.generation)
    .bind(&refresh.tokens.sealed)
    .bind(refresh.tokens.refreshed_at.0)
    .bind(key)
    .bind(refresh.from_generation)
    .execute(&mut *connection)
    .await?
    .rows_affected()
        == 1;
    if !adopted {
        abandon(connection, refresh.id, refresh.fence).await?;
        return Ok(false);
    }
    sqlx::query("UPDATE sessions SET sealed = ?, version = version + 1 WHERE id = ?")
        .bind(&refresh.sealed)
        .bind(key)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM refresh_attempts WHERE session_id = ? AND generation <= ?")
        .bind(key)
        .bind(refresh.from_generation)
        .execute(&mut *connection)
        .await?;
    give_back(connection, refresh.id, refresh.fence).await?;
    Ok(true)
}

pub(super) async fn abandon(connection: &mut SqliteConnection, id: SessionId, fence: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM refresh_attempts WHERE session_id = ? AND fence = ?")
        .bind(id.as_bytes().as_slice())
        .bind(fence)
        .execute(&mut *connection)
        .await?;
    give_back(connection, id, fence).await
}

/// Ends a lease, if it is still this one. The fence stays, so that the next is larger.
pub(super) async fn give_back(connection: &mut SqliteConnection, id: SessionId, fence: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE refresh_leases SET until = 0 WHERE session_id = ? AND fence = ?")
        .bind(id.as_bytes().as_slice())
        .bind(fence)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Ends every lease: who held one before the file was opened is gone.
pub(super) async fn give_back_all(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("UPDATE refresh_leases SET until = 0 WHERE until <> 0").execute(connection).await.map(|_| ())
}
