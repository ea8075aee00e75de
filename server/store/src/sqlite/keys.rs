//! The key ring and persons' audit keys.

use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{
    AddKey, Begun, KeyUse, RetireKey, RetireOutcome, Rewrap, StoreResult, SubjectKeyRow, Wrapped, WrappedKeyRow,
    WrappedOwner,
};

use super::rows::Columns;
use super::{audit, store_error};

const ALL: &str = "SELECT id, wrapped, created_at FROM ring_keys ORDER BY created_at, id";

fn ring_key(row: &SqliteRow) -> sqlx::Result<WrappedKeyRow> {
    let row = Columns::of("ring_keys", row);
    Ok(WrappedKeyRow { id: row.get("id")?, wrapped: row.get("wrapped")?, created_at: row.moment("created_at")? })
}

pub(super) async fn all(readers: &SqlitePool) -> StoreResult<Vec<WrappedKeyRow>> {
    let rows = sqlx::query(ALL).fetch_all(readers).await.map_err(store_error)?;
    rows.iter().map(ring_key).collect::<sqlx::Result<_>>().map_err(store_error)
}

pub(super) async fn add_first(
    connection: &mut SqliteConnection,
    key: WrappedKeyRow,
) -> sqlx::Result<Vec<WrappedKeyRow>> {
    sqlx::query(
        "INSERT INTO ring_keys (id, wrapped, created_at) SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM ring_keys)",
    )
    .bind(key.id)
    .bind(key.wrapped)
    .bind(key.created_at.0)
    .execute(&mut *connection)
    .await?;
    sqlx::query(ALL).fetch_all(connection).await?.iter().map(ring_key).collect()
}

pub(super) async fn keep_index(connection: &mut SqliteConnection, key: WrappedKeyRow) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO ring_keys (id, wrapped, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING")
        .bind(key.id)
        .bind(key.wrapped)
        .bind(key.created_at.0)
        .execute(connection)
        .await
        .map(|_| ())
}

/// The newest key; the index key is older than all.
async fn newest(connection: &mut SqliteConnection) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT id FROM ring_keys ORDER BY created_at DESC, id DESC LIMIT 1")
        .fetch_optional(connection)
        .await
}

pub(super) async fn add(connection: &mut SqliteConnection, add: AddKey) -> sqlx::Result<bool> {
    if newest(connection).await?.as_ref() != Some(&add.after) {
        return Ok(false);
    }
    sqlx::query("INSERT INTO ring_keys (id, wrapped, created_at) VALUES (?, ?, ?)")
        .bind(add.key.id)
        .bind(add.key.wrapped)
        .bind(add.key.created_at.0)
        .execute(&mut *connection)
        .await?;
    audit::append(connection, &add.event).await?;
    Ok(true)
}

const USES: &str = "SELECT key_id, sum(sessions) AS sessions, sum(subjects) AS subjects FROM (\
     SELECT key_id, count(*) AS sessions, 0 AS subjects FROM sessions GROUP BY key_id \
     UNION ALL SELECT key_id, 0, count(*) FROM subject_keys GROUP BY key_id) AS uses GROUP BY key_id ORDER BY key_id";

pub(super) async fn uses(readers: &SqlitePool) -> StoreResult<Vec<KeyUse>> {
    let rows = sqlx::query(USES).fetch_all(readers).await.map_err(store_error)?;
    let read = |row| {
        let row = Columns::of("sessions", row);
        Ok(KeyUse { key_id: row.get("key_id")?, sessions: count(row, "sessions")?, subjects: count(row, "subjects")? })
    };
    rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(store_error)
}

fn count(row: Columns<'_>, column: &str) -> sqlx::Result<u64> {
    row.get::<i64>(column).map(|n| u64::try_from(n).unwrap_or_default())
}

pub(super) async fn begun_before(readers: &SqlitePool, moment: UnixMs, now: UnixMs) -> StoreResult<Begun> {
    let row = sqlx::query(
        "SELECT count(*) AS live, count(CASE WHEN last_seen_at < ?1 THEN 1 END) AS unseen FROM sessions \
         WHERE created_at < ?1 AND live_until > ?2",
    )
    .bind(moment.0)
    .bind(now.0)
    .fetch_one(readers)
    .await
    .map_err(store_error)?;
    let row = Columns::of("sessions", &row);
    let read = || Ok(Begun { live: count(row, "live")?, unseen: count(row, "unseen")? });
    read().map_err(store_error)
}

pub(super) async fn wrapped_by(readers: &SqlitePool, key_id: &str, limit: u32) -> StoreResult<Vec<Wrapped>> {
    let rows = sqlx::query("SELECT id, wrapped_key FROM sessions WHERE key_id = ? LIMIT ?")
        .bind(key_id)
        .bind(limit)
        .fetch_all(readers)
        .await
        .map_err(store_error)?;
    let session = |row| {
        let row = Columns::of("sessions", row);
        let owner = WrappedOwner::Session(SessionId::from_bytes(row.bytes("id")?));
        Ok(Wrapped { owner, wrapped: row.get("wrapped_key")? })
    };
    let mut found = rows.iter().map(session).collect::<sqlx::Result<Vec<_>>>().map_err(store_error)?;
    let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    let rows = sqlx::query("SELECT subject, wrapped FROM subject_keys WHERE key_id = ? LIMIT ?")
        .bind(key_id)
        .bind(left)
        .fetch_all(readers)
        .await
        .map_err(store_error)?;
    for row in &rows {
        let row = Columns::of("subject_keys", row);
        let read = || Ok(Wrapped { owner: WrappedOwner::Subject(row.bytes("subject")?), wrapped: row.get("wrapped")? });
        found.push(read().map_err(store_error)?);
    }
    Ok(found)
}

