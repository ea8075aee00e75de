//! `POST /token`: the token endpoint (RFC 6749, 3.2).

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawForm, State, rejection::RawFormRejection},
    response::{IntoResponse as _, Response},
};
use http::HeaderMap;
use serde_json::Value;

use super::{
    Provider, client_auth, code_grant,
    oauth_error::{ErrorCode, OAuthError},
    params::Params,
    refresh_grant,
};

pub(super) async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Response {
    match answer(&provider, &headers, form) {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.into_response(),
    }
}

fn answer(
    provider: &Provider,
    headers: &HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Result<Value, OAuthError> {
    let params = Params::read(form).map_err(|error| OAuthError::new(ErrorCode::InvalidRequest, error.to_string()))?;
    let client = client_auth::authenticate(provider, headers, &params)?;
    match params.get("grant_type") {
        Some("authorization_code") => code_grant::redeem(provider, client, &params),
        Some("refresh_token") => refresh_grant::refresh(provider, client, &params),
        Some(_) => Err(OAuthError::new(
            ErrorCode::UnsupportedGrantType,
            "grant_type must be authorization_code or refresh_token",
        )),
        None => Err(OAuthError::new(ErrorCode::InvalidRequest, "grant_type is missing")),
    }
}
