//! `GET /session/v1/me`: who is signed in; `GET /session/v1/step-up`: how well, and how to do better.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use serde_json::json;

use super::logout;
use crate::edge::app_token;
use crate::edge::own::{Context, json as json_response};
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
) -> Result<Response, Refusal> {
    let (_, live) = app_token::signed_in(&gateway, &context.site, &parts).await?;
    let (values, now) = (live.values(), gateway.now());
    Ok(json_response(&json!({
        "sub": values.sub,
        "claims": values.claims,
        "session": {
            "id": live.id,
            "logout_hint": logout::hint(&gateway, &live),
            "expires_in": live.expires_at().secs_after(now),
            "idle_expires_in": live.idle_expires_at().secs_after(now),
            "auth_time": values.auth_time,
            "acr": values.acr,
            "amr": values.amr,
        },
    })))
}

/// A call that needs a better sign-in says so in its `WWW-Authenticate` (RFC 9470): the app then begins a new
/// authorization with the `acr_values` or `max_age` named there.
pub(crate) async fn step_up(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
) -> Result<Response, Refusal> {
    let (_, live) = app_token::signed_in(&gateway, &context.site, &parts).await?;
    let values = live.values();
    let age = values.auth_time.map(|at| gateway.now().secs().saturating_sub(at).max(0));
    Ok(json_response(&json!({
        "acr": values.acr,
        "amr": values.amr,
        "auth_time": values.auth_time,
        "age": age,
        "authorization_endpoint": format!("{}/oauth/authorize", context.site.origin),
    })))
}
