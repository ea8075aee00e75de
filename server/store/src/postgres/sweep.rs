//! What is remembered for a while only, and deleted a little at a time by whoever adds to it. Rows that another unit
//! holds are left to the next sweep.

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;

pub(super) async fn used_transactions(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<()> {
    run(
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
        run(connection, statement, now).await?;
    }
    Ok(())
}

pub(super) async fn used_once(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<()> {
    run(
        connection,
        "DELETE FROM used_once WHERE hash IN \
         (SELECT hash FROM used_once WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        now,
    )
    .await
}

pub(super) async fn devices(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<()> {
    run(
        connection,
        "DELETE FROM device_grants WHERE device IN \
         (SELECT device FROM device_grants WHERE expires_at <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        now,
    )
    .await
}

/// Answers whose time is over go with the next rotation of anybody's.
pub(super) async fn answers(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<()> {
    run(
        connection,
        "UPDATE mobile_grants SET answer = NULL, answer_until = NULL WHERE session_id IN \
         (SELECT session_id FROM mobile_grants WHERE answer_until <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        now,
    )
    .await
}

async fn run(connection: &mut PgConnection, statement: &'static str, now: UnixMs) -> sqlx::Result<()> {
    sqlx::query(statement).bind(now.0).execute(connection).await.map(|_| ())
}
