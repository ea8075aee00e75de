//! The framing gate: stands between a client's stream and hyper, and lets go on only requests whose beginning and end
//! no two servers read differently (P4). It never changes a byte of what it lets through, copies nothing but a head
//! that comes in pieces, and takes no part in answers.
//!
//! A head that must not go on is replaced by [`SIGN`], a request that no client can send: it has no `Host`. hyper
//! hands it on in its turn, behind the answers of what came before, and the service answers with the reason that the
//! [`Record`] holds. A body that must not go on breaks off.

mod chunks;
mod head;
mod record;
mod refused;
mod scan;
#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

pub use head::HEAD_BYTES;
pub(crate) use record::{Phase, Record};
pub use refused::Refused;
pub use scan::{Rest, Scan, Scanner};

/// Stands in for a head that was refused.
const SIGN: &[u8] = b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n";
/// What one read of a head that comes in pieces may bring.
const PIECE_BYTES: usize = 4 * 1024;
/// So much is still read, and thrown away, of a client whose connection we close: it would lose our answer otherwise
/// (RFC 9112 section 9.6).
const FAREWELL_BYTES: usize = 1024 * 1024;

/// A client's stream behind the gate.
#[derive(Debug)]
pub struct Gate<S> {
    stream: S,
    scanner: Scanner,
    record: Arc<Record>,
    /// What came and has not gone on: a head without its end, or what did not fit.
    held: BytesMut,
    /// So many bytes at the front of `held` may go on.
    ready: usize,
    closing: Closing,
}

