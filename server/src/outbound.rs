//! Calls to providers: the one HTTP client behind `core::http`, with its limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::CertificateDer;
use url::Url;

use cloakroom_core::http::{HttpClient, HttpError, MAX_ANSWER_BYTES};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const WHOLE_TIMEOUT: Duration = Duration::from_secs(40);

/// Outbound HTTP over rustls. Follows no redirect, retries nothing, reads a bounded answer.
#[derive(Debug)]
pub struct Outbound(reqwest::Client);

/// How calls leave this machine.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    /// Trust anchors in place of the machine's own; empty: those.
    pub anchors: Vec<CertificateDer<'static>>,
    /// The proxy that they go through.
    pub proxy: Option<Url>,
}

impl Egress {
    /// Whether calls leave as everybody's do.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.anchors.is_empty() && self.proxy.is_none()
    }
}

impl Outbound {
    /// A client that trusts and leaves as `egress` says.
    ///
    /// # Errors
    /// When TLS cannot be set up so: never a client that checks less (S17).
    pub fn new(egress: &Egress) -> anyhow::Result<Self> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(WHOLE_TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(20))
            .user_agent(concat!("cloakroom/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(std::sync::Arc::new(LocalhostAware));
        let builder = match &egress.proxy {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.as_str())?),
            None => builder,
        };
        let anchors: Result<Vec<_>, _> = egress.anchors.iter().map(|der| reqwest::Certificate::from_der(der)).collect();
        let builder = if egress.anchors.is_empty() { builder } else { builder.tls_certs_only(anchors?) };
        Ok(Self(builder.build()?))
    }
}

#[async_trait]
impl HttpClient for Outbound {
    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, HttpError> {
        let request = reqwest::Request::try_from(request).map_err(|error| HttpError::Request(error.to_string()))?;
        let mut answer = self.0.execute(request).await.map_err(failure)?;
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        while let Some(chunk) = answer.chunk().await.map_err(failure)? {
            if response.body().len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(HttpError::TooLong);
            }
            response.body_mut().extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

fn failure(error: reqwest::Error) -> HttpError {
    // The URL may carry a code: it is left out of what is said.
    let error = error.without_url();
    // The innermost cause says what happened; the outer ones only that something did.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    if error.is_connect() {
        HttpError::Connect(text)
    } else if error.is_timeout() {
        HttpError::Timeout(WHOLE_TIMEOUT)
    } else if error.is_builder() {
        HttpError::Request(text)
    } else {
        HttpError::Broken(text)
    }
}

/// Names under `localhost` are loopback (RFC 6761 section 6.3); glibc does not know that.
#[derive(Debug)]
struct LocalhostAware;

impl Resolve for LocalhostAware {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str();
            if crate::proxy::upstream::is_localhost(name) {
                let addresses: Addrs = Box::new(std::iter::once(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
                return Ok(addresses);
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
