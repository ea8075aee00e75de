//! People: found by their newest sessions, and forgotten.

use async_trait::async_trait;
use sqlx::{QueryBuilder, SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{
    ERASED, Erase, EraseOutcome, Lock, Place, SessionSummary, StoreResult, UserQuery, UserRow, UserStore,
};

use super::list::like_pattern;
use super::rows::{self, Columns};
use super::{Db, Sqlite, audit, locks, revocations, store_error};

/// The most locks of one person that are told.
const LOCKS: i64 = 100;

#[async_trait]
impl UserStore for Sqlite {
    async fn users(&self, query: UserQuery) -> StoreResult<Vec<UserRow>> {
        page(&self.readers, &query).await.map_err(store_error)
    }

    async fn sessions_of_user(
        &self,
        subject: [u8; 32],
        tenant: Option<&str>,
        place: Option<Place>,
        limit: u32,
    ) -> StoreResult<Vec<SessionSummary>> {
        sessions(&self.readers, subject, tenant, place, limit).await
    }

    async fn locks_of_user(&self, subject: [u8; 32], tenant: Option<&str>) -> StoreResult<Vec<Lock>> {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM lockouts WHERE subject = ");
        query.push_bind(subject.to_vec());
        if let Some(tenant) = tenant {
            query.push(" AND tenant = ").push_bind(tenant.to_owned());
        }
        query.push(" ORDER BY since DESC, id DESC LIMIT ").push_bind(LOCKS);
        let rows = query.build().fetch_all(&self.readers).await.map_err(store_error)?;
        rows.iter().map(locks::lock).collect::<sqlx::Result<_>>().map_err(store_error)
    }

    async fn erased_at(&self, subject: [u8; 32]) -> StoreResult<Option<UnixMs>> {
        let row = sqlx::query("SELECT at FROM erased_subjects WHERE subject = ?").bind(subject.as_slice());
        let row = row.fetch_optional(&self.readers).await.map_err(store_error)?;
        row.map(|row| Columns::of("erased_subjects", &row).moment("at")).transpose().map_err(store_error)
    }

    async fn erase(&self, erase: Erase) -> StoreResult<EraseOutcome> {
        self.writer()?.run(move |c| Box::pin(forget(c, erase))).await
    }
}

/// A person stands where no other session of theirs that counts is newer.
fn page_query(asked: &UserQuery) -> QueryBuilder<Db> {
    let backwards = asked.place.is_some_and(|place| place.backwards);
    let mut query = QueryBuilder::<Db>::new("SELECT *, (SELECT count(*) FROM sessions r WHERE r.subject = s.subject");
    query.push(" AND r.ended_at IS NULL AND r.live_until > ").push_bind(asked.now.0);
    push_tenant(&mut query, "r", asked.tenant.as_deref());
    query.push(") AS live, (SELECT count(*) FROM lockouts l WHERE l.subject = s.subject AND l.lifted_at IS NULL");
    query.push(" AND (l.until IS NULL OR l.until > ").push_bind(asked.now.0).push(")");
    push_tenant(&mut query, "l", asked.tenant.as_deref());
    query.push(") AS locks FROM sessions s WHERE TRUE");
    push_tenant(&mut query, "s", asked.tenant.as_deref());
    if asked.live {
        query.push(" AND s.live_until > ").push_bind(asked.now.0);
    }
    if let Some(sub) = &asked.sub {
        query.push(" AND s.sub = ").push_bind(sub.clone());
    }
    if let Some(text) = &asked.text {
        push_text(&mut query, text);
    }
    query.push(" AND NOT EXISTS (SELECT 1 FROM sessions n WHERE n.subject = s.subject");
    query.push(" AND (n.created_at, n.id) > (s.created_at, s.id)");
    push_tenant(&mut query, "n", asked.tenant.as_deref());
    if asked.live {
        query.push(" AND n.live_until > ").push_bind(asked.now.0);
    }
    query.push(")");
    push_place(&mut query, asked.place, asked.limit, backwards);
    query
}

async fn page(readers: &SqlitePool, asked: &UserQuery) -> sqlx::Result<Vec<UserRow>> {
    let rows = page_query(asked).build().fetch_all(readers).await?;
    let mut found = rows
        .iter()
        .map(|row| {
            let columns = Columns::of("sessions", row);
            let live = u64::try_from(columns.get::<i64>("live")?).unwrap_or_default();
            let locked = columns.get::<i64>("locks")? > 0;
            Ok(UserRow { subject: columns.bytes("subject")?, newest: rows::summary(row)?, live, locked })
        })
        .collect::<sqlx::Result<Vec<_>>>()?;
    if asked.place.is_some_and(|place| place.backwards) {
        found.reverse();
    }
    Ok(found)
}

fn push_tenant(query: &mut QueryBuilder<Db>, table: &str, tenant: Option<&str>) {
    if let Some(tenant) = tenant {
        query.push(" AND ").push(table).push(".tenant = ").push_bind(tenant.to_owned());
    }
}

fn push_text(query: &mut QueryBuilder<Db>, text: &str) {
    let Some(pattern) = like_pattern(text) else {
        query.push(" AND FALSE");
        return;
    };
    for (i, column) in ["s.sub", "s.name", "s.email"].into_iter().enumerate() {
        query.push(if i == 0 { " AND (" } else { " OR " });
        query.push(column).push(" LIKE ").push_bind(pattern.clone()).push(" ESCAPE '\\'");
    }
    query.push(")");
}

fn push_place(query: &mut QueryBuilder<Db>, place: Option<Place>, limit: u32, backwards: bool) {
    if let Some(place) = place {
        query.push(" AND (s.created_at, s.id) ").push(if backwards { ">" } else { "<" });
        query.push(" (").push_bind(place.at.0).push(", ").push_bind(place.id.as_bytes().to_vec()).push(")");
    }
    let way = if backwards { "ASC" } else { "DESC" };
    query.push(format!(" ORDER BY s.created_at {way}, s.id {way} LIMIT ")).push_bind(limit);
}

async fn sessions(
    readers: &SqlitePool,
    subject: [u8; 32],
    tenant: Option<&str>,
    place: Option<Place>,
    limit: u32,
) -> StoreResult<Vec<SessionSummary>> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM sessions s WHERE s.subject = ");
    query.push_bind(subject.to_vec());
    push_tenant(&mut query, "s", tenant);
    push_place(&mut query, place, limit, false);
    let rows = query.build().fetch_all(readers).await.map_err(store_error)?;
    let mut found = rows.iter().map(rows::summary).collect::<sqlx::Result<Vec<_>>>().map_err(store_error)?;
    revocations::tell(readers, &mut found).await.map_err(store_error)?;
    Ok(found)
}

