//! Sessions whose place another took by a step-up.

use sqlx::{SqliteConnection, SqlitePool};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{NoteReuse, StoreResult, Succession};

use super::rows::Columns;
use super::{audit, store_error};

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    old: SessionId,
    successor: SessionId,
    good_until: UnixMs,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO successions (session_id, successor, good_until) VALUES (?, ?, ?)")
        .bind(old.as_bytes().as_slice())
        .bind(successor.as_bytes().as_slice())
        .bind(good_until.0)
        .execute(connection)
        .await
        .map(|_| ())
}

pub(super) async fn of(readers: &SqlitePool, id: SessionId) -> StoreResult<Option<Succession>> {
    let row = sqlx::query("SELECT successor, good_until, reused_at FROM successions WHERE session_id = ?")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(readers)
        .await
        .map_err(store_error)?;
    let succession = |row| {
        let row = Columns::of("successions", row);
        sqlx::Result::Ok(Succession {
            successor: SessionId::from_bytes(row.bytes("successor")?),
            good_until: row.moment("good_until")?,
            reused_at: row.get::<Option<i64>>("reused_at")?.map(UnixMs),
        })
    };
    row.as_ref().map(succession).transpose().map_err(store_error)
}

pub(super) async fn note_reuse(connection: &mut SqliteConnection, reuse: NoteReuse) -> sqlx::Result<bool> {
    let first = sqlx::query("UPDATE successions SET reused_at = ? WHERE session_id = ? AND reused_at IS NULL")
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
