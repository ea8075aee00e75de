//! How many sessions a person has at a client.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::CommitLogin;

use super::{logout, revocations, rows};

/// The person's sessions at the client that run, oldest first, but the one that the login replaces. No other login of
/// this person is counted or kept until this unit is over.
pub(super) async fn running(connection: &mut PgConnection, login: &CommitLogin) -> sqlx::Result<Vec<SessionId>> {
    logout::hold(connection, &login.proven).await?;
    let new = &login.session;
    let mut query = QueryBuilder::<Postgres>::new("SELECT ");
    query.push(rows::SUMMARY).push(" FROM sessions WHERE subject = ").push_bind(new.subject.to_vec());
    query.push(" AND client_id = ").push_bind(new.summary.client_id.clone());
    query.push(" AND live_until > ").push_bind(new.summary.created_at.0);
    query.push(" AND ended_at IS NULL ORDER BY created_at, id");
    let found = query.build().fetch_all(&mut *connection).await?;
    let mut found: Vec<_> = found.iter().map(rows::summary).collect::<sqlx::Result<_>>()?;
    revocations::tell(connection, &mut found).await?;
    let replaced = login.replaces.as_ref().map(|end| end.id);
    let runs = found.iter().filter(|session| session.ended.is_none() && Some(session.id) != replaced);
    Ok(runs.map(|session| session.id).collect())
}
