//! `/admin/api/v1/sessions`: the list, one session, and ending it.

pub(super) mod detail;
mod query;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;

use cloakroom_api::{Page, Permission, ProviderRevocation, Revoke, Revoked, Session, SessionDetail};
use cloakroom_core::session::end::How;
use cloakroom_core::store::{EndOutcome, Place, Sort};

use super::{Administrator, cursor};
use crate::edge::own::json;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// One page of sessions, live ones unless asked otherwise, the last seen first.
#[utoipa::path(
    get, path = "/admin/api/v1/sessions", tag = "sessions",
    extensions(("x-least-role" = json!("viewer"))),
    params(
        ("state" = Option<String>, Query, description = "`live` (default), `ended` or `all`"),
        ("client" = Option<String>, Query, description = "Only this client's sessions"),
        ("sub" = Option<String>, Query, description = "Only sessions of this person's id"),
        ("q" = Option<String>, Query, description = "A part of sub, name, mail address, network address or user agent, or a whole session id"),
        ("sort" = Option<String>, Query, description = "`-last_seen` (default) or `-created`"),
        ("limit" = Option<u32>, Query, description = "Rows a page, 1 to 100 (default 50)"),
        ("cursor" = Option<String>, Query, description = "`next` or `prev` of another page of the same list"),
    ),
    responses(
        (status = 200, body = Page<Session>),
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
    admin.may(Permission::SessionsRead)?;
    let params = Params::parse(raw.as_deref().unwrap_or_default())?.only(&query::NAMES)?;
    let ring = gateway.sessions.vault().ring();
    let asked = query::Asked::parse(&params, admin.fence.tenant(), gateway.now())?;
    let bound = asked.bound();
    let bound: Vec<&[u8]> = bound.iter().map(Vec::as_slice).collect();
    let place = params.get("cursor").map(|text| cursor::open(&ring, &bound, text)).transpose()?;
    let sort = asked.query.sort;
    let page = gateway.sessions.store().list(cloakroom_core::store::ListQuery { place, ..asked.query }).await?;
    let at = |row: &cloakroom_core::store::SessionSummary| match sort {
        Sort::Created => row.created_at,
        Sort::LastSeen => row.last_seen_at,
    };
    let to = |row: Option<&cloakroom_core::store::SessionSummary>, backwards, there: bool| {
        let place = row.filter(|_| there).map(|row| Place { at: at(row), id: row.id, backwards });
        place.map(|place| cursor::seal(&ring, &*gateway.random, &bound, place))
    };
    let now = gateway.now();
    Ok(json(&Page {
        next: to(page.rows.last(), false, page.more_after),
        prev: to(page.rows.first(), true, page.more_before),
        count: cloakroom_api::Count { n: page.count.n, exact: page.count.exact },
        as_of: now.rfc3339(),
        items: page.rows.iter().map(|row| detail::row(&gateway, &admin, row, now)).collect::<Vec<Session>>(),
    }))
}

/// One session, live or ended.
#[utoipa::path(
    get, path = "/admin/api/v1/sessions/{id}", tag = "sessions",
    extensions(("x-least-role" = json!("viewer"))),
    params(("id" = String, Path, description = "Session id, a lower-case UUID")),
    responses(
        (status = 200, body = SessionDetail),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No session of that id", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    let row = admin.session_of(&gateway, &id).await?;
    Ok(json(&detail::whole(&gateway, &admin, &row).await?))
}

/// Ends a session, for a reason that goes into the audit log.
#[utoipa::path(
    post, path = "/admin/api/v1/sessions/{id}/revoke", tag = "sessions",
    extensions(("x-least-role" = json!("operator"))),
    params(("id" = String, Path, description = "Session id, a lower-case UUID")),
    request_body(content = Revoke, example = json!({ "reason": "Lost laptop, ticket 4711" })),
    responses(
        (status = 200, body = Revoked),
        (status = 400, description = "The reason is missing or too long", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role operator is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No session of that id", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRevoke)?;
    let asked: Revoke = serde_json::from_slice(&body)
        .map_err(|_| Refusal::BadRequest("the body must be JSON such as {\"reason\": \"lost laptop\"}"))?;
    let reason = asked
        .checked_reason()
        .map_err(|_| Refusal::BadRequest("the reason must have 1 to 500 characters: it goes into the audit log"))?;
    let row = admin.session_of(&gateway, &id).await?;
    let id = row.summary.id;
    let left = detail::access_token_left_secs(&gateway, &row).await;
    let how = How::revoked(admin.person(), reason.to_owned());
    let outcome = gateway.sessions.end(&[id], &how).await?.pop();
    let (already_ended, ended_at) = match outcome {
        Some(EndOutcome::Ended) => (false, gateway.now()),
        Some(EndOutcome::AlreadyEnded(ended)) => (true, ended.at),
        Some(EndOutcome::NotFound) | None => return Err(Refusal::NotFound),
    };
    Ok(json(&Revoked {
        id: id.to_string(),
        already_ended,
        ended_at: ended_at.rfc3339(),
        provider: ProviderRevocation::Queued,
        access_token_left_secs: left,
    }))
}