/// How far a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    /// It is not.
    Open,
    /// The client sends no more.
    Ended,
    /// We send no more; so many bytes are still thrown away.
    Farewell(usize),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Gate<S> {
    /// A gate before a new stream.
    pub(crate) fn new(stream: S, record: Arc<Record>) -> Self {
        let (scanner, held) = (Scanner::default(), BytesMut::new());
        Self { stream, scanner, record, held, ready: 0, closing: Closing::Open }
    }

    /// The stream without the gate, once hyper has sent 101 for a handshake; `None` if that is not how it stands, or
    /// if the client did not wait for the answer (P16).
    pub(crate) fn into_tunnel(self) -> Option<S> {
        let waited = self.held.is_empty() && self.scanner.in_handshake() && self.closing == Closing::Open;
        waited.then_some(self.stream)
    }

    /// Lets go on what may.
    fn hand_over(&mut self, buf: &mut ReadBuf<'_>) {
        let n = self.ready.min(buf.remaining());
        buf.put_slice(self.held.get(..n).unwrap_or_default());
        self.held.advance(n);
        self.ready -= n;
        if self.held.is_empty() {
            // An idle connection holds no buffer.
            self.held = BytesMut::new();
        }
    }

    /// Lets no head go on from here: the sign takes its place.
    fn refuse_head(&mut self, refused: Refused) {
        self.record.refuse(refused);
        self.record.went_on(1);
        self.scanner.end();
        self.held.truncate(self.ready);
        self.held.extend_from_slice(SIGN);
        self.ready = self.held.len();
    }

    fn refuse_body(&mut self, refused: Refused) {
        self.record.refuse(refused);
        self.scanner.end();
        self.held.truncate(self.ready);
    }

    /// Reads straight into hyper's buffer and looks at it there. Says whether there is something for hyper.
    fn poll_straight(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let fresh = buf.filled().get(before..).unwrap_or_default();
        if fresh.is_empty() {
            self.closing = Closing::Ended;
            return Poll::Ready(Ok(true));
        }
        let scan = self.scanner.scan(fresh);
        if scan.rest == Rest::PartialHead {
            self.held.extend_from_slice(fresh.get(scan.good..).unwrap_or_default());
        }
        buf.set_filled(before + scan.good);
        self.note(scan);
        Poll::Ready(Ok(scan.good > 0))
    }

    /// Reads the rest of a head that comes in pieces.
    fn poll_pieces(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let seen = self.held.len();
        self.held.reserve(PIECE_BYTES);
        if ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.held))? == 0 {
            self.closing = Closing::Ended;
            return Poll::Ready(Ok(true));
        }
        let fresh = self.held.get(seen..).unwrap_or_default();
        // Without another line's end it is as partial as it was.
        if memchr::memchr(b'\n', fresh).is_some() || self.held.len() >= HEAD_BYTES {
            let scan = self.scanner.scan(&self.held);
            self.ready = scan.good;
            if !matches!(scan.rest, Rest::None | Rest::PartialHead) {
                self.held.truncate(scan.good);
            }
            self.note(scan);
        } else {
            self.record.moved();
        }
        Poll::Ready(Ok(false))
    }

    fn note(&mut self, scan: Scan) {
        self.record.moved();
        self.record.waits_for(Phase::Busy);
        if scan.heads > 0 {
            self.record.went_on(scan.heads);
        }
        match scan.rest {
            Rest::None | Rest::PartialHead => {}
            Rest::BadHead(refused) => self.refuse_head(refused),
            Rest::BadBody(refused) => self.refuse_body(refused),
        }
    }

    /// Nothing comes for now: notes for what is waited, and ends the wait if it was too long. Says whether there is
    /// something for hyper.
    fn wait(&mut self) -> Poll<io::Result<bool>> {
        let phase = match (self.held.is_empty(), self.scanner.in_body()) {
            (false, _) => Phase::Head,
            (true, true) => Phase::Body,
            (true, false) => Phase::Idle,
        };
        self.record.waits_for(phase);
        if !self.record.is_overdue(phase) {
            return Poll::Pending;
        }
        match phase {
            Phase::Head => self.refuse_head(Refused::HeadTimeout),
            Phase::Body => self.refuse_body(Refused::BodyTimeout),
            // To hyper it looks as if the client had closed.
            _ if self.record.all_answered() => return Poll::Ready(Ok(true)),
            _ => return Poll::Pending,
        }
        Poll::Ready(Ok(false))
    }

    /// While a handshake is being answered, the client must be silent. Says whether there is something for hyper.
    fn poll_handshake(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() == before {
            self.closing = Closing::Ended;
            return Poll::Ready(Ok(true));
        }
        buf.set_filled(before);
        self.record.refuse(Refused::Early);
        self.scanner.end();
        Poll::Pending
    }

    fn poll_step(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        if self.ready > 0 {
            self.hand_over(buf);
            return Poll::Ready(Ok(true));
        }
        if self.scanner.is_over() {
            // A refused head's sign has gone on: its answer closes. A refused body breaks off.
            return match self.record.refused() {
                Some(Refused::Chunk | Refused::ChunkExtension | Refused::Trailer | Refused::BodyTimeout) => {
                    Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
                }
                _ => Poll::Pending,
            };
        }
        if self.scanner.in_handshake() {
            if !self.record.all_answered() {
                return self.poll_handshake(cx, buf);
            }
            self.scanner.resume();
        }
        let outcome = if self.held.is_empty() { self.poll_straight(cx, buf) } else { self.poll_pieces(cx) };
        if outcome.is_pending() { self.wait() } else { outcome }
    }

    fn note_write(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.record.writing_waits(outcome.is_pending());
        if outcome.is_ready() {
            self.record.moved();
        } else if self.record.is_overdue(Phase::Writing) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        outcome
    }

    /// Whether bytes may lie unread, whose arrival would reset the connection once it is closed.
    fn may_lie_unread(&self) -> bool {
        self.closing == Closing::Open
            && (self.scanner.is_over() || self.scanner.in_body() || self.scanner.in_handshake())
    }

    fn poll_farewell(&mut self, cx: &mut Context<'_>, left: &mut usize) -> Poll<()> {
        let mut space = [0; 2048];
        while *left > 0 {
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => *left = left.saturating_sub(buf.filled().len()),
                Poll::Ready(_) => break,
                Poll::Pending if self.record.is_overdue(Phase::Closing) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gate<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !ready!(this.poll_step(cx, buf))? {}
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.note_write(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.note_write(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !matches!(this.closing, Closing::Farewell(_)) {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.closing = Closing::Farewell(if this.may_lie_unread() { FAREWELL_BYTES } else { 0 });
            this.record.waits_for(Phase::Closing);
        }
        let Closing::Farewell(mut left) = this.closing else { return Poll::Ready(Ok(())) };
        let outcome = this.poll_farewell(cx, &mut left);
        this.closing = Closing::Farewell(left);
        outcome.map(Ok)
    }
}
