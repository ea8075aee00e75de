//! `GET /admin/api/v1/me`: who is signed in to the console, and what they may do.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use cloakroom_api::{Me, Permission};

use super::Administrator;
use crate::edge::own::{Context, json};
use crate::gateway::Gateway;

/// Who is signed in.
#[utoipa::path(
    get, path = "/admin/api/v1/me", tag = "me",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Me),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "Signed in, without a role", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(State(gateway): State<Arc<Gateway>>, context: Context, admin: Administrator) -> Response {
    let now = gateway.now();
    let (person, live) = (admin.person(), admin.session());
    let secs = |moment: cloakroom_core::clock::UnixMs| u64::try_from(moment.secs_after(now)).unwrap_or(0);
    json(&Me {
        sub: person.sub,
        issuer: person.issuer,
        name: person.name,
        email: person.email,
        role: admin.role,
        permissions: Permission::ALL.into_iter().filter(|permission| admin.may(*permission).is_ok()).collect(),
        session_id: live.map_or_else(String::new, |live| live.id.to_string()),
        idle_expires_in_secs: live.map_or(0, |live| secs(live.idle_expires_at())),
        expires_in_secs: live.map_or(0, |live| secs(live.expires_at())),
        logout_url: live.map_or_else(String::new, |live| context.logout_url(&gateway, live)),
        instance: context.site.authority.to_str().unwrap_or_default().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}
