//! The browser surface: one endpoint a file.

pub mod backchannel;
pub mod callback;
mod choose;
pub mod client;
pub mod devices;
pub mod diagnostics;
pub mod events;
pub mod finish;
pub mod frontchannel;
pub mod login;
pub mod logout;
pub mod posted;
pub mod return_to;
pub mod silent;
pub mod user;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::gateway::Gateway;

/// Every endpoint under a site's base path.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/login", get(login::handle))
        .route("/callback", get(callback::handle).post(posted::handle))
        .route("/callback/finish", get(finish::handle))
        .route("/callback/{provider}", get(callback::handle).post(posted::handle))
        .route("/silent-login", get(silent::handle))
        .route("/user", get(user::handle))
        .route("/diagnostics", get(diagnostics::handle))
        .route("/session/events", get(events::handle))
        .route("/client.js", get(client::module))
        .route("/client.d.ts", get(client::types))
        .route("/logout", get(logout::by_link).post(logout::by_post))
        .route("/signed-out", get(logout::signed_out))
        .route("/backchannel-logout", post(backchannel::handle))
        .route("/backchannel", post(backchannel::handle))
        .route("/frontchannel-logout", get(frontchannel::handle))
        .route("/sessions", get(devices::list))
        .route("/sessions/revoke-others", post(devices::end_others))
        .route("/sessions/{id}", delete(devices::end_one).patch(devices::rename))
        .fallback(|| async { crate::edge::problem::Refusal::NotFound })
        .method_not_allowed_fallback(|| async {
            crate::edge::problem::Refusal::MethodNotAllowed {
                allow: http::HeaderValue::from_static("GET, POST, PATCH, DELETE"),
            }
        })
}
