//! The error answer of the token and revocation endpoints (RFC 6749, 5.2).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Codes of RFC 6749 5.2 and RFC 7009 2.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnsupportedGrantType,
    UnsupportedTokenType,
    ServerError,
}

/// What went wrong, for the client's developer.
#[derive(Debug)]
pub(super) struct OAuthError {
    pub(super) code: ErrorCode,
    pub(super) description: String,
}

impl OAuthError {
    pub(super) fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    pub(super) fn invalid_grant(description: &str) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }
}

impl ErrorCode {
    fn parts(self) -> (&'static str, StatusCode) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Self::InvalidRequest => ("invalid_request", bad),
            Self::InvalidClient => ("invalid_client", StatusCode::UNAUTHORIZED),
            Self::InvalidGrant => ("invalid_grant", bad),
            Self::InvalidScope => ("invalid_scope", bad),
            Self::UnsupportedGrantType => ("unsupported_grant_type", bad),
            Self::UnsupportedTokenType => ("unsupported_token_type", bad),
            Self::ServerError => ("server_error", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (error, status) = self.code.parts();
        let body = json!({ "error": error, "error_description": self.description });
        let mut response = (status, Json(body)).into_response();
        if self.code == ErrorCode::InvalidClient {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"demo provider\""));
        }
        response
    }
}
