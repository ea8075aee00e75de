//! Errors for programs: problem+json (RFC 9457).

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::provider::AccessTokenError;

pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let body = json!({
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

pub(super) fn unauthorized(error: AccessTokenError) -> Response {
    let mut response = problem(StatusCode::UNAUTHORIZED, &error.to_string());
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(error.challenge()));
    response
}

pub(super) async fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "the sample API has echo, me, notes, slow and stream under /api/")
}
