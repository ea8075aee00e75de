//! Searches of the audit log. The server chooses the index that leads.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use cloakroom_core::audit::StoredEvent;
use cloakroom_core::store::{AuditPage, AuditPlace, AuditQuery, Count};

use super::audit::{event, events};
use super::rows::Columns;

/// Counting stops here.
const COUNTED: i64 = 10_000;
/// The longest page.
const LONGEST: u32 = 500;

pub(super) async fn one(connection: &mut PgConnection, id: [u8; 16]) -> sqlx::Result<Option<StoredEvent>> {
    let found =
        sqlx::query("SELECT * FROM audit_events WHERE id = $1").bind(id.as_slice()).fetch_optional(connection).await?;
    found.as_ref().map(event).transpose()
}

/// Places are given before the commit. Where one is missing, its event may be on its way yet: what came after it waits,
/// for as long as a unit of work may take, so that nobody who follows the log misses an event.
const AFTER: &str = "SELECT * FROM audit_events WHERE place > $1 AND ($2::text IS NULL OR tenant = $2) AND place < COALESCE(\
     (SELECT min(place) FROM (SELECT place, at, lag(place, 1, $1) OVER (ORDER BY place) AS before FROM audit_events \
      WHERE place > GREATEST($1, (SELECT max(place) FROM audit_events) - 1000)) AS latest \
      WHERE before < place - 1 AND before > 0 AND at > extract(epoch FROM clock_timestamp()) * 1000 - 15000), \
     9223372036854775807) ORDER BY place LIMIT $3";

pub(super) async fn after(
    connection: &mut PgConnection,
    tenant: Option<&str>,
    place: i64,
    limit: u32,
) -> sqlx::Result<Vec<StoredEvent>> {
    let found = sqlx::query(AFTER).bind(place).bind(tenant).bind(i64::from(limit)).fetch_all(connection).await?;
    events(&found)
}

/// In a snapshot: events, neighbours and count tell of the same moment.
pub(super) async fn page(
    snapshot: &mut PgConnection,
    asked: &AuditQuery,
    place: Option<AuditPlace>,
    limit: u32,
) -> sqlx::Result<AuditPage> {
    let limit = limit.clamp(1, LONGEST) as usize;
    let walk = Walk {
        backwards: place.is_some_and(|place| place.backwards),
        from: place.map(|place| (place.at.0, place.place)),
    };
    let mut found = walked(snapshot, asked, walk, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let back = Walk { backwards: !walk.backwards, from: found.first().map(|e| (e.row.at.0, e.place)).or(walk.from) };
    let behind = walk.from.is_some() && !walked(snapshot, asked, back, 1).await?.is_empty();
    let count = if place.is_none() && !more {
        Count { n: found.len() as u64, exact: true }
    } else {
        count(snapshot, asked).await?
    };
    if walk.backwards {
        found.reverse();
    }
    let (more_after, more_before) = if walk.backwards { (behind, more) } else { (more, behind) };
    Ok(AuditPage { rows: found, more_after, more_before, count })
}

/// A walk over the log: which way, and from behind which event.
#[derive(Clone, Copy)]
struct Walk {
    backwards: bool,
    from: Option<(i64, i64)>,
}

async fn walked(
    snapshot: &mut PgConnection,
    asked: &AuditQuery,
    walk: Walk,
    limit: usize,
) -> sqlx::Result<Vec<StoredEvent>> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT * FROM audit_events e WHERE TRUE");
    push_filters(&mut query, asked);
    if let Some((at, place)) = walk.from {
        query.push(" AND (e.at, e.place) ").push(if walk.backwards { ">" } else { "<" }).push(" (");
        query.push_bind(at).push(", ").push_bind(place).push(")");
    }
    let way = if walk.backwards { "ASC" } else { "DESC" };
    query.push(" ORDER BY e.at ").push(way).push(", e.place ").push(way).push(" LIMIT ");
    query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    events(&query.build().fetch_all(snapshot).await?)
}

async fn count(snapshot: &mut PgConnection, asked: &AuditQuery) -> sqlx::Result<Count> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT count(*) AS n FROM (SELECT 1 FROM audit_events e WHERE TRUE");
    push_filters(&mut query, asked);
    query.push(" LIMIT ").push_bind(COUNTED + 1).push(") AS found");
    let row = query.build().fetch_one(snapshot).await?;
    let n: i64 = Columns::of("audit_events", &row).get("n")?;
    Ok(Count { n: u64::try_from(n.min(COUNTED)).unwrap_or_default(), exact: n <= COUNTED })
}

fn push_filters(query: &mut QueryBuilder<Postgres>, asked: &AuditQuery) {
    let texts = asked.tenant.iter().chain(&asked.kinds);
    if texts.into_iter().any(|text| text.contains('\0')) {
        // No text that is kept has a NUL, which the server takes for no text at all.
        query.push(" AND FALSE");
        return;
    }
    if let Some(tenant) = &asked.tenant {
        query.push(" AND e.tenant = ").push_bind(tenant.clone());
    }
    if let Some(session) = &asked.session {
        query.push(" AND e.session_id = ").push_bind(session.as_bytes().to_vec());
    }
    for (column, hashes) in [("subject", &asked.subjects), ("actor", &asked.actors)] {
        if !hashes.is_empty() {
            let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
            query.push(" AND e.").push(column).push(" = ANY(").push_bind(hashes).push(")");
        }
    }
    if let Some(address) = &asked.address {
        query.push(" AND e.place IN (SELECT place FROM audit_addresses WHERE address = ");
        query.push_bind(address.to_vec()).push(")");
    }
    if !asked.kinds.is_empty() {
        query.push(" AND e.kind = ANY(").push_bind(asked.kinds.clone()).push(")");
    }
    if let Some(from) = asked.from {
        query.push(" AND e.at >= ").push_bind(from.0);
    }
    if let Some(until) = asked.until {
        query.push(" AND e.at < ").push_bind(until.0);
    }
}
