//! `GET /bff/frontchannel-logout`: the provider's logout page frames this address (OpenID Connect Front-Channel Logout
//! 1.0). The Strict session cookie does not come along in another site's frame: `iss` and `sid` alone say which session.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;

use crate::edge::antiforgery::Forgery;
use crate::edge::own::{Context, page_response};
use crate::edge::page;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// The longest `sid`.
const SID_BYTES: usize = 1_024;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    // An image, a script or a link is no provider's logout page (X5).
    if headers.get("sec-fetch-dest").is_some_and(|dest| dest != "iframe" && dest != "frame") {
        return Err(Forgery::ForeignOrigin.into());
    }
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let issuer = params.get("iss").ok_or_else(|| {
        Refusal::parameter("iss", "is missing; register frontchannel_logout_session_required at the identity provider")
    })?;
    let sid = params.get("sid").filter(|sid| sid.len() <= SID_BYTES).ok_or_else(|| {
        Refusal::parameter("sid", "is missing; register frontchannel_logout_session_required at the identity provider")
    })?;
    let providers = client.registrations.iter().filter_map(|one| gateway.sessions.provider(&one.provider));
    let provider = { providers }
        .find(|provider| provider.issuer() == issuer)
        .ok_or_else(|| Refusal::parameter("iss", "names no identity provider that this app logs in with"))?;
    let ended = gateway.sessions.end_by_front_channel(provider, sid, &client.id).await?;
    if ended > 0 {
        tracing::info!(provider = provider.id(), ended, "the provider's page logged a person out");
    }
    // The same whether or not there was a session: a guess learns nothing, and one that ended already has ended.
    Ok(page_response(page::logged_out_frame(&client.name, &provider.page_origins())))
}
