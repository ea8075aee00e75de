//! Lists: pages by place, counts that stop, totals.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{Count, ListPage, ListQuery, SessionState, SessionSummary, Sort, Totals};

use super::rows::{self, Columns};
use super::{Row, revocations};

/// Counting stops here.
const COUNTED: i64 = 10_000;
/// The longest text that is looked for, in bytes; nothing that is stored is longer.
const LONGEST_TEXT: usize = 50_000;

pub(super) async fn of_subject(
    connection: &mut PgConnection,
    subject: [u8; 32],
    client_id: &str,
    now: UnixMs,
) -> sqlx::Result<Vec<SessionSummary>> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT ");
    query.push(rows::SUMMARY).push(" FROM sessions WHERE subject = ").push_bind(subject.to_vec());
    query.push(" AND client_id = ").push_bind(client_id.to_owned());
    query.push(" AND live_until > ").push_bind(now.0);
    query.push(" ORDER BY created_at DESC, id DESC LIMIT 1000");
    let mut found = summaries(&query.build().fetch_all(&mut *connection).await?)?;
    revocations::tell(connection, &mut found).await?;
    found.retain(|session| session.ended.is_none());
    Ok(found)
}

fn summaries(found: &[Row]) -> sqlx::Result<Vec<SessionSummary>> {
    found.iter().map(rows::summary).collect()
}

/// A walk over a sorted list: which way, and from behind which row.
#[derive(Clone, Copy)]
struct Walk {
    backwards: bool,
    from: Option<(UnixMs, SessionId)>,
}

