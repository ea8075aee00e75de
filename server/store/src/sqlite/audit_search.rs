//! Searches of the audit log. Each is driven by one index, named in the statement: what is most telling leads, the rest
//! is looked at in the rows that it leads to.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use cloakroom_core::audit::StoredEvent;
use cloakroom_core::store::{AuditPage, AuditPlace, AuditQuery, Count, StoreResult};

use super::audit::{event, events};
use super::rows::Columns;
use super::store_error;

/// Counting stops here.
const COUNTED: i64 = 10_000;
/// The longest page.
const LONGEST: u32 = 500;

pub(super) async fn one(readers: &SqlitePool, id: [u8; 16]) -> StoreResult<Option<StoredEvent>> {
    let found = sqlx::query("SELECT * FROM audit_events WHERE id = ?").bind(id.to_vec()).fetch_optional(readers).await;
    found.and_then(|row| row.as_ref().map(event).transpose()).map_err(store_error)
}

pub(super) async fn after(
    readers: &SqlitePool,
    tenant: Option<&str>,
    place: i64,
    limit: u32,
) -> StoreResult<Vec<StoredEvent>> {
    let query = match tenant {
        None => sqlx::query("SELECT * FROM audit_events WHERE place > ? ORDER BY place LIMIT ?"),
        Some(tenant) => {
            sqlx::query("SELECT * FROM audit_events WHERE tenant = ? AND place > ? ORDER BY place LIMIT ?").bind(tenant)
        }
    };
    events(&query.bind(place).bind(limit).fetch_all(readers).await.map_err(store_error)?)
}

pub(super) async fn page(
    readers: &SqlitePool,
    asked: &AuditQuery,
    place: Option<AuditPlace>,
    limit: u32,
) -> StoreResult<AuditPage> {
    let limit = limit.clamp(1, LONGEST) as usize;
    // One snapshot: events, neighbours and count tell of the same moment.
    let mut snapshot = readers.begin().await.map_err(store_error)?;
    let walk = Walk {
        backwards: place.is_some_and(|place| place.backwards),
        from: place.map(|place| (place.at.0, place.place)),
    };
    let mut found = walked(&mut snapshot, asked, walk, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let back = Walk { backwards: !walk.backwards, from: found.first().map(|e| (e.row.at.0, e.place)).or(walk.from) };
    let behind = walk.from.is_some() && !walked(&mut snapshot, asked, back, 1).await?.is_empty();
    let count = if place.is_none() && !more {
        Count { n: found.len() as u64, exact: true }
    } else {
        count(&mut snapshot, asked).await?
    };
    if walk.backwards {
        found.reverse();
    }
    let (more_after, more_before) = if walk.backwards { (behind, more) } else { (more, behind) };
    Ok(AuditPage { rows: found, more_after, more_before, count })
}

/// A walk over the log: which way, and from behind which event.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    pub(super) backwards: bool,
    pub(super) from: Option<(i64, i64)>,
}

async fn walked(
    snapshot: &mut SqliteConnection,
    asked: &AuditQuery,
    walk: Walk,
    limit: usize,
) -> StoreResult<Vec<StoredEvent>> {
    let mut query = page_query(asked, walk, limit);
    events(&query.build().fetch_all(snapshot).await.map_err(store_error)?)
}

async fn count(snapshot: &mut SqliteConnection, asked: &AuditQuery) -> StoreResult<Count> {
    let mut query = count_query(asked);
    let row = query.build().fetch_one(snapshot).await.map_err(store_error)?;
    let n: i64 = Columns::of("audit_events", &row).get("n").map_err(store_error)?;
    Ok(Count { n: u64::try_from(n.min(COUNTED)).unwrap_or_default(), exact: n <= COUNTED })
}

