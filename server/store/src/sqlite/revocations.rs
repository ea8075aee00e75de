//! Revocations of many sessions. While one is unfinished, what it covers reads as ended; that is decided here, by the
//! domain's own filter, for every row that leaves the store.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite as Db, SqliteConnection, SqliteExecutor, SqlitePool};

use cloakroom_core::audit::AuditRow;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::revocations::came_from;
use cloakroom_core::store::{
    CommitLogin, Covered, Due, End, EndOutcome, Facts, Filter, Place, RevocationId, RevocationRow, RevocationStore,
    SessionRow, SessionSummary, StoreResult, Telling, ToEnd, Told,
};

use super::list::{like_pattern, number};
use super::rows::{self, Columns};
use super::{Sqlite, audit, sessions, store_error, telling};

/// A session's last use is stored late by a minute at most: what expired before this is surely over.
const SURELY_OVER_SECS: i64 = 600;
/// Rows that one statement names.
const TOGETHER: usize = 100;

const COLUMNS: &str = "id, filter, actor, reason, decided_at, expected, ended, finished_at, told, untold, not_supported, \
     access_until, (SELECT count(*) FROM tokens WHERE tokens.revocation_id = revocations.id) AS queued";

#[async_trait]
impl RevocationStore for Sqlite {
    async fn covered(&self, filter: Filter, now: UnixMs, sample: u32) -> StoreResult<Covered> {
        covered(&self.readers, &filter, now, sample).await.map_err(store_error)
    }

    async fn begin_revocation(&self, row: RevocationRow, event: AuditRow) -> StoreResult<(RevocationRow, bool)> {
        self.writer()?.run(move |c| Box::pin(begin(c, row, event))).await
    }

    async fn to_end(&self, id: RevocationId, after: Option<SessionId>, limit: u32, now: UnixMs) -> StoreResult<ToEnd> {
        let Some(row) = one(&self.readers, id).await.map_err(store_error)? else { return Ok(ToEnd::default()) };
        to_end(&self.readers, &row, after, limit, now).await.map_err(store_error)
    }

    async fn end_for(&self, id: RevocationId, ends: Vec<End>) -> StoreResult<u64> {
        self.writer()?.run(move |c| Box::pin(end_for(c, id, ends))).await
    }

    async fn finish_revocation(&self, id: RevocationId, at: UnixMs, event: AuditRow) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(finish(c, id, at, event))).await
    }

    async fn revocation(&self, id: RevocationId) -> StoreResult<Option<RevocationRow>> {
        one(&self.readers, id).await.map_err(store_error)
    }

    async fn revocations(
        &self,
        tenant: Option<&str>,
        place: Option<Place>,
        limit: u32,
    ) -> StoreResult<Vec<RevocationRow>> {
        page(&self.readers, tenant, place, limit).await.map_err(store_error)
    }

    async fn unfinished_revocations(&self) -> StoreResult<Vec<RevocationRow>> {
        unfinished(&self.readers).await.map_err(store_error)
    }

    async fn revocation_failures(&self, id: RevocationId, limit: u32) -> StoreResult<Vec<(SessionId, String)>> {
        telling::failures(&self.readers, id, limit).await.map_err(store_error)
    }

    async fn due(&self, now: UnixMs, lease_until: UnixMs, limit: u32) -> StoreResult<Vec<Due>> {
        // Asked often, and mostly there is nothing: a look takes no turn of the writer's.
        if !telling::is_any_due(&self.readers, now).await.map_err(store_error)? {
            return Ok(Vec::new());
        }
        self.writer()?.run(move |c| Box::pin(telling::claim(c, now, lease_until, limit))).await
    }

    async fn tell_again(&self, id: SessionId, at: UnixMs) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(telling::again(c, id, at))).await
    }

    async fn told(&self, told: Told) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(telling::done(c, told))).await
    }
}

