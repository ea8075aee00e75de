//! Our HTTP client in the crates' clothes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::{StatusCode, header};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::discovery::is_safe;
use crate::http::{HttpClient, HttpError};

/// Gives every answer so long and no longer, from the first byte to the last (L14).
pub(super) struct Timed {
    http: Arc<dyn HttpClient>,
    limit: Duration,
}

impl Timed {
    pub(super) const fn new(http: Arc<dyn HttpClient>, limit: Duration) -> Self {
        Self { http, limit }
    }
}

#[async_trait]
impl HttpClient for Timed {
    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, HttpError> {
        let whole = tokio::time::timeout(self.limit, self.http.send(request)).await;
        whole.unwrap_or(Err(HttpError::Timeout(self.limit)))
    }
}

/// Makes calls over https (or to loopback) only, whatever a document names (S6), and notes what the crates do not hand on: the answer's status and `Retry-After`.
pub(super) struct Call {
    http: Arc<dyn HttpClient>,
    answered: Mutex<Option<Answered>>,
}

/// A complete answer's status, and how many seconds it asks to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) retry_after_secs: Option<u64>,
}

impl Call {
    pub(super) fn new(http: &Arc<dyn HttpClient>) -> Self {
        Self { http: Arc::clone(http), answered: Mutex::new(None) }
    }

    /// The last complete answer.
    pub(super) fn answered(&self) -> Option<Answered> {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if !request.uri().to_string().parse().is_ok_and(|url| is_safe(&url)) {
            return Err(HttpError::Request("the address is not https".into()));
        }
        let answer = self.http.send(request).await?;
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let retry_after_secs = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let answered = Answered { status: answer.status(), retry_after_secs };
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Call {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
