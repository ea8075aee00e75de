//! The caller, as its access token names it.

use std::sync::Arc;

use axum::{extract::FromRequestParts, response::Response};
use http::request::Parts;

use super::{Api, problem::unauthorized};
use crate::provider::AccessToken;

/// A caller with a valid token. Without one the handler never runs: 401.
pub(super) struct Caller(pub(super) AccessToken);

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Response> {
        api.tokens.verify_bearer(&parts.headers).map(Self).map_err(unauthorized)
    }
}
