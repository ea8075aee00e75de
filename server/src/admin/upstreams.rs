//! `GET /admin/api/v1/upstreams`: the services that routes lead to.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use cloakroom_api::{Page, Permission, Upstream};

use super::{Administrator, whole_page};
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Every upstream.
#[utoipa::path(
    get, path = "/admin/api/v1/upstreams", tag = "upstreams",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Page<Upstream>),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may(Permission::SettingsRead)?;
    Ok(whole_page(&gateway, gateway.facts.upstreams(&admin.fence)))
}
