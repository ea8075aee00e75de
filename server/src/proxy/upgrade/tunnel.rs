//! A WebSocket under way: bytes are copied both ways through the worker's one scratch buffer, so that an idle one holds
//! none. It ends with either side, with silence, with the drain, and within a second of its session (P11).

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::{Frames, close};
use crate::edge::worker::Worker;
use crate::proxy::upstream::body::Watch;
use crate::proxy::upstream::connect::Stream;
use crate::proxy::upstream::deadline::Alarm;

/// How often it is asked whether the session lives.
const CHECK_EVERY: Duration = Duration::from_millis(300);
/// How long a farewell may take: the rest of a frame, the close frame, the client's answer.
const FAREWELL: Duration = Duration::from_millis(300);

/// The session is over: the close code of status 401 (in the range for private use, RFC 6455 section 7.4.2).
const SESSION_OVER: u16 = 4401;
/// RFC 6455 section 7.4.1: going away.
const GOING_AWAY: u16 = 1001;

/// A handshake that the upstream took.
pub(crate) struct Tunnel {
    pub(super) on_upgrade: OnUpgrade,
    pub(super) upstream: Stream,
    /// What came behind the upstream's 101.
    pub(super) input: BytesMut,
    /// Says whether it may go on.
    pub(super) watch: Option<Watch>,
    /// How long both sides may keep silent.
    pub(super) idle: Duration,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    /// What was read and not yet taken.
    pending: BytesMut,
    /// Nothing more is read.
    ended: bool,
    /// The other side was told.
    shut: bool,
}

impl Tunnel {
    /// Waits until hyper has sent the 101.
    pub(crate) fn opened(&mut self) -> &mut OnUpgrade {
        &mut self.on_upgrade
    }

    /// Copies until it is over.
    pub(crate) async fn run<S>(self, worker: &Worker, client: S, told: impl Future<Output = ()>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut copy = Copy {
            client,
            upstream: self.upstream,
            up: Way::default(),
            down: Way { pending: self.input, ..Way::default() },
            frames: Frames::default(),
            leaving: false,
        };
        copy.frames.follow(&copy.down.pending);
        let ticks = &worker.pool.ticks;
        let mut check = Alarm::new(ticks, CHECK_EVERY);
        let mut silence = Alarm::new(ticks, self.idle);
        let mut told = pin!(told);
        let code = poll_fn(|cx| {
            let mut scratch = worker.scratch.borrow_mut();
            if copy.poll(cx, &mut scratch)? {
                silence.put_off(self.idle);
            }
            if copy.up.shut && copy.down.shut {
                return Poll::Ready(Ok::<_, io::Error>(None));
            }
            while check.poll(cx) {
                if self.watch.as_ref().is_some_and(|watch| !watch()) {
                    return Poll::Ready(Ok(Some((SESSION_OVER, "the session is over"))));
                }
                check.put_off(CHECK_EVERY);
            }
            if silence.poll(cx) {
                return Poll::Ready(Ok(Some((GOING_AWAY, "nothing was said for too long"))));
            }
            told.as_mut().poll(cx).map(|()| Ok(Some((GOING_AWAY, "the server is going away"))))
        });
        let Some((code, reason)) = code.await? else { return Ok(()) };
        let mut enough = Alarm::new(ticks, FAREWELL);
        poll_fn(|cx| {
            let outcome = copy.poll_farewell(cx, &mut worker.scratch.borrow_mut(), code, reason);
            if outcome.is_pending() && enough.poll(cx) { Poll::Ready(Ok(())) } else { outcome }
        })
        .await
    }
}

#[derive(Debug)]
struct Copy<S> {
    client: S,
    upstream: Stream,
    up: Way,
    down: Way,
    /// Those that go down.
    frames: Frames,
    /// The close frame is on its way.
    leaving: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Copy<S> {
    /// Copies what there is, both ways; says whether anything moved.
    fn poll(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> io::Result<bool> {
        let Self { client, upstream, up, down, frames, .. } = self;
        let went_up = up.poll(cx, scratch, client, upstream, |_| {})?;
        let went_down = down.poll(cx, scratch, upstream, client, |bytes| frames.follow(bytes))?;
        Ok(went_up || went_down)
    }

    /// Brings the frame under way to its end, sends a close frame, and hears the client out. Nothing more of the client
    /// reaches the upstream.
    fn poll_farewell(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        code: u16,
        reason: &str,
    ) -> Poll<io::Result<()>> {
        loop {
            while !self.down.pending.is_empty() {
                ready!(self.down.poll_send(cx, &mut self.client))?;
            }
            if self.leaving {
                break;
            }
            if self.frames.is_between() {
                self.down.pending = close(code, reason);
                self.leaving = true;
            } else {
                let mut space = ReadBuf::new(scratch);
                ready!(Pin::new(&mut self.upstream).poll_read(cx, &mut space))?;
                let n = self.frames.follow_frame(space.filled());
                if n == 0 {
                    return Poll::Ready(Ok(()));
                }
                self.down.pending.extend_from_slice(space.filled().get(..n).unwrap_or_default());
            }
        }
        if !self.down.shut {
            ready!(Pin::new(&mut self.client).poll_shutdown(cx))?;
            self.down.shut = true;
        }
        loop {
            let mut space = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.client).poll_read(cx, &mut space))?;
            if space.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl Way {
    /// Writes some of what is pending.
    fn poll_send(&mut self, cx: &mut Context<'_>, to: &mut (impl AsyncWrite + Unpin)) -> Poll<io::Result<()>> {
        let n = ready!(Pin::new(to).poll_write(cx, &self.pending))?;
        if n == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.pending.advance(n);
        if self.pending.is_empty() {
            self.pending = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    /// Copies what there is; says whether anything moved.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        mut seen: impl FnMut(&[u8]),
    ) -> io::Result<bool> {
        let mut moved = false;
        loop {
            match self.poll_step(cx, scratch, from, to, &mut seen) {
                Poll::Ready(Ok(())) if self.shut => return Ok(moved),
                Poll::Ready(outcome) => outcome?,
                Poll::Pending => return Ok(moved),
            }
            moved = true;
        }
    }

    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        seen: &mut impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>> {
        if self.shut {
            return Poll::Ready(Ok(()));
        }
        if !self.pending.is_empty() {
            return self.poll_send(cx, to);
        }
        if self.ended {
            ready!(Pin::new(to).poll_shutdown(cx))?;
            self.shut = true;
            return Poll::Ready(Ok(()));
        }
        let mut space = ReadBuf::new(scratch);
        if Pin::new(from).poll_read(cx, &mut space)?.is_pending() {
            // TLS keeps what was written until it is told that no more comes for now.
            ready!(Pin::new(to).poll_flush(cx))?;
            return Poll::Pending;
        }
        let bytes = space.filled();
        self.ended = bytes.is_empty();
        seen(bytes);
        let sent = match Pin::new(to).poll_write(cx, bytes)? {
            Poll::Ready(n) => n,
            Poll::Pending => 0,
        };
        self.pending.extend_from_slice(bytes.get(sent..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}
