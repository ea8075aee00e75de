//! What providers are still to be told: the token sets of ended sessions, each with the moment of its next try.

use sqlx::PgConnection;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{Due, RevocationId, Told, ToldOutcome};

use super::rows::Columns;
use super::{audit, sessions, text};

pub(super) async fn is_any_due(connection: &mut PgConnection, now: UnixMs) -> sqlx::Result<bool> {
    let row =
        sqlx::query("SELECT 1 FROM tokens WHERE tell_at <= $1 LIMIT 1").bind(now.0).fetch_optional(connection).await?;
    Ok(row.is_some())
}

pub(super) async fn claim(
    connection: &mut PgConnection,
    now: UnixMs,
    lease_until: UnixMs,
    limit: u32,
) -> sqlx::Result<Vec<Due>> {
    let rows = sqlx::query(
        "UPDATE tokens SET tell_at = $1, tell_tries = tell_tries + 1 WHERE session_id IN \
         (SELECT session_id FROM tokens WHERE tell_at <= $2 ORDER BY tell_at LIMIT $3 FOR UPDATE SKIP LOCKED) \
         RETURNING session_id, tell_tries",
    )
    .bind(lease_until.0)
    .bind(now.0)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let due = |row| {
        let row = Columns::of("tokens", row);
        let tries = u32::try_from(row.get::<i64>("tell_tries")?).unwrap_or(u32::MAX);
        Ok(Due { id: SessionId::from_bytes(row.bytes("session_id")?), tries })
    };
    rows.iter().map(due).collect()
}

pub(super) async fn again(connection: &mut PgConnection, id: SessionId, at: UnixMs) -> sqlx::Result<()> {
    sqlx::query("UPDATE tokens SET tell_at = $1 WHERE session_id = $2 AND tell_at IS NOT NULL")
        .bind(at.0)
        .bind(id.as_bytes().as_slice())
        .execute(connection)
        .await
        .map(|_| ())
}

pub(super) async fn done(connection: &mut PgConnection, told: &Told) -> sqlx::Result<()> {
    // The session first, as every unit does that touches its token set.
    sessions::locked(connection, told.id).await?;
    let row = sqlx::query("SELECT revocation_id FROM tokens WHERE session_id = $1 AND tell_at IS NOT NULL")
        .bind(told.id.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    // Told before, by whoever had it when its lease ran out.
    let Some(row) = row else { return Ok(()) };
    let revocation: Option<[u8; 16]> = Columns::of("tokens", &row).optional_bytes("revocation_id")?;
    sessions::forget_tokens(connection, told.id).await?;
    audit::append(connection, &told.event).await?;
    let Some(revocation) = revocation else { return Ok(()) };
    let statement = match &told.outcome {
        ToldOutcome::Done => {
            "UPDATE revocations SET told = told + 1, access_until = GREATEST(access_until, $1) WHERE id = $2"
        }
        ToldOutcome::NotSupported => {
            "UPDATE revocations SET not_supported = not_supported + 1, access_until = GREATEST(access_until, $1) WHERE id = $2"
        }
        ToldOutcome::Failed(_) => {
            "UPDATE revocations SET untold = untold + 1, access_until = GREATEST(access_until, $1) WHERE id = $2"
        }
    };
    sqlx::query(statement)
        .bind(told.access_until.map(|at| at.0))
        .bind(revocation.as_slice())
        .execute(&mut *connection)
        .await?;
    if let ToldOutcome::Failed(detail) = &told.outcome {
        sqlx::query(
            "INSERT INTO revocation_failures (revocation_id, session_id, detail) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(revocation.as_slice())
        .bind(told.id.as_bytes().as_slice())
        .bind(text(detail))
        .execute(connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn failures(
    connection: &mut PgConnection,
    id: RevocationId,
    limit: u32,
) -> sqlx::Result<Vec<(SessionId, String)>> {
    let rows = sqlx::query(
        "SELECT session_id, detail FROM revocation_failures WHERE revocation_id = $1 ORDER BY session_id LIMIT $2",
    )
    .bind(id.as_bytes().as_slice())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let failure = |row| {
        let row = Columns::of("revocation_failures", row);
        Ok((SessionId::from_bytes(row.bytes("session_id")?), row.get("detail")?))
    };
    rows.iter().map(failure).collect()
}
