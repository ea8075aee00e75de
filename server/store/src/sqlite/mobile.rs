//! Mobile apps' grants, and what is used once.

use sqlx::{SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{MobileGrant, RedeemCode, RotateRefresh, StoreResult};

use super::rows::Columns;
use super::{store_error, sweep};

pub(super) async fn grant(readers: &SqlitePool, id: SessionId) -> StoreResult<Option<MobileGrant>> {
    let row = sqlx::query("SELECT * FROM mobile_grants WHERE session_id = ?")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(readers)
        .await
        .map_err(store_error)?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let row = Columns::of("mobile_grants", row);
        Ok::<_, sqlx::Error>(MobileGrant {
            code_expires_at: row.moment("code_expires_at")?,
            redeemed_at: row.get::<Option<i64>>("redeemed_at")?.map(UnixMs),
            refresh: row.optional_bytes("refresh")?,
            previous: row.optional_bytes("previous")?,
            answer: row.get("answer")?,
            answer_until: row.get::<Option<i64>>("answer_until")?.map(UnixMs),
        })
    };
    row.as_ref().map(read).transpose().map_err(store_error)
}

/// Beside the session's own row, in the login's unit of work.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    id: SessionId,
    code_expires_at: UnixMs,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO mobile_grants (session_id, code_expires_at) VALUES (?, ?)")
        .bind(id.as_bytes().as_slice())
        .bind(code_expires_at.0)
        .execute(connection)
        .await
        .map(|_| ())
}

pub(super) async fn redeem(connection: &mut SqliteConnection, redeem: RedeemCode) -> sqlx::Result<bool> {
    let redeemed = sqlx::query(
        "UPDATE mobile_grants SET redeemed_at = ?1, refresh = ?2 WHERE session_id = ?3 AND redeemed_at IS NULL \
         AND code_expires_at > ?1 AND EXISTS (SELECT 1 FROM sessions WHERE id = ?3 AND ended_at IS NULL)",
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
        "UPDATE sessions SET sealed = ?1, idle_ms = ?2, last_seen_at = ?3, version = version + 1, \
         live_until = CASE WHEN ?3 + ?2 < expires_at THEN ?3 + ?2 ELSE expires_at END WHERE id = ?4",
    )
    .bind(redeem.sealed)
    .bind(redeem.idle_ms)
    .bind(redeem.now.0)
    .bind(redeem.id.as_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(true)
}

pub(super) async fn rotate(connection: &mut SqliteConnection, rotate: RotateRefresh) -> sqlx::Result<bool> {
    sweep::answers(connection, rotate.now).await?;
    let rotated = sqlx::query(
        "UPDATE mobile_grants SET refresh = ?1, previous = ?2, answer = ?3, answer_until = ?4 \
         WHERE session_id = ?5 AND refresh = ?2 AND EXISTS (SELECT 1 FROM sessions WHERE id = ?5 AND ended_at IS NULL)",
    )
    .bind(rotate.to.as_slice())
    .bind(rotate.from.as_slice())
    .bind(rotate.answer)
    .bind(rotate.answer_until.0)
    .bind(rotate.id.as_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(rotated.rows_affected() == 1)
}

pub(super) async fn use_once(
    connection: &mut SqliteConnection,
    hash: [u8; 32],
    expires_at: UnixMs,
    now: UnixMs,
) -> sqlx::Result<bool> {
    sweep::used_once(connection, now).await?;
    let used = sqlx::query("INSERT INTO used_once (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING")
        .bind(hash.as_slice())
        .bind(expires_at.0)
        .execute(connection)
        .await?;
    Ok(used.rows_affected() == 1)
}

pub(super) async fn name_device(
    connection: &mut SqliteConnection,
    id: SessionId,
    name: Option<String>,
) -> sqlx::Result<bool> {
    let named = sqlx::query("UPDATE sessions SET device_name = ? WHERE id = ? AND ended_at IS NULL")
        .bind(name)
        .bind(id.as_bytes().as_slice())
        .execute(connection)
        .await?;
    Ok(named.rows_affected() == 1)
}
