//! What is of no use any more, deleted a little at a time: by the sweep, and what is remembered for a while only by
//! whoever adds to it, too.

use async_trait::async_trait;
use sqlx::{QueryBuilder, SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::sweep::EXPIRED;
use cloakroom_core::store::{StoreResult, SweepStore};

use super::rows::Columns;
use super::{Db, Sqlite, store_error};

#[async_trait]
impl SweepStore for Sqlite {
    /// One process has the file.
    async fn take_sweep(&self, _: &str, _: UnixMs, _: UnixMs) -> StoreResult<bool> {
        self.writer().map(|_| true)
    }

    async fn end_expired(&self, before: UnixMs, limit: u32) -> StoreResult<u32> {
        // Mostly there is nothing: a look takes no turn of the writer's.
        let found = ids(&self.readers, expired_query(before, limit)).await.map_err(store_error)?;
        let n = number(found.len());
        if n > 0 {
            self.writer()?.run(move |c| Box::pin(end_expired(c, found, before))).await?;
        }
        Ok(n)
    }

    async fn delete_ended(&self, before: UnixMs, limit: u32) -> StoreResult<u32> {
        let found = ids(&self.readers, ended_query(before, limit)).await.map_err(store_error)?;
        let n = number(found.len());
        if n > 0 {
            self.writer()?.run(move |c| Box::pin(delete(c, found))).await?;
        }
        Ok(n)
    }

    async fn delete_revocations(&self, before: UnixMs, limit: u32) -> StoreResult<u32> {
        let due = sqlx::query("SELECT 1 FROM revocations WHERE finished_at <= ? LIMIT 1")
            .bind(before.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(store_error)?;
        if due.is_none() {
            return Ok(0);
        }
        self.writer()?.run(move |c| Box::pin(delete_revocations(c, before, limit))).await
    }

    async fn forget_remembered(&self, now: UnixMs) -> StoreResult<u32> {
        self.writer()?.run(move |c| Box::pin(remembered(c, now))).await
    }
}

fn number(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

async fn ids(readers: &SqlitePool, mut query: QueryBuilder<Db>) -> sqlx::Result<Vec<[u8; 16]>> {
    let rows = query.build().fetch_all(readers).await?;
    rows.iter().map(|row| Columns::of("sessions", row).bytes("id")).collect()
}

/// Tenant by tenant, for the index of what lives leads with it. Whoever ended has no moment there.
pub(super) fn expired_query(before: UnixMs, limit: u32) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(
        "WITH RECURSIVE tenants (tenant) AS (SELECT min(tenant) FROM sessions UNION ALL \
         SELECT (SELECT min(tenant) FROM sessions WHERE sessions.tenant > tenants.tenant) FROM tenants \
         WHERE tenants.tenant IS NOT NULL) \
         SELECT sessions.id AS id FROM tenants CROSS JOIN sessions ON sessions.tenant = tenants.tenant \
         WHERE live_until > 0 AND live_until <= ",
    );
    query.push_bind(before.0).push(" LIMIT ").push_bind(limit);
    query
}

pub(super) fn ended_query(before: UnixMs, limit: u32) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new("SELECT id FROM sessions WHERE ended_at <= ");
    query.push_bind(before.0);
    query.push(" AND NOT EXISTS (SELECT 1 FROM tokens WHERE session_id = sessions.id AND tell_at IS NOT NULL)");
    query.push(" ORDER BY ended_at LIMIT ").push_bind(limit);
    query
}

/// `id IN (…)` and what follows.
fn push_ids(query: &mut QueryBuilder<Db>, column: &'static str, ids: &[[u8; 16]]) {
    query.push(column).push(" IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id.to_vec());
    }
    query.push(")");
}

async fn end_expired(connection: &mut SqliteConnection, ids: Vec<[u8; 16]>, before: UnixMs) -> sqlx::Result<()> {
    let mut query = QueryBuilder::new("UPDATE sessions SET ended_at = live_until, live_until = 0, ended_reason = ");
    query.push_bind(EXPIRED).push(", version = version + 1 WHERE ended_at IS NULL AND live_until <= ");
    query.push_bind(before.0).push(" AND ");
    push_ids(&mut query, "id", &ids);
    query.push(" RETURNING id");
    let over = query.build().fetch_all(&mut *connection).await?;
    let over: Vec<_> = over.iter().map(|row| Columns::of("sessions", row).bytes("id")).collect::<sqlx::Result<_>>()?;
    for table in ["tokens", "refresh_attempts", "refresh_leases"] {
        delete_of(connection, table, "session_id", &over).await?;
    }
    Ok(())
}

async fn delete(connection: &mut SqliteConnection, ids: Vec<[u8; 16]>) -> sqlx::Result<()> {
    for table in ["tokens", "refresh_attempts", "refresh_leases", "mobile_grants", "successions"] {
        delete_of(connection, table, "session_id", &ids).await?;
    }
    delete_of(connection, "sessions", "id", &ids).await
}

async fn delete_of(
    connection: &mut SqliteConnection,
    table: &'static str,
    column: &'static str,
    ids: &[[u8; 16]],
) -> sqlx::Result<()> {
    let mut query = QueryBuilder::new("DELETE FROM ");
    query.push(table).push(" WHERE ");
    push_ids(&mut query, column, ids);
    query.build().execute(connection).await.map(|_| ())
}

async fn delete_revocations(connection: &mut SqliteConnection, before: UnixMs, limit: u32) -> sqlx::Result<u32> {
    let mut n = 0;
    for statement in [
        "DELETE FROM revocation_failures WHERE (revocation_id, session_id) IN \
         (SELECT revocation_id, session_id FROM revocation_failures JOIN revocations ON revocations.id = revocation_id \
          WHERE finished_at <= ?1 LIMIT ?2)",
        "DELETE FROM revocations WHERE id IN (SELECT id FROM revocations WHERE finished_at <= ?1 \
         AND NOT EXISTS (SELECT 1 FROM tokens WHERE revocation_id = revocations.id) \
         AND NOT EXISTS (SELECT 1 FROM revocation_failures WHERE revocation_id = revocations.id) LIMIT ?2)",
    ] {
        let done = sqlx::query(statement).bind(before.0).bind(limit).execute(&mut *connection).await?;
        n = n.max(done.rows_affected());
    }
    Ok(u32::try_from(n).unwrap_or(u32::MAX))
}

async fn remembered(connection: &mut SqliteConnection, now: UnixMs) -> sqlx::Result<u32> {
    let kinds = [
        used_transactions(connection, now).await?,
        logouts(connection, now).await?,
        used_once(connection, now).await?,
        devices(connection, now).await?,
        answers(connection, now).await?,
    ];
    Ok(u32::try_from(kinds.into_iter().max().unwrap_or_default()).unwrap_or(u32::MAX))
}

pub(super) async fn used_transactions(connection: &mut SqliteConnection, now: UnixMs) -> sqlx::Result<u64> {
    run(
        connection,
        "DELETE FROM used_transactions WHERE hash IN \
         (SELECT hash FROM used_transactions WHERE expires_at < ? LIMIT 100)",
        now,
    )
    .await
}

pub(super) async fn logouts(connection: &mut SqliteConnection, now: UnixMs) -> sqlx::Result<u64> {
    let tokens = run(
        connection,
        "DELETE FROM used_logout_tokens WHERE hash IN \
         (SELECT hash FROM used_logout_tokens WHERE expires_at < ? LIMIT 100)",
        now,
    )
    .await?;
    let stones = run(
        connection,
        "DELETE FROM logout_tombstones WHERE name IN \
         (SELECT name FROM logout_tombstones WHERE expires_at < ? LIMIT 100)",
        now,
    )
    .await?;
    Ok(tokens.max(stones))
}

pub(super) async fn used_once(connection: &mut SqliteConnection, now: UnixMs) -> sqlx::Result<u64> {
    run(
        connection,
        "DELETE FROM used_once WHERE hash IN (SELECT hash FROM used_once WHERE expires_at < ? LIMIT 100)",
        now,
    )
    .await
}

pub(super) async fn devices(connection: &mut SqliteConnection, now: UnixMs) -> sqlx::Result<u64> {
    run(
        connection,
        "DELETE FROM device_grants WHERE device IN (SELECT device FROM device_grants WHERE expires_at <= ? LIMIT 100)",
        now,
    )
    .await
}

/// Answers whose time is over go with the next rotation of anybody's.
pub(super) async fn answers(connection: &mut SqliteConnection, now: UnixMs) -> sqlx::Result<u64> {
    run(
        connection,
        "UPDATE mobile_grants SET answer = NULL, answer_until = NULL WHERE session_id IN \
         (SELECT session_id FROM mobile_grants WHERE answer_until <= ? LIMIT 100)",
        now,
    )
    .await
}

async fn run(connection: &mut SqliteConnection, statement: &'static str, now: UnixMs) -> sqlx::Result<u64> {
    sqlx::query(statement).bind(now.0).execute(connection).await.map(|done| done.rows_affected())
}
