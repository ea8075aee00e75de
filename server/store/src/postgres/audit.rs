//! The audit log's rows and its chain.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use cloakroom_core::audit::{AuditRow, ChainHead, ChainLink, StoredEvent};
use cloakroom_core::session::id::SessionId;

use super::Row;
use super::rows::Columns;

/// Rows that one statement inserts: thousands of sessions that end at once have an event each.
const TOGETHER: usize = 500;

pub(super) async fn append(connection: &mut PgConnection, event: &AuditRow) -> sqlx::Result<()> {
    append_all(connection, std::slice::from_ref(event)).await
}

pub(super) async fn append_all(connection: &mut PgConnection, events: &[AuditRow]) -> sqlx::Result<()> {
    for events in events.chunks(TOGETHER) {
        let mut query = QueryBuilder::<Postgres>::new(
            "INSERT INTO audit_events (id, version, tenant, at, kind, session_id, client_id, provider_id, subject, \
             subject_sealed, actor, actor_sealed, facts) ",
        );
        query.push_values(events, |mut row, event| {
            row.push_bind(event.id.as_slice())
                .push_bind(event.version)
                .push_bind(&event.tenant)
                .push_bind(event.at.0)
                .push_bind(&event.kind)
                .push_bind(event.session.as_ref().map(|id| id.as_bytes().as_slice()))
                .push_bind(&event.client_id)
                .push_bind(&event.provider_id)
                .push_bind(event.subject.as_ref().map(<[u8; 32]>::as_slice))
                .push_bind(&event.subject_sealed)
                .push_bind(event.actor.as_ref().map(<[u8; 32]>::as_slice))
                .push_bind(&event.actor_sealed)
                .push_bind(&event.facts);
        });
        query.build().execute(&mut *connection).await?;
    }
    append_addresses(connection, events).await
}

/// From where the events' persons came, beside the log.
async fn append_addresses(connection: &mut PgConnection, events: &[AuditRow]) -> sqlx::Result<()> {
    let of = |event: &AuditRow| event.address.map(|address| (event.id.to_vec(), address.to_vec()));
    let (ids, addresses): (Vec<_>, Vec<_>) = events.iter().filter_map(of).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO audit_addresses (place, address, at) SELECT audit_events.place, come.address, audit_events.at \
         FROM UNNEST($1::bytea[], $2::bytea[]) AS come (id, address) JOIN audit_events ON audit_events.id = come.id",
    )
    .bind(ids)
    .bind(addresses)
    .execute(connection)
    .await
    .map(|_| ())
}

pub(super) fn event(row: &Row) -> sqlx::Result<StoredEvent> {
    let row = Columns::of("audit_events", row);
    let id = row.bytes("id")?;
    let link = match row.get::<Option<i64>>("seq")? {
        Some(seq) => Some(ChainLink { event: id, seq, hash: row.bytes("hash")? }),
        None => None,
    };
    Ok(StoredEvent {
        place: row.get("place")?,
        row: AuditRow {
            id,
            version: row.get("version")?,
            tenant: row.get("tenant")?,
            at: row.moment("at")?,
            kind: row.get("kind")?,
            session: row.optional_bytes("session_id")?.map(SessionId::from_bytes),
            client_id: row.get("client_id")?,
            provider_id: row.get("provider_id")?,
            subject: row.optional_bytes("subject")?,
            address: None,
            subject_sealed: row.get("subject_sealed")?,
            actor: row.optional_bytes("actor")?,
            actor_sealed: row.get("actor_sealed")?,
            facts: row.get("facts")?,
        },
        link,
    })
}

pub(super) fn events(rows: &[Row]) -> sqlx::Result<Vec<StoredEvent>> {
    rows.iter().map(event).collect()
}

/// In a snapshot, so that the head is the one these events follow.
pub(super) async fn unchained(snapshot: &mut PgConnection, limit: u32) -> sqlx::Result<(ChainHead, Vec<StoredEvent>)> {
    let row = sqlx::query("SELECT seq, hash FROM audit_head WHERE one = 1").fetch_one(&mut *snapshot).await?;
    let row = Columns::of("audit_head", &row);
    let head = ChainHead { seq: row.get("seq")?, hash: row.bytes("hash")? };
    let rows = sqlx::query("SELECT * FROM audit_events WHERE seq IS NULL ORDER BY place LIMIT $1")
        .bind(i64::from(limit))
        .fetch_all(snapshot)
        .await?;
    Ok((head, events(&rows)?))
}

pub(super) async fn chain(connection: &mut PgConnection, after: ChainHead, links: &[ChainLink]) -> sqlx::Result<bool> {
    let Some(last) = links.last() else { return Ok(true) };
    let moved = sqlx::query("UPDATE audit_head SET seq = $1, hash = $2 WHERE one = 1 AND seq = $3 AND hash = $4")
        .bind(last.seq)
        .bind(last.hash.as_slice())
        .bind(after.seq)
        .bind(after.hash.as_slice())
        .execute(&mut *connection)
        .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    let ids: Vec<&[u8]> = links.iter().map(|link| link.event.as_slice()).collect();
    let numbers: Vec<i64> = links.iter().map(|link| link.seq).collect();
    let hashes: Vec<&[u8]> = links.iter().map(|link| link.hash.as_slice()).collect();
    let linked = sqlx::query(
        "UPDATE audit_events SET seq = link.seq, hash = link.hash \
         FROM UNNEST($1::bytea[], $2::bigint[], $3::bytea[]) AS link (id, seq, hash) \
         WHERE audit_events.id = link.id AND audit_events.seq IS NULL",
    )
    .bind(ids)
    .bind(numbers)
    .bind(hashes)
    .execute(connection)
    .await?;
    if linked.rows_affected() != links.len() as u64 {
        // The head would pass an event that is not there: the error takes the whole unit back.
        let what = format!("audit_events.seq: an event to be number {} or before is gone, or linked already", last.seq);
        return Err(sqlx::Error::Decode(what.into()));
    }
    Ok(true)
}

pub(super) async fn chained(connection: &mut PgConnection, after: i64, limit: u32) -> sqlx::Result<Vec<StoredEvent>> {
    let rows = sqlx::query("SELECT * FROM audit_events WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    events(&rows)
}

pub(super) async fn of_session(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<Vec<StoredEvent>> {
    let rows = sqlx::query("SELECT * FROM audit_events WHERE session_id = $1 ORDER BY place LIMIT 200")
        .bind(id.as_bytes().as_slice())
        .fetch_all(connection)
        .await?;
    events(&rows)
}

pub(super) async fn latest(
    connection: &mut PgConnection,
    tenant: Option<&str>,
    limit: u32,
) -> sqlx::Result<Vec<StoredEvent>> {
    let newest = match tenant {
        None => sqlx::query("SELECT * FROM audit_events ORDER BY place DESC LIMIT $1").bind(i64::from(limit)),
        Some(tenant) => sqlx::query("SELECT * FROM audit_events WHERE tenant = $1 ORDER BY place DESC LIMIT $2")
            .bind(tenant)
            .bind(i64::from(limit)),
    };
    events(&newest.fetch_all(connection).await?)
}
