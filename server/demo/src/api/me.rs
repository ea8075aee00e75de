//! `GET /api/me`: the caller, as the API knows it.

use axum::Json;
use serde_json::{Value, json};

use super::caller::Caller;

pub(super) async fn me(Caller(token): Caller) -> Json<Value> {
    Json(json!({
        "sub": token.sub,
        "client_id": token.client_id,
        "scope": token.scope,
    }))
}
