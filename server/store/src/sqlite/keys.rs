//! The key ring and persons' audit keys.

use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use cloakroom_core::store::{StoreResult, SubjectKeyRow, WrappedKeyRow};

use super::rows::Columns;
use super::store_error;

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

/// A write that changes nothing: fails when the disk is full or the file is gone.
pub(super) async fn probe(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("UPDATE audit_head SET seq = seq WHERE one = 1").execute(connection).await.map(|_| ())
}
