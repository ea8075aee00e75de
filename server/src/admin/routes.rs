//! `GET /admin/api/v1/routes`: where calls go, and who may make them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use cloakroom_api::{Permission, RouteList};

use super::Administrator;
use crate::edge::own::json;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Every route, as the configuration file has it.
#[utoipa::path(
    get, path = "/admin/api/v1/routes", tag = "routes",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = RouteList),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    Ok(json(&RouteList { items: gateway.explainer.routes(|tenant| admin.fence.shows(tenant)) }))
}
