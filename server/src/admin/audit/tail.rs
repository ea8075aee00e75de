//! `GET /admin/api/v1/audit/tail`: events as they come, as server-sent events. Read by `fetch`, which can send `X-CSRF`.
//! Listening never makes the session last longer; the stream ends with it, and with the role.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::{HeaderValue, header};

use cloakroom_api::Permission;
use cloakroom_core::audit::StoredEvent;
use cloakroom_core::store::AuditQuery;

use super::{query, row};
use crate::admin::Administrator;
use crate::edge::page;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// How often the log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often a silent stream says that it lives.
const COMMENT_EVERY_LOOKS: u32 = 30;
/// Events read at once.
const AT_ONCE: u32 = 100;

/// Events from now on, each as it comes: `event: audit` with an event of the list as `data`.
#[utoipa::path(
    get, path = "/admin/api/v1/audit/tail", tag = "audit",
    extensions(("x-least-role" = json!("viewer"))),
    params(
        ("subject" = Option<String>, Query, description = "As in the list, and so are the others"),
        ("subject_issuer" = Option<String>, Query, description = "The provider's issuer"),
        ("actor" = Option<String>, Query, description = "Events done by this administrator's id"),
        ("actor_issuer" = Option<String>, Query, description = "The provider's issuer, or `operating-system:HOST`"),
        ("session" = Option<String>, Query, description = "Events about this session"),
        ("kind" = Option<String>, Query, description = "Events of these kinds, joined by commas, at most 8"),
    ),
    responses(
        (status = 200, description = "A stream that does not end by itself", content_type = "text/event-stream"),
        (status = 400, description = "A parameter is wrong; the problem names it", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    admin.may(Permission::AuditRead)?;
    let params = Params::parse(raw.as_deref().unwrap_or_default())?.only(&query::FOLLOWED)?;
    let asked = query::checked(&gateway, &query::filter(&params), &admin.fence)?;
    let newest = gateway.sessions.store().latest_events(None, 1).await?;
    let place = newest.first().map_or(0, |event| event.place);
    let tail = Tail { gateway, admin, asked, place, waiting: VecDeque::new(), looks: 0 };
    let mut response = Response::new(axum::body::Body::from_stream(tail.into_stream()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    page::harden(response.headers_mut());
    Ok(response)
}

/// What one listener has been told.
struct Tail {
    gateway: Arc<Gateway>,
    admin: Administrator,
    asked: AuditQuery,
    place: i64,
    waiting: VecDeque<StoredEvent>,
    looks: u32,
}

impl Tail {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, async |mut tail| {
            let text = tail.next().await?;
            Some((Ok(Bytes::from(text)), tail))
        })
    }

    /// The next thing to tell; `None` at the stream's end.
    async fn next(&mut self) -> Option<String> {
        let first = self.looks == 0;
        loop {
            if self.is_over().await {
                return None;
            }
            if let Some(event) = self.waiting.pop_front() {
                return self.told(&event).await;
            }
            self.looks += 1;
            if first || self.looks.is_multiple_of(COMMENT_EVERY_LOOKS) {
                // The first says that the listener listens.
                return Some(":\n\n".to_owned());
            }
            tokio::time::sleep(LOOK_EVERY).await;
            self.look().await?;
        }
    }

    async fn is_over(&self) -> bool {
        self.gateway.is_draining() || self.admin.is_over(&self.gateway, Permission::AuditRead).await
    }

    /// Reads what came; `None` when the store does not answer: the listener comes back.
    async fn look(&mut self) -> Option<()> {
        let events =
            self.gateway.sessions.store().events_after(self.asked.tenant.as_deref(), self.place, AT_ONCE).await;
        for event in events.map_err(|error| tracing::warn!(%error, "a listener's events were not read")).ok()? {
            self.place = event.place;
            if holds(&self.asked, &event) {
                self.waiting.push_back(event);
            }
        }
        Some(())
    }

    async fn told(&self, event: &StoredEvent) -> Option<String> {
        let event = row::event(&self.gateway, &self.admin.fence, event).await.ok()?;
        Some(format!("event: audit\ndata: {}\n\n", serde_json::to_string(&event).ok()?))
    }
}

/// Whether an event that came now is one that is asked for, as far as [`query::FOLLOWED`] can ask.
fn holds(asked: &AuditQuery, event: &StoredEvent) -> bool {
    let any =
        |list: &[[u8; 32]], hash: Option<[u8; 32]>| list.is_empty() || hash.is_some_and(|hash| list.contains(&hash));
    let AuditQuery { subjects, actors, session, kinds, .. } = asked;
    any(subjects, event.row.subject)
        && any(actors, event.row.actor)
        && session.is_none_or(|id| event.row.session == Some(id))
        && (kinds.is_empty() || kinds.contains(&event.row.kind))
}
