//! People: found by their newest sessions, and forgotten.

use async_trait::async_trait;
use sqlx::{PgConnection, QueryBuilder};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{
    ERASED, Erase, EraseOutcome, Lock, Place, SessionSummary, StoreResult, UserQuery, UserRow, UserStore,
};

use super::log::{self, Change};
use super::rows::{self, Columns};
use super::unit::Mode::{Read, Snapshot, Write};
use super::{Db, Postgres, audit, locks, revocations};

/// The most locks of one person that are told.
const LOCKS: i64 = 100;

#[async_trait]
impl UserStore for Postgres {
    async fn users(&self, query: UserQuery) -> StoreResult<Vec<UserRow>> {
        self.unit(Read, query, |c, query| Box::pin(page(c, query))).await
    }

    async fn sessions_of_user(
        &self,
        subject: [u8; 32],
        tenant: Option<&str>,
        place: Option<Place>,
        limit: u32,
    ) -> StoreResult<Vec<SessionSummary>> {
        let asked = (subject, tenant.map(str::to_owned), place, limit);
        self.unit(Snapshot, asked, |c, (subject, tenant, place, limit)| {
            Box::pin(sessions(c, *subject, tenant.as_deref(), *place, *limit))
        })
        .await
    }

    async fn locks_of_user(&self, subject: [u8; 32], tenant: Option<&str>) -> StoreResult<Vec<Lock>> {
        let asked = (subject, tenant.map(str::to_owned));
        self.unit(Read, asked, |c, (subject, tenant)| Box::pin(locks_of(c, *subject, tenant.as_deref()))).await
    }

    async fn erased_at(&self, subject: [u8; 32]) -> StoreResult<Option<UnixMs>> {
        self.unit(Read, subject, |c, subject| Box::pin(erased_at(c, *subject))).await
    }

    async fn erase(&self, erase: Erase) -> StoreResult<EraseOutcome> {
        let done = self.unit(Write, erase, |c, erase| Box::pin(forget(c, erase))).await;
        self.hint(&done);
        done
    }
}

async fn erased_at(connection: &mut PgConnection, subject: [u8; 32]) -> sqlx::Result<Option<UnixMs>> {
    let row = sqlx::query("SELECT at FROM erased_subjects WHERE subject = $1").bind(subject.as_slice());
    row.fetch_optional(connection).await?.map(|row| Columns::of("erased_subjects", &row).moment("at")).transpose()
}

async fn locks_of(connection: &mut PgConnection, subject: [u8; 32], tenant: Option<&str>) -> sqlx::Result<Vec<Lock>> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM lockouts WHERE subject = ");
    query.push_bind(subject.to_vec());
    if let Some(tenant) = tenant {
        query.push(" AND tenant = ").push_bind(tenant.to_owned());
    }
    query.push(" ORDER BY since DESC, id DESC LIMIT ").push_bind(LOCKS);
    query.build().fetch_all(connection).await?.iter().map(locks::lock).collect()
}