/// What leads a search. Several values lead one after the other, and their events are merged.
enum Lead<'q> {
    Session,
    Address(&'q [u8; 32]),
    Subject(&'q [u8; 32]),
    Actor(&'q [u8; 32]),
    Kind(&'q str),
    Time,
}

fn leads(asked: &AuditQuery) -> Vec<Lead<'_>> {
    if asked.session.is_some() {
        vec![Lead::Session]
    } else if let Some(address) = &asked.address {
        vec![Lead::Address(address)]
    } else if !asked.subjects.is_empty() {
        asked.subjects.iter().map(Lead::Subject).collect()
    } else if !asked.actors.is_empty() {
        asked.actors.iter().map(Lead::Actor).collect()
    } else if !asked.kinds.is_empty() {
        asked.kinds.iter().map(|kind| Lead::Kind(kind)).collect()
    } else {
        vec![Lead::Time]
    }
}

pub(super) fn page_query(asked: &AuditQuery, walk: Walk, limit: usize) -> QueryBuilder<Sqlite> {
    let order = |query: &mut QueryBuilder<Sqlite>, at: &str, place: &str| {
        let way = if walk.backwards { "ASC" } else { "DESC" };
        query.push(format!(" ORDER BY {at} {way}, {place} {way} LIMIT "));
        query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    };
    let leads = leads(asked);
    let mut query = QueryBuilder::new("");
    if let [lead] = leads.as_slice() {
        let (at, place) = push_lead(&mut query, "e.*", asked, lead, walk);
        order(&mut query, at, place);
        return query;
    }
    query.push("SELECT * FROM (");
    for (i, lead) in leads.iter().enumerate() {
        query.push(if i == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
        let (at, place) = push_lead(&mut query, "e.*", asked, lead, walk);
        order(&mut query, at, place);
        query.push(")");
    }
    query.push(")");
    order(&mut query, "at", "place");
    query
}

pub(super) fn count_query(asked: &AuditQuery) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT count(*) AS n FROM (");
    for (i, lead) in leads(asked).iter().enumerate() {
        query.push(if i == 0 { "" } else { " UNION ALL " });
        push_lead(&mut query, "1", asked, lead, Walk { backwards: false, from: None });
    }
    query.push(" LIMIT ").push_bind(COUNTED + 1).push(")");
    query
}

/// One statement up to its order; answers the columns that it is ordered by. A unary plus keeps a column from choosing
/// the index.
fn push_lead(
    query: &mut QueryBuilder<Sqlite>,
    columns: &str,
    asked: &AuditQuery,
    lead: &Lead<'_>,
    walk: Walk,
) -> (&'static str, &'static str) {
    let mut ordered = ("e.at", "e.place");
    query.push("SELECT ").push(columns);
    match lead {
        Lead::Session => {
            query.push(" FROM audit_events e INDEXED BY audit_events_of_session WHERE e.session_id = ");
            query.push_bind(asked.session.map(|id| id.as_bytes().to_vec()));
            ordered = ("+e.at", "+e.place");
        }
        Lead::Address(address) => {
            query.push(
                " FROM audit_addresses a INDEXED BY audit_addresses_of_address CROSS JOIN audit_events e \
                 ON e.place = a.place WHERE a.address = ",
            );
            query.push_bind(address.to_vec());
            ordered = ("a.at", "a.place");
        }
        Lead::Subject(subject) => {
            query.push(" FROM audit_events e INDEXED BY audit_events_of_subject WHERE e.subject = ");
            query.push_bind(subject.to_vec());
        }
        Lead::Actor(actor) => {
            query.push(" FROM audit_events e INDEXED BY audit_events_of_actor WHERE e.actor = ");
            query.push_bind(actor.to_vec());
        }
        Lead::Kind(kind) => push_kind(query, asked.tenant.is_some(), kind),
        Lead::Time if asked.tenant.is_some() => {
            query.push(" FROM audit_events e INDEXED BY audit_events_of_tenant_by_time WHERE TRUE");
        }
        Lead::Time => {
            query.push(" FROM audit_events e INDEXED BY audit_events_by_time WHERE TRUE");
        }
    }
    push_rest(query, asked, lead);
    push_times(query, asked, walk, ordered);
    ordered
}

fn push_kind(query: &mut QueryBuilder<Sqlite>, fenced: bool, kind: &str) {
    let index = if fenced { "audit_events_of_tenant_kind" } else { "audit_events_of_kind" };
    query.push(" FROM audit_events e INDEXED BY ").push(index).push(" WHERE e.kind = ").push_bind(kind.to_owned());
}

/// The filters beside the one that leads.
fn push_rest(query: &mut QueryBuilder<Sqlite>, asked: &AuditQuery, lead: &Lead<'_>) {
    if let Some(tenant) = &asked.tenant {
        let led = matches!(lead, Lead::Kind(_) | Lead::Time);
        query.push(if led { " AND e.tenant = " } else { " AND +e.tenant = " }).push_bind(tenant.clone());
    }
    let hashes = |query: &mut QueryBuilder<Sqlite>, column: &str, hashes: &[[u8; 32]]| {
        if hashes.is_empty() {
            return;
        }
        query.push(" AND +e.").push(column).push(" IN (");
        let mut list = query.separated(", ");
        for hash in hashes {
            list.push_bind(hash.to_vec());
        }
        query.push(")");
    };
    if !matches!(lead, Lead::Subject(_)) {
        hashes(query, "subject", &asked.subjects);
    }
    if !matches!(lead, Lead::Actor(_)) {
        hashes(query, "actor", &asked.actors);
    }
    if !matches!(lead, Lead::Address(_))
        && let Some(address) = &asked.address
    {
        query.push(" AND EXISTS (SELECT 1 FROM audit_addresses a WHERE a.place = e.place AND +a.address = ");
        query.push_bind(address.to_vec()).push(")");
    }
    if !matches!(lead, Lead::Kind(_)) && !asked.kinds.is_empty() {
        query.push(" AND +e.kind IN (");
        let mut list = query.separated(", ");
        for kind in &asked.kinds {
            list.push_bind(kind.clone());
        }
        query.push(")");
    }
}

fn push_times(query: &mut QueryBuilder<Sqlite>, asked: &AuditQuery, walk: Walk, (at, place): (&str, &str)) {
    if let Some(from) = asked.from {
        query.push(" AND ").push(at).push(" >= ").push_bind(from.0);
    }
    if let Some(until) = asked.until {
        query.push(" AND ").push(at).push(" < ").push_bind(until.0);
    }
    if let Some((from_at, from_place)) = walk.from {
        query.push(" AND (").push(at).push(", ").push(place);
        query.push(if walk.backwards { ") > (" } else { ") < (" });
        query.push_bind(from_at).push(", ").push_bind(from_place).push(")");
    }
}
