//! The key ring and persons' audit keys.

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{
    AddKey, Begun, KeyUse, RetireKey, RetireOutcome, Rewrap, SubjectKeyRow, Wrapped, WrappedKeyRow, WrappedOwner,
};

use super::log::{self, Change};
use super::rows::Columns;
use super::{Row, audit, text};

fn ring_key(row: &Row) -> sqlx::Result<WrappedKeyRow> {
    let row = Columns::of("ring_keys", row);
    Ok(WrappedKeyRow { id: row.get("id")?, wrapped: row.get("wrapped")?, created_at: row.moment("created_at")? })
}

pub(super) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<WrappedKeyRow>> {
    let rows = sqlx::query("SELECT id, wrapped, created_at FROM ring_keys ORDER BY created_at, id");
    rows.fetch_all(connection).await?.iter().map(ring_key).collect()
}

/// One change of the ring at a time: what is read after this holds until the unit is over.
async fn lock_ring(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT slot FROM locks WHERE slot = 256 FOR UPDATE").fetch_one(connection).await.map(|_| ())
}

pub(super) async fn add_first(connection: &mut PgConnection, key: &WrappedKeyRow) -> sqlx::Result<Vec<WrappedKeyRow>> {
    lock_ring(connection).await?;
    let ring = all(connection).await?;
    if !ring.is_empty() {
        return Ok(ring);
    }
    insert(connection, key).await?;
    all(connection).await
}

async fn insert(connection: &mut PgConnection, key: &WrappedKeyRow) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO ring_keys (id, wrapped, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
        .bind(&key.id)
        .bind(&key.wrapped)
        .bind(key.created_at.0)
        .execute(connection)
        .await
        .map(|_| ())
}

pub(super) async fn keep_index(connection: &mut PgConnection, key: &WrappedKeyRow) -> sqlx::Result<()> {
    insert(connection, key).await
}

/// The newest key; the index key is older than all.
async fn newest(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT id FROM ring_keys ORDER BY created_at DESC, id DESC LIMIT 1")
        .fetch_optional(connection)
        .await
}

pub(super) async fn add(connection: &mut PgConnection, add: &AddKey) -> sqlx::Result<bool> {
    lock_ring(connection).await?;
    if newest(connection).await?.as_ref() != Some(&add.after) {
        return Ok(false);
    }
    insert(connection, &add.key).await?;
    audit::append(connection, &add.event).await?;
    log::note(connection, Change::Keys).await?;
    Ok(true)
}

const USES: &str = "SELECT key_id, sum(sessions)::bigint AS sessions, sum(subjects)::bigint AS subjects FROM (\
     SELECT key_id, count(*) AS sessions, 0 AS subjects FROM sessions GROUP BY key_id \
     UNION ALL SELECT key_id, 0, count(*) FROM subject_keys GROUP BY key_id) AS uses GROUP BY key_id ORDER BY key_id";

pub(super) async fn uses(connection: &mut PgConnection) -> sqlx::Result<Vec<KeyUse>> {
    let read = |row| {
        let row = Columns::of("sessions", row);
        Ok(KeyUse { key_id: row.get("key_id")?, sessions: count(row, "sessions")?, subjects: count(row, "subjects")? })
    };
    sqlx::query(USES).fetch_all(connection).await?.iter().map(read).collect()
}

fn count(row: Columns<'_>, column: &str) -> sqlx::Result<u64> {
    row.get::<i64>(column).map(|n| u64::try_from(n).unwrap_or_default())
}

pub(super) async fn begun_before(connection: &mut PgConnection, moment: UnixMs, now: UnixMs) -> sqlx::Result<Begun> {
    let row = sqlx::query(
        "SELECT count(*) AS live, count(CASE WHEN last_seen_at < $1 THEN 1 END) AS unseen FROM sessions \
         WHERE created_at < $1 AND live_until > $2",
    )
    .bind(moment.0)
    .bind(now.0)
    .fetch_one(connection)
    .await?;
    let row = Columns::of("sessions", &row);
    Ok(Begun { live: count(row, "live")?, unseen: count(row, "unseen")? })
}

pub(super) async fn wrapped_by(connection: &mut PgConnection, key_id: &str, limit: u32) -> sqlx::Result<Vec<Wrapped>> {
    let rows = sqlx::query("SELECT id, wrapped_key FROM sessions WHERE key_id = $1 LIMIT $2")
        .bind(key_id)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
    let session = |row| {
        let row = Columns::of("sessions", row);
        let owner = WrappedOwner::Session(SessionId::from_bytes(row.bytes("id")?));
        Ok(Wrapped { owner, wrapped: row.get("wrapped_key")? })
    };
    let mut found = rows.iter().map(session).collect::<sqlx::Result<Vec<_>>>()?;
    let left = i64::from(limit).saturating_sub(i64::try_from(found.len()).unwrap_or(i64::MAX));
    let rows = sqlx::query("SELECT subject, wrapped FROM subject_keys WHERE key_id = $1 LIMIT $2")
        .bind(key_id)
        .bind(left)
        .fetch_all(connection)
        .await?;
    for row in &rows {
        let row = Columns::of("subject_keys", row);
        found.push(Wrapped { owner: WrappedOwner::Subject(row.bytes("subject")?), wrapped: row.get("wrapped")? });
    }
    Ok(found)
}

