//! Sign-ins that devices asked for.

use sqlx::{SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{DeviceGrant, DevicePoll, StoreResult};

use super::rows::Columns;
use super::{store_error, sweep};

/// Old ones go first; of one app, there are `most`.
pub(super) async fn begin(connection: &mut SqliteConnection, grant: DeviceGrant, most: i64) -> sqlx::Result<bool> {
    sweep::devices(connection, grant.created_at).await?;
    let begun = sqlx::query(
        "INSERT INTO device_grants (device, user_code, client_id, scopes, address, user_agent, created_at, expires_at, \
         polled_at, interval_ms) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7 - ?9, ?9 \
         WHERE (SELECT COUNT(*) FROM device_grants WHERE client_id = ?3 AND expires_at > ?7) < ?10 ON CONFLICT DO NOTHING",
    )
    .bind(grant.device.as_slice())
    .bind(grant.user_code.as_slice())
    .bind(grant.client_id)
    .bind(grant.scopes)
    .bind(grant.address)
    .bind(grant.user_agent)
    .bind(grant.created_at.0)
    .bind(grant.expires_at.0)
    .bind(grant.interval_ms)
    .bind(most)
    .execute(connection)
    .await?;
    Ok(begun.rows_affected() == 1)
}

pub(super) async fn waiting(
    readers: &SqlitePool,
    user_code: [u8; 32],
    now: UnixMs,
) -> StoreResult<Option<DeviceGrant>> {
    let row = sqlx::query(
        "SELECT * FROM device_grants WHERE user_code = ? AND expires_at > ? AND denied = 0 AND code IS NULL",
    )
    .bind(user_code.as_slice())
    .bind(now.0)
    .fetch_optional(readers)
    .await
    .map_err(store_error)?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let row = Columns::of("device_grants", row);
        Ok::<_, sqlx::Error>(DeviceGrant {
            device: row.bytes("device")?,
            user_code: row.bytes("user_code")?,
            client_id: row.get("client_id")?,
            scopes: row.get("scopes")?,
            address: row.get("address")?,
            user_agent: row.get("user_agent")?,
            created_at: row.moment("created_at")?,
            expires_at: row.moment("expires_at")?,
            interval_ms: row.get("interval_ms")?,
        })
    };
    row.as_ref().map(read).transpose().map_err(store_error)
}

pub(super) async fn decide(
    connection: &mut SqliteConnection,
    device: [u8; 32],
    code: Option<Vec<u8>>,
    now: UnixMs,
) -> sqlx::Result<bool> {
    let decided = sqlx::query(
        "UPDATE device_grants SET denied = ?1 IS NULL, code = ?1 \
         WHERE device = ?2 AND expires_at > ?3 AND denied = 0 AND code IS NULL",
    )
    .bind(code)
    .bind(device.as_slice())
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(decided.rows_affected() == 1)
}

pub(super) async fn poll(
    connection: &mut SqliteConnection,
    device: [u8; 32],
    now: UnixMs,
) -> sqlx::Result<Option<DevicePoll>> {
    let row = sqlx::query("SELECT *, ?1 < polled_at + interval_ms AS too_soon FROM device_grants WHERE device = ?2")
        .bind(now.0)
        .bind(device.as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let row = Columns::of("device_grants", &row);
    let poll = DevicePoll {
        client_id: row.get("client_id")?,
        expires_at: row.moment("expires_at")?,
        too_soon: row.get("too_soon")?,
        denied: row.get("denied")?,
        code: row.get("code")?,
    };
    sqlx::query("UPDATE device_grants SET polled_at = ?1, interval_ms = interval_ms + ?2 WHERE device = ?3")
        .bind(now.0)
        .bind(if poll.too_soon { 5_000 } else { 0 })
        .bind(device.as_slice())
        .execute(connection)
        .await?;
    Ok(Some(poll))
}
