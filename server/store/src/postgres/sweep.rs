//! What is of no use any more, deleted a little at a time: by the sweep, and what is remembered for a while only by
//! whoever adds to it, too. Rows that another unit holds are left to the next sweep.

use async_trait::async_trait;
use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::sweep::EXPIRED;
use cloakroom_core::store::{StoreResult, SweepStore};

use super::rows::Columns;
use super::unit::Mode::Write;
use super::{Postgres, Row};

#[async_trait]
impl SweepStore for Postgres {
    async fn take_sweep(&self, owner: &str, now: UnixMs, until: UnixMs) -> StoreResult<bool> {
        let asked = (owner.to_owned(), now, until);
        self.unit(Write, asked, |c, (owner, now, until)| Box::pin(take(c, owner, *now, *until))).await
    }

    async fn end_expired(&self, before: UnixMs, limit: u32) -> StoreResult<u32> {
        self.unit(Write, (before, limit), |c, (before, limit)| Box::pin(end_expired(c, *before, *limit))).await
    }

    async fn delete_ended(&self, before: UnixMs, limit: u32) -> StoreResult<u32> {
        self.unit(Write, (before, limit), |c, (before, limit)| Box::pin(delete_ended(c, *before, *limit))).await
    }

    async fn delete_revocations(&self, before: UnixMs, limit: u32) -> StoreResult<u32> {
        self.unit(Write, (before, limit), |c, (before, limit)| Box::pin(delete_revocations(c, *before, *limit))).await
    }

    async fn forget_remembered(&self, now: UnixMs) -> StoreResult<u32> {
        self.unit(Write, now, |c, now| Box::pin(remembered(c, *now))).await
    }
}

async fn take(connection: &mut PgConnection, owner: &str, now: UnixMs, until: UnixMs) -> sqlx::Result<bool> {
    let taken = sqlx::query("UPDATE sweeper SET owner = $1, until = $2 WHERE one = 1 AND (owner = $1 OR until <= $3)")
        .bind(owner)
        .bind(until.0)
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(taken.rows_affected() == 1)
}

fn ids(rows: &[Row]) -> sqlx::Result<Vec<&[u8]>> {
    rows.iter().map(|row| Columns::of("sessions", row).get("id")).collect()
}

