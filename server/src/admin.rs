//! The admin API and the console, on the console's site alone. The console has no private door: what it does, it does
//! through this API.

pub mod assets;
pub mod audit;
pub mod clients;
pub mod cursor;
mod download;
pub mod events;
pub mod explain;
pub mod facts;
pub mod locks;
pub mod me;
pub mod openapi;
pub mod operation;
pub mod overview;
mod paging;
pub mod providers;
pub mod revocations;
pub mod roles;
pub mod routes;
pub mod sessions;
pub mod upstreams;
pub mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::response::Response;
use axum::routing::{any, get, post};
use http::request::Parts;

use cloakroom_api::{Count, Page, Permission, Role};
use cloakroom_core::session::id::SessionId;
use cloakroom_core::session::open::Live;
use cloakroom_core::store::SessionRow;

use crate::edge::own::{Context, SignedIn, json};
use crate::edge::problem::Refusal;
use crate::edge::recent;
use crate::gateway::Gateway;
use roles::Fence;

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
        .route("/users", get(users::list))
        .route("/users/{id}", get(users::one))
        .route("/users/{id}/erase", post(users::erase::handle))
        .route("/users/{id}/exports", post(users::export::prepare))
        .route("/users/exports/{ticket}", get(users::export::download))
        .route("/routes", get(routes::handle))
        .route("/locks", get(locks::list).post(locks::set))
        .route("/locks/{id}/lift", post(locks::lift))
        .route("/revocations", get(revocations::list).post(revocations::decide))
        .route("/revocations/preview", post(revocations::preview))
        .route("/revocations/{id}", get(revocations::one))
        .route("/explain", post(explain::handle))
        .route("/audit/events", get(audit::list))
        .route("/audit/events/{id}", get(audit::one))
        .route("/audit/tail", get(audit::tail::handle))
        .route("/audit/chain", get(audit::verify::chain))
        .route("/audit/verify", post(audit::verify::verify))
        .route("/audit/exports", post(audit::export::prepare))
        .route("/audit/exports/{ticket}", get(audit::export::download))
        .route("/clients", get(clients::list))
        .route("/clients/{id}", get(clients::one))
        .route("/providers", get(providers::list))
        .route("/upstreams", get(upstreams::list))
        .route("/keys", get(operation::keys))
        .route("/nodes", get(operation::nodes))
        .route("/configuration", get(operation::configuration))
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
    /// What they may see at all.
    pub fence: Fence,
}

impl FromRequestParts<Arc<Gateway>> for Administrator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Refusal> {
        let SignedIn(live) = SignedIn::from_request_parts(parts, gateway).await?;
        let values = live.values();
        let subject = gateway.sessions.vault().ring().subject(&values.issuer, &values.sub);
        if gateway.sessions.store().is_granted_owner(subject).await? {
            return Ok(Self { live, role: Role::Owner, fence: Fence::None });
        }
        let role = gateway.roles.role_of(&values).ok_or(Refusal::RoleNeeded { role: Role::Viewer.code() })?;
        let fence = gateway.roles.fence_of(&values).ok_or(Refusal::TenantNeeded)?;
        Ok(Self { live, role, fence })
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

    /// May they, for every tenant?
    ///
    /// # Errors
    /// As [`Administrator::may`], or [`Refusal::NotPermitted`] for those who see one tenant only.
    pub fn may_see_all(&self, permission: Permission) -> Result<(), Refusal> {
        self.may(permission)?;
        let text = || "this concerns every tenant, and you may see one".to_owned();
        if self.fence == Fence::None { Ok(()) } else { Err(Refusal::NotPermitted { needs: Vec::new(), text: text() }) }
    }

    /// Did they prove who they are lately enough for an owner's act (A12)?
    ///
    /// # Errors
    /// [`Refusal::StepUp`].
    pub(crate) fn is_recent(&self, gateway: &Gateway, context: &Context) -> Result<(), Refusal> {
        recent::login(&self.live, &context.site, gateway.now(), gateway.roles.recent_login_secs, "/admin/")
    }

    /// A session that they may see. One of another tenant is not there (A1).
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or as the store's.
    pub(crate) async fn session(&self, gateway: &Gateway, id: &str) -> Result<SessionRow, Refusal> {
        let id: SessionId = id.parse().map_err(|_| Refusal::NotFound)?;
        let row = gateway.sessions.store().session(id).await?;
        row.filter(|row| self.fence.shows(&row.summary.tenant)).ok_or(Refusal::NotFound)
    }
}

/// A list so short that it has one page.
fn whole_page<T: serde::Serialize>(gateway: &Gateway, items: Vec<T>) -> Response {
    let count = Count { n: items.len() as u64, exact: true };
    json(&Page { next: None, prev: None, count, as_of: gateway.now().rfc3339(), items })
}