/// A person stands where no other session of theirs that counts is newer.
async fn page(connection: &mut PgConnection, asked: &UserQuery) -> sqlx::Result<Vec<UserRow>> {
    let backwards = asked.place.is_some_and(|place| place.backwards);
    let tenant = asked.tenant.as_deref();
    let mut query = QueryBuilder::<Db>::new("SELECT *, (SELECT count(*) FROM sessions r WHERE r.subject = s.subject");
    query.push(" AND r.ended_at IS NULL AND r.live_until > ").push_bind(asked.now.0);
    push_tenant(&mut query, "r", tenant);
    query.push(") AS live, (SELECT count(*) FROM lockouts l WHERE l.subject = s.subject AND l.lifted_at IS NULL");
    query.push(" AND (l.until IS NULL OR l.until > ").push_bind(asked.now.0).push(")");
    push_tenant(&mut query, "l", tenant);
    query.push(") AS locks FROM sessions s WHERE TRUE");
    push_tenant(&mut query, "s", tenant);
    if asked.live {
        query.push(" AND s.live_until > ").push_bind(asked.now.0);
    }
    if asked.sub.as_deref().into_iter().chain(asked.text.as_deref()).any(|text| text.contains('\0')) {
        // No text that is kept has a NUL, which the server takes for no text at all.
        return Ok(Vec::new());
    }
    if let Some(sub) = &asked.sub {
        query.push(" AND s.sub = ").push_bind(sub.clone());
    }
    if let Some(text) = &asked.text {
        let wanted = text.to_ascii_lowercase();
        for (i, column) in ["s.sub", "s.name", "s.email"].into_iter().enumerate() {
            query.push(if i == 0 { " AND (" } else { " OR " }).push("strpos(lower(").push(column).push("), ");
            query.push_bind(wanted.clone()).push(") > 0");
        }
        query.push(")");
    }
    query.push(" AND NOT EXISTS (SELECT 1 FROM sessions n WHERE n.subject = s.subject");
    query.push(" AND (n.created_at, n.id) > (s.created_at, s.id)");
    push_tenant(&mut query, "n", tenant);
    if asked.live {
        query.push(" AND n.live_until > ").push_bind(asked.now.0);
    }
    query.push(")");
    push_place(&mut query, asked.place, asked.limit, backwards);
    let rows = query.build().fetch_all(connection).await?;
    let mut found = rows
        .iter()
        .map(|row| {
            let columns = Columns::of("sessions", row);
            let live = u64::try_from(columns.get::<i64>("live")?).unwrap_or_default();
            let locked = columns.get::<i64>("locks")? > 0;
            Ok(UserRow { subject: columns.bytes("subject")?, newest: rows::summary(row)?, live, locked })
        })
        .collect::<sqlx::Result<Vec<_>>>()?;
    if backwards {
        found.reverse();
    }
    Ok(found)
}

fn push_tenant(query: &mut QueryBuilder<Db>, table: &str, tenant: Option<&str>) {
    if let Some(tenant) = tenant {
        query.push(" AND ").push(table).push(".tenant = ").push_bind(tenant.to_owned());
    }
}

fn push_place(query: &mut QueryBuilder<Db>, place: Option<Place>, limit: u32, backwards: bool) {
    if let Some(place) = place {
        query.push(" AND (s.created_at, s.id) ").push(if backwards { ">" } else { "<" });
        query.push(" (").push_bind(place.at.0).push(", ").push_bind(place.id.as_bytes().to_vec()).push(")");
    }
    let way = if backwards { "ASC" } else { "DESC" };
    query.push(" ORDER BY s.created_at ").push(way).push(", s.id ").push(way);
    query.push(" LIMIT ").push_bind(i64::from(limit));
}

async fn sessions(
    snapshot: &mut PgConnection,
    subject: [u8; 32],
    tenant: Option<&str>,
    place: Option<Place>,
    limit: u32,
) -> sqlx::Result<Vec<SessionSummary>> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM sessions s WHERE s.subject = ");
    query.push_bind(subject.to_vec());
    push_tenant(&mut query, "s", tenant);
    push_place(&mut query, place, limit, false);
    let rows = query.build().fetch_all(&mut *snapshot).await?;
    let mut found = rows.iter().map(rows::summary).collect::<sqlx::Result<Vec<_>>>()?;
    revocations::tell(snapshot, &mut found).await?;
    Ok(found)
}

