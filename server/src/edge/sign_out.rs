//! A person signs out: the local session ends first, whatever the provider does; then its tokens are revoked (RFC 7009, in
//! the background) and the browser may go to the provider's own logout (OIDC RP-Initiated Logout 1.0).

use cloakroom_core::oidc::EndSession;
use cloakroom_core::session::end::How;
use cloakroom_core::session::open::Live;

use super::problem::Refusal;
use crate::gateway::Gateway;

/// Ends the session. Answers where the provider's logout begins, if it has one: it comes back to
/// `post_logout_redirect_uri` with `state`.
///
/// # Errors
/// As the store's.
pub async fn end(
    gateway: &Gateway,
    live: &Live,
    post_logout_redirect_uri: &str,
    state: &str,
) -> Result<Option<String>, Refusal> {
    // A tab that has not heard of a step-up means the session that the browser has now.
    let id = gateway.sessions.newest(live.id).await?;
    let row = gateway.sessions.store().session(id).await?;
    // Read before the end: afterwards the tokens are revoked and forgotten.
    let tokens = match &row {
        Some(row) => gateway.sessions.tokens_of(row).await?,
        None => None,
    };
    gateway.sessions.end(&[id], &How::signed_out()).await?;
    let values = live.values();
    let hint = values.claims.get("login_hint").and_then(serde_json::Value::as_str).or(values.sid.as_deref());
    let Some(provider) = gateway.sessions.provider(&live.provider_id) else { return Ok(None) };
    let ask = EndSession {
        id_token: tokens.as_ref().and_then(|tokens| tokens.id_token.as_ref()),
        post_logout_redirect_uri,
        state: Some(state),
        logout_hint: Some(hint.unwrap_or(&values.sub)),
    };
    Ok(provider.end_session_url(&live.registration_id, ask).await)
}
