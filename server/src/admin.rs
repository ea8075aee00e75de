//! The admin API and the console, on the console's site alone. The console has no private door: what it does, it does
//! through this API.

pub mod accounts;
pub mod assets;
pub mod audit;
pub mod clients;
pub mod cursor;
mod download;
pub mod events;
pub mod explain;
pub mod facts;
pub mod figures;
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
pub mod who;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{any, get, post};

use cloakroom_api::{Count, Page};

use crate::edge::own::json;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;
pub use who::Administrator;

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
        .route("/figures", get(figures::handle))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}", get(sessions::one))
        .route("/sessions/{id}/revoke", post(sessions::revoke))
        .route("/users", get(users::list))
        .route("/users/{id}", get(users::one))
        .route("/users/{id}/erase", post(users::erase::handle))
        .route("/users/{id}/exports", post(users::export::prepare))
        .route("/users/exports/{ticket}", get(users::export::download))
        .route("/service-accounts", get(accounts::list).post(accounts::make))
        .route("/service-accounts/{id}/rotate", post(accounts::rotate))
        .route("/service-accounts/{id}/disable", post(accounts::disable))
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

/// A list so short that it has one page.
fn whole_page<T: serde::Serialize>(gateway: &Gateway, items: Vec<T>) -> Response {
    let count = Count { n: items.len() as u64, exact: true };
    json(&Page { next: None, prev: None, count, as_of: gateway.now().rfc3339(), items })
}
