//! `/admin/api/v1/audit/exports`: events as a file, by a ticket.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::{Map, json};

use cloakroom_api::{AuditExport, ExportFormat, ExportTicket, Permission};
use cloakroom_core::audit::event::{Deed, Kind};
use cloakroom_core::store::{AuditPlace, AuditQuery};

use super::{csv, query, row};
use crate::admin::{Administrator, download};
use crate::edge::own::json as answer;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Events read at once while a file is written.
const AT_ONCE: u32 = 500;

/// What a ticket of these files is for.
const KIND: &str = "audit";

/// A single-use ticket for a file of events.
#[utoipa::path(
    post, path = "/admin/api/v1/audit/exports", tag = "audit",
    extensions(("x-least-role" = json!("viewer"))),
    request_body(content = AuditExport, example = json!({ "format": "csv", "filter": { "kind": ["session.revoked"] } })),
    responses(
        (status = 200, body = ExportTicket),
        (status = 400, description = "A part of the filter is wrong; the problem names it", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn prepare(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::AuditRead)?;
    let export: AuditExport = serde_json::from_slice(&body).map_err(|_| {
        Refusal::BadRequest(
            "the body must be JSON such as {\"format\": \"csv\", \"filter\": {\"kind\": [\"session.revoked\"]}}",
        )
    })?;
    query::checked(&gateway, &export.filter, &admin.fence)?;
    Ok(answer(&download::ticket(&gateway, &admin, KIND, "/audit/exports", export)?))
}

/// The file, once.
#[utoipa::path(
    get, path = "/admin/api/v1/audit/exports/{ticket}", tag = "audit",
    extensions(("x-least-role" = json!("viewer"))),
    params(("ticket" = String, Path, description = "As the ticket's path has it")),
    responses(
        (status = 200, description = "The events, newest first, as an attachment: `text/csv` or `application/x-ndjson`"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No ticket of this session, or one that was used or has expired", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn download(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(ticket): Path<String>,
) -> Result<Response, Refusal> {
    admin.may(Permission::AuditRead)?;
    let export: AuditExport = download::redeem(&gateway, &admin, KIND, &ticket).await?;
    let asked = query::checked(&gateway, &export.filter, &admin.fence)?;
    record(&gateway, &admin, &export).await?;
    let (kind, name) = match export.format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
        ExportFormat::Ndjson => ("application/x-ndjson", "attachment; filename=\"audit.ndjson\""),
    };
    let file = File { gateway, admin, format: export.format, asked, next: Next::First };
    Ok(download::file(kind, name, file.into_stream()))
}

/// That a file was taken out stands in the log, before its first byte leaves. Whom it was about does not: facts name
/// nobody.
async fn record(gateway: &Gateway, admin: &Administrator, export: &AuditExport) -> Result<(), Refusal> {
    let filter = &export.filter;
    let mut facts = Map::new();
    facts.insert("format".into(), json!(export.format));
    for (name, value) in [("from", &filter.from), ("until", &filter.until)] {
        facts.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
    }
    if !filter.kind.is_empty() {
        facts.insert("kind".into(), json!(filter.kind));
    }
    let narrowed = [
        ("subject", filter.subject.is_some()),
        ("actor", filter.actor.is_some()),
        ("session", filter.session.is_some()),
        ("address", filter.address.is_some()),
    ];
    let narrowed: Vec<_> = narrowed.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect();
    if !narrowed.is_empty() {
        facts.insert("narrowed_by".into(), json!(narrowed));
    }
    let deed = Deed {
        kind: Kind::AuditExported,
        tenant: admin.fence.tenant().unwrap_or_default(),
        session: None,
        client_id: None,
        provider_id: None,
        subject: None,
        actor: Some(admin.person()),
        facts,
    };
    Ok(gateway.sessions.journal().write(deed).await?)
}

/// A file on its way: one page of events after the other, so that its size costs no memory.
struct File {
    gateway: Arc<Gateway>,
    admin: Administrator,
    format: ExportFormat,
    asked: AuditQuery,
    next: Next,
}

enum Next {
    First,
    After(AuditPlace),
    End,
}

impl File {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
        stream::unfold(self, async |mut file| {
            // An error cuts the connection: half a file must not look whole.
            let piece = file.piece().await.transpose()?;
            if piece.is_err() {
                file.next = Next::End;
            }
            Some((piece, file))
        })
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, std::io::Error> {
        let (place, mut text) = match self.next {
            Next::End => return Ok(None),
            Next::First if self.format == ExportFormat::Csv => (None, csv::HEAD.to_owned()),
            Next::First => (None, String::new()),
            Next::After(place) => (Some(place), String::new()),
        };
        if self.admin.is_over(&self.gateway, Permission::AuditRead).await {
            return Err(std::io::Error::other("the administrator may do this no more"));
        }
        let page = self.gateway.sessions.store().search_events(&self.asked, place, AT_ONCE).await;
        let page = page.map_err(std::io::Error::other)?;
        for stored in &page.rows {
            let event = row::event(&self.gateway, &self.admin.fence, stored).await.map_err(std::io::Error::other)?;
            match self.format {
                ExportFormat::Csv => text.push_str(&csv::row(&event)),
                ExportFormat::Ndjson => text.push_str(&(serde_json::to_string(&event)? + "\n")),
            }
        }
        self.next = match page.rows.last().filter(|_| page.more_after) {
            Some(last) => Next::After(AuditPlace { at: last.row.at, place: last.place, backwards: false }),
            None => Next::End,
        };
        Ok(Some(Bytes::from(text)))
    }
}
