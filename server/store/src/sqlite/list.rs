//! Lists: pages by place, counts that stop, totals.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{
    Count, ListPage, ListQuery, SessionState, SessionSummary, Sort, StoreError, StoreResult, Totals,
};

use super::rows::{self, Columns};
use super::{revocations, store_error};

/// Counting stops here.
const COUNTED: i64 = 10_000;
/// The longest pattern that SQLite's LIKE takes, in bytes.
const LONGEST_PATTERN: usize = 50_000;

pub(super) async fn of_subject(
    readers: &SqlitePool,
    subject: [u8; 32],
    client_id: &str,
    now: UnixMs,
) -> StoreResult<Vec<SessionSummary>> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(rows::SUMMARY).push(" FROM sessions WHERE subject = ").push_bind(subject.to_vec());
    query.push(" AND client_id = ").push_bind(client_id.to_owned());
    query.push(" AND live_until > ").push_bind(now.0);
    query.push(" ORDER BY created_at DESC, id DESC LIMIT 1000");
    let mut found = summaries(&query.build().fetch_all(readers).await.map_err(store_error)?)?;
    revocations::tell(readers, &mut found).await.map_err(store_error)?;
    found.retain(|session| session.ended.is_none());
    Ok(found)
}

fn summaries(found: &[SqliteRow]) -> StoreResult<Vec<SessionSummary>> {
    found.iter().map(rows::summary).collect::<sqlx::Result<_>>().map_err(store_error)
}

/// A walk over a sorted list: which way, and from behind which row.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    pub(super) backwards: bool,
    pub(super) from: Option<(UnixMs, SessionId)>,
}

