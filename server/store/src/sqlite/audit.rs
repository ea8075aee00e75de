//! The audit log's rows and its chain.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use cloakroom_core::audit::{AuditRow, ChainHead, ChainLink, StoredEvent};
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::StoreResult;

use super::rows::Columns;
use super::store_error;

/// Rows that one statement inserts: thousands of sessions that end at once have an event each.
const TOGETHER: usize = 100;

pub(super) async fn append(connection: &mut SqliteConnection, event: &AuditRow) -> sqlx::Result<()> {
    append_all(connection, std::slice::from_ref(event)).await
}

pub(super) async fn append_all(connection: &mut SqliteConnection, events: &[AuditRow]) -> sqlx::Result<()> {
    for events in events.chunks(TOGETHER) {
        let mut query = QueryBuilder::<Sqlite>::new(
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
    for event in events {
        if let Some(address) = &event.address {
            sqlx::query(
                "INSERT INTO audit_addresses (place, address, at) SELECT place, ?, at FROM audit_events WHERE id = ?",
            )
            .bind(address.as_slice())
            .bind(event.id.as_slice())
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

pub(super) fn event(row: &SqliteRow) -> sqlx::Result<StoredEvent> {
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

pub(super) fn events(rows: &[SqliteRow]) -> StoreResult<Vec<StoredEvent>> {
    rows.iter().map(event).collect::<sqlx::Result<_>>().map_err(store_error)
}

const HEAD: &str = "SELECT seq, hash FROM audit_head WHERE one = 1";

fn head(row: &SqliteRow) -> sqlx::Result<ChainHead> {
    let row = Columns::of("audit_head", row);
    Ok(ChainHead { seq: row.get("seq")?, hash: row.bytes("hash")? })
}

pub(super) async fn unchained(readers: &SqlitePool, limit: u32) -> StoreResult<(ChainHead, Vec<StoredEvent>)> {
    // One snapshot for both, so that the head is the one these events follow.
    let mut snapshot = readers.begin().await.map_err(store_error)?;
    let found = sqlx::query(HEAD).fetch_one(&mut *snapshot).await.and_then(|row| head(&row)).map_err(store_error)?;
    let rows = sqlx::query("SELECT * FROM audit_events WHERE seq IS NULL ORDER BY place LIMIT ?")
        .bind(limit)
        .fetch_all(&mut *snapshot)
        .await
        .map_err(store_error)?;
    Ok((found, events(&rows)?))
}

pub(super) async fn chain(
    connection: &mut SqliteConnection,
    after: ChainHead,
    links: Vec<ChainLink>,
) -> sqlx::Result<bool> {
    let Some(last) = links.last() else { return Ok(true) };
    let moved = sqlx::query("UPDATE audit_head SET seq = ?, hash = ? WHERE one = 1 AND seq = ? AND hash = ?")
        .bind(last.seq)
        .bind(last.hash.as_slice())
        .bind(after.seq)
        .bind(after.hash.as_slice())
        .execute(&mut *connection)
        .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    for link in &links {
        let linked = sqlx::query("UPDATE audit_events SET seq = ?, hash = ? WHERE id = ? AND seq IS NULL")
            .bind(link.seq)
            .bind(link.hash.as_slice())
            .bind(link.event.as_slice())
            .execute(&mut *connection)
            .await?;
        if linked.rows_affected() == 0 {
            // The head would pass an event that is not there: the error takes the whole unit back.
            let what = format!("audit_events.seq: the event to be number {} is gone, or linked already", link.seq);
            return Err(sqlx::Error::Decode(what.into()));
        }
    }
    Ok(true)
}

pub(super) async fn chained(readers: &SqlitePool, after: i64, limit: u32) -> StoreResult<Vec<StoredEvent>> {
    let rows = sqlx::query("SELECT * FROM audit_events WHERE seq > ? ORDER BY seq LIMIT ?")
        .bind(after)
        .bind(limit)
        .fetch_all(readers)
        .await
        .map_err(store_error)?;
    events(&rows)
}

pub(super) async fn of_session(readers: &SqlitePool, id: SessionId) -> StoreResult<Vec<StoredEvent>> {
    let rows = sqlx::query("SELECT * FROM audit_events WHERE session_id = ? ORDER BY place LIMIT 200")
        .bind(id.as_bytes().as_slice())
        .fetch_all(readers)
        .await
        .map_err(store_error)?;
    events(&rows)
}

pub(super) async fn latest(readers: &SqlitePool, tenant: Option<&str>, limit: u32) -> StoreResult<Vec<StoredEvent>> {
    let query = match tenant {
        None => sqlx::query("SELECT * FROM audit_events ORDER BY place DESC LIMIT ?"),
        Some(tenant) => {
            sqlx::query("SELECT * FROM audit_events WHERE tenant = ? ORDER BY place DESC LIMIT ?").bind(tenant)
        }
    };
    events(&query.bind(limit).fetch_all(readers).await.map_err(store_error)?)
}
