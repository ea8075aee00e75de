//! `/session/v1/devices`: a person's own sessions at this app, and the present one.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde_json::json;

use cloakroom_core::session::end::How;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::session::open::Live;
use cloakroom_core::store::SessionSummary;

use crate::edge::own::{Context, json as json_response};
use crate::edge::problem::Refusal;
use crate::edge::{app_token, device};
use crate::gateway::Gateway;

pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
) -> Result<Response, Refusal> {
    let (_, live) = app_token::signed_in(&gateway, &context.site, &parts).await?;
    let items: Vec<_> = own(&gateway, &live)
        .await?
        .into_iter()
        .map(|session| {
            json!({
                "id": session.id,
                "current": session.id == live.id,
                "name": session.device_name,
                "device": session.user_agent.as_deref().map(device::name),
                "address": session.address,
                "created_at": session.created_at.rfc3339(),
                "last_seen_at": session.last_seen_at.rfc3339(),
            })
        })
        .collect();
    Ok(json_response(&json!({ "items": items })))
}

pub(crate) async fn rename(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    mut parts: Parts,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let (_, live) = app_token::signed_in(&gateway, &context.site, &parts).await?;
    let id = own_id(&gateway, &live, &mut parts).await?;
    let named = gateway.sessions.store().name_device(id, Some(device::renamed(&body)?)).await?;
    if named { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::NotFound) }
}

pub(crate) async fn end_one(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    mut parts: Parts,
) -> Result<StatusCode, Refusal> {
    let (_, live) = app_token::signed_in(&gateway, &context.site, &parts).await?;
    let id = own_id(&gateway, &live, &mut parts).await?;
    let how = if id == live.id { How::signed_out() } else { How::ended_by_user() };
    gateway.sessions.end(&[id], &how).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /session/v1/session`: signs this device out.
pub(crate) async fn end_own(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
) -> Result<StatusCode, Refusal> {
    let (_, live) = app_token::signed_in(&gateway, &context.site, &parts).await?;
    gateway.sessions.end(&[live.id], &How::signed_out()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The id in the path, if it is one of the person's own.
async fn own_id(gateway: &Gateway, live: &Live, parts: &mut Parts) -> Result<SessionId, Refusal> {
    let Path(id) = Path::<String>::from_request_parts(parts, &()).await.map_err(|_| Refusal::NotFound)?;
    let id: SessionId = id.parse().map_err(|_| Refusal::NotFound)?;
    let is_own = own(gateway, live).await?.iter().any(|session| session.id == id);
    if is_own { Ok(id) } else { Err(Refusal::NotFound) }
}

async fn own(gateway: &Gateway, live: &Live) -> Result<Vec<SessionSummary>, Refusal> {
    let values = live.values();
    let subject = gateway.sessions.vault().ring().subject(&values.issuer, &values.sub);
    Ok(gateway.sessions.store().sessions_of(subject, &live.client_id, gateway.now()).await?)
}
