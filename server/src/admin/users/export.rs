//! `/admin/api/v1/users/{id}/exports`: all that is kept of a person as a file, by a ticket.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::Map;

use cloakroom_api::{ExportTicket, Lock, Permission, SessionDetail, UserExport};
use cloakroom_core::audit::event::{Deed, Kind, Person};
use cloakroom_core::store::{AuditPlace, AuditQuery, Place, User};

use super::Found;
use crate::admin::audit::row::event;
use crate::admin::sessions::detail;
use crate::admin::{Administrator, download, locks};
use crate::edge::own::json as answer;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// What a ticket of these files is for.
const KIND: &str = "user";
/// Sessions, and events, read at once while a file is written.
const AT_ONCE: u32 = 100;

/// A single-use ticket for a file with all that is kept of a person inside the fence.
#[utoipa::path(
    post, path = "/admin/api/v1/users/{id}/exports", tag = "users",
    extensions(("x-least-role" = json!("operator"))),
    params(("id" = String, Path, description = "The person's id here")),
    responses(
        (status = 200, body = ExportTicket),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role operator is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody of that id, or nothing is kept of them", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn prepare(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    admin.may(Permission::UsersExport)?;
    let Found { user, .. } = Found::of(&gateway, &admin, &id).await?;
    Ok(answer(&download::ticket(&gateway, &admin, KIND, "/users/exports", user)?))
}

/// The file, once: one JSON object.
#[utoipa::path(
    get, path = "/admin/api/v1/users/exports/{ticket}", tag = "users",
    extensions(("x-least-role" = json!("operator"))),
    params(("ticket" = String, Path, description = "As the ticket's path has it")),
    responses(
        (status = 200, description = "All that is kept, as an attachment", body = UserExport),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role operator is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No ticket of this session, or one that was used or has expired", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn download(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(ticket): Path<String>,
) -> Result<Response, Refusal> {
    admin.may(Permission::UsersExport)?;
    let user: User = download::redeem(&gateway, &admin, KIND, &ticket).await?;
    record(&gateway, &admin, &user).await?;
    let file = File { gateway, admin, user, next: Next::Head };
    let name = "attachment; filename=\"person.json\"";
    Ok(download::file("application/json", name, file.into_stream()))
}

/// That a file was taken out stands in the log, before its first byte leaves.
async fn record(gateway: &Gateway, admin: &Administrator, user: &User) -> Result<(), Refusal> {
    let deed = Deed {
        kind: Kind::UserExported,
        tenant: admin.fence.tenant().unwrap_or_default(),
        session: None,
        client_id: None,
        provider_id: None,
        subject: Some(Person { issuer: user.issuer.clone(), sub: user.sub.clone(), ..Person::default() }),
        actor: Some(admin.person()),
        facts: Map::new(),
    };
    Ok(gateway.sessions.journal().write(deed).await?)
}

/// A file on its way, piece by piece, so that its size costs no memory.
struct File {
    gateway: Arc<Gateway>,
    admin: Administrator,
    user: User,
    next: Next,
}

