//! Outbound HTTP as a trait: the gateway's client has limits, a test's client is a script.

use std::time::Duration;

use async_trait::async_trait;

/// The largest answer that is read from a provider; a longer one is an error.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What happened to a call that brought no whole answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    /// Nothing was sent: the address did not resolve, the connection or TLS handshake failed.
    #[error("could not connect: {0}")]
    Connect(String),
    /// No whole answer in time. The peer may have acted on the request.
    #[error("no whole answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The connection broke, or the answer was no HTTP. The peer may have acted on the request.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// The answer was longer than [`MAX_ANSWER_BYTES`].
    #[error("the answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
    /// The request itself could not be made.
    #[error("the request could not be made: {0}")]
    Request(String),
}

impl HttpError {
    /// Whether the peer surely never saw the request.
    #[must_use]
    pub const fn nothing_was_sent(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Request(_))
    }
}

/// Makes calls to providers. Never follows a redirect, never retries by itself, reads at most
/// [`MAX_ANSWER_BYTES`].
#[async_trait]
pub trait HttpClient: Send + Sync + 'static {
    /// Sends one request and reads its whole answer.
    ///
    /// # Errors
    /// [`HttpError`] when no whole answer came. An HTTP status of any kind is an answer.
    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, HttpError>;
}