async fn forget(connection: &mut SqliteConnection, erase: Erase) -> sqlx::Result<EraseOutcome> {
    let subject = erase.user.subject.as_slice();
    let runs = sqlx::query("SELECT 1 FROM sessions WHERE subject = ? AND ended_at IS NULL AND live_until > ? LIMIT 1")
        .bind(subject)
        .bind(erase.event.at.0)
        .fetch_optional(&mut *connection)
        .await?;
    if runs.is_some() {
        return Ok(EraseOutcome::Runs);
    }
    let (deleted, waiting) = forget_sessions(connection, subject, erase.event.at.0).await?;
    scrub(connection, &erase).await?;
    audit::append(connection, &erase.event).await?;
    for statement in [
        "DELETE FROM audit_addresses WHERE place IN (SELECT place FROM audit_events WHERE subject = ?1)",
        "DELETE FROM granted_owners WHERE subject = ?1",
        "DELETE FROM subject_keys WHERE subject = ?1",
    ] {
        sqlx::query(statement).bind(subject).execute(&mut *connection).await?;
    }
    sqlx::query(
        "INSERT INTO erased_subjects (subject, at) VALUES (?1, ?2) ON CONFLICT (subject) DO UPDATE SET at = ?2",
    )
    .bind(subject)
    .bind(erase.event.at.0)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM lockouts WHERE subject = ? AND (lifted_at IS NOT NULL OR until <= ?)")
        .bind(subject)
        .bind(erase.event.at.0)
        .execute(connection)
        .await?;
    Ok(EraseOutcome::Done { deleted, waiting })
}

/// Of a session whose provider is still to be told stays what that takes.
async fn forget_sessions(connection: &mut SqliteConnection, subject: &[u8], now: i64) -> sqlx::Result<(u64, u64)> {
    // Those that ran out without anybody's doing have tokens of which nobody is told.
    for statement in [
        "UPDATE sessions SET live_until = 0, ended_at = ?2, ended_reason = ?3 \
         WHERE subject = ?1 AND ended_at IS NULL",
        "UPDATE tokens SET tell_at = 0 WHERE tell_at IS NULL AND session_id IN (SELECT id FROM sessions WHERE subject = ?1)",
        "UPDATE sessions SET version = version + 1, ended_reason = ?3, ended_text = NULL, ended_by = NULL, name = NULL, email = NULL, \
         address = NULL, user_agent = NULL, device_name = NULL, upstream_sid = NULL, sealed = X'' WHERE subject = ?1",
        "DELETE FROM mobile_grants WHERE session_id IN (SELECT id FROM sessions WHERE subject = ?1)",
        "DELETE FROM successions WHERE session_id IN (SELECT id FROM sessions WHERE subject = ?1)",
        "DELETE FROM refresh_attempts WHERE session_id IN (SELECT id FROM sessions WHERE subject = ?1)",
        "DELETE FROM refresh_leases WHERE session_id IN (SELECT id FROM sessions WHERE subject = ?1)",
    ] {
        sqlx::query(statement).bind(subject).bind(now).bind(ERASED).execute(&mut *connection).await?;
    }
    let deleted = sqlx::query(
        "DELETE FROM sessions WHERE subject = ? AND NOT EXISTS (SELECT 1 FROM tokens WHERE session_id = sessions.id)",
    )
    .bind(subject)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let row =
        sqlx::query("SELECT count(*) AS n FROM sessions WHERE subject = ?").bind(subject).fetch_one(connection).await?;
    let waiting = u64::try_from(Columns::of("sessions", &row).get::<i64>("n")?).unwrap_or_default();
    Ok((deleted, waiting))
}

/// Deletes a session of an erased person once nobody waits for it any more.
pub(super) async fn forget_rest(connection: &mut SqliteConnection, id: &[u8]) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM sessions WHERE id = ?1 AND ended_reason = ?2 AND NOT EXISTS (SELECT 1 FROM tokens WHERE session_id = ?1)",
    )
    .bind(id)
    .bind(ERASED)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Revocations that name the person name nobody any more.
async fn scrub(connection: &mut SqliteConnection, erase: &Erase) -> sqlx::Result<()> {
    let rows = sqlx::query("SELECT id, filter, actor FROM revocations").fetch_all(&mut *connection).await?;
    for row in &rows {
        let row = Columns::of("revocations", row);
        let scrubbed = erase.scrub(row.get("filter")?, row.get("actor")?);
        let Some(left) = scrubbed.map_err(|error| sqlx::Error::Decode(error.into()))? else { continue };
        sqlx::query("UPDATE revocations SET filter = ?, actor = ? WHERE id = ?")
            .bind(left.filter)
            .bind(left.actor)
            .bind(row.bytes::<16>("id")?.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