fn revocation(row: &SqliteRow) -> sqlx::Result<RevocationRow> {
    let row = Columns::of("revocations", row);
    let count =
        |column: &str| u64::try_from(row.get::<i64>(column)?).map_err(|error| sqlx::Error::Decode(error.into()));
    let json =
        |column: &str, error: serde_json::Error| sqlx::Error::Decode(format!("revocations.{column}: {error}").into());
    Ok(RevocationRow {
        id: RevocationId::from_bytes(row.bytes("id")?),
        filter: serde_json::from_str(row.get("filter")?).map_err(|error| json("filter", error))?,
        actor: serde_json::from_str(row.get("actor")?).map_err(|error| json("actor", error))?,
        reason: row.get("reason")?,
        decided_at: row.moment("decided_at")?,
        expected: count("expected")?,
        ended: count("ended")?,
        finished_at: row.get::<Option<i64>>("finished_at")?.map(UnixMs),
        telling: Telling {
            queued: count("queued")?,
            told: count("told")?,
            untold: count("untold")?,
            not_supported: count("not_supported")?,
            access_until: row.get::<Option<i64>>("access_until")?.map(UnixMs),
        },
    })
}

fn select(tail: &'static str) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(COLUMNS).push(" FROM revocations ").push(tail);
    query
}

async fn one(from: impl SqliteExecutor<'_>, id: RevocationId) -> sqlx::Result<Option<RevocationRow>> {
    let mut query = select("WHERE id = ");
    query.push_bind(id.as_bytes().to_vec());
    query.build().fetch_optional(from).await?.as_ref().map(revocation).transpose()
}

/// The sessions that a revocation or its preview is about, as far as SQL tells: `id > after`, oldest first.
fn push_covered(query: &mut QueryBuilder<Db>, filter: &Filter, now: UnixMs) {
    query.push(" FROM sessions WHERE ended_at IS NULL AND live_until > ").push_bind(now.plus_secs(-SURELY_OVER_SECS).0);
    let texts = [("tenant", &filter.tenant), ("client_id", &filter.client_id), ("provider_id", &filter.provider_id)];
    for (column, wanted) in texts {
        if let Some(wanted) = wanted {
            query.push(" AND ").push(column).push(" = ").push_bind(wanted.clone());
        }
    }
    let hashes = [
        ("subject", filter.user.as_ref().map(|user| user.subject)),
        ("upstream_sid", filter.upstream.as_ref().map(|upstream| upstream.hash)),
    ];
    for (column, wanted) in hashes {
        if let Some(wanted) = wanted {
            query.push(" AND ").push(column).push(" = ").push_bind(wanted.to_vec());
        }
    }
    if let Some(from) = filter.started_from {
        query.push(" AND created_at >= ").push_bind(from.0);
    }
    if let Some(before) = filter.started_before {
        query.push(" AND created_at < ").push_bind(before.0);
    }
    if let Some(part) = &filter.user_agent {
        match like_pattern(part) {
            Some(pattern) => query.push(" AND user_agent LIKE ").push_bind(pattern).push(" ESCAPE '\\'"),
            None => query.push(" AND FALSE"),
        };
    }
    if let Some(spared) = filter.spares {
        query.push(" AND id <> ").push_bind(spared.as_bytes().to_vec());
    }
    if let Some(ids) = &filter.ids {
        query.push(" AND id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.as_bytes().to_vec());
        }
        query.push(")");
    }
}

