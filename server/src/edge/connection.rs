//! A client's connection: its stream behind the gate, hyper behind that, and what a request is told of where it came
//! from.

use std::cell::RefCell;
use std::future::{Future as _, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use http_body::{Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::body::Body;
use super::client::Site;
use super::cors::BY_TLS_ONLY;
use super::gate::{Gate, HEAD_BYTES, Phase, Record};
use super::http2::as_http1;
use super::listener::told_to_drain;
use super::problem::Refusal;
use super::tls::Secured;
use super::worker::Worker;
use crate::proxy::call::call;
use crate::proxy::upgrade::Tunnel;
use crate::proxy::upstream::UpstreamError;

/// A client's connection, as its requests see it.
#[derive(Debug)]
pub struct Connection {
    /// The worker it lives on.
    pub(crate) worker: Rc<Worker>,
    /// The other end's address.
    peer: IpAddr,
    /// The TLS policy that it was made under; none where it is plain.
    secured: Option<Secured>,
    /// What its gate says.
    pub(crate) record: Arc<Record>,
    /// The WebSocket that begins once the answer under way is sent.
    pub(crate) tunnel: RefCell<Option<Tunnel>>,
}

impl Connection {
    /// A new connection.
    pub(super) fn new(worker: Rc<Worker>, peer: IpAddr, secured: Option<Secured>) -> Self {
        let (record, tunnel) = (Arc::default(), RefCell::default());
        Self { worker, peer: peer.to_canonical(), secured, record, tunnel }
    }

    /// The address that a request came from.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> IpAddr {
        self.worker.gateway.proxies.client(self.peer, headers)
    }

    /// Whether a trusted proxy made it.
    pub(crate) fn is_from_a_trusted_proxy(&self) -> bool {
        self.worker.gateway.proxies.trusts(self.peer)
    }

    /// The site that a request is for. Whatever protocol brought it, from here on it is in the form of HTTP/1.1.
    ///
    /// # Errors
    /// As [`super::client::Sites::resolve`]; [`Refusal::OtherConnection`] where the site has another TLS policy than the
    /// connection was made under (P16; RFC 9110 section 7.4); and what the gate says, where its sign came in the place
    /// of a request: no other comes without a `Host`.
    pub(crate) fn site(&self, request: &mut Parts) -> Result<&Arc<Site>, Refusal> {
        match self.record.refused() {
            Some(refused) if !request.headers.contains_key(header::HOST) => Err(refused.into()),
            _ => {
                as_http1(request)?;
                let site = self.worker.gateway.sites.resolve(&request.uri, &request.headers)?;
                match &self.secured {
                    Some(secured) if !secured.reaches(site.number) => Err(Refusal::OtherConnection),
                    _ => Ok(site),
                }
            }
        }
    }

    /// What every answer has, whoever made it, and whether or not it is known for which site (S15).
    pub(crate) fn harden(&self, answer: &mut HeaderMap) {
        answer.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        if self.secured.is_some() {
            answer.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(BY_TLS_ONLY);
        }
    }

    /// Says why a body broke off, where the gate knows it better.
    pub(crate) fn reason(&self, refusal: Refusal) -> Refusal {
        match (refusal, self.record.refused()) {
            (Refusal::Upstream(UpstreamError::RequestBody), Some(refused)) => refused.into(),
            (refusal, _) => refusal,
        }
    }
}

/// Serves HTTP/1.1 on a client's stream, plain or decrypted, and whatever WebSocket comes of it, until it is closed.
pub(super) async fn serve<S>(
    connection: Connection,
    stream: S,
    mut drain: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = Rc::new(connection);
    serve_http(&connection, stream, &mut drain).await?;
    let Some(mut tunnel) = connection.tunnel.take() else { return Ok(()) };
    let upgraded = tunnel.opened().await?;
    let parts = upgraded.downcast::<TokioIo<Gate<S>>>().map_err(|_| "another stream than the client's")?;
    let waited = parts.read_buf.is_empty();
    let client = parts.io.into_inner().into_tunnel().filter(|_| waited);
    let client = client.ok_or("the client did not wait for the answer to its handshake")?;
    Ok(tunnel.run(&connection.worker, client, told_to_drain(&mut drain)).await?)
}

async fn serve_http<S>(
    connection: &Rc<Connection>,
    stream: S,
    drain: &mut watch::Receiver<bool>,
) -> Result<(), hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let gate = Gate::new(stream, Arc::clone(&connection.record));
    let served = Rc::clone(connection);
    let service = service_fn(move |request| {
        let answered = Answered(Arc::clone(&served.record));
        let answer = call(Rc::clone(&served), request);
        async move { answer.await.map(|answer| answer.map(|body| Tracked { body, _answered: answered })) }
    });
    let mut http = http1::Builder::new();
    // The gate hands on whole heads alone, and none that is too long for hyper.
    let http = http.max_buf_size(2 * HEAD_BYTES).serve_connection(TokioIo::new(gate), service).with_upgrades();
    let (mut http, mut told) = (pin!(http), pin!(told_to_drain(drain)));
    let (mut watched, mut draining, mut closing) = (None, false, false);
    poll_fn(|cx| {
        watched.get_or_insert_with(|| connection.worker.watch(&connection.record, cx.waker()));
        loop {
            if let Poll::Ready(done) = http.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            draining = draining || told.as_mut().poll(cx).is_ready();
            // Half a head is waited for as long as any other, and no longer. Where nothing is under way, a request may be
            // on its way: it is answered, and told that it is the last; the watch closes who sends none.
            if closing || !draining || matches!(connection.record.phase(), Phase::Head | Phase::Idle) {
                return Poll::Pending;
            }
            http.as_mut().graceful_shutdown();
            closing = true;
        }
    })
    .await
}

/// Notes, when it goes, that an answer has gone.
#[derive(Debug)]
struct Answered(Arc<Record>);

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// An answer's body, whose end is noted.
#[derive(Debug)]
struct Tracked {
    body: Body,
    _answered: Answered,
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
