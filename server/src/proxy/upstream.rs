//! An own, strict HTTP/1.1 client for upstreams: no lock, no second task, no channel, no timer per request. Its
//! connections belong to one worker.

pub mod body;
pub mod chunked;
pub mod connect;
pub mod deadline;
pub mod exchange;
pub mod head;
pub mod pool;
pub(crate) mod sending;
#[cfg(test)]
mod tests;
pub mod trust;
pub(crate) mod wire;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use rustls::pki_types::ServerName;

pub use connect::is_localhost;
pub use pool::Pool;

/// An API service behind the gateway.
#[derive(Debug)]
pub struct Upstream {
    /// Its number among the upstreams of all sites: idle connections are kept by it, and so apart for each site, trust and
    /// certificate (P16).
    pub number: usize,
    /// Its id in the configuration.
    pub id: Box<str>,
    /// Host name or address to connect to.
    pub host: Box<str>,
    /// Port to connect to.
    pub port: u16,
    /// The `Host` header: host, and the port where it is not the scheme's own.
    pub authority: Box<str>,
    /// The TLS client's side, for `https`.
    pub tls: Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long the answer's head may take.
    pub response_timeout: Duration,
    /// How long a body may pause.
    pub idle_timeout: Duration,
}

/// Why an upstream's answer cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It cannot be reached.
    #[error("the application behind this address cannot be reached")]
    Connect(#[source] std::io::Error),
    /// It took too long.
    #[error("the application behind this address took too long")]
    Timeout,
    /// It closed the connection, or the connection broke, before its answer was whole.
    #[error("the application behind this address broke off")]
    Broken(#[source] std::io::Error),
    /// What it sent is no acceptable HTTP/1.1 answer.
    #[error("the application behind this address answered unacceptably: {0}")]
    BadAnswer(&'static str),
    /// The caller sent no more of the request's body.
    #[error("the request's body did not come in time")]
    RequestTimeout,
    /// The session ended while the answer was on its way.
    #[error("the session ended")]
    SessionEnded,
    /// The caller's request body broke off.
    #[error("the request's body broke off")]
    RequestBody,
    /// The caller's request body is longer than the route takes.
    #[error("the request's body is too long")]
    RequestTooLong,
}

impl UpstreamError {
    /// The status that the caller gets.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::SessionEnded => StatusCode::UNAUTHORIZED,
            Self::RequestBody => StatusCode::BAD_REQUEST,
            Self::RequestTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Connect(_) | Self::Broken(_) | Self::BadAnswer(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// The problem's code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connect(_) => "upstream-unreachable",
            Self::Timeout => "upstream-timeout",
            Self::Broken(_) => "upstream-broke-off",
            Self::BadAnswer(_) => "upstream-bad-answer",
            Self::RequestTimeout => "request-timeout",
            Self::SessionEnded => "session-over",
            Self::RequestBody => "request-broke-off",
            Self::RequestTooLong => "body-too-long",
        }
    }
}