async fn covered(readers: &SqlitePool, filter: &Filter, now: UnixMs, sample: u32) -> sqlx::Result<Covered> {
    let mut snapshot = readers.begin().await?;
    let mut found = Covered::default();
    if filter.network.is_none() {
        let mut query = QueryBuilder::new("SELECT client_id, count(*) AS n");
        push_covered(&mut query, filter, now);
        query.push(" GROUP BY client_id ORDER BY n DESC, client_id");
        for row in query.build().fetch_all(&mut *snapshot).await? {
            let row = Columns::of("sessions", &row);
            let n = number(row.get("n")?).map_err(|error| sqlx::Error::Decode(error.into()))?;
            found.count += n;
            found.by_client.push((row.get("client_id")?, n));
        }
        let mut query = QueryBuilder::new("SELECT ");
        query.push(rows::SUMMARY);
        push_covered(&mut query, filter, now);
        query.push(" ORDER BY created_at DESC, id DESC LIMIT ").push_bind(sample);
        let rows = query.build().fetch_all(&mut *snapshot).await?;
        found.sample = rows.iter().map(rows::summary).collect::<sqlx::Result<_>>()?;
        return Ok(found);
    }
    // Networks are no SQL: every row that meets the rest is looked at.
    let mut query = QueryBuilder::new("SELECT ");
    query.push(rows::SUMMARY);
    push_covered(&mut query, filter, now);
    query.push(" ORDER BY id DESC");
    let mut by_client = std::collections::BTreeMap::<String, u64>::new();
    let mut rows = query.build().fetch(&mut *snapshot);
    while let Some(row) = rows.try_next().await? {
        let columns = Columns::of("sessions", &row);
        if !filter.network.is_some_and(|network| {
            columns.get::<Option<&str>>("address").is_ok_and(|address| came_from(network, address))
        }) {
            continue;
        }
        found.count += 1;
        *by_client.entry(columns.get("client_id")?).or_default() += 1;
        if found.sample.len() < sample as usize {
            found.sample.push(rows::summary(&row)?);
        }
    }
    found.by_client = by_client.into_iter().collect();
    found.by_client.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    Ok(found)
}

async fn begin(
    connection: &mut SqliteConnection,
    row: RevocationRow,
    event: AuditRow,
) -> sqlx::Result<(RevocationRow, bool)> {
    let json = |value: serde_json::Result<String>| value.map_err(|error| sqlx::Error::Encode(error.into()));
    // By the moment at which it is kept: a session that was kept just before began no later.
    let new = sqlx::query(
        "INSERT INTO revocations (id, tenant, filter, actor, reason, decided_at, expected) VALUES (?, ?, ?, ?, ?, \
         max(?, CAST(unixepoch('subsec') * 1000 AS INTEGER)), ?) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(row.id.as_bytes().as_slice())
    .bind(&row.filter.tenant)
    .bind(json(serde_json::to_string(&row.filter))?)
    .bind(json(serde_json::to_string(&row.actor))?)
    .bind(&row.reason)
    .bind(row.decided_at.0)
    .bind(i64::try_from(row.expected).unwrap_or(i64::MAX))
    .execute(&mut *connection)
    .await?
    .rows_affected()
        == 1;
    if new {
        audit::append(connection, &event).await?;
    }
    let kept = one(connection, row.id).await?.unwrap_or(row);
    Ok((kept, new))
}

async fn to_end(
    readers: &SqlitePool,
    revocation: &RevocationRow,
    after: Option<SessionId>,
    limit: u32,
    now: UnixMs,
) -> sqlx::Result<ToEnd> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(rows::SUMMARY);
    push_covered(&mut query, &revocation.filter, now);
    query.push(" AND created_at <= ").push_bind(revocation.decided_at.0);
    if let Some(after) = after {
        query.push(" AND id > ").push_bind(after.as_bytes().to_vec());
    }
    query.push(" ORDER BY id LIMIT ").push_bind(limit);
    let found = query.build().fetch_all(readers).await?;
    let mut sessions = found.iter().map(rows::summary).collect::<sqlx::Result<Vec<SessionSummary>>>()?;
    let next = sessions.last().filter(|_| found.len() == limit as usize).map(|last| last.id);
    if let Some(network) = revocation.filter.network {
        sessions.retain(|session| came_from(network, session.address.as_deref()));
    }
    Ok(ToEnd { sessions, next })
}

