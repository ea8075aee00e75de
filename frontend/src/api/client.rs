//! One way to call the gateway: with the anti-forgery header, and with every failure in words.

use cloakroom_api::Problem;
use gloo_net::http::{Method, Request, RequestBuilder, Response};
use web_sys::AbortSignal;

use super::decode::Decode;
use super::json::Json;

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody is signed in (401).
    SignedOut,
    /// The deed needs a recent login, which this address leads to (401).
    StepUp(String),
    /// The gateway refused or failed, and says why.
    Refused(Problem),
    /// The gateway did not answer.
    Unreachable,
    /// The answer is none of this API's: a proxy in between, or another version.
    Unreadable {
        /// The answer's status.
        status: u16,
    },
}

impl Failure {
    /// What happened.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::SignedOut => "You are signed out".to_owned(),
            Self::StepUp(_) => "This needs a recent sign-in".to_owned(),
            Self::Refused(problem) => problem.title.clone(),
            Self::Unreachable => "The gateway does not answer".to_owned(),
            Self::Unreadable { status } => format!("An answer that this page cannot read (status {status})"),
        }
    }

    /// More of it, and what to try.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::SignedOut => "Sign in again to go on.".to_owned(),
            Self::StepUp(_) => "Sign in again in a new tab, then press the button once more.".to_owned(),
            Self::Refused(problem) => {
                let parts: Vec<_> =
                    [&problem.detail, &problem.hint].into_iter().flatten().map(String::as_str).collect();
                if parts.is_empty() {
                    "Try again; if it stays, look into the gateway’s log.".to_owned()
                } else {
                    parts.join(" ")
                }
            }
            Self::Unreachable => "Check your connection, then try again.".to_owned(),
            Self::Unreadable { .. } => "Reload the page: the gateway may have been updated.".to_owned(),
        }
    }

    /// What finds the call in the gateway's log.
    pub(crate) fn request_id(&self) -> Option<String> {
        if let Self::Refused(problem) = self { problem.request_id.clone() } else { None }
    }

    /// Where a recent login can be had, for a tab of its own that comes back to the console.
    pub(crate) fn step_up_url(&self) -> Option<String> {
        let Self::StepUp(url) = self else { return None };
        let (base, _) = url.split_once("&return_to=").unwrap_or((url, ""));
        Some(format!("{base}&return_to=%2Fadmin%2Fsigned-in"))
    }

    /// Whether what was asked for does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.status == 404)
    }
}

/// Reads a resource.
pub(crate) async fn get(url: &str, signal: Option<&AbortSignal>) -> Result<Json, Failure> {
    read(armed(Request::get(url)).abort_signal(signal).send().await).await
}

/// Opens a stream.
pub(super) async fn open(url: &str, signal: &AbortSignal) -> Result<Response, Failure> {
    let request = Request::get(url).header("X-CSRF", "1").header("Accept", "text/event-stream");
    let answer = request.abort_signal(Some(signal)).send().await.map_err(|_| Failure::Unreachable)?;
    if answer.ok() { Ok(answer) } else { Err(read(Ok(answer)).await.err().unwrap_or(Failure::Unreachable)) }
}

/// Reads a resource as the type it should be.
pub(super) async fn get_as<T: Decode>(url: &str) -> Result<T, Failure> {
    T::decode(&get(url, None).await?).ok_or(Failure::Unreadable { status: 200 })
}

/// Posts a document and reads the answer.
pub(super) async fn post<T: Decode>(url: &str, body: &Json) -> Result<T, Failure> {
    let answer = send(Method::POST, url, body).await?;
    T::decode(&answer).ok_or(Failure::Unreadable { status: 200 })
}

async fn send(method: Method, url: &str, body: &Json) -> Result<Json, Failure> {
    let request = armed(RequestBuilder::new(url).method(method)).header("Content-Type", "application/json");
    let request = request.body(body.write()).map_err(|_| Failure::Unreachable)?;
    read(request.send().await).await
}

/// The header that no other site's page can send.
fn armed(request: RequestBuilder) -> RequestBuilder {
    request.header("X-CSRF", "1").header("Accept", "application/json, application/problem+json")
}

async fn read(answer: Result<Response, gloo_net::Error>) -> Result<Json, Failure> {
    let answer = answer.map_err(|_| Failure::Unreachable)?;
    let status = answer.status();
    let text = answer.text().await.map_err(|_| Failure::Unreachable)?;
    if status == 401 {
        let json = Json::parse(&text);
        return Err(match json.as_ref().and_then(|json| json.get("step_up_url")) {
            Some(Json::Text(url)) => Failure::StepUp(url.clone()),
            _ => Failure::SignedOut,
        });
    }
    if status == 204 {
        return Ok(Json::Null);
    }
    let json = Json::parse(&text).ok_or(Failure::Unreadable { status })?;
    if (200..=299).contains(&status) {
        return Ok(json);
    }
    Err(Problem::decode(&json).map_or(Failure::Unreadable { status }, Failure::Refused))
}
