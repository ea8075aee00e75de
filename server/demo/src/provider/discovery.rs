//! `GET /.well-known/openid-configuration` and `GET /jwks`.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use http::header::CACHE_CONTROL;
use serde_json::{Value, json};

use super::{Provider, claims, state::Assurance};

/// Clients may keep it for a while; the key never changes while the provider runs.
const CACHEABLE: [(http::HeaderName, &str); 1] = [(CACHE_CONTROL, "public, max-age=300")];

pub(super) async fn metadata(State(provider): State<Arc<Provider>>) -> impl IntoResponse {
    (CACHEABLE, Json(document(&provider)))
}

pub(super) async fn jwks(State(provider): State<Arc<Provider>>) -> impl IntoResponse {
    (CACHEABLE, Json(provider.key.jwks()))
}

/// OpenID Connect Discovery 1.0, 3, with the extensions of RFC 9207 and the logout specifications.
fn document(provider: &Provider) -> Value {
    json!({
        "issuer": provider.issuer,
        "authorization_endpoint": provider.url("/authorize"),
        "token_endpoint": provider.url("/token"),
        "userinfo_endpoint": provider.url("/userinfo"),
        "revocation_endpoint": provider.url("/revoke"),
        "end_session_endpoint": provider.url("/logout"),
        "jwks_uri": provider.url("/jwks"),
        "scopes_supported": claims::SCOPES,
        "claims_supported": claims::CLAIMS,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "select_account", "consent"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": provider.send_logout.is_some(),
        "backchannel_logout_session_supported": provider.send_logout.is_some(),
        "acr_values_supported": [Assurance::Password.acr(), Assurance::SecondFactor.acr()],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}
