//! Sessions whose place another took by a step-up.

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{NoteReuse, Succession};

use super::audit;
use super::rows::Columns;

pub(super) async fn insert(
    connection: &mut PgConnection,
    old: SessionId,
    successor: SessionId,
    good_until: UnixMs,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO successions (session_id, successor, good_until) VALUES ($1, $2, $3)")
        .bind(old.as_bytes().as_slice())
        .bind(successor.as_bytes().as_slice())
        .bind(good_until.0)
        .execute(connection)
        .await
        .map(|_| ())
}

pub(super) async fn of(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<Option<Succession>> {
    let row = sqlx::query("SELECT successor, good_until, reused_at FROM successions WHERE session_id = $1")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let row = Columns::of("successions", &row);
    Ok(Some(Succession {
        successor: SessionId::from_bytes(row.bytes("successor")?),
        good_until: row.moment("good_until")?,
        reused_at: row.get::<Option<i64>>("reused_at")?.map(UnixMs),
    }))
}

pub(super) async fn note_reuse(connection: &mut PgConnection, reuse: &NoteReuse) -> sqlx::Result<bool> {
    let first = sqlx::query("UPDATE successions SET reused_at = $1 WHERE session_id = $2 AND reused_at IS NULL")
        .bind(reuse.at.0)
        .bind(reuse.id.as_bytes().as_slice())
        .execute(&mut *connection)
        .await?
        .rows_affected()
        == 1;
    if first {
        audit::append(connection, &reuse.event).await?;
    }
    Ok(first)
}
