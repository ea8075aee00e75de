//! Locks, and owners whom the host made so.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, SqliteConnection, SqliteExecutor};

use cloakroom_core::audit::AuditRow;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{Lock, LockId, LockStore, Locked, Place, SessionRow, StoreResult, User};

use super::rows::Columns;
use super::{Sqlite, audit, store_error};

#[async_trait]
impl LockStore for Sqlite {
    async fn add_lock(&self, lock: Lock, event: AuditRow) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(add(c, lock, event))).await
    }

    async fn lift_lock(&self, id: LockId, at: UnixMs, by: String, event: AuditRow) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(lift(c, id, at, by, event))).await
    }

    async fn lock(&self, id: LockId) -> StoreResult<Option<Lock>> {
        let row = sqlx::query("SELECT * FROM lockouts WHERE id = ?")
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(store_error)?;
        row.as_ref().map(lock).transpose().map_err(store_error)
    }

    async fn locks(
        &self,
        tenant: Option<&str>,
        held_at: Option<UnixMs>,
        place: Option<Place>,
        limit: u32,
    ) -> StoreResult<Vec<Lock>> {
        let backwards = place.is_some_and(|place| place.backwards);
        let mut query = QueryBuilder::<sqlx::Sqlite>::new("SELECT * FROM lockouts WHERE TRUE");
        if let Some(tenant) = tenant {
            query.push(" AND tenant = ").push_bind(tenant.to_owned());
        }
        if let Some(now) = held_at {
            query.push(" AND lifted_at IS NULL AND (until IS NULL OR until > ").push_bind(now.0).push(")");
        }
        if let Some(place) = place {
            query.push(" AND (since, id) ").push(if backwards { ">" } else { "<" }).push(" (");
            query.push_bind(place.at.0).push(", ").push_bind(place.id.as_bytes().to_vec()).push(")");
        }
        let order = if backwards { "ASC" } else { "DESC" };
        query.push(" ORDER BY since ").push(order).push(", id ").push(order).push(" LIMIT ").push_bind(limit);
        let rows = query.build().fetch_all(&self.readers).await.map_err(store_error)?;
        let mut found = rows.iter().map(lock).collect::<sqlx::Result<Vec<_>>>().map_err(store_error)?;
        if backwards {
            found.reverse();
        }
        Ok(found)
    }

    async fn lock_on(&self, session: &SessionRow, now: UnixMs) -> StoreResult<Option<Lock>> {
        on(&self.readers, session, now).await.map_err(store_error)
    }

    async fn grant_owner(&self, subject: [u8; 32], at: UnixMs, event: AuditRow) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(grant(c, subject, at, event))).await
    }

    async fn is_granted_owner(&self, subject: [u8; 32]) -> StoreResult<bool> {
        let row = sqlx::query("SELECT 1 FROM granted_owners WHERE subject = ?")
            .bind(subject.as_slice())
            .fetch_optional(&self.readers)
            .await;
        Ok(row.map_err(store_error)?.is_some())
    }
}

pub(super) fn lock(row: &SqliteRow) -> sqlx::Result<Lock> {
    let row = Columns::of("lockouts", row);
    let whom = match (row.optional_bytes("subject")?, row.get::<Option<String>>("client_id")?) {
        (Some(subject), _) => Locked::User(User { issuer: row.get("issuer")?, sub: row.get("sub")?, subject }),
        (None, Some(client)) => Locked::Client(client),
        (None, None) => Locked::Provider(row.get("provider_id")?),
    };
    let lifted = match row.get::<Option<i64>>("lifted_at")? {
        Some(at) => Some((UnixMs(at), row.get("lifted_by")?)),
        None => None,
    };
    Ok(Lock {
        id: LockId::from_bytes(row.bytes("id")?),
        tenant: row.get("tenant")?,
        whom,
        reason: row.get("reason")?,
        by: row.get("by_name")?,
        since: row.moment("since")?,
        until: row.get::<Option<i64>>("until")?.map(UnixMs),
        lifted,
    })
}

/// Three look-ups, each by its index: of these there are few or none.
const ON: &str = "SELECT * FROM (SELECT * FROM lockouts WHERE subject = ?1 AND lifted_at IS NULL \
     UNION ALL SELECT * FROM lockouts WHERE client_id = ?2 AND lifted_at IS NULL \
     UNION ALL SELECT * FROM lockouts WHERE provider_id = ?3 AND lifted_at IS NULL) AS held \
     WHERE (until IS NULL OR until > ?4) AND (tenant IS NULL OR tenant = ?5) ORDER BY since DESC, id DESC LIMIT 1";

/// The lock that keeps a session out, or the login that would start it.
pub(super) async fn on(from: impl SqliteExecutor<'_>, session: &SessionRow, now: UnixMs) -> sqlx::Result<Option<Lock>> {
    let row = sqlx::query(ON)
        .bind(session.subject.as_slice())
        .bind(&session.summary.client_id)
        .bind(&session.summary.provider_id)
        .bind(now.0)
        .bind(&session.summary.tenant)
        .fetch_optional(from)
        .await?;
    row.as_ref().map(lock).transpose()
}

async fn add(connection: &mut SqliteConnection, lock: Lock, event: AuditRow) -> sqlx::Result<()> {
    let (user, client, provider) = match &lock.whom {
        Locked::User(user) => (Some(user), None, None),
        Locked::Client(id) => (None, Some(id), None),
        Locked::Provider(id) => (None, None, Some(id)),
    };
    sqlx::query(
        "INSERT INTO lockouts (id, tenant, issuer, sub, subject, client_id, provider_id, reason, by_name, since, until) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(lock.id.as_bytes().as_slice())
    .bind(&lock.tenant)
    .bind(user.map(|user| &user.issuer))
    .bind(user.map(|user| &user.sub))
    .bind(user.map(|user| user.subject.as_slice()))
    .bind(client)
    .bind(provider)
    .bind(&lock.reason)
    .bind(&lock.by)
    .bind(lock.since.0)
    .bind(lock.until.map(|until| until.0))
    .execute(&mut *connection)
    .await?;
    audit::append(connection, &event).await
}

async fn lift(
    connection: &mut SqliteConnection,
    id: LockId,
    at: UnixMs,
    by: String,
    event: AuditRow,
) -> sqlx::Result<bool> {
    let lifted = sqlx::query("UPDATE lockouts SET lifted_at = ?, lifted_by = ? WHERE id = ? AND lifted_at IS NULL")
        .bind(at.0)
        .bind(by)
        .bind(id.as_bytes().as_slice())
        .execute(&mut *connection)
        .await?
        .rows_affected()
        == 1;
    if lifted {
        audit::append(connection, &event).await?;
    }
    Ok(lifted)
}

async fn grant(connection: &mut SqliteConnection, subject: [u8; 32], at: UnixMs, event: AuditRow) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO granted_owners (subject, granted_at) VALUES (?, ?) ON CONFLICT (subject) DO NOTHING")
        .bind(subject.as_slice())
        .bind(at.0)
        .execute(&mut *connection)
        .await?;
    audit::append(connection, &event).await
}
