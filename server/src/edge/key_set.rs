//! `GET /.well-known/jwks.json`: the keys by which upstreams check identity tokens (RFC 7517). Public, and kept by caches
//! for as long as a new key waits before it signs.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, header};

use cloakroom_core::identity::KEYS_KEPT_SECS;

use super::own;
use super::problem::Refusal;
use crate::gateway::Gateway;

/// Where they are.
pub const PATH: &str = "/.well-known/jwks.json";

/// The one endpoint.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route(PATH, get(key_set))
        .method_not_allowed_fallback(|| async { Refusal::MethodNotAllowed { allow: HeaderValue::from_static("GET") } })
}

async fn key_set(State(gateway): State<Arc<Gateway>>) -> Response {
    let mut response = own::json(&gateway.identity.key_set());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    if let Ok(kept) = HeaderValue::try_from(format!("public, max-age={KEYS_KEPT_SECS}")) {
        headers.insert(header::CACHE_CONTROL, kept);
    }
    response
}
