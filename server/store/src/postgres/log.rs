//! The change log: what other nodes must hear of, and hearing it.

use async_trait::async_trait;
use sqlx::PgConnection;

use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{ChangeLog, Changes, Cursor, StoreResult};

use super::rows::Columns;
use super::unit::Mode::Read;
use super::{Postgres, Row};

/// Entries that are kept: who has missed more takes it that anything may have changed.
const KEPT: i64 = 100_000;
/// Entries that are read at once.
const TOGETHER: i64 = 1_000;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change<'a> {
    /// These sessions have ended.
    Ended(&'a [SessionId]),
    /// Any session may have ended.
    All,
    /// The key ring.
    Keys,
}

/// Notes a change. The last statement of its transaction: the number is held to the commit, and others wait for it.
pub(super) async fn note(connection: &mut PgConnection, change: Change<'_>) -> sqlx::Result<()> {
    let (what, sessions) = match change {
        Change::Ended([]) => return Ok(()),
        Change::Ended(sessions) => ("ended", sessions),
        Change::All => ("all", &[][..]),
        Change::Keys => ("keys", &[][..]),
    };
    sqlx::query("DELETE FROM change_log WHERE n < (SELECT n FROM log_head WHERE one = 1) - $1")
        .bind(KEPT)
        .execute(&mut *connection)
        .await?;
    let sessions: Vec<&[u8]> = sessions.iter().map(|id| id.as_bytes().as_slice()).collect();
    sqlx::query(
        "WITH head AS (UPDATE log_head SET n = n + 1 WHERE one = 1 RETURNING n) \
         INSERT INTO change_log (n, at, what, sessions) \
         SELECT n, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, $1, $2 FROM head",
    )
    .bind(what)
    .bind(sessions)
    .execute(connection)
    .await
    .map(|_| ())
}

#[async_trait]
impl ChangeLog for Postgres {
    async fn end_of_log(&self) -> StoreResult<Cursor> {
        self.through(&self.log, Read, (), |c, ()| Box::pin(end_of_log(c))).await
    }

    async fn changes(&self, after: &Cursor) -> StoreResult<Changes> {
        self.through(&self.log, Read, after.clone(), |c, after| Box::pin(changes(c, after))).await
    }

    async fn running(&self, ids: Vec<SessionId>) -> StoreResult<Vec<SessionId>> {
        self.unit(Read, ids, |c, ids| Box::pin(running(c, ids))).await
    }

    async fn hinted(&self) {
        self.hints.wait().await;
    }
}

async fn end_of_log(connection: &mut PgConnection) -> sqlx::Result<Cursor> {
    let row = sqlx::query("SELECT incarnation::text AS incarnation, n FROM log_head WHERE one = 1");
    let row = row.fetch_one(connection).await?;
    let row = Columns::of("log_head", &row);
    Ok(Cursor { incarnation: row.get("incarnation")?, n: row.get("n")? })
}

async fn changes(connection: &mut PgConnection, after: &Cursor) -> sqlx::Result<Changes> {
    let rows = sqlx::query(
        "SELECT head.incarnation::text AS incarnation, head.n AS head, entry.n, entry.what, entry.sessions FROM log_head head \
         LEFT JOIN change_log entry ON entry.n > $1 WHERE head.one = 1 ORDER BY entry.n LIMIT $2",
    )
    .bind(after.n)
    .bind(TOGETHER)
    .fetch_all(connection)
    .await?;
    read(&rows, after)
}

/// What the entries say. Where the store is another, or entries are missing, anything may have changed.
fn read(rows: &[Row], after: &Cursor) -> sqlx::Result<Changes> {
    let Some(first) = rows.first().map(|row| Columns::of("log_head", row)) else {
        return Err(sqlx::Error::Decode("log_head: its row is missing".into()));
    };
    let (incarnation, head): (String, i64) = (first.get("incarnation")?, first.get("head")?);
    let mut changes = Changes {
        cursor: Cursor { incarnation, n: after.n },
        ended: Vec::new(),
        any: false,
        keys: false,
        more: i64::try_from(rows.len()).is_ok_and(|n| n == TOGETHER),
    };
    let mut whole = changes.cursor.incarnation == after.incarnation;
    for row in rows {
        let row = Columns::of("change_log", row);
        let Some(n) = row.get::<Option<i64>>("n")? else { continue };
        whole &= n == changes.cursor.n + 1;
        changes.cursor.n = n;
        match &*row.get::<String>("what")? {
            "ended" => {
                for id in row.get::<Vec<Vec<u8>>>("sessions")? {
                    let id = id.try_into().map_err(|_| sqlx::Error::Decode("change_log.sessions: no id".into()))?;
                    changes.ended.push(SessionId::from_bytes(id));
                }
            }
            "keys" => changes.keys = true,
            // A later version's entry may mean anything.
            _ => changes.any = true,
        }
    }
    if !whole || (!changes.more && changes.cursor.n != head) {
        changes.cursor.n = head;
        changes = Changes { any: true, keys: true, more: false, ..changes };
    }
    Ok(changes)
}

async fn running(connection: &mut PgConnection, ids: &[SessionId]) -> sqlx::Result<Vec<SessionId>> {
    let ids: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes().as_slice()).collect();
    let rows = sqlx::query("SELECT id FROM sessions WHERE id = ANY($1) AND ended_at IS NULL").bind(ids);
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(|row| Columns::of("sessions", row).bytes("id").map(SessionId::from_bytes)).collect()
}
