//! Mobile apps' grants, and what is used once. Units that decide on a session take its row first.

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{MobileGrant, RedeemCode, RotateRefresh};

use super::rows::Columns;
use super::{sessions, sweep, text};

pub(super) async fn grant(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<Option<MobileGrant>> {
    let row = sqlx::query("SELECT * FROM mobile_grants WHERE session_id = $1")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let row = Columns::of("mobile_grants", &row);
    Ok(Some(MobileGrant {
        code_expires_at: row.moment("code_expires_at")?,
        redeemed_at: row.get::<Option<i64>>("redeemed_at")?.map(UnixMs),
        refresh: row.optional_bytes("refresh")?,
        previous: row.optional_bytes("previous")?,
        answer: row.get("answer")?,
        answer_until: row.get::<Option<i64>>("answer_until")?.map(UnixMs),
    }))
}

/// Beside the session's own row, in the login's unit of work.
pub(super) async fn insert(connection: &mut PgConnection, id: SessionId, code_expires_at: UnixMs) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO mobile_grants (session_id, code_expires_at) VALUES ($1, $2)")
        .bind(id.as_bytes().as_slice())
        .bind(code_expires_at.0)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Whether the session has not ended, and does not until this unit is over.
async fn runs(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<bool> {
    Ok(sessions::locked(connection, id).await?.is_some_and(|session| session.summary.ended.is_none()))
}

pub(super) async fn redeem(connection: &mut PgConnection, redeem: &RedeemCode) -> sqlx::Result<bool> {
    if !runs(connection, redeem.id).await? {
        return Ok(false);
    }
    let redeemed = sqlx::query(
        "UPDATE mobile_grants SET redeemed_at = $1, refresh = $2 WHERE session_id = $3 AND redeemed_at IS NULL \
         AND code_expires_at > $1",
    )
    .bind(redeem.now.0)
    .bind(redeem.refresh.as_slice())
    .bind(redeem.id.as_bytes().as_slice())
    .execute(&mut *connection)
    .await?;
    if redeemed.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE sessions SET sealed = $1, idle_ms = $2, last_seen_at = $3, version = version + 1, \
         live_until = LEAST($3 + $2, expires_at) WHERE id = $4",
    )
    .bind(&redeem.sealed)
    .bind(redeem.idle_ms)
    .bind(redeem.now.0)
    .bind(redeem.id.as_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(true)
}

pub(super) async fn rotate(connection: &mut PgConnection, rotate: &RotateRefresh) -> sqlx::Result<bool> {
    sweep::answers(connection, rotate.now).await?;
    if !runs(connection, rotate.id).await? {
        return Ok(false);
    }
    let rotated = sqlx::query(
        "UPDATE mobile_grants SET refresh = $1, previous = $2, answer = $3, answer_until = $4 \
         WHERE session_id = $5 AND refresh = $2",
    )
    .bind(rotate.to.as_slice())
    .bind(rotate.from.as_slice())
    .bind(&rotate.answer)
    .bind(rotate.answer_until.0)
    .bind(rotate.id.as_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(rotated.rows_affected() == 1)
}

pub(super) async fn use_once(
    connection: &mut PgConnection,
    hash: [u8; 32],
    expires_at: UnixMs,
    now: UnixMs,
) -> sqlx::Result<bool> {
    sweep::used_once(connection, now).await?;
    let used = sqlx::query("INSERT INTO used_once (hash, expires_at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING")
        .bind(hash.as_slice())
        .bind(expires_at.0)
        .execute(connection)
        .await?;
    Ok(used.rows_affected() == 1)
}

pub(super) async fn name_device(
    connection: &mut PgConnection,
    id: SessionId,
    name: Option<&str>,
) -> sqlx::Result<bool> {
    let named = sqlx::query("UPDATE sessions SET device_name = $1 WHERE id = $2 AND ended_at IS NULL")
        .bind(name.map(text))
        .bind(id.as_bytes().as_slice())
        .execute(connection)
        .await?;
    Ok(named.rows_affected() == 1)
}