async fn forget(connection: &mut PgConnection, erase: &Erase) -> sqlx::Result<EraseOutcome> {
    // No login is being kept meanwhile.
    revocations::decide_alone(connection).await?;
    let (subject, now) = (erase.user.subject.as_slice(), erase.event.at.0);
    let rows = sqlx::query("SELECT ended_at, live_until FROM sessions WHERE subject = $1 ORDER BY id FOR UPDATE")
        .bind(subject)
        .fetch_all(&mut *connection)
        .await?;
    for row in &rows {
        let row = Columns::of("sessions", row);
        if row.get::<Option<i64>>("ended_at")?.is_none() && row.get::<i64>("live_until")? > now {
            return Ok(EraseOutcome::Runs);
        }
    }
    let (deleted, waiting) = forget_sessions(connection, subject, now).await?;
    scrub(connection, erase).await?;
    audit::append(connection, &erase.event).await?;
    for statement in [
        "DELETE FROM audit_addresses WHERE place IN (SELECT place FROM audit_events WHERE subject = $1)",
        "DELETE FROM granted_owners WHERE subject = $1",
        "DELETE FROM subject_keys WHERE subject = $1",
    ] {
        sqlx::query(statement).bind(subject).execute(&mut *connection).await?;
    }
    sqlx::query(
        "INSERT INTO erased_subjects (subject, at) VALUES ($1, $2) ON CONFLICT (subject) DO UPDATE SET at = $2",
    )
    .bind(subject)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM lockouts WHERE subject = $1 AND (lifted_at IS NOT NULL OR until <= $2)")
        .bind(subject)
        .bind(now)
        .execute(&mut *connection)
        .await?;
    // Other nodes hold the person's key in memory.
    log::note(connection, Change::All).await?;
    Ok(EraseOutcome::Done { deleted, waiting })
}

/// Of a session whose provider is still to be told stays what that takes.
async fn forget_sessions(connection: &mut PgConnection, subject: &[u8], now: i64) -> sqlx::Result<(u64, u64)> {
    // Those that ran out without anybody's doing have tokens of which nobody is told.
    sqlx::query(
        "UPDATE sessions SET live_until = 0, version = version + 1, ended_at = COALESCE(ended_at, $2), ended_reason = $3, \
         ended_text = NULL, ended_by = NULL, name = NULL, email = NULL, address = NULL, user_agent = NULL, \
         device_name = NULL, upstream_sid = NULL, sealed = '' WHERE subject = $1",
    )
    .bind(subject)
    .bind(now)
    .bind(ERASED)
    .execute(&mut *connection)
    .await?;
    let mut deleted = 0;
    for statement in [
        "UPDATE tokens SET tell_at = 0 WHERE tell_at IS NULL AND session_id IN (SELECT id FROM sessions WHERE subject = $1)",
        "DELETE FROM mobile_grants WHERE session_id IN (SELECT id FROM sessions WHERE subject = $1)",
        "DELETE FROM successions WHERE session_id IN (SELECT id FROM sessions WHERE subject = $1)",
        "DELETE FROM refresh_attempts WHERE session_id IN (SELECT id FROM sessions WHERE subject = $1)",
        "DELETE FROM refresh_leases WHERE session_id IN (SELECT id FROM sessions WHERE subject = $1)",
        "DELETE FROM sessions WHERE subject = $1 AND NOT EXISTS (SELECT 1 FROM tokens WHERE session_id = sessions.id)",
    ] {
        deleted = sqlx::query(statement).bind(subject).execute(&mut *connection).await?.rows_affected();
    }
    let row = sqlx::query("SELECT count(*) AS n FROM sessions WHERE subject = $1")
        .bind(subject)
        .fetch_one(connection)
        .await?;
    let waiting = u64::try_from(Columns::of("sessions", &row).get::<i64>("n")?).unwrap_or_default();
    Ok((deleted, waiting))
}

/// Deletes a session of an erased person once nobody waits for it any more.
pub(super) async fn forget_rest(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM sessions WHERE id = $1 AND ended_reason = $2 AND NOT EXISTS (SELECT 1 FROM tokens WHERE session_id = $1)",
    )
    .bind(id.as_bytes().as_slice())
    .bind(ERASED)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Revocations that name the person name nobody any more.
async fn scrub(connection: &mut PgConnection, erase: &Erase) -> sqlx::Result<()> {
    let rows = sqlx::query("SELECT id, filter, actor FROM revocations").fetch_all(&mut *connection).await?;
    for row in &rows {
        let row = Columns::of("revocations", row);
        let scrubbed = erase.scrub(row.get("filter")?, row.get("actor")?);
        let Some(left) = scrubbed.map_err(|error| sqlx::Error::Decode(error.into()))? else { continue };
        sqlx::query("UPDATE revocations SET filter = $1, actor = $2 WHERE id = $3")
            .bind(left.filter)
            .bind(left.actor)
            .bind(row.bytes::<16>("id")?.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
