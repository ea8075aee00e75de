//! `GET /bff/user`: who is signed in here.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, Method};
use serde_json::json;

use crate::edge::own::{Context, json};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let live = context.signed_in(&gateway, &method, &headers).await?;
    let now = gateway.now();
    if params.get("slide") != Some("false") {
        gateway.sessions.seen(&live, now);
    }
    let values = live.values();
    Ok(json(&json!({
        "sub": values.sub,
        "claims": values.claims,
        "session": {
            "id": live.id,
            "expires_in": live.expires_at().secs_after(now),
            "idle_expires_in": live.idle_expires_at().secs_after(now),
            "auth_time": values.auth_time,
            "acr": values.acr,
            "amr": values.amr,
        },
        "logout_url": context.logout_url(&gateway, &live),
    })))
}