pub(super) async fn page(readers: &SqlitePool, asked: ListQuery) -> StoreResult<ListPage> {
    let limit = asked.limit.clamp(1, 100) as usize;
    // One snapshot: rows, neighbours and count tell of the same moment.
    let mut snapshot = readers.begin().await.map_err(store_error)?;
    let walk = Walk {
        backwards: asked.place.is_some_and(|place| place.backwards),
        from: asked.place.map(|place| (place.at, place.id)),
    };
    let mut found = walked(&mut snapshot, &asked, rows::SUMMARY, walk, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    // Behind the walk's start lies something only if the page has a place, and something still matches there.
    let back =
        Walk { backwards: !walk.backwards, from: found.first().map(|row| place_of(asked.sort, row)).or(walk.from) };
    let behind = walk.from.is_some() && !walked(&mut snapshot, &asked, rows::SUMMARY, back, 1).await?.is_empty();
    let count = if asked.place.is_none() && !more {
        Count { n: found.len() as u64, exact: true }
    } else {
        count(&mut snapshot, &asked).await?
    };
    // While a revocation goes through its rows, those that it has not reached are over too.
    let revoking = revocations::tell(&mut *snapshot, &mut found).await.map_err(store_error)?;
    let count = Count { exact: count.exact && !revoking, ..count };
    if walk.backwards {
        found.reverse();
    }
    let (more_after, more_before) = if walk.backwards { (behind, more) } else { (more, behind) };
    Ok(ListPage { rows: found, more_after, more_before, count })
}

fn place_of(sort: Sort, row: &SessionSummary) -> (UnixMs, SessionId) {
    match sort {
        Sort::Created => (row.created_at, row.id),
        Sort::LastSeen => (row.last_seen_at, row.id),
    }
}

async fn walked(
    snapshot: &mut SqliteConnection,
    asked: &ListQuery,
    columns: &str,
    walk: Walk,
    limit: usize,
) -> StoreResult<Vec<SessionSummary>> {
    let mut query = page_query(asked, columns, walk, limit);
    summaries(&query.build().fetch_all(snapshot).await.map_err(store_error)?)
}

/// A unary plus keeps a column from choosing the index: the order's index serves a page, and a person's few rows are
/// sorted.
pub(super) fn page_query(asked: &ListQuery, columns: &str, walk: Walk, limit: usize) -> QueryBuilder<Sqlite> {
    let column = match (asked.sort, asked.sub.is_some()) {
        (Sort::Created, _) => "created_at",
        (Sort::LastSeen, false) => "last_seen_at",
        (Sort::LastSeen, true) => "+last_seen_at",
    };
    let mut query = QueryBuilder::new("SELECT ");
    query.push(columns).push(" FROM sessions WHERE TRUE");
    push_filters(&mut query, asked, "+live_until");
    if let Some((at, id)) = walk.from {
        query.push(" AND (").push(column).push(", id) ").push(if walk.backwards { ">" } else { "<" }).push(" (");
        query.push_bind(at.0).push(", ").push_bind(id.as_bytes().to_vec()).push(")");
    }
    let order = if walk.backwards { "ASC" } else { "DESC" };
    query.push(" ORDER BY ").push(column).push(" ").push(order).push(", id ").push(order);
    query.push(" LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    query
}

async fn count(snapshot: &mut SqliteConnection, asked: &ListQuery) -> StoreResult<Count> {
    let mut query = count_query(asked);
    let row = query.build().fetch_one(snapshot).await.map_err(store_error)?;
    let n: i64 = Columns::of("sessions", &row).get("n").map_err(store_error)?;
    Ok(Count { n: number(n.min(COUNTED))?, exact: n <= COUNTED })
}

pub(super) fn count_query(asked: &ListQuery) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT count(*) AS n FROM (SELECT 1 FROM sessions WHERE TRUE");
    push_filters(&mut query, asked, if asked.sub.is_some() { "+live_until" } else { "live_until" });
    query.push(" LIMIT ").push_bind(COUNTED + 1).push(") AS found");
    query
}

fn push_filters(query: &mut QueryBuilder<Sqlite>, asked: &ListQuery, live_until: &str) {
    if let Some(tenant) = &asked.tenant {
        query.push(" AND tenant = ").push_bind(tenant.clone());
    }
    match asked.state {
        SessionState::All => {}
        SessionState::Live => {
            query.push(" AND ").push(live_until).push(" > ").push_bind(asked.now.0);
        }
        SessionState::Over => {
            query.push(" AND ").push(live_until).push(" <= ").push_bind(asked.now.0);
        }
    }
    if let Some(client_id) = &asked.client_id {
        query.push(" AND client_id = ").push_bind(client_id.clone());
    }
    if let Some(sub) = &asked.sub {
        query.push(" AND sub = ").push_bind(sub.clone());
    }
    match asked.text.as_deref().map(|text| (text, text.parse::<SessionId>())) {
        None => {}
        Some((_, Ok(id))) => {
            query.push(" AND id = ").push_bind(id.as_bytes().to_vec());
        }
        Some((text, Err(_))) => push_text(query, text),
    }
}

/// A part of a column, letters of ASCII in either case. LIKE would read a pattern up to its first NUL only.
fn push_text(query: &mut QueryBuilder<Sqlite>, text: &str) {
    let Some(pattern) = like_pattern(text) else {
        query.push(" AND FALSE");
        return;
    };
    query.push(" AND (");
    for (i, column) in ["sub", "name", "email", "address", "user_agent"].into_iter().enumerate() {
        query.push(if i == 0 { "" } else { " OR " });
        query.push(column).push(" LIKE ").push_bind(pattern.clone()).push(" ESCAPE '\\'");
    }
    query.push(")");
}

/// The pattern of texts that contain this one; `None` where SQLite takes none.
pub(super) fn like_pattern(text: &str) -> Option<String> {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let pattern = format!("%{escaped}%");
    (pattern.len() <= LONGEST_PATTERN && !pattern.contains('\0')).then_some(pattern)
}

/// Tenants are found one by one at the front of the index, so that only live sessions are walked over.
const LIVE_BY_CLIENT: &str = "WITH RECURSIVE tenants (tenant) AS (SELECT min(tenant) FROM sessions UNION ALL \
     SELECT (SELECT min(tenant) FROM sessions WHERE tenant > tenants.tenant) FROM tenants WHERE tenants.tenant IS NOT NULL) \
     SELECT client_id, provider_id, count(*) AS n FROM tenants JOIN sessions ON sessions.tenant = tenants.tenant \
     WHERE live_until > ? GROUP BY client_id, provider_id ORDER BY client_id, provider_id";
const LIVE_OF_TENANT: &str = "SELECT client_id, provider_id, count(*) AS n FROM sessions WHERE tenant = ? AND live_until > ? \
     GROUP BY client_id, provider_id ORDER BY client_id, provider_id";
const EVENTS: &str = "SELECT kind, count(*) AS n FROM audit_events WHERE at >= ? GROUP BY kind ORDER BY kind";
const EVENTS_OF_TENANT: &str = "SELECT kind, count(*) AS n FROM audit_events WHERE tenant = ? AND at >= ? \
     GROUP BY kind ORDER BY kind";

pub(super) async fn totals(
    readers: &SqlitePool,
    tenant: Option<&str>,
    now: UnixMs,
    since: UnixMs,
) -> StoreResult<Totals> {
    let (live, events) = match tenant {
        None => (sqlx::query(LIVE_BY_CLIENT), sqlx::query(EVENTS)),
        Some(tenant) => (sqlx::query(LIVE_OF_TENANT).bind(tenant), sqlx::query(EVENTS_OF_TENANT).bind(tenant)),
    };
    let mut totals = Totals::default();
    for row in live.bind(now.0).fetch_all(readers).await.map_err(store_error)? {
        let row = Columns::of("sessions", &row);
        let n = number(row.get("n").map_err(store_error)?)?;
        totals.live += n;
        add(&mut totals.by_client, row.get("client_id").map_err(store_error)?, n);
        add(&mut totals.by_provider, row.get("provider_id").map_err(store_error)?, n);
    }
    for row in events.bind(since.0).fetch_all(readers).await.map_err(store_error)? {
        let row = Columns::of("audit_events", &row);
        totals.events.push((row.get("kind").map_err(store_error)?, number(row.get("n").map_err(store_error)?)?));
    }
    Ok(totals)
}

pub(super) fn number(n: i64) -> StoreResult<u64> {
    u64::try_from(n).map_err(|_| StoreError::Corrupt(format!("a count of {n}")))
}

fn add(totals: &mut Vec<(String, u64)>, id: String, n: u64) {
    match totals.iter_mut().find(|(known, _)| *known == id) {
        Some((_, sum)) => *sum += n,
        None => totals.push((id, n)),
    }
}
