//! `GET /bff/session/events`: server-sent events for every tab of a session (WHATWG HTML, section 9.2). Listening never
//! makes a session last longer.
//!
//! - `session`: first, and again when the session's times moved: `{id, expires_in, idle_expires_in}`, in seconds.
//! - `expiring`: a minute before the session ends by itself, or a tenth of its idle span where that is shorter:
//!   `{expires_in, because}`, `idle` or `absolute`.
//! - `step-up`: last, where the person proved more: `{}`. The stream closes, and comes back with the new cookie.
//! - `ended`: last: `{reason_code, reason}`. The stream then closes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::json;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::open::{Live, Opened};

use crate::edge::own::Context;
use crate::edge::problem::Refusal;
use crate::edge::{over_text, page};
use crate::gateway::Gateway;

/// How often the session is looked at: an end is told well within a second (U11).
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// How often a silent stream says that it lives: intermediaries cut what is silent for long.
const COMMENT_EVERY_LOOKS: u32 = 40;
/// A session that ends within this time by itself is expiring.
const EXPIRING_SECS: i64 = 60;
/// The browser comes back so soon after a cut.
const RETRY_MS: u32 = 2_000;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let live = context.signed_in(&gateway, &method, &headers).await?;
    let teller = Teller { gateway, live, told: None, warned: false, looks: 0, over: false };
    let mut response = Response::new(axum::body::Body::from_stream(teller.into_stream()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    page::harden(response.headers_mut());
    Ok(response)
}

/// What one tab has been told.
struct Teller {
    gateway: Arc<Gateway>,
    live: Arc<Live>,
    /// When the session would end by itself, as last told.
    told: Option<UnixMs>,
    warned: bool,
    looks: u32,
    over: bool,
}

impl Teller {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, async |mut teller| {
            let text = teller.next().await?;
            Some((Ok(Bytes::from(text)), teller))
        })
    }

    /// The next thing worth telling; `None` at the stream's end.
    async fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        loop {
            if let Some(text) = self.look().await {
                return Some(text);
            }
            if self.gateway.is_draining() {
                return None;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&mut self) -> Option<String> {
        let now = self.gateway.now();
        if self.live.is_over(now) {
            self.over = true;
            return Some(self.ended().await);
        }
        if !self.live.may_go_on(now) {
            // The store has not been heard of for too long: the browser comes again, and is answered by it.
            self.over = true;
            return Some(":\n\n".to_owned());
        }
        if self.live.is_succeeded() {
            self.over = true;
            return Some("event: step-up\ndata: {}\n\n".to_owned());
        }
        self.looks += 1;
        let (idle, absolute) = (self.live.idle_expires_at(), self.live.expires_at());
        let ends_at = idle.min(absolute);
        if self.is_news(ends_at) {
            let first = self.told.is_none();
            self.told = Some(ends_at);
            self.warned = false;
            let times = json!({
                "id": self.live.id,
                "expires_in": absolute.secs_after(now),
                "idle_expires_in": idle.secs_after(now),
            });
            return Some(format!("{}event: session\ndata: {times}\n\n", if first { retry() } else { String::new() }));
        }
        if !self.warned && ends_at.secs_after(now) <= EXPIRING_SECS.min(self.live.idle_secs() / 10) {
            self.warned = true;
            let because = if idle < absolute { "idle" } else { "absolute" };
            let data = json!({ "expires_in": ends_at.secs_after(now), "because": because });
            return Some(format!("event: expiring\ndata: {data}\n\n"));
        }
        self.looks.is_multiple_of(COMMENT_EVERY_LOOKS).then(|| ":\n\n".to_owned())
    }

    /// Whether the end moved far enough to tell: not with every call, but whenever it was announced.
    fn is_news(&self, ends_at: UnixMs) -> bool {
        self.told.is_none_or(|told| {
            let moved = ends_at.secs_after(told);
            moved != 0 && (self.warned || moved.abs() > self.live.idle_secs() / 10)
        })
    }

    /// The last event, with the reason that the store knows.
    async fn ended(&self) -> String {
        let ended = match self.gateway.sessions.open(self.live.id, self.live.secret_hash()).await {
            Ok(Opened::Over(ended)) => ended,
            Ok(Opened::Live(_) | Opened::Unknown) | Err(_) => None,
        };
        let code = ended.as_ref().map_or("expired", |ended| ended.reason.as_str());
        let data = json!({ "reason_code": code, "reason": over_text(ended.as_ref()) });
        format!("event: ended\ndata: {data}\n\n")
    }
}

fn retry() -> String {
    format!("retry: {RETRY_MS}\n")
}
