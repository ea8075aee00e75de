//! `GET /admin/api/v1/providers`: the identity providers, and how they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use cloakroom_api::{Page, Permission, Provider, ProviderTrouble};

use super::{Administrator, whole_page};
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Every provider: what is configured, and what this node knows of it. Nobody is called.
#[utoipa::path(
    get, path = "/admin/api/v1/providers", tag = "providers",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Page<Provider>),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may(Permission::SettingsRead)?;
    let now = gateway.now();
    let totals = gateway.sessions.store().totals(admin.fence.tenant(), now, now).await?;
    let live: BTreeMap<String, u64> = totals.by_provider.into_iter().collect();
    let known = |provider: &Provider| {
        let facts = gateway.sessions.provider(&provider.id).map(|provider| provider.facts());
        let (discovered_at, trouble) = facts.map_or((None, None), |facts| (facts.discovered_at, facts.last_error));
        let last_error = trouble.map(|(at, error)| ProviderTrouble { at: at.rfc3339(), what: error.to_string() });
        Provider {
            live_sessions: live.get(&provider.id).copied().unwrap_or(0),
            discovered_at: discovered_at.map(cloakroom_core::clock::UnixMs::rfc3339),
            last_error,
            ..provider.clone()
        }
    };
    Ok(whole_page(&gateway, gateway.facts.providers(&admin.fence).into_iter().map(known).collect()))
}
