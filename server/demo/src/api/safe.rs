//! `GET /api/safe`: for callers who proved more than a password. The gateway's policy keeps the others away; the API
//! checks the token's `acr` all the same.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;

use super::caller::Caller;
use super::problem::problem;

pub(super) async fn safe(Caller(token): Caller) -> Response {
    if token.acr.as_deref() != Some("mfa") {
        return problem(StatusCode::FORBIDDEN, "the token does not tell of a second factor");
    }
    Json(json!({ "words": "The safe is open: one spare key, and a photograph of a cat." })).into_response()
}
