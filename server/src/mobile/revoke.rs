//! `POST /oauth/revoke` (RFC 7009): either token ends the session, since both stand for the same device. A stranger's
//! token, or none of ours, is answered the same and changes nothing (M10).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use serde_json::json;

use cloakroom_core::session::end::How;
use cloakroom_core::session::open::Opened;
use cloakroom_core::vault::session_token::SessionTokenKind;

use super::form;
use crate::edge::own::{Context, json as json_response};
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Refusal> {
    let form = form::read(&parts, &body)?;
    let app = form::client(&context.site, &parts, &form)?;
    let token = form::required(&form, "token")?;
    let seal = gateway.sessions.token_seal();
    // `token_type_hint` only says where to look first: the token says itself what it is.
    let kinds = [SessionTokenKind::Refresh, SessionTokenKind::Access];
    if let Some(opened) = kinds.into_iter().find_map(|kind| seal.open(kind, token))
        && let Opened::Live(live) = gateway.sessions.open(opened.ticket.id, &opened.ticket.secret.hash()).await?
        && live.client_id == app.id
    {
        gateway.sessions.end(&[live.id], &How::signed_out()).await?;
    }
    Ok(json_response(&json!({})))
}
