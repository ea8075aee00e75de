//! `POST /revoke`: token revocation (RFC 7009).

use std::sync::Arc;

use axum::{
    extract::{RawForm, State, rejection::RawFormRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode};

use super::{
    Provider, client_auth,
    oauth_error::{ErrorCode, OAuthError},
    params::Params,
    state::Digest,
};

pub(super) async fn revoke(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Response {
    match answer(&provider, &headers, form) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

fn answer(provider: &Provider, headers: &HeaderMap, form: Result<RawForm, RawFormRejection>) -> Result<(), OAuthError> {
    let params = Params::read(form).map_err(|error| OAuthError::new(ErrorCode::InvalidRequest, error.to_string()))?;
    let client = client_auth::authenticate(provider, headers, &params)?;
    let token = params.get("token").ok_or_else(|| OAuthError::new(ErrorCode::InvalidRequest, "token is missing"))?;

    let now = provider.sources.now_secs();
    let mut state = provider.state.lock();
    let Some(grant_id) = state.refresh_tokens.get(&Digest::of(token), now).cloned() else {
        drop(state);
        return unknown_token(provider, token);
    };
    match state.grants.get(&grant_id, now) {
        Some(grant) if grant.authorization.client_id != client.client_id => {
            // RFC 7009, 2.1: refused, and the client is told.
            Err(OAuthError::new(ErrorCode::InvalidRequest, "the token was issued to another client"))
        }
        _ => {
            // Any token of the family ends it, a spent one too.
            state.grants.remove(&grant_id, now);
            Ok(())
        }
    }
}

/// An unknown token is as good as revoked (RFC 7009, 2.2). An access token checks itself out by its
/// expiry, so revoking it would be a promise that nobody keeps.
fn unknown_token(provider: &Provider, token: &str) -> Result<(), OAuthError> {
    if provider.access_tokens().verify(token).is_ok() {
        return Err(OAuthError::new(
            ErrorCode::UnsupportedTokenType,
            "access tokens are self-contained and end by themselves",
        ));
    }
    Ok(())
}
