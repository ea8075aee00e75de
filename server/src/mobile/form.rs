//! What the endpoints that take a form have in common: the form, the app, its proof.

use std::sync::Arc;

use http::request::Parts;
use http::{StatusCode, header};
use serde_json::Value;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::dpop::{Expected, Proof, WINDOW_SECS};

use crate::edge::client::Site;
use crate::edge::dpop;
use crate::edge::mobile_client::{DpopMode, MobileClient};
use crate::edge::oauth_error::OAuthError;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Reads `application/x-www-form-urlencoded`, each parameter once (RFC 6749 section 3.2).
///
/// # Errors
/// `invalid_request`.
pub(super) fn read(parts: &Parts, body: &[u8]) -> Result<Params, OAuthError> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(OAuthError::bad("invalid_request", "send application/x-www-form-urlencoded"));
    }
    let body = str::from_utf8(body).map_err(|_| OAuthError::bad("invalid_request", "the form is not UTF-8"))?;
    Params::parse(body).map_err(|refusal| OAuthError::bad("invalid_request", refusal.to_string()))
}

/// A required parameter.
///
/// # Errors
/// `invalid_request`.
pub(super) fn required<'a>(form: &'a Params, name: &str) -> Result<&'a str, OAuthError> {
    form.get(name).ok_or_else(|| OAuthError::bad("invalid_request", format!("the parameter {name} is missing")))
}

/// The public client that calls itself so (RFC 6749 section 3.2.1). Apps hold no secret: one that is sent is not looked at,
/// but told of.
///
/// # Errors
/// `invalid_client`.
pub(super) fn client<'a>(site: &'a Site, parts: &Parts, form: &Params) -> Result<&'a Arc<MobileClient>, OAuthError> {
    let refused = |text: &str| {
        let error = OAuthError::bad("invalid_client", text);
        OAuthError { status: StatusCode::UNAUTHORIZED, ..error }
    };
    let has_credentials = form.get("client_secret").is_some() || form.get("client_assertion").is_some();
    if has_credentials || parts.headers.contains_key(header::AUTHORIZATION) {
        let text =
            "apps are public clients: send client_id in the body and no secret (token_endpoint_auth_method: none)";
        return Err(refused(text));
    }
    let id = form.get("client_id").ok_or_else(|| refused("the parameter client_id is missing"))?;
    let known = site.issues.iter().find(|app| *app.id == *id);
    known.ok_or_else(|| refused("no app of this client_id is registered here"))
}

/// The app's proof of its device key, where its client has that (RFC 9449 section 5). Not yet used up.
///
/// # Errors
/// `invalid_dpop_proof`, `use_dpop_nonce`.
pub(super) fn proof(
    gateway: &Gateway,
    site: &Site,
    app: &MobileClient,
    parts: &Parts,
) -> Result<Option<Proof>, OAuthError> {
    let sent = parts.headers.contains_key("dpop");
    if app.dpop == DpopMode::Off || (!sent && app.dpop == DpopMode::Optional) {
        return Ok(None);
    }
    let url = format!("{}{}", site.origin, parts.uri.path());
    let expected = Expected { method: parts.method.as_str(), url: &url, token: None, now: gateway.now() };
    let bad = |error: OAuthError| OAuthError { status: StatusCode::BAD_REQUEST, ..error };
    dpop::read(&parts.headers, &expected, &gateway.sessions.vault().ring()).map(Some).map_err(bad)
}

/// Uses a proof up, at every node and across restarts (S8).
///
/// # Errors
/// `invalid_dpop_proof` for a replayed one; the store's.
pub(super) async fn use_up(gateway: &Gateway, proof: Option<&Proof>) -> Result<(), Refusal> {
    let Some(proof) = proof else { return Ok(()) };
    let until = UnixMs::from_secs(proof.iat + 2 * WINDOW_SECS);
    if gateway.sessions.store().use_once(proof.once, until, gateway.now()).await? {
        return Ok(());
    }
    Err(OAuthError::bad("invalid_dpop_proof", "this DPoP proof was used before").into())
}

/// Adds a member to a JSON object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}
