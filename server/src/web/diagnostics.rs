//! `GET /bff/diagnostics`: what the gateway knows of the caller's own session and call, for whoever sets an app up. Off
//! unless the site enables it; no token, no cookie and no secret is ever part of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, header};
use serde_json::json;

use cloakroom_core::clock::UnixMs;

use crate::edge::own::{Context, SignedIn, json as json_response};
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Whether the site shows them at all is decided before anybody is asked who they are.
pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    Enabled: Enabled,
    SignedIn(live): SignedIn,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (now, values) = (gateway.now(), live.values());
    let access = live.access();
    let facts = gateway.sessions.provider(&live.provider_id).map(|provider| provider.facts()).unwrap_or_default();
    let said = |name: http::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    Ok(json_response(&json!({
        "site": context.site.id,
        "client": live.client_id,
        "call": {
            "address": context.peer,
            "origin": context.site.origin,
            "sec_fetch_site": said(http::HeaderName::from_static("sec-fetch-site")),
            "user_agent": said(header::USER_AGENT),
        },
        "session": {
            "id": live.id,
            "expires_in": live.expires_at().secs_after(now),
            "idle_expires_in": live.idle_expires_at().secs_after(now),
            "claims_read_at": values.claims_at.rfc3339(),
            "claims": values.claims.keys().collect::<Vec<_>>(),
            "claims_from_userinfo": values.from_userinfo,
            "token_generation": values.generation,
        },
        "access_token": access.map(|access| json!({
            "expires_in": access.expires_at.map(|at| at.secs_after(now)),
            "scopes": access.scopes,
        })),
        "provider": {
            "id": live.provider_id,
            "registration": live.registration_id,
            "issuer": values.issuer,
            "document_read_at": facts.discovered_at.map(UnixMs::rfc3339),
            "last_error": facts.last_error.map(|(at, error)| json!({ "at": at.rfc3339(), "what": error.to_string() })),
        },
    })))
}

/// The site has them enabled.
pub(crate) struct Enabled;

impl axum::extract::FromRequestParts<Arc<Gateway>> for Enabled {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut http::request::Parts, _: &Arc<Gateway>) -> Result<Self, Refusal> {
        let context = parts.extensions.get::<Context>().ok_or(Refusal::Broken)?;
        if context.site.diagnostics { Ok(Self) } else { Err(Refusal::NotFound) }
    }
}
