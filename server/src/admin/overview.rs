//! `GET /admin/api/v1/overview`: figures and the latest events.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use cloakroom_api::{Named, Overview, Permission, Totals};
use cloakroom_core::clock::UnixMs;

use super::{Administrator, events};
use crate::edge::own::json;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

const DAY_SECS: i64 = 86_400;
const LATEST: u32 = 12;

/// Live sessions, the last day's events by kind, and the latest events.
#[utoipa::path(
    get, path = "/admin/api/v1/overview", tag = "overview",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Overview),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    let now = gateway.now();
    let store = gateway.sessions.store();
    let totals = store.totals(admin.fence.tenant(), now, UnixMs(now.0 - DAY_SECS * 1000)).await?;
    let latest = store.latest_events(admin.fence.tenant(), LATEST).await?;
    let kinds: BTreeMap<_, _> = totals.events.into_iter().collect();
    let n = |kind: &str| kinds.get(kind).copied().unwrap_or(0);
    let names = gateway.client_names();
    let named = |(id, n): (String, u64)| Named {
        name: names.get(id.as_str()).map_or(id.clone(), |name| (*name).to_owned()),
        id,
        n,
    };
    Ok(json(&Overview {
        live_sessions: totals.live,
        by_client: totals.by_client.into_iter().map(named).collect(),
        by_provider: totals.by_provider.into_iter().map(|(id, n)| Named { name: id.clone(), id, n }).collect(),
        last_24_hours: Totals {
            sign_ins: n("session.started"),
            sign_outs: n("session.ended"),
            revocations: n("session.revoked"),
        },
        latest_events: events::in_words(gateway.sessions.journal(), &latest).await?,
        as_of: now.rfc3339(),
    }))
}
