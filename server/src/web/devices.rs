//! "My devices": a person's own sessions at this app; name one, end one, or all others.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use cloakroom_core::session::end::How;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::session::open::Live;
use cloakroom_core::store::SessionSummary;

use crate::edge::own::{Context, SignedIn, json};
use crate::edge::problem::Refusal;
use crate::edge::{device, recent};
use crate::gateway::Gateway;

pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, SignedIn(live): SignedIn) -> Result<Response, Refusal> {
    let current = gateway.sessions.newest(live.id).await?;
    let items: Vec<_> = own(&gateway, &live)
        .await?
        .into_iter()
        .map(|session| {
            json!({
                "id": session.id,
                "current": session.id == current,
                "name": session.device_name,
                "device": session.user_agent.as_deref().map(device::name),
                "address": session.address,
                "created_at": session.created_at.rfc3339(),
                "last_seen_at": session.last_seen_at.rfc3339(),
            })
        })
        .collect();
    Ok(json(&json!({ "items": items })))
}

/// `PATCH {"name": "…"}`: what its person calls it.
pub(crate) async fn rename(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(live): SignedIn,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let id = own_id(&gateway, &live, &id).await?;
    let named = gateway.sessions.store().name_device(id, Some(device::renamed(&body)?)).await?;
    if named { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::NotFound) }
}

pub(crate) async fn end_one(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    SignedIn(live): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = own_id(&gateway, &live, &id).await?;
    if id != gateway.sessions.newest(live.id).await? {
        is_recent(&gateway, &context, &live)?;
    }
    gateway.sessions.end(&[id], &How::ended_by_user()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn end_others(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    SignedIn(live): SignedIn,
) -> Result<Response, Refusal> {
    is_recent(&gateway, &context, &live)?;
    let current = gateway.sessions.newest(live.id).await?;
    let others: Vec<_> =
        own(&gateway, &live).await?.into_iter().map(|session| session.id).filter(|&id| id != current).collect();
    gateway.sessions.end(&others, &How::ended_by_user()).await?;
    Ok(json(&json!({ "ended": others.len() })))
}

/// Whoever ends other sessions proves lately who they are, where the client asks for that (S20): a thief of one cookie
/// does not put its owner out.
fn is_recent(gateway: &Gateway, context: &Context, live: &Live) -> Result<(), Refusal> {
    match context.client()?.recent_login_secs {
        0 => Ok(()),
        secs => recent::login(live, &context.site, gateway.now(), secs, "/"),
    }
}

/// The id, if it is one of the person's own.
async fn own_id(gateway: &Gateway, live: &Live, id: &str) -> Result<SessionId, Refusal> {
    let id: SessionId = id.parse().map_err(|_| Refusal::NotFound)?;
    let is_own = own(gateway, live).await?.iter().any(|session| session.id == id);
    if is_own { Ok(id) } else { Err(Refusal::NotFound) }
}

async fn own(gateway: &Gateway, live: &Live) -> Result<Vec<SessionSummary>, Refusal> {
    let values = live.values();
    let subject = gateway.sessions.vault().ring().subject(&values.issuer, &values.sub);
    Ok(gateway.sessions.store().sessions_of(subject, &live.client_id, gateway.now()).await?)
}