async fn end_for(connection: &mut SqliteConnection, id: RevocationId, ends: Vec<End>) -> sqlx::Result<u64> {
    let ids: Vec<SessionId> = ends.iter().map(|end| end.id).collect();
    let outcomes = sessions::end_all(connection, ends).await?;
    let ended = ids.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome == EndOutcome::Ended);
    let ended: Vec<SessionId> = ended.map(|(id, _)| id).collect();
    for some in ended.chunks(TOGETHER) {
        let mut query = QueryBuilder::<Db>::new("UPDATE tokens SET revocation_id = ");
        query.push_bind(id.as_bytes().as_slice()).push(" WHERE session_id IN (");
        let mut list = query.separated(", ");
        for id in some {
            list.push_bind(id.as_bytes().as_slice());
        }
        query.push(")");
        query.build().execute(&mut *connection).await?;
    }
    sqlx::query("UPDATE revocations SET ended = ended + ? WHERE id = ?")
        .bind(i64::try_from(ended.len()).unwrap_or(i64::MAX))
        .bind(id.as_bytes().as_slice())
        .execute(connection)
        .await?;
    Ok(ended.len() as u64)
}

async fn finish(connection: &mut SqliteConnection, id: RevocationId, at: UnixMs, event: AuditRow) -> sqlx::Result<()> {
    let finished = sqlx::query("UPDATE revocations SET finished_at = ? WHERE id = ? AND finished_at IS NULL")
        .bind(at.0)
        .bind(id.as_bytes().as_slice())
        .execute(&mut *connection)
        .await?;
    if finished.rows_affected() == 1 { audit::append(connection, &event).await } else { Ok(()) }
}

async fn page(
    readers: &SqlitePool,
    tenant: Option<&str>,
    place: Option<Place>,
    limit: u32,
) -> sqlx::Result<Vec<RevocationRow>> {
    let backwards = place.is_some_and(|place| place.backwards);
    let mut query = select("WHERE TRUE");
    if let Some(tenant) = tenant {
        query.push(" AND tenant = ").push_bind(tenant.to_owned());
    }
    if let Some(place) = place {
        query.push(" AND (decided_at, id) ").push(if backwards { ">" } else { "<" }).push(" (");
        query.push_bind(place.at.0).push(", ").push_bind(place.id.as_bytes().to_vec()).push(")");
    }
    let order = if backwards { "ASC" } else { "DESC" };
    query.push(" ORDER BY decided_at ").push(order).push(", id ").push(order).push(" LIMIT ").push_bind(limit);
    let rows = query.build().fetch_all(readers).await?;
    let mut found = rows.iter().map(revocation).collect::<sqlx::Result<Vec<_>>>()?;
    if backwards {
        found.reverse();
    }
    Ok(found)
}

pub(super) async fn unfinished(from: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<RevocationRow>> {
    let rows = select("WHERE finished_at IS NULL ORDER BY decided_at").build().fetch_all(from).await?;
    rows.iter().map(revocation).collect()
}

/// A row that leaves the store: over, where an unfinished revocation covers it.
pub(super) async fn told_of(
    from: impl SqliteExecutor<'_>,
    row: Option<SessionRow>,
) -> sqlx::Result<Option<SessionRow>> {
    let Some(mut row) = row else { return Ok(None) };
    if row.summary.ended.is_some() {
        return Ok(Some(row));
    }
    let covering = unfinished(from).await?.into_iter().find(|one| one.covers(&Facts::from(&row)));
    row.summary.ended = covering.map(|one| one.ended());
    Ok(Some(row))
}

/// The same for the rows of a list.
pub(super) async fn tell(from: impl SqliteExecutor<'_>, rows: &mut [SessionSummary]) -> sqlx::Result<bool> {
    let unfinished = unfinished(from).await?;
    for row in rows.iter_mut().filter(|row| row.ended.is_none()) {
        let covering = unfinished.iter().find(|one| one.covers(&Facts::from(&*row)));
        row.ended = covering.map(RevocationRow::ended);
    }
    Ok(!unfinished.is_empty())
}

/// Whether a revocation that was decided since the login began covers the session that it would start.
pub(super) async fn forbids(connection: &mut SqliteConnection, login: &CommitLogin) -> sqlx::Result<bool> {
    let mut query = select("WHERE decided_at >= ");
    query.push_bind(login.proven.begun_at.0);
    let rows = query.build().fetch_all(connection).await?;
    let decided = rows.iter().map(revocation).collect::<sqlx::Result<Vec<_>>>()?;
    let facts = Facts::from(&login.session);
    Ok(decided.iter().any(|one| one.filter.covers(&facts)))
}