pub(super) async fn rewrap(connection: &mut PgConnection, rewraps: &[Rewrap]) -> sqlx::Result<u64> {
    let mut changed = 0;
    for Rewrap { from, key_id, wrapped } in rewraps {
        let (statement, owner): (_, &[u8]) = match &from.owner {
            WrappedOwner::Session(id) => {
                ("UPDATE sessions SET key_id = $1, wrapped_key = $2 WHERE id = $3 AND wrapped_key = $4", id.as_bytes())
            }
            WrappedOwner::Subject(subject) => {
                ("UPDATE subject_keys SET key_id = $1, wrapped = $2 WHERE subject = $3 AND wrapped = $4", subject)
            }
        };
        let query = sqlx::query(statement).bind(key_id).bind(wrapped).bind(owner).bind(&from.wrapped);
        changed += query.execute(&mut *connection).await?.rows_affected();
    }
    Ok(changed)
}

/// A node that has not heard of the newest key may still seal under the old one while it goes; what it seals then opens
/// nowhere, and that person signs in again.
pub(super) async fn retire(connection: &mut PgConnection, retire: &RetireKey) -> sqlx::Result<RetireOutcome> {
    lock_ring(connection).await?;
    let known: Option<String> = sqlx::query_scalar("SELECT id FROM ring_keys WHERE id = $1")
        .bind(&retire.id)
        .fetch_optional(&mut *connection)
        .await?;
    if known.is_none() || newest(connection).await? == known {
        return Ok(RetireOutcome::NotOld);
    }
    // Sessions that are to end may be wrapped by it: nobody opens them again.
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM sessions WHERE key_id = $1 AND ($2::bigint IS NULL OR created_at >= $2)) AS sessions, \
         (SELECT count(*) FROM subject_keys WHERE key_id = $1) AS subjects",
    )
    .bind(&retire.id)
    .bind(retire.end_begun_before.as_ref().map(|(moment, _)| moment.0))
    .fetch_one(&mut *connection)
    .await?;
    let row = Columns::of("sessions", &row);
    let (sessions, subjects) = (count(row, "sessions")?, count(row, "subjects")?);
    if sessions + subjects > 0 {
        return Ok(RetireOutcome::InUse { sessions, subjects });
    }
    let mut ended = 0;
    if let Some((moment, how)) = &retire.end_begun_before {
        ended = sqlx::query(
            "UPDATE sessions SET live_until = 0, version = version + 1, ended_at = $1, ended_reason = $2, ended_text = $3, \
             ended_by = $4 WHERE ended_at IS NULL AND created_at < $5",
        )
        .bind(how.at.0)
        .bind(text(&how.reason))
        .bind(how.text.as_deref().map(text))
        .bind(how.by.as_deref().map(text))
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
        log::note(connection, Change::All).await?;
    }
    sqlx::query("DELETE FROM ring_keys WHERE id = $1").bind(&retire.id).execute(&mut *connection).await?;
    audit::append(connection, &retire.event).await?;
    log::note(connection, Change::Keys).await?;
    Ok(RetireOutcome::Retired { ended })
}

fn subject_key(row: &Row) -> sqlx::Result<SubjectKeyRow> {
    let row = Columns::of("subject_keys", row);
    Ok(SubjectKeyRow { subject: row.bytes("subject")?, key_id: row.get("key_id")?, wrapped: row.get("wrapped")? })
}

pub(super) async fn subject(connection: &mut PgConnection, candidate: &SubjectKeyRow) -> sqlx::Result<SubjectKeyRow> {
    sqlx::query(
        "INSERT INTO subject_keys (subject, key_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT (subject) DO NOTHING",
    )
    .bind(candidate.subject.as_slice())
    .bind(&candidate.key_id)
    .bind(&candidate.wrapped)
    .execute(&mut *connection)
    .await?;
    let kept = find_subject(connection, candidate.subject).await?;
    kept.ok_or_else(|| sqlx::Error::Decode("subject_keys.subject: a key that was just kept is gone".into()))
}

pub(super) async fn find_subject(
    connection: &mut PgConnection,
    subject: [u8; 32],
) -> sqlx::Result<Option<SubjectKeyRow>> {
    let row = sqlx::query("SELECT subject, key_id, wrapped FROM subject_keys WHERE subject = $1")
        .bind(subject.as_slice())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(subject_key).transpose()
}

/// A write that changes nothing: fails where the server takes none.
pub(super) async fn probe(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("UPDATE audit_head SET seq = seq WHERE one = 1").execute(connection).await.map(|_| ())
}
