//! `/admin/api/v1/users/{id}/erase`: forgetting a person.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;

use cloakroom_api::{EraseUser, Permission, UserErased};
use cloakroom_core::session::erase::Erased;

use super::Found;
use crate::admin::Administrator;
use crate::edge::own::{Context, json};
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Forgets a person, for good: their sessions end, what names them is deleted, and their fields in the audit log can
/// never be read again. The log's chain holds as before.
#[utoipa::path(
    post, path = "/admin/api/v1/users/{id}/erase", tag = "users",
    extensions(("x-least-role" = json!("owner"))),
    params(("id" = String, Path, description = "The person's id here")),
    request_body(content = EraseUser, example = json!({ "reason": "Asked for under Article 17, ticket 4711", "confirm_sub": "4711" })),
    responses(
        (status = 200, body = UserErased),
        (status = 400, description = "The reason is missing, the confirmation is not the person's sub, or it is you", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in, or not lately enough", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role owner is needed, for every tenant", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody of that id, or nothing is kept of them", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::UsersErase)?;
    let asked: EraseUser = serde_json::from_slice(&body).map_err(|_| {
        Refusal::BadRequest("the body must be JSON such as {\"reason\": \"asked for\", \"confirm_sub\": \"4711\"}")
    })?;
    let reason = asked
        .checked_reason()
        .map_err(|_| Refusal::BadRequest("the reason must have 1 to 500 characters: it goes into the audit log"))?;
    let Found { user, .. } = Found::of(&gateway, &admin, &id).await?;
    // A person's key is one for all tenants.
    admin.may_see_all(Permission::UsersErase)?;
    admin.is_recent(&gateway, &context)?;
    if asked.confirm_sub != user.sub {
        return Err(Refusal::parameter("confirm_sub", "is not the person's sub: nobody was erased"));
    }
    let own = admin.person();
    if own.issuer == user.issuer && own.sub == user.sub {
        return Err(Refusal::parameter("id", "is you: another owner has to do it"));
    }
    let Erased { ended, deleted, waiting } = gateway.sessions.erase(&user, &own, reason).await?;
    let locks = gateway.sessions.store().locks_of_user(user.subject, None).await?;
    Ok(json(&UserErased {
        sessions_ended: ended,
        sessions_deleted: deleted,
        sessions_waiting: waiting,
        locks_kept: locks.len() as u64,
    }))
}
