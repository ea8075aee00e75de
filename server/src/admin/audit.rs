//! `/admin/api/v1/audit`: the log's events, by page and one by one.

mod csv;
pub mod export;
mod query;
pub(super) mod row;
pub mod tail;
pub mod verify;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use cloakroom_api::{AuditEvent, Page, Permission};
use cloakroom_core::audit::StoredEvent;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::AuditPlace;

use super::{Administrator, cursor, paging};
use crate::edge::own::json;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// One page of events, the newest first.
#[utoipa::path(
    get, path = "/admin/api/v1/audit/events", tag = "audit",
    extensions(("x-least-role" = json!("viewer"))),
    params(
        ("subject" = Option<String>, Query, description = "Events about this person's id, at any configured provider unless `subject_issuer` says which"),
        ("subject_issuer" = Option<String>, Query, description = "The provider's issuer"),
        ("actor" = Option<String>, Query, description = "Events done by this administrator's id"),
        ("actor_issuer" = Option<String>, Query, description = "The provider's issuer, or `operating-system:HOST`"),
        ("session" = Option<String>, Query, description = "Events about this session"),
        ("address" = Option<String>, Query, description = "Events whose person came from this network address"),
        ("kind" = Option<String>, Query, description = "Events of these kinds, joined by commas, at most 8"),
        ("from" = Option<String>, Query, description = "Not before this moment (RFC 3339)"),
        ("until" = Option<String>, Query, description = "Before this moment (RFC 3339)"),
        ("limit" = Option<u32>, Query, description = "Events a page, 1 to 100 (default 50)"),
        ("cursor" = Option<String>, Query, description = "`next` or `prev` of another page of the same list"),
    ),
    responses(
        (status = 200, body = Page<AuditEvent>),
        (status = 400, description = "A parameter is wrong; the problem names it", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    admin.may(Permission::AuditRead)?;
    let params = Params::parse(raw.as_deref().unwrap_or_default())?.only(&query::NAMES)?;
    let ring = gateway.sessions.vault().ring();
    let asked = query::checked(&gateway, &query::filter(&params), &admin.fence)?;
    let bound = query::bound(&asked);
    let bound: Vec<&[u8]> = bound.iter().map(Vec::as_slice).collect();
    let place = params.get("cursor").map(|text| cursor::open_event(&ring, &bound, text)).transpose()?;
    let limit = paging::limit(&params)?;
    let page = gateway.sessions.store().search_events(&asked, place, limit).await?;
    let to = |event: Option<&StoredEvent>, backwards, there: bool| {
        let place = event.filter(|_| there).map(|e| AuditPlace { at: e.row.at, place: e.place, backwards });
        place.map(|place| cursor::seal_event(&ring, &*gateway.random, &bound, place))
    };
    let mut items = Vec::with_capacity(page.rows.len());
    for event in &page.rows {
        items.push(row::event(&gateway, &admin.fence, event).await?);
    }
    Ok(json(&Page {
        next: to(page.rows.last(), false, page.more_after),
        prev: to(page.rows.first(), true, page.more_before),
        count: cloakroom_api::Count { n: page.count.n, exact: page.count.exact },
        as_of: gateway.now().rfc3339(),
        items,
    }))
}

/// One event.
#[utoipa::path(
    get, path = "/admin/api/v1/audit/events/{id}", tag = "audit",
    extensions(("x-least-role" = json!("viewer"))),
    params(("id" = String, Path, description = "Event id, a lower-case UUID")),
    responses(
        (status = 200, body = AuditEvent),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No event of that id", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    admin.may(Permission::AuditRead)?;
    // An event's id is a UUID, spelt as a session's is.
    let id: SessionId = id.parse().map_err(|_| Refusal::NotFound)?;
    let event = gateway.sessions.store().event(*id.as_bytes()).await?;
    let event = event.filter(|event| admin.fence.shows(&event.row.tenant)).ok_or(Refusal::NotFound)?;
    Ok(json(&row::event(&gateway, &admin.fence, &event).await?))
}
