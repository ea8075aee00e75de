//! The sample API: what stands behind the gateway in the demo. It verifies access tokens with the
//! provider's public key and asks nobody.
//!
//! | endpoint | token |
//! | --- | --- |
//! | any method `/api/echo` | none needed; says what it thinks of the one that came |
//! | `GET /api/me` | needed |
//! | `GET`, `POST /api/notes` | needed |
//! | `GET /api/safe` | needed, of a sign-in with a second factor |
//! | `GET /api/slow?ms=` | none needed |
//! | `GET /api/stream` | none needed |

mod caller;
mod echo;
mod me;
mod notes;
mod problem;
mod safe;
mod slow;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    middleware::map_response,
    response::Response,
    routing::{any, get},
};
use http::{HeaderValue, header};

use self::notes::Notes;
use crate::provider::AccessTokens;

/// What every endpoint shares.
struct Api {
    tokens: AccessTokens,
    notes: Notes,
}

/// All endpoints of the API. `tokens` comes from [`crate::provider::Provider::access_tokens`].
pub fn router(tokens: AccessTokens) -> Router {
    let api = Arc::new(Api { tokens, notes: Notes::default() });
    Router::new()
        .route("/api/echo", any(echo::echo))
        .route("/api/me", get(me::me))
        .route("/api/notes", get(notes::list).post(notes::add))
        .route("/api/safe", get(safe::safe))
        .route("/api/slow", get(slow::slow))
        .route("/api/stream", get(stream::stream))
        .fallback(problem::not_found)
        .layer(map_response(private))
        .with_state(api)
}

/// Answers here are about one caller, so no cache keeps them.
async fn private(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
