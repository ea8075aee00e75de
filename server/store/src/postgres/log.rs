//! The change log: what other nodes must hear of.

use sqlx::PgConnection;

use cloakroom_core::session::id::SessionId;

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
