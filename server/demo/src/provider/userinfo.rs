//! `GET` and `POST /userinfo` (OpenID Connect Core, 5.3).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};

use super::{Provider, claims};

pub(super) async fn userinfo(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    let token = match provider.access_tokens().verify_bearer(&headers) {
        Ok(token) => token,
        Err(error) => {
            return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, error.challenge())]).into_response();
        }
    };
    let scope: Vec<String> = token.scope.split(' ').map(str::to_owned).collect();
    match provider.config.user_by_sub(&token.sub) {
        Some(user) => Json(claims::released(user, &scope)).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}
