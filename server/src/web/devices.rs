//! "My devices": a person's own sessions at this app; end one, or all others.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use cloakroom_core::session::end::How;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::session::open::Live;
use cloakroom_core::store::SessionSummary;

use crate::edge::device;
use crate::edge::own::{SignedIn, json};
use crate::edge::problem::Refusal;
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
                "device": session.user_agent.as_deref().map(device::name),
                "address": session.address,
                "created_at": session.created_at.rfc3339(),
                "last_seen_at": session.last_seen_at.rfc3339(),
            })
        })
        .collect();
    Ok(json(&json!({ "items": items })))
}

pub(crate) async fn end_one(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(live): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id: SessionId = id.parse().map_err(|_| Refusal::NotFound)?;
    let is_own = own(&gateway, &live).await?.iter().any(|session| session.id == id);
    if !is_own {
        return Err(Refusal::NotFound);
    }
    gateway.sessions.end(&[id], &How::ended_by_user()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn end_others(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(live): SignedIn,
) -> Result<Response, Refusal> {
    let current = gateway.sessions.newest(live.id).await?;
    let others: Vec<_> =
        own(&gateway, &live).await?.into_iter().map(|session| session.id).filter(|&id| id != current).collect();
    gateway.sessions.end(&others, &How::ended_by_user()).await?;
    Ok(json(&json!({ "ended": others.len() })))
}

async fn own(gateway: &Gateway, live: &Live) -> Result<Vec<SessionSummary>, Refusal> {
    let values = live.values();
    let subject = gateway.sessions.vault().ring().subject(&values.issuer, &values.sub);
    Ok(gateway.sessions.store().sessions_of(subject, &live.client_id, gateway.now()).await?)
}