/// In a snapshot: rows, neighbours and count tell of the same moment.
pub(super) async fn page(snapshot: &mut PgConnection, asked: &ListQuery) -> sqlx::Result<ListPage> {
    let limit = asked.limit.clamp(1, 100) as usize;
    let walk = Walk {
        backwards: asked.place.is_some_and(|place| place.backwards),
        from: asked.place.map(|place| (place.at, place.id)),
    };
    let mut found = walked(snapshot, asked, walk, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    // Behind the walk's start lies something only if the page has a place, and something still matches there.
    let back =
        Walk { backwards: !walk.backwards, from: found.first().map(|row| place_of(asked.sort, row)).or(walk.from) };
    let behind = walk.from.is_some() && !walked(snapshot, asked, back, 1).await?.is_empty();
    let count = if asked.place.is_none() && !more {
        Count { n: found.len() as u64, exact: true }
    } else {
        count(snapshot, asked).await?
    };
    // While a revocation goes through its rows, those that it has not reached are over too.
    let revoking = revocations::tell(snapshot, &mut found).await?;
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
    snapshot: &mut PgConnection,
    asked: &ListQuery,
    walk: Walk,
    limit: usize,
) -> sqlx::Result<Vec<SessionSummary>> {
    let column = match asked.sort {
        Sort::Created => "created_at",
        Sort::LastSeen => "last_seen_at",
    };
    let mut query = QueryBuilder::<Postgres>::new("SELECT ");
    query.push(rows::SUMMARY).push(" FROM sessions WHERE TRUE");
    push_filters(&mut query, asked);
    if let Some((at, id)) = walk.from {
        query.push(" AND (").push(column).push(", id) ").push(if walk.backwards { ">" } else { "<" }).push(" (");
        query.push_bind(at.0).push(", ").push_bind(id.as_bytes().to_vec()).push(")");
    }
    let order = if walk.backwards { "ASC" } else { "DESC" };
    query.push(" ORDER BY ").push(column).push(" ").push(order).push(", id ").push(order);
    query.push(" LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    summaries(&query.build().fetch_all(snapshot).await?)
}

async fn count(snapshot: &mut PgConnection, asked: &ListQuery) -> sqlx::Result<Count> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT count(*) AS n FROM (SELECT 1 FROM sessions WHERE TRUE");
    push_filters(&mut query, asked);
    query.push(" LIMIT ").push_bind(COUNTED + 1).push(") AS found");
    let row = query.build().fetch_one(snapshot).await?;
    let n: i64 = Columns::of("sessions", &row).get("n")?;
    Ok(Count { n: number(n.min(COUNTED))?, exact: n <= COUNTED })
}

fn push_filters(query: &mut QueryBuilder<Postgres>, asked: &ListQuery) {
    match asked.state {
        SessionState::All => {}
        SessionState::Live => {
            query.push(" AND live_until > ").push_bind(asked.now.0);
        }
        SessionState::Over => {
            query.push(" AND live_until <= ").push_bind(asked.now.0);
        }
    }
    for (column, wanted) in [("tenant", &asked.tenant), ("client_id", &asked.client_id), ("sub", &asked.sub)] {
        match wanted {
            None => {}
            // No text that is kept has a NUL, which the server takes for no text at all.
            Some(wanted) if wanted.contains('\0') => {
                query.push(" AND FALSE");
            }
            Some(wanted) => {
                query.push(" AND ").push(column).push(" = ").push_bind(wanted.clone());
            }
        }
    }
    match asked.text.as_deref().map(|text| (text, text.parse::<SessionId>())) {
        None => {}
        Some((_, Ok(id))) => {
            query.push(" AND id = ").push_bind(id.as_bytes().to_vec());
        }
        Some((text, Err(_))) => push_text(query, text),
    }
}

/// A part of a column, letters of ASCII in either case.
fn push_text(query: &mut QueryBuilder<Postgres>, text: &str) {
    if text.len() > LONGEST_TEXT || text.contains('\0') {
        query.push(" AND FALSE");
        return;
    }
    let wanted = text.to_ascii_lowercase();
    query.push(" AND (");
    for (i, column) in ["sub", "name", "email", "address", "user_agent"].into_iter().enumerate() {
        // Of collation "C", so that lower() knows ASCII alone.
        query.push(if i == 0 { "" } else { " OR " }).push("strpos(lower(").push(column).push("), ");
        query.push_bind(wanted.clone()).push(") > 0");
    }
    query.push(")");
}

/// Tenants are found one by one at the front of the index, so that only live sessions are walked over.
const LIVE_BY_CLIENT: &str = "WITH RECURSIVE tenants (tenant) AS (SELECT min(tenant) FROM sessions UNION ALL \
     SELECT (SELECT min(tenant) FROM sessions WHERE tenant > tenants.tenant) FROM tenants WHERE tenants.tenant IS NOT NULL) \
     SELECT client_id, provider_id, count(*) AS n FROM tenants JOIN sessions ON sessions.tenant = tenants.tenant \
     WHERE live_until > $1 GROUP BY client_id, provider_id ORDER BY client_id, provider_id";
const LIVE_OF_TENANT: &str = "SELECT client_id, provider_id, count(*) AS n FROM sessions WHERE live_until > $1 AND tenant = $2 \
     GROUP BY client_id, provider_id ORDER BY client_id, provider_id";
const EVENTS: &str = "SELECT kind, count(*) AS n FROM audit_events WHERE at >= $1 GROUP BY kind ORDER BY kind";
const EVENTS_OF_TENANT: &str = "SELECT kind, count(*) AS n FROM audit_events WHERE at >= $1 AND tenant = $2 \
     GROUP BY kind ORDER BY kind";

pub(super) async fn totals(
    snapshot: &mut PgConnection,
    tenant: Option<&str>,
    now: UnixMs,
    since: UnixMs,
) -> sqlx::Result<Totals> {
    let (live, events) = match tenant {
        None => (sqlx::query(LIVE_BY_CLIENT).bind(now.0), sqlx::query(EVENTS).bind(since.0)),
        Some(tenant) => (
            sqlx::query(LIVE_OF_TENANT).bind(now.0).bind(tenant),
            sqlx::query(EVENTS_OF_TENANT).bind(since.0).bind(tenant),
        ),
    };
    let mut totals = Totals::default();
    for row in live.fetch_all(&mut *snapshot).await? {
        let row = Columns::of("sessions", &row);
        let n = number(row.get("n")?)?;
        totals.live += n;
        add(&mut totals.by_client, row.get("client_id")?, n);
        add(&mut totals.by_provider, row.get("provider_id")?, n);
    }
    for row in events.fetch_all(snapshot).await? {
        let row = Columns::of("audit_events", &row);
        totals.events.push((row.get("kind")?, number(row.get("n")?)?));
    }
    Ok(totals)
}

pub(super) fn number(n: i64) -> sqlx::Result<u64> {
    u64::try_from(n).map_err(|_| sqlx::Error::Decode(format!("a count of {n}").into()))
}

fn add(totals: &mut Vec<(String, u64)>, id: String, n: u64) {
    match totals.iter_mut().find(|(known, _)| *known == id) {
        Some((_, sum)) => *sum += n,
        None => totals.push((id, n)),
    }
}
