//! `/admin/api/v1/revocations`: ending many sessions. A preview shows what would end; the decision is bound to it, takes
//! effect at once, and goes on as a job that a restart resumes; the report says what became of it.

mod filter;
mod shown;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde_json::Map;

use cloakroom_api::{
    DecideRevocation, Named, OwnSession, Page, Permission, PreviewRevocation, ProviderFailure, ProviderProgress,
    RevocationPreview, RevocationReport, RevocationState,
};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::session::revocation::Decision;
use cloakroom_core::store::{Covered, Facts, Filter, Place, RevocationId, RevocationRow};

use super::paging::{self, Cut};
use super::{Administrator, cursor, sessions};
use crate::edge::own::{Context, json};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Sessions that a preview shows.
const SAMPLE: u32 = 10;
/// Failures that a report lists.
const FAILURES: u32 = 100;
/// How long an answer waits for the rows to be ended: those of one person are, by then.
const PATIENCE: Duration = Duration::from_millis(400);

/// What a revocation would end. Changes nothing.
#[utoipa::path(
    post, path = "/admin/api/v1/revocations/preview", tag = "revocations",
    extensions(("x-least-role" = json!("viewer"))),
    request_body(content = PreviewRevocation, example = json!({ "filter": { "user": { "issuer": "https://id.example.com", "sub": "4711" } } })),
    responses(
        (status = 200, body = RevocationPreview),
        (status = 400, description = "The filter is wrong; the problem names what", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn preview(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    let asked: PreviewRevocation = serde_json::from_slice(&body).map_err(|_| {
        Refusal::BadRequest("the body must be JSON such as {\"filter\": {\"client\": \"app\"}}, without other members")
    })?;
    let mut filter = filter::checked(&gateway, &admin, &asked.filter)?;
    let own_session = own_session(&gateway, &admin, &filter, asked.include_own).await?;
    filter.spares = admin.session().map(|live| live.id).filter(|_| own_session == OwnSession::Spared);
    let covered = gateway.sessions.preview(&filter, SAMPLE).await?;
    let now = gateway.now();
    let shown = shown::Shown::now(&gateway, filter, covered.count, own_session == OwnSession::Included);
    let names = gateway.client_names();
    let named = |(id, n): &(String, u64)| Named {
        name: names.get(id.as_str()).map_or(id.clone(), |name| (*name).to_owned()),
        id: id.clone(),
        n: *n,
    };
    Ok(json(&RevocationPreview {
        token: shown.seal(&gateway, &admin)?,
        count: covered.count,
        by_client: covered.by_client.iter().map(named).collect(),
        sample: covered.sample.iter().map(|row| sessions::detail::row(&gateway, &admin, row, now)).collect(),
        own_session,
        mass: filter::is_mass(&shown.filter),
        confirm_with: shown.confirm_with(),
        warnings: warnings(&gateway, &admin, &covered, own_session).await?,
        expires_at: shown.until.rfc3339(),
        as_of: now.rfc3339(),
    }))
}

async fn own_session(
    gateway: &Gateway,
    admin: &Administrator,
    filter: &Filter,
    include: bool,
) -> Result<OwnSession, Refusal> {
    let Some(live) = admin.session() else { return Ok(OwnSession::NotCovered) };
    let row = gateway.sessions.store().session(live.id).await?;
    Ok(match (row.is_some_and(|row| filter.covers(&Facts::from(&row))), include) {
        (false, _) => OwnSession::NotCovered,
        (true, false) => OwnSession::Spared,
        (true, true) => OwnSession::Included,
    })
}

/// A5: whoever is about to lock administrators out reads so first.
async fn warnings(
    gateway: &Gateway,
    admin: &Administrator,
    covered: &Covered,
    own: OwnSession,
) -> Result<Vec<String>, Refusal> {
    let console = gateway.console_client();
    let of_console =
        |list: &[(String, u64)]| list.iter().find(|(client, _)| Some(&**client) == console).map_or(0, |(_, n)| *n);
    let ends = of_console(&covered.by_client);
    let mut warnings = Vec::new();
    if own == OwnSession::Included {
        warnings.push("Your own session of the console ends too: you have to sign in again to go on.".to_owned());
    }
    let others = ends - u64::from(own == OwnSession::Included).min(ends);
    if others > 0 {
        warnings
            .push(format!("{others} other sessions of the console end: those administrators have to sign in again."));
    }
    if own == OwnSession::Included {
        let now = gateway.now();
        let live = gateway.sessions.store().totals(admin.fence.tenant(), now, now).await?;
        if ends >= of_console(&live.by_client) {
            warnings.push("No administrator and no owner stays signed in to the console.".to_owned());
        }
    }
    Ok(warnings)
}

/// Ends what a preview showed. From the answer on, nothing that the filter covers is served any more.
#[utoipa::path(
    post, path = "/admin/api/v1/revocations", tag = "revocations",
    extensions(("x-least-role" = json!("operator"))),
    request_body(content = DecideRevocation, example = json!({ "token": "as the preview gave it", "reason": "Incident 4711" })),
    responses(
        (status = 200, body = RevocationReport, description = "Every session that it covers has ended"),
        (status = 202, body = RevocationReport, description = "Every session that it covers is over; rows of lists are still being ended"),
        (status = 400, description = "The token, the reason or the words to type are wrong", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in, or not lately enough: `step_up_url` leads to a newer sign-in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role operator is needed; for more than one person at once, owner", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 409, description = "Many more sessions would end than the preview showed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decide(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    admin: Administrator,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRevoke)?;
    let asked: DecideRevocation = serde_json::from_slice(&body).map_err(|_| {
        Refusal::BadRequest("the body must be JSON such as {\"token\": \"…\", \"reason\": \"incident 4711\"}")
    })?;
    let shown = shown::Shown::open(&gateway, &admin, &asked.token)?;
    let reason = asked
        .checked_reason()
        .map_err(|_| Refusal::BadRequest("the reason must have 1 to 500 characters: it goes into the audit log"))?;
    if filter::is_mass(&shown.filter) {
        admin.may(Permission::SessionsRevokeMass)?;
        admin.is_recent(&gateway, &context)?;
    }
    if shown.confirm_with().is_some_and(|words| asked.confirm.as_deref() != Some(words.as_str())) {
        return Err(Refusal::BadParameter { name: "confirm".into(), what: "must be the words of confirm_with" });
    }
    let count = gateway.sessions.preview(&shown.filter, 0).await?.count;
    if shown.is_outgrown_by(count) {
        let what = format!("{count} sessions would end now, and the preview showed {}: look once more", shown.count);
        return Err(Refusal::Changed { what });
    }
    let decision = Decision {
        id: shown.id,
        filter: shown.filter,
        actor: admin.person(),
        reason: reason.to_owned(),
        expected: shown.count,
        facts: Map::new(),
    };
    let row = gateway.sessions.revoke(decision, PATIENCE).await?;
    let mut response = json(&report(&gateway, &row).await?);
    if row.finished_at.is_none() {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    Ok(response)
}

/// Revocations, the newest first.
#[utoipa::path(
    get, path = "/admin/api/v1/revocations", tag = "revocations",
    extensions(("x-least-role" = json!("viewer"))),
    params(
        ("limit" = Option<u32>, Query, description = "Rows a page, 1 to 100 (default 50)"),
        ("cursor" = Option<String>, Query, description = "`next` or `prev` of another page"),
    ),
    responses(
        (status = 200, body = Page<RevocationReport>),
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
    let params = Params::parse(raw.as_deref().unwrap_or_default())?.only(&["limit", "cursor"])?;
    let limit = paging::limit(&params)?;
    let (ring, tenant) = (gateway.sessions.vault().ring(), admin.fence.tenant());
    let bound: [&[u8]; 2] = [b"revocations", tenant.unwrap_or_default().as_bytes()];
    let place = params.get("cursor").map(|text| cursor::open(&ring, &bound, text)).transpose()?;
    let page = Cut::of(gateway.sessions.store().revocations(tenant, place, limit + 1).await?, limit, place);
    let stands = |row: &RevocationRow, backwards| Place {
        at: row.decided_at,
        id: SessionId::from_bytes(*row.id.as_bytes()),
        backwards,
    };
    let (next, prev) = page.cursors((&ring, &*gateway.random), &bound, stands);
    let mut items = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        items.push(report(&gateway, row).await?);
    }
    Ok(json(&Page {
        next,
        prev,
        count: cloakroom_api::Count { n: items.len() as u64, exact: page.whole },
        as_of: gateway.now().rfc3339(),
        items,
    }))
}

/// One revocation: how far it is, and what became of it.
#[utoipa::path(
    get, path = "/admin/api/v1/revocations/{id}", tag = "revocations",
    extensions(("x-least-role" = json!("viewer"))),
    params(("id" = String, Path, description = "The revocation's id, a lower-case UUID")),
    responses(
        (status = 200, body = RevocationReport),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No revocation of that id", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    let id: RevocationId = id.parse().map_err(|_| Refusal::NotFound)?;
    let row = gateway.sessions.store().revocation(id).await?;
    // One of another fence is not there (A1).
    let row = row.filter(|row| admin.fence.shows_any(row.filter.tenant.as_deref()));
    Ok(json(&report(&gateway, &row.ok_or(Refusal::NotFound)?).await?))
}

async fn report(gateway: &Gateway, row: &RevocationRow) -> Result<RevocationReport, Refusal> {
    let failures = match row.telling.untold {
        0 => Vec::new(),
        _ => gateway.sessions.store().revocation_failures(row.id, FAILURES).await?,
    };
    let failure = |(id, detail): (SessionId, String)| ProviderFailure { session_id: id.to_string(), detail };
    Ok(RevocationReport {
        id: row.id.to_string(),
        state: if row.finished_at.is_some() { RevocationState::Finished } else { RevocationState::Running },
        filter: filter::on_the_wire(&row.filter),
        spared_session: row.filter.spares.map(|id| id.to_string()),
        reason: row.reason.clone(),
        by: row.actor.display().to_owned(),
        decided_at: row.decided_at.rfc3339(),
        finished_at: row.finished_at.map(UnixMs::rfc3339),
        expected: row.expected,
        ended: row.ended,
        provider: ProviderProgress {
            queued: row.telling.queued,
            done: row.telling.told,
            failed: row.telling.untold,
            not_supported: row.telling.not_supported,
        },
        failures: failures.into_iter().map(failure).collect(),
        access_tokens_until: row.telling.access_until.filter(|at| at.0 > 0).map(UnixMs::rfc3339),
        as_of: gateway.now().rfc3339(),
    })
}
