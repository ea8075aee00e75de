//! A request on its way up: its head, and its body as it comes from the caller.

use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::io::AsyncWrite as _;

use super::UpstreamError;
use super::connect::Stream;

/// Bodies of known length up to this leave together with their head.
pub(crate) const SMALL_BYTES: u64 = 16 * 1024;

/// A request's body.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// None.
    None,
    /// Of a known length.
    Known {
        /// The caller's.
        body: Incoming,
        /// Its length in bytes, more than 0.
        length: u64,
    },
    /// Of a length not known: it goes on in chunks.
    Chunked {
        /// The caller's.
        body: Incoming,
        /// The most bytes that it may have.
        limit: u64,
    },
}

/// What is still to be sent.
#[derive(Debug)]
pub(crate) struct Sending {
    state: State,
    /// So many bytes of the connection's output are written.
    written: usize,
    /// A piece of the body, to be written behind the output.
    piece: Bytes,
    /// What ends the piece: a chunk's CRLF.
    tail: &'static [u8],
    /// Whether a piece of the body came: it cannot be had again.
    begun: bool,
}

#[derive(Debug)]
enum State {
    /// The head, and a body behind it.
    Body { body: Incoming, framing: Framing },
    /// Only what stands in the output.
    Rest,
    /// Everything is written.
    Complete,
    /// The upstream takes no more. It may have answered all the same.
    CutOff,
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    /// So many bytes are to come.
    Known { left: u64, held: bool },
    /// In chunks; so many bytes may still come.
    Chunked { left: u64 },
}

impl Sending {
    pub(crate) fn new(body: RequestBody) -> Self {
        let state = match body {
            RequestBody::None => State::Rest,
            RequestBody::Known { body, length } => {
                State::Body { body, framing: Framing::Known { left: length, held: length <= SMALL_BYTES } }
            }
            RequestBody::Chunked { body, limit } => State::Body { body, framing: Framing::Chunked { left: limit } },
        };
        Self { state, written: 0, piece: Bytes::new(), tail: b"", begun: false }
    }

    /// Whether nothing more will be sent.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.state, State::Complete | State::CutOff)
    }

    /// Whether the whole request was sent.
    pub(crate) const fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete)
    }

    /// Whether no body was to be sent, or at least none of it was taken from the caller: the request can be sent again.
    pub(crate) const fn is_bodiless(&self) -> bool {
        !self.begun && !matches!(self.state, State::Body { .. })
    }

    /// Whether the caller is the one who keeps us waiting.
    pub(crate) const fn waits_for_caller(&self) -> bool {
        matches!(self.state, State::Body { .. }) && self.tail.is_empty() && self.piece.is_empty()
    }

    /// Sends on, as far as caller and upstream let it; says whether anything moved.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        output: &mut Vec<u8>,
    ) -> Result<bool, UpstreamError> {
        let mut moved = false;
        loop {
            match self.poll_step(cx, stream, output) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(UpstreamError::Broken(error))) => {
                    tracing::debug!(%error, "an upstream takes no more of a request");
                    self.state = State::CutOff;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(moved),
            }
            if self.is_over() {
                return Ok(moved);
            }
        }
    }

    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        output: &mut Vec<u8>,
    ) -> Poll<Result<(), UpstreamError>> {
        // A small body is waited for before its head leaves, so that both go in one write.
        let held = matches!(self.state, State::Body { framing: Framing::Known { held: true, .. }, .. });
        if !held && (self.written < output.len() || !self.piece.is_empty() || !self.tail.is_empty()) {
            return self.poll_write(cx, stream, output);
        }
        if !held {
            ready!(Pin::new(&mut *stream).poll_flush(cx)).map_err(UpstreamError::Broken)?;
        }
        if matches!(self.state, State::Rest) {
            self.state = State::Complete;
            return Poll::Ready(Ok(()));
        }
        self.poll_piece(cx, output)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        output: &[u8],
    ) -> Poll<Result<(), UpstreamError>> {
        let head = output.get(self.written..).unwrap_or_default();
        let stream = Pin::new(stream);
        let n = if self.piece.is_empty() && self.tail.is_empty() {
            ready!(stream.poll_write(cx, head))
        } else {
            let slices = [IoSlice::new(head), IoSlice::new(&self.piece), IoSlice::new(self.tail)];
            ready!(stream.poll_write_vectored(cx, &slices))
        };
        let n = n.and_then(|n| if n == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(n) });
        let n = n.map_err(UpstreamError::Broken)?;
        let of_head = n.min(head.len());
        self.written += of_head;
        let of_piece = (n - of_head).min(self.piece.len());
        self.piece.advance(of_piece);
        self.tail.advance(n - of_head - of_piece);
        Poll::Ready(Ok(()))
    }

    /// Takes the next piece of the caller's body, with its framing.
    fn poll_piece(&mut self, cx: &mut Context<'_>, output: &mut Vec<u8>) -> Poll<Result<(), UpstreamError>> {
        let State::Body { body, framing } = &mut self.state else { return Poll::Ready(Ok(())) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if self.written == output.len() {
            output.clear();
            self.written = 0;
        }
        let Some(frame) = frame else {
            let Framing::Chunked { .. } = framing else { return Poll::Ready(Err(UpstreamError::RequestBody)) };
            output.extend_from_slice(b"0\r\n\r\n");
            self.state = State::Rest;
            return Poll::Ready(Ok(()));
        };
        self.begun = true;
        let frame = frame.map_err(|_| UpstreamError::RequestBody)?;
        // Trailers stay here: no upstream reads them unasked (RFC 9110 section 6.5.1).
        let Ok(data) = frame.into_data() else { return Poll::Ready(Ok(())) };
        if data.is_empty() {
            return Poll::Ready(Ok(()));
        }
        match framing {
            Framing::Known { left, held } => {
                let Some(rest) = left.checked_sub(data.len() as u64) else {
                    return Poll::Ready(Err(UpstreamError::RequestBody));
                };
                (*left, *held) = (rest, false);
                if rest == 0 {
                    self.state = State::Rest;
                }
            }
            Framing::Chunked { left } => {
                *left = left.checked_sub(data.len() as u64).ok_or(UpstreamError::RequestTooLong)?;
                write!(output, "{:x}\r\n", data.len()).map_err(UpstreamError::Broken)?;
                self.tail = b"\r\n";
            }
        }
        self.piece = data;
        Poll::Ready(Ok(()))
    }
}
