//! HTTP/2 from clients (RFC 9113), over TLS alone: hyper's server on the connection's own worker, with every limit that
//! it has set, and a meter in front that knows a flood. No stream becomes a WebSocket (RFC 8441 is not offered).

mod flow;
mod meter;
mod request;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::header;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use self::flow::{Flow, Sent};
use self::meter::Meter;
pub(super) use self::request::as_http1;
use super::connection::Connection;
use super::gate::{HEAD_BYTES, Phase};
use super::listener::told_to_drain;
use crate::proxy::call::call;

/// Requests under way on one connection.
const STREAMS: u32 = 100;
/// Streams that were reset before we looked at them (CVE-2023-44487).
const RESET_BEFORE_ACCEPTED: usize = 20;
/// Streams that we reset for a client's mistakes.
const RESET_FOR_MISTAKES: usize = 100;
/// What may come of a body before its upstream takes it: of one stream, and of all.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// What is kept of an answer that the client does not take.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// A head beyond [`HEAD_BYTES`] gets a 431 of ours; beyond this the library refuses it bare, and beyond four times this
/// it closes the connection.
const HEADER_LIST_BYTES: usize = 4 * HEAD_BYTES;
/// A client that is gone is found by this.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// Runs streams where their connection runs.
#[derive(Clone, Copy, Debug)]
struct OnThisWorker;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for OnThisWorker {
    fn execute(&self, stream: F) {
        drop(tokio::task::spawn_local(stream));
    }
}

fn builder() -> http2::Builder<OnThisWorker> {
    let mut builder = http2::Builder::new(OnThisWorker);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(RESET_BEFORE_ACCEPTED)
        .max_local_error_reset_streams(RESET_FOR_MISTAKES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_header_list_size(u32::try_from(HEADER_LIST_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN);
    builder
}

/// Serves HTTP/2 on a client's decrypted stream until it is closed.
pub(super) async fn serve<S>(
    connection: Connection,
    stream: S,
    mut drain: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error>>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let connection = Rc::new(connection);
    let flow = Rc::new(Flow::new(&connection.record));
    let meter = Meter::new(stream, Rc::clone(&flow));
    let served = Rc::clone(&connection);
    let service = service_fn(move |request| {
        let stream = flow.open();
        let answer = call(Rc::clone(&served), request);
        async move {
            answer.await.map(|mut answer| {
                // This connection closes by a frame, not by a field (RFC 9113 section 8.2.2).
                answer.headers_mut().remove(header::CONNECTION);
                answer.map(|body| Sent::new(body, stream))
            })
        }
    });
    let http = builder().serve_connection(TokioIo::new(meter), service);
    let (mut http, mut told) = (pin!(http), pin!(told_to_drain(&mut drain)));
    let (mut watched, mut closing) = (None, false);
    poll_fn(|cx| {
        let record = &connection.record;
        watched.get_or_insert_with(|| connection.worker.watch(record, cx.waker()));
        if record.is_overdue(Phase::Body) || record.is_overdue(Phase::Writing) {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        }
        if !closing && (told.as_mut().poll(cx).is_ready() || record.is_overdue(Phase::Idle)) {
            http.as_mut().graceful_shutdown();
            closing = true;
        }
        http.as_mut().poll(cx).map(|done| done.map_err(Into::into))
    })
    .await
}
