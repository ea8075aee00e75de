//! The unit of work that ends a login.

use sqlx::SqliteConnection;

use cloakroom_core::store::{CommitLogin, EndOutcome, LoginOutcome, SessionRow, StoredTokens, Verdict};

use super::{audit, locks, logout, mobile, revocations, room, sessions, succession, sweep, telling};

pub(super) async fn commit(connection: &mut SqliteConnection, login: CommitLogin) -> sqlx::Result<LoginOutcome> {
    let verdict = match &login.room {
        Some(room) => room.verdict(&room::running(connection, &login).await?),
        None => Verdict::Fits(&[]),
    };
    if matches!(verdict, Verdict::Changed) {
        return Ok(LoginOutcome::Changed);
    }
    sweep::used_transactions(connection, login.session.summary.created_at).await?;
    let used =
        sqlx::query("INSERT INTO used_transactions (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING")
            .bind(login.transaction.as_slice())
            .bind(login.transaction_expires_at.0)
            .execute(&mut *connection)
            .await?;
    if used.rows_affected() == 0 {
        return Ok(LoginOutcome::Replayed);
    }
    if logout::forbids(connection, &login.proven, login.session.summary.created_at).await? {
        return Ok(LoginOutcome::LoggedOut);
    }
    if revocations::forbids(connection, &login).await? {
        return Ok(LoginOutcome::Revoked);
    }
    if let Some(lock) = locks::on(&mut *connection, &login.session, login.session.summary.created_at).await? {
        return Ok(LoginOutcome::Locked(Box::new(lock)));
    }
    let Verdict::Fits(oldest) = verdict else { return Ok(LoginOutcome::Full) };
    sessions::end_all(connection, oldest.to_vec()).await?;
    insert_session(connection, &login.session).await?;
    insert_tokens(connection, &login.session, &login.tokens).await?;
    if let Some(expires_at) = login.code_expires_at {
        mobile::insert(connection, login.session.summary.id, expires_at).await?;
    }
    audit::append(connection, &login.event).await?;
    let Some(end) = login.replaces else { return Ok(LoginOutcome::Started { replaced: None }) };
    let old = end.id;
    let replaced = sessions::end(connection, end).await?;
    if let (EndOutcome::Ended, Some(until)) = (&replaced, login.good_until) {
        succession::insert(connection, old, login.session.summary.id, until).await?;
        telling::again(connection, old, until).await?;
    }
    Ok(LoginOutcome::Started { replaced: Some(replaced) })
}

async fn insert_session(connection: &mut SqliteConnection, session: &SessionRow) -> sqlx::Result<()> {
    let summary = &session.summary;
    sqlx::query(
        "INSERT INTO sessions (id, tenant, client_id, provider_id, registration_id, kind, issuer, sub, subject, upstream_sid, \
         name, email, address, user_agent, created_at, last_seen_at, idle_ms, expires_at, live_until, version, secret_hash, \
         key_id, wrapped_key, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(summary.id.as_bytes().as_slice())
    .bind(&summary.tenant)
    .bind(&summary.client_id)
    .bind(&summary.provider_id)
    .bind(&session.registration_id)
    .bind(&summary.kind)
    .bind(&summary.issuer)
    .bind(&summary.sub)
    .bind(session.subject.as_slice())
    .bind(session.upstream_sid.as_ref().map(<[u8; 32]>::as_slice))
    .bind(&summary.name)
    .bind(&summary.email)
    .bind(&summary.address)
    .bind(&summary.user_agent)
    .bind(summary.created_at.0)
    .bind(summary.last_seen_at.0)
    .bind(summary.idle_expires_at.0.saturating_sub(summary.last_seen_at.0))
    .bind(summary.expires_at.0)
    .bind(summary.idle_expires_at.min(summary.expires_at).0)
    .bind(session.version)
    .bind(session.secret_hash.0.as_slice())
    .bind(&session.key_id)
    .bind(&session.wrapped_key)
    .bind(&session.sealed)
    .execute(connection)
    .await
    .map(|_| ())
}

async fn insert_tokens(
    connection: &mut SqliteConnection,
    session: &SessionRow,
    tokens: &StoredTokens,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO tokens (session_id, generation, sealed, refreshed_at) VALUES (?, ?, ?, ?)")
        .bind(session.summary.id.as_bytes().as_slice())
        .bind(tokens.generation)
        .bind(&tokens.sealed)
        .bind(tokens.refreshed_at.0)
        .execute(connection)
        .await
        .map(|_| ())
}
