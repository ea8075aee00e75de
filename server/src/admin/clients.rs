//! `/admin/api/v1/clients`: the apps that sign people in here.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use cloakroom_api::{Client, Page, Permission};

use super::{Administrator, whole_page};
use crate::edge::own::json;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Every client.
#[utoipa::path(
    get, path = "/admin/api/v1/clients", tag = "clients",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Page<Client>),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may(Permission::SettingsRead)?;
    Ok(whole_page(&gateway, all(&gateway, &admin).await?))
}

/// One client.
#[utoipa::path(
    get, path = "/admin/api/v1/clients/{id}", tag = "clients",
    extensions(("x-least-role" = json!("viewer"))),
    params(("id" = String, Path, description = "Client id")),
    responses(
        (status = 200, body = Client),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No client of that id", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    admin.may(Permission::SettingsRead)?;
    let client = all(&gateway, &admin).await?.into_iter().find(|client| client.id == id);
    Ok(json(&client.ok_or(Refusal::NotFound)?))
}

async fn all(gateway: &Gateway, admin: &Administrator) -> Result<Vec<Client>, Refusal> {
    let now = gateway.now();
    let totals = gateway.sessions.store().totals(admin.fence.tenant(), now, now).await?;
    let live: BTreeMap<String, u64> = totals.by_client.into_iter().collect();
    let counted =
        |client: &Client| Client { live_sessions: live.get(&client.id).copied().unwrap_or(0), ..client.clone() };
    Ok(gateway.facts.clients(&admin.fence).into_iter().map(counted).collect())
}
