//! `GET /.well-known/oauth-authorization-server` (RFC 8414): only what works is listed. The same document stands where
//! OpenID Connect clients look, with the three members that some of them refuse to go without.

use axum::response::Response;
use serde_json::{Value, json};

use cloakroom_core::dpop;

use super::device;
use super::form::put;
use crate::edge::mobile_client::DpopMode;
use crate::edge::own::{Context, json as json_response};

/// The scopes that mean something here.
pub(super) const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

pub(crate) async fn handle(context: Context) -> Response {
    json_response(&document(&context))
}

/// `GET /.well-known/openid-configuration`. No ID tokens are given: the lists that speak of them are empty.
pub(crate) async fn openid(context: Context) -> Response {
    let mut document = document(&context);
    put(&mut document, "jwks_uri", json!(format!("{}/oauth/jwks.json", context.site.origin)));
    put(&mut document, "subject_types_supported", json!(["public"]));
    put(&mut document, "id_token_signing_alg_values_supported", json!([]));
    json_response(&document)
}

/// `GET /oauth/jwks.json`: nothing is signed towards apps.
pub(crate) async fn no_keys() -> Response {
    json_response(&json!({ "keys": [] }))
}

fn document(context: &Context) -> Value {
    let origin = &context.site.origin;
    let apps = &context.site.issues;
    let mut document = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/oauth/authorize"),
        "token_endpoint": format!("{origin}/oauth/token"),
        "token_endpoint_auth_methods_supported": ["none"],
        "pushed_authorization_request_endpoint": format!("{origin}/oauth/par"),
        "revocation_endpoint": format!("{origin}/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": ["none"],
        "end_session_endpoint": format!("{origin}/oauth/logout"),
        "userinfo_endpoint": format!("{origin}/oauth/userinfo"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": SCOPES,
        "authorization_response_iss_parameter_supported": true,
    });
    if apps.iter().any(|app| app.introspection_secret.is_some()) {
        put(&mut document, "introspection_endpoint", json!(format!("{origin}/oauth/introspect")));
        put(&mut document, "introspection_endpoint_auth_methods_supported", json!(["client_secret_basic"]));
    }
    if apps.iter().any(|app| app.device_grant) {
        put(&mut document, "device_authorization_endpoint", json!(format!("{origin}/oauth/device_authorization")));
        put(&mut document, "grant_types_supported", json!(["authorization_code", "refresh_token", device::GRANT]));
    }
    if apps.iter().any(|app| app.dpop != DpopMode::Off) {
        put(&mut document, "dpop_signing_alg_values_supported", json!(dpop::ALGORITHMS));
    }
    document
}