fn number(rows: u64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

/// Tenant by tenant, for the index of what lives leads with it. Whoever ended has no moment there.
async fn end_expired(connection: &mut PgConnection, before: UnixMs, limit: u32) -> sqlx::Result<u32> {
    let found = sqlx::query(
        "WITH RECURSIVE tenants AS ((SELECT min(tenant) AS tenant FROM sessions) UNION ALL \
         SELECT (SELECT min(sessions.tenant) FROM sessions WHERE sessions.tenant > tenants.tenant) FROM tenants \
         WHERE tenants.tenant IS NOT NULL) \
         SELECT due.id FROM tenants CROSS JOIN LATERAL (SELECT id FROM sessions WHERE sessions.tenant = tenants.tenant \
         AND live_until > 0 AND live_until <= $1 LIMIT $2) AS due LIMIT $2",
    )
    .bind(before.0)
    .bind(i64::from(limit))
    .fetch_all(&mut *connection)
    .await?;
    let over = sqlx::query(
        "WITH due AS (SELECT id FROM sessions WHERE id = ANY($1) AND ended_at IS NULL AND live_until <= $2 \
         ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) \
         UPDATE sessions SET ended_at = live_until, live_until = 0, ended_reason = $3, version = version + 1 \
         FROM due WHERE sessions.id = due.id RETURNING sessions.id",
    )
    .bind(ids(&found)?)
    .bind(before.0)
    .bind(EXPIRED)
    .fetch_all(&mut *connection)
    .await?;
    for statement in [
        "DELETE FROM tokens WHERE session_id = ANY($1)",
        "DELETE FROM refresh_attempts WHERE session_id = ANY($1)",
        "DELETE FROM refresh_leases WHERE session_id = ANY($1)",
    ] {
        sqlx::query(statement).bind(ids(&over)?).execute(&mut *connection).await?;
    }
    Ok(number(found.len() as u64))
}

async fn delete_ended(connection: &mut PgConnection, before: UnixMs, limit: u32) -> sqlx::Result<u32> {
    let due = sqlx::query(
        "SELECT id FROM sessions WHERE ended_at <= $1 \
         AND NOT EXISTS (SELECT 1 FROM tokens WHERE session_id = sessions.id AND tell_at IS NOT NULL) \
         ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED",
    )
    .bind(before.0)
    .bind(i64::from(limit))
    .fetch_all(&mut *connection)
    .await?;
    for statement in [
        "DELETE FROM tokens WHERE session_id = ANY($1)",
        "DELETE FROM refresh_attempts WHERE session_id = ANY($1)",
        "DELETE FROM refresh_leases WHERE session_id = ANY($1)",
        "DELETE FROM mobile_grants WHERE session_id = ANY($1)",
        "DELETE FROM successions WHERE session_id = ANY($1)",
        "DELETE FROM sessions WHERE id = ANY($1)",
    ] {
        sqlx::query(statement).bind(ids(&due)?).execute(&mut *connection).await?;
    }
    Ok(number(due.len() as u64))
}

async fn delete_revocations(connection: &mut PgConnection, before: UnixMs, limit: u32) -> sqlx::Result<u32> {
    let mut n = 0;
    for statement in [
        "DELETE FROM revocation_failures WHERE (revocation_id, session_id) IN \
         (SELECT revocation_id, session_id FROM revocation_failures JOIN revocations ON revocations.id = revocation_id \
          WHERE finished_at <= $1 LIMIT $2)",
        "DELETE FROM revocations WHERE id IN (SELECT id FROM revocations WHERE finished_at <= $1 \
         AND NOT EXISTS (SELECT 1 FROM tokens WHERE revocation_id = revocations.id) \
         AND NOT EXISTS (SELECT 1 FROM revocation_failures WHERE revocation_id = revocations.id) LIMIT $2)",
    ] {
        let done = sqlx::query(statement).bind(before.0).bind(i64::from(limit)).execute(&mut *connection).await?;
        n = n.max(done.rows_affected());
    }
    Ok(number(n))
}

async fn remembered(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<u32> {
    let kinds = [
        used_transactions(connection, now).await?,
        logouts(connection, now).await?,
        used_once(connection, now).await?,
        devices(connection, now).await?,
        answers(connection, now).await?,
    ];
    Ok(number(kinds.into_iter().max().unwrap_or_default()))
}

pub(super) async fn used_transactions(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<u64> {
    run(
        connection,
        "DELETE FROM used_transactions WHERE hash IN \
         (SELECT hash FROM used_transactions WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        now,
    )
    .await
}

pub(super) async fn logouts(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<u64> {
    let mut n = 0;
    for statement in [
        "DELETE FROM used_logout_tokens WHERE hash IN \
         (SELECT hash FROM used_logout_tokens WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        "DELETE FROM logout_tombstones WHERE name IN \
         (SELECT name FROM logout_tombstones WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
    ] {
        n = n.max(run(connection, statement, now).await?);
    }
    Ok(n)
}

pub(super) async fn used_once(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<u64> {
    run(
        connection,
        "DELETE FROM used_once WHERE hash IN \
         (SELECT hash FROM used_once WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        now,
    )
    .await
}

pub(super) async fn devices(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<u64> {
    run(
        connection,
        "DELETE FROM device_grants WHERE device IN \
         (SELECT device FROM device_grants WHERE expires_at <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        now,
    )
    .await
}

/// Answers whose time is over go with the next rotation of anybody's.
pub(super) async fn answers(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<u64> {
    run(
        connection,
        "UPDATE mobile_grants SET answer = NULL, answer_until = NULL WHERE session_id IN \
         (SELECT session_id FROM mobile_grants WHERE answer_until <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        now,
    )
    .await
}

async fn run(connection: &mut PgConnection, statement: &'static str, now: UnixMs) -> sqlx::Result<u64> {
    sqlx::query(statement).bind(now.0).execute(connection).await.map(|done| done.rows_affected())
}
