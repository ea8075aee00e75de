//! Sign-ins that devices asked for.

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{DeviceGrant, DevicePoll};

use super::rows::Columns;
use super::{sweep, text};

/// Old ones go first; of one app, there are `most`, give or take those that begin at the same moment.
pub(super) async fn begin(connection: &mut PgConnection, grant: &DeviceGrant, most: i64) -> sqlx::Result<bool> {
    sweep::devices(connection, grant.created_at).await?;
    let begun = sqlx::query(
        "INSERT INTO device_grants (device, user_code, client_id, scopes, address, user_agent, created_at, expires_at, \
         polled_at, interval_ms) SELECT $1, $2, $3, $4, $5, $6, $7::BIGINT, $8, $7::BIGINT - $9::BIGINT, $9::BIGINT \
         WHERE (SELECT COUNT(*) FROM device_grants WHERE client_id = $3 AND expires_at > $7::BIGINT) < $10 ON CONFLICT DO NOTHING",
    )
    .bind(grant.device.as_slice())
    .bind(grant.user_code.as_slice())
    .bind(&grant.client_id)
    .bind(&grant.scopes)
    .bind(&grant.address)
    .bind(grant.user_agent.as_deref().map(text))
    .bind(grant.created_at.0)
    .bind(grant.expires_at.0)
    .bind(grant.interval_ms)
    .bind(most)
    .execute(connection)
    .await?;
    Ok(begun.rows_affected() == 1)
}

pub(super) async fn waiting(
    connection: &mut PgConnection,
    user_code: [u8; 32],
    now: UnixMs,
) -> sqlx::Result<Option<DeviceGrant>> {
    let row = sqlx::query(
        "SELECT * FROM device_grants WHERE user_code = $1 AND expires_at > $2 AND NOT denied AND code IS NULL",
    )
    .bind(user_code.as_slice())
    .bind(now.0)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let row = Columns::of("device_grants", &row);
    Ok(Some(DeviceGrant {
        device: row.bytes("device")?,
        user_code: row.bytes("user_code")?,
        client_id: row.get("client_id")?,
        scopes: row.get("scopes")?,
        address: row.get("address")?,
        user_agent: row.get("user_agent")?,
        created_at: row.moment("created_at")?,
        expires_at: row.moment("expires_at")?,
        interval_ms: row.get("interval_ms")?,
    }))
}

pub(super) async fn decide(
    connection: &mut PgConnection,
    device: [u8; 32],
    code: Option<&[u8]>,
    now: UnixMs,
) -> sqlx::Result<bool> {
    let decided = sqlx::query(
        "UPDATE device_grants SET denied = $1::BYTEA IS NULL, code = $1::BYTEA \
         WHERE device = $2 AND expires_at > $3 AND NOT denied AND code IS NULL",
    )
    .bind(code)
    .bind(device.as_slice())
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(decided.rows_affected() == 1)
}

pub(super) async fn poll(
    connection: &mut PgConnection,
    device: [u8; 32],
    now: UnixMs,
) -> sqlx::Result<Option<DevicePoll>> {
    let row = sqlx::query(
        "SELECT *, $1::BIGINT < polled_at + interval_ms AS too_soon FROM device_grants WHERE device = $2 FOR UPDATE",
    )
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
    let longer_ms: i64 = if poll.too_soon { 5_000 } else { 0 };
    sqlx::query("UPDATE device_grants SET polled_at = $1, interval_ms = interval_ms + $2 WHERE device = $3")
        .bind(now.0)
        .bind(longer_ms)
        .bind(device.as_slice())
        .execute(connection)
        .await?;
    Ok(Some(poll))
}
