//! A connection with one exchange on it. Both directions are polled by whoever holds it, in one task: the request's body
//! goes up while the answer comes down, without a second task and without a lock.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use http::{Method, StatusCode};
use tokio_util::io::poll_read_buf;

use super::connect::Stream;
use super::deadline::Alarm;
use super::head::{self, Head};
use super::pool::{Connection, Pool};
use super::sending::{RequestBody, Sending};
use super::{Upstream, UpstreamError};

/// Interim answers (1xx) before the real one.
const INTERIM: usize = 8;
/// What one read of a head or a small body may bring: the connection's buffer is no larger.
pub(crate) const READ_BYTES: usize = 8 * 1024;

/// An exchange under way.
#[derive(Debug)]
pub(crate) struct Wire {
    connection: Connection,
    sending: Sending,
    /// Whether a byte of the answer came.
    heard: bool,
    interim: usize,
    /// Whether 101 is an answer.
    switches: bool,
}

impl Wire {
    /// Begins an exchange. The request's head stands in the connection's output.
    pub(crate) fn new(connection: Connection, body: RequestBody) -> Self {
        Self { connection, sending: Sending::new(body), heard: false, interim: 0, switches: false }
    }

    /// Begins an exchange that may switch protocols.
    pub(crate) fn switching(connection: Connection) -> Self {
        Self { switches: true, ..Self::new(connection, RequestBody::None) }
    }

    /// The stream, and what was read and not yet taken.
    pub(crate) fn into_stream(self) -> (Stream, BytesMut) {
        (self.connection.stream, BytesMut::from(&self.connection.input[..]))
    }

    /// Whether the connection had died before this exchange began, as far as can be told: it had been used before, not a
    /// byte of the answer came, and no byte of a request body left.
    pub(crate) fn is_stale(&self) -> bool {
        self.connection.used && !self.heard && self.sending.is_bodiless()
    }

    /// What was read and not yet taken.
    pub(crate) const fn input(&mut self) -> &mut BytesMut {
        &mut self.connection.input
    }

    /// Sends on. Says whether anything moved.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<bool, UpstreamError> {
        if self.sending.is_over() {
            return Ok(false);
        }
        self.sending.poll(cx, &mut self.connection.stream, &mut self.connection.output)
    }

    /// Reads on, at most `space` bytes; says how many. 0 is the connection's end.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, space: usize) -> Poll<Result<usize, UpstreamError>> {
        let Connection { stream, input, .. } = &mut self.connection;
        input.reserve(space);
        let outcome = ready!(poll_read_buf(Pin::new(stream), cx, input));
        self.heard |= matches!(outcome, Ok(1..));
        Poll::Ready(outcome.map_err(UpstreamError::Broken))
    }

    /// As [`Self::poll_read`], where the connection must not end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        match ready!(self.poll_read(cx, READ_BYTES))? {
            0 => Poll::Ready(Err(ended())),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// The answer's head.
    pub(crate) async fn head(
        &mut self,
        pool: &Rc<Pool>,
        upstream: &Upstream,
        method: &Method,
    ) -> Result<Head, UpstreamError> {
        // What is read so far has no whole head in it: it is looked at again only when a line's end came.
        let mut seen = 0;
        self.in_time(pool, upstream, move |wire, cx| {
            loop {
                let input = &mut wire.connection.input;
                let news = input.get(seen..).unwrap_or_default();
                let worth = seen == 0 || memchr::memchr(b'\n', news).is_some() || input.len() > head::HEAD_BYTES;
                if worth && !news.is_empty() {
                    match head::take(input, method)? {
                        Some(head) if !head.status.is_informational() => return Poll::Ready(Ok(head)),
                        Some(head) if wire.switches && head.status == StatusCode::SWITCHING_PROTOCOLS => {
                            return Poll::Ready(Ok(head));
                        }
                        Some(head) => {
                            wire.note_interim(head.status)?;
                            seen = 0;
                            continue;
                        }
                        None => {}
                    }
                }
                seen = wire.connection.input.len();
                ready!(wire.poll_more(cx))?;
            }
        })
        .await
    }

    fn note_interim(&mut self, status: StatusCode) -> Result<(), UpstreamError> {
        self.interim += 1;
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(UpstreamError::BadAnswer("it switched protocols unasked"));
        }
        if self.interim > INTERIM {
            return Err(UpstreamError::BadAnswer("it has too many interim answers"));
        }
        Ok(())
    }

    /// Reads until `length` bytes of the answer's body are there.
    pub(crate) async fn fill(
        &mut self,
        pool: &Rc<Pool>,
        upstream: &Upstream,
        length: usize,
    ) -> Result<(), UpstreamError> {
        if self.connection.input.len() >= length {
            return Ok(());
        }
        self.in_time(pool, upstream, |wire, cx| {
            while wire.connection.input.len() < length {
                ready!(wire.poll_more(cx))?;
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Polls `step`, and what is still to be sent beside it, until it is done or nothing moved for too long.
    async fn in_time<T>(
        &mut self,
        pool: &Rc<Pool>,
        upstream: &Upstream,
        mut step: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Result<T, UpstreamError>>,
    ) -> Result<T, UpstreamError> {
        let mut alarm = Alarm::new(&pool.ticks, self.patience(upstream));
        std::future::poll_fn(|cx| {
            if self.poll_send(cx)? {
                alarm.put_off(self.patience(upstream));
            }
            match step(self, cx) {
                Poll::Pending if alarm.poll(cx) => Poll::Ready(Err(self.timeout())),
                outcome => outcome,
            }
        })
        .await
    }

    /// While the request is on its way each move counts; the answer's time begins with the request's last byte.
    const fn patience(&self, upstream: &Upstream) -> Duration {
        if self.sending.is_over() { upstream.response_timeout } else { upstream.idle_timeout }
    }

    /// Whose fault it is that nothing moved.
    pub(crate) const fn timeout(&self) -> UpstreamError {
        if self.sending.waits_for_caller() { UpstreamError::RequestTimeout } else { UpstreamError::Timeout }
    }

    /// The connection, where it may carry another exchange: request and answer are both complete, and nothing stands
    /// behind the answer (S10, P16).
    pub(crate) fn into_idle(self) -> Option<Connection> {
        (self.sending.is_complete() && self.connection.input.is_empty()).then_some(self.connection)
    }
}

/// The connection ended where more was promised.
pub(crate) fn ended() -> UpstreamError {
    UpstreamError::Broken(io::ErrorKind::UnexpectedEof.into())
}
