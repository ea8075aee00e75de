//! What is remembered for a while only, and deleted a little at a time by whoever adds to it. Rows that another unit
//! holds are left to the next sweep.

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;

pub(super) async fn used_transactions(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<()> {
    delete(
        connection,
        "DELETE FROM used_transactions WHERE hash IN \
         (SELECT hash FROM used_transactions WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        now,
    )
    .await
}

pub(super) async fn logouts(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM used_logout_tokens WHERE hash IN \
         (SELECT hash FROM used_logout_tokens WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        "DELETE FROM logout_tombstones WHERE name IN \
         (SELECT name FROM logout_tombstones WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
    ] {
        delete(connection, statement, now).await?;
    }
    Ok(())
}

async fn delete(connection: &mut PgConnection, statement: &'static str, now: UnixMs) -> sqlx::Result<()> {
    sqlx::query(statement).bind(now.0).execute(connection).await.map(|_| ())
}
