//! One way to call the gateway: with the anti-forgery header, and with every failure in words.

use cloakroom_api::Problem;
use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::AbortSignal;

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody is signed in (401).
    SignedOut,
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
            Self::Refused(problem) => problem.title.clone(),
            Self::Unreachable => "The gateway does not answer".to_owned(),
            Self::Unreadable { status } => format!("An answer that this page cannot read (status {status})"),
        }
    }

    /// More of it, and what to try.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::SignedOut => "Sign in again to go on.".to_owned(),
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

    /// Whether what was asked for does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.status == 404)
    }
}

/// Reads a resource.
pub(crate) async fn get<T: DeserializeOwned>(url: &str, signal: Option<&AbortSignal>) -> Result<T, Failure> {
    let request = armed(Request::get(url)).abort_signal(signal);
    read(request.send().await).await
}

/// Sends a document and reads the answer.
pub(crate) async fn post<T: DeserializeOwned>(url: &str, body: &impl Serialize) -> Result<T, Failure> {
    let request = armed(Request::post(url)).json(body).map_err(|_| Failure::Unreachable)?;
    read(request.send().await).await
}

/// The header that no other site's page can send.
fn armed(request: RequestBuilder) -> RequestBuilder {
    request.header("X-CSRF", "1").header("Accept", "application/json, application/problem+json")
}

async fn read<T: DeserializeOwned>(answer: Result<Response, gloo_net::Error>) -> Result<T, Failure> {
    let answer = answer.map_err(|_| Failure::Unreachable)?;
    let status = answer.status();
    let unreadable = |_| Failure::Unreadable { status };
    match status {
        401 => Err(Failure::SignedOut),
        200..=299 => answer.json().await.map_err(unreadable),
        _ => Err(answer.json().await.map_or_else(unreadable, Failure::Refused)),
    }
}
