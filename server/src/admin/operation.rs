//! `/admin/api/v1/keys`, `/nodes` and `/configuration`: the gateway itself. What concerns every tenant is for those who
//! see every tenant.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use cloakroom_api::{Configuration, Node, Page, Permission, RingKey};
use cloakroom_core::keys::KeyState;

use super::{Administrator, whole_page};
use crate::edge::own::json;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// The key ring, oldest key first: how much is sealed under each, never a key itself.
#[utoipa::path(
    get, path = "/admin/api/v1/keys", tag = "operation",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Page<RingKey>),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer over every tenant is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn keys(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may_see_all(Permission::SettingsRead)?;
    let key = |state: KeyState| RingKey {
        id: state.id,
        since: state.created_at.rfc3339(),
        active: state.active,
        sessions: state.sessions,
        audit_keys: state.subjects,
        live_of_its_time: state.begun.live,
        not_seen_since: state.begun.unseen,
    };
    let ring = gateway.sessions.keys().list().await?;
    Ok(whole_page(&gateway, ring.into_iter().map(key).collect()))
}

/// The nodes that serve: this one.
#[utoipa::path(
    get, path = "/admin/api/v1/nodes", tag = "operation",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Page<Node>),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer over every tenant is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn nodes(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may_see_all(Permission::SettingsRead)?;
    let node = Node {
        host: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: gateway.started_at.rfc3339(),
        workers: gateway.facts.workers,
        cached_sessions: gateway.sessions.cached_count() as u64,
        store_ready: gateway.sessions.store().ready().await.is_ok(),
    };
    Ok(whole_page(&gateway, vec![node]))
}

/// The configuration that this node runs with. No secret is in it: the file names them, and what looks like one is
/// masked.
#[utoipa::path(
    get, path = "/admin/api/v1/configuration", tag = "operation",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Configuration),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer over every tenant is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn configuration(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
) -> Result<Response, Refusal> {
    admin.may_see_all(Permission::SettingsRead)?;
    Ok(json(&gateway.facts.configuration))
}
