//! Leases, attempts and adoption of refreshed token sets.

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{BeginRefresh, CommitRefresh, Doubt, RefreshGrant};

use super::rows::Columns;
use super::sessions;

/// Who asks for a lease, when, until when, and what doubt means to them.
pub(super) struct Asked {
    pub(super) id: SessionId,
    pub(super) owner: String,
    pub(super) now: UnixMs,
    pub(super) until: UnixMs,
    pub(super) doubt: Doubt,
}

/// The idle span is not looked at: the stored last-seen moment may be behind the node's.
pub(super) async fn begin(connection: &mut PgConnection, asked: &Asked) -> sqlx::Result<BeginRefresh> {
    let id = asked.id;
    let running = sessions::locked(connection, id).await?.filter(|session| {
        let summary = &session.summary;
        summary.ended.is_none() && summary.expires_at > asked.now
    });
    let Some(session) = running else { return Ok(BeginRefresh::Over) };
    let Some(tokens) = sessions::tokens(connection, id).await? else { return Ok(BeginRefresh::Over) };
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
        "INSERT INTO refresh_leases (session_id, owner, fence, until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (session_id) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, until = excluded.until",
    )
    .bind(id.as_bytes().as_slice())
    .bind(&asked.owner)
    .bind(fence)
    .bind(asked.until.0)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO refresh_attempts (session_id, generation, fence, begun_at) VALUES ($1, $2, $3, $4)")
        .bind(id.as_bytes().as_slice())
        .bind(tokens.generation)
        .bind(fence)
        .bind(asked.now.0)
        .execute(&mut *connection)
        .await?;
    Ok(BeginRefresh::Granted(Box::new(RefreshGrant { fence, session, tokens })))
}

/// The last fence, and the end of its lease.
async fn lease(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query("SELECT fence, until FROM refresh_leases WHERE session_id = $1")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok((0, 0)) };
    let row = Columns::of("refresh_leases", &row);
    Ok((row.get("fence")?, row.get("until")?))
}

async fn doubted_since(connection: &mut PgConnection, id: SessionId, generation: i64) -> sqlx::Result<Option<UnixMs>> {
    let row =
        sqlx::query("SELECT min(begun_at) AS since FROM refresh_attempts WHERE session_id = $1 AND generation = $2")
            .bind(id.as_bytes().as_slice())
            .bind(generation)
            .fetch_one(connection)
            .await?;
    Ok(Columns::of("refresh_attempts", &row).get::<Option<i64>>("since")?.map(UnixMs))
}

pub(super) async fn commit(connection: &mut PgConnection, refresh: &CommitRefresh) -> sqlx::Result<bool> {
    let key = refresh.id.as_bytes().as_slice();
    let session = sessions::locked(connection, refresh.id).await?;
    let running = session.is_some_and(|session| {
        let summary = &session.summary;
        summary.ended.is_none() && summary.expires_at > refresh.tokens.refreshed_at
    });
    let adopted = running
        && sqlx::query(
            "UPDATE tokens SET generation = $1, sealed = $2, refreshed_at = $3 WHERE session_id = $4 AND generation = $5",
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
    sqlx::query("UPDATE sessions SET sealed = $1, version = version + 1 WHERE id = $2")
        .bind(&refresh.sealed)
        .bind(key)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM refresh_attempts WHERE session_id = $1 AND generation <= $2")
        .bind(key)
        .bind(refresh.from_generation)
        .execute(&mut *connection)
        .await?;
    give_back(connection, refresh.id, refresh.fence).await?;
    Ok(true)
}

pub(super) async fn abandon(connection: &mut PgConnection, id: SessionId, fence: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM refresh_attempts WHERE session_id = $1 AND fence = $2")
        .bind(id.as_bytes().as_slice())
        .bind(fence)
        .execute(&mut *connection)
        .await?;
    give_back(connection, id, fence).await
}

/// Ends a lease, if it is still this one. The fence stays, so that the next is larger.
pub(super) async fn give_back(connection: &mut PgConnection, id: SessionId, fence: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE refresh_leases SET until = 0 WHERE session_id = $1 AND fence = $2")
        .bind(id.as_bytes().as_slice())
        .bind(fence)
        .execute(connection)
        .await
        .map(|_| ())
}