pub(super) async fn rewrap(connection: &mut SqliteConnection, rewraps: Vec<Rewrap>) -> sqlx::Result<u64> {
    let mut changed = 0;
    for Rewrap { from, key_id, wrapped } in rewraps {
        let (statement, owner): (_, &[u8]) = match &from.owner {
            WrappedOwner::Session(id) => {
                ("UPDATE sessions SET key_id = ?, wrapped_key = ? WHERE id = ? AND wrapped_key = ?", id.as_bytes())
            }
            WrappedOwner::Subject(subject) => {
                ("UPDATE subject_keys SET key_id = ?, wrapped = ? WHERE subject = ? AND wrapped = ?", subject)
            }
        };
        let query = sqlx::query(statement).bind(key_id).bind(wrapped).bind(owner).bind(&from.wrapped);
        changed += query.execute(&mut *connection).await?.rows_affected();
    }
    Ok(changed)
}

pub(super) async fn retire(connection: &mut SqliteConnection, retire: RetireKey) -> sqlx::Result<RetireOutcome> {
    let known: Option<String> = sqlx::query_scalar("SELECT id FROM ring_keys WHERE id = ?")
        .bind(&retire.id)
        .fetch_optional(&mut *connection)
        .await?;
    if known.is_none() || newest(connection).await? == known {
        return Ok(RetireOutcome::NotOld);
    }
    // Sessions that are to end may be wrapped by it: nobody opens them again.
    let ends = retire.end_begun_before.as_ref().map(|(moment, _)| moment.0);
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM sessions WHERE key_id = ?1 AND (?2 IS NULL OR created_at >= ?2)) AS sessions, \
         (SELECT count(*) FROM subject_keys WHERE key_id = ?1) AS subjects",
    )
    .bind(&retire.id)
    .bind(ends)
    .fetch_one(&mut *connection)
    .await?;
    let row = Columns::of("sessions", &row);
    let (sessions, subjects) = (count(row, "sessions")?, count(row, "subjects")?);
    if sessions + subjects > 0 {
        return Ok(RetireOutcome::InUse { sessions, subjects });
    }
    let mut ended = 0;
    if let Some((moment, how)) = retire.end_begun_before {
        ended = sqlx::query(
            "UPDATE sessions SET live_until = 0, version = version + 1, ended_at = ?, ended_reason = ?, ended_text = ?, \
             ended_by = ? WHERE ended_at IS NULL AND created_at < ?",
        )
        .bind(how.at.0)
        .bind(how.reason)
        .bind(how.text)
        .bind(how.by)
        .bind(moment.0)
        .execute(&mut *connection)
        .await?
        .rows_affected();
        sqlx::query(
            "UPDATE tokens SET tell_at = 0 WHERE tell_at IS NULL AND session_id IN \
             (SELECT id FROM sessions WHERE ended_at IS NOT NULL)",
        )
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query("DELETE FROM ring_keys WHERE id = ?").bind(&retire.id).execute(&mut *connection).await?;
    audit::append(connection, &retire.event).await?;
    Ok(RetireOutcome::Retired { ended })
}

const FIND_SUBJECT: &str = "SELECT subject, key_id, wrapped FROM subject_keys WHERE subject = ?";

fn subject_key(row: &SqliteRow) -> sqlx::Result<SubjectKeyRow> {
    let row = Columns::of("subject_keys", row);
    Ok(SubjectKeyRow { subject: row.bytes("subject")?, key_id: row.get("key_id")?, wrapped: row.get("wrapped")? })
}

pub(super) async fn subject(
    connection: &mut SqliteConnection,
    candidate: SubjectKeyRow,
) -> sqlx::Result<SubjectKeyRow> {
    sqlx::query(
        "INSERT INTO subject_keys (subject, key_id, wrapped) VALUES (?, ?, ?) ON CONFLICT (subject) DO NOTHING",
    )
    .bind(candidate.subject.as_slice())
    .bind(candidate.key_id)
    .bind(candidate.wrapped)
    .execute(&mut *connection)
    .await?;
    subject_key(&sqlx::query(FIND_SUBJECT).bind(candidate.subject.as_slice()).fetch_one(connection).await?)
}

pub(super) async fn find_subject(readers: &SqlitePool, subject: [u8; 32]) -> StoreResult<Option<SubjectKeyRow>> {
    let row = sqlx::query(FIND_SUBJECT).bind(subject.as_slice()).fetch_optional(readers).await.map_err(store_error)?;
    row.as_ref().map(subject_key).transpose().map_err(store_error)
}

/// A write that changes nothing: fails when the disk is full or the file is gone. SQLite writes no row that stays the same;
/// its header's free field it writes always.
pub(super) async fn probe(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("PRAGMA user_version = 0").execute(connection).await.map(|_| ())
}