/// What of the file comes next. A place is where the piece before ended; without one a list begins.
enum Next {
    Head,
    Sessions(Option<Place>),
    Events(Option<AuditPlace>),
    Acts(Option<AuditPlace>),
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
            Some((piece.map(Bytes::from), file))
        })
    }

    async fn piece(&mut self) -> Result<Option<String>, std::io::Error> {
        if self.admin.is_over(&self.gateway, Permission::UsersExport).await {
            return Err(std::io::Error::other("the administrator may do this no more"));
        }
        let (text, next) = match self.next {
            Next::End => return Ok(None),
            Next::Head => (self.head().await?, Next::Sessions(None)),
            Next::Sessions(place) => {
                let (items, next) = self.sessions(place).await?;
                (
                    list("sessions", place.is_none(), &items)?,
                    next.map_or(Next::Events(None), |at| Next::Sessions(Some(at))),
                )
            }
            Next::Events(place) => {
                let asked = AuditQuery { subjects: vec![self.user.subject], ..self.asked() };
                let (text, next) = self.events("events", asked, place).await?;
                (text, next.map_or(Next::Acts(None), |at| Next::Events(Some(at))))
            }
            Next::Acts(place) => {
                let asked = AuditQuery { actors: vec![self.user.subject], ..self.asked() };
                let (text, next) = self.events("acts", asked, place).await?;
                match next {
                    Some(at) => (text, Next::Acts(Some(at))),
                    None => (text + "]}\n", Next::End),
                }
            }
        };
        self.next = next;
        Ok(Some(text))
    }

    fn asked(&self) -> AuditQuery {
        AuditQuery { tenant: self.admin.fence.tenant().map(str::to_owned), ..AuditQuery::default() }
    }

    /// The object as far as its first list.
    async fn head(&self) -> Result<String, std::io::Error> {
        let (now, fence) = (self.gateway.now(), self.admin.fence.tenant());
        let found = self.gateway.sessions.store().locks_of_user(self.user.subject, fence).await;
        let found = found.map_err(std::io::Error::other)?;
        let locks: Vec<Lock> = found.into_iter().map(|lock| locks::on_the_wire(lock, now)).collect();
        Ok(format!(
            "{{\"as_of\":{},\"issuer\":{},\"sub\":{},\"locks\":{}",
            serde_json::to_string(&now.rfc3339())?,
            serde_json::to_string(&self.user.issuer)?,
            serde_json::to_string(&self.user.sub)?,
            serde_json::to_string(&locks)?,
        ))
    }

    async fn sessions(&self, place: Option<Place>) -> Result<(Vec<SessionDetail>, Option<Place>), std::io::Error> {
        let (store, fence) = (self.gateway.sessions.store(), self.admin.fence.tenant());
        let found = store.sessions_of_user(self.user.subject, fence, place, AT_ONCE).await;
        let found = found.map_err(std::io::Error::other)?;
        let mut items = Vec::with_capacity(found.len());
        for summary in &found {
            let Some(row) = store.session(summary.id).await.map_err(std::io::Error::other)? else { continue };
            items.push(detail::kept(&self.gateway, &self.admin, &row).await.map_err(std::io::Error::other)?);
        }
        let next = found.last().filter(|_| found.len() == AT_ONCE as usize);
        Ok((items, next.map(|last| Place { at: last.created_at, id: last.id, backwards: false })))
    }

    async fn events(
        &self,
        name: &str,
        asked: AuditQuery,
        place: Option<AuditPlace>,
    ) -> Result<(String, Option<AuditPlace>), std::io::Error> {
        let page = self.gateway.sessions.store().search_events(&asked, place, AT_ONCE).await;
        let page = page.map_err(std::io::Error::other)?;
        let mut items = Vec::with_capacity(page.rows.len());
        for stored in &page.rows {
            let mut told = event(&self.gateway, &self.admin.fence, stored).await.map_err(std::io::Error::other)?;
            if stored.row.subject != Some(self.user.subject) {
                // Another person's, whose name stands in the sentence too.
                (told.subject, told.text) = (None, String::new());
            }
            items.push(told);
        }
        let next = page.rows.last().filter(|_| page.more_after);
        let next = next.map(|last| AuditPlace { at: last.row.at, place: last.place, backwards: false });
        Ok((list(name, place.is_none(), &items)?, next))
    }
}

/// Items of a list that is a member of the object; the first piece of it closes the list before, if there was one.
fn list<T: serde::Serialize>(name: &str, first: bool, items: &[T]) -> Result<String, std::io::Error> {
    let items = items.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?.join(",");
    Ok(match (first, name) {
        (true, "sessions") => format!(",\"{name}\":[{items}"),
        (true, _) => format!("],\"{name}\":[{items}"),
        (false, _) if items.is_empty() => items,
        (false, _) => format!(",{items}"),
    })
}
