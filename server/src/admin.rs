//! The admin API and the console, on the console's site alone. The console has no private door: what it does, it does
//! through this API.

pub mod assets;
pub mod cursor;
pub mod events;
pub mod me;
pub mod openapi;
pub mod overview;
pub mod roles;
pub mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::routing::{any, get, post};
use http::request::Parts;

use cloakroom_api::{Permission, Role};
use cloakroom_core::session::open::Live;

use crate::edge::own::SignedIn;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Everything under `/admin`.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .nest("/admin/api/v1", api())
        .route("/admin/api/{*rest}", any(|| async { Refusal::NotFound }))
        .nest_service("/admin", assets::router())
}

fn api() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/me", get(me::handle))
        .route("/overview", get(overview::handle))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}", get(sessions::one))
        .route("/sessions/{id}/revoke", post(sessions::revoke))
        .route("/openapi.json", get(openapi::handle))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async {
            Refusal::MethodNotAllowed { allow: http::HeaderValue::from_static("GET, POST") }
        })
}

/// A console session with a role.
#[derive(Debug)]
pub struct Administrator {
    /// Their session.
    pub live: Arc<Live>,
    /// Their role, from the provider's claims as last read.
    pub role: Role,
}

impl FromRequestParts<Arc<Gateway>> for Administrator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Refusal> {
        let SignedIn(live) = SignedIn::from_request_parts(parts, gateway).await?;
        match gateway.roles.role_of(&live.values()) {
            Some(role) => Ok(Self { live, role }),
            None => Err(Refusal::RoleNeeded { role: Role::Viewer.code() }),
        }
    }
}

impl Administrator {
    /// May they?
    ///
    /// # Errors
    /// [`Refusal::RoleNeeded`] with the least role that may.
    pub fn may(&self, permission: Permission) -> Result<(), Refusal> {
        let least = permission.role();
        if self.role >= least { Ok(()) } else { Err(Refusal::RoleNeeded { role: least.code() }) }
    }
}
