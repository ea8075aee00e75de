//! Stands between a client's stream and the HTTP/2 library, and counts frames: what costs us work and is none for the
//! client is paid for from a budget that useful bytes fill (S15). When it is spent, the connection closes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::flow::Flow;
use crate::edge::gate::HEAD_BYTES;

/// What a client starts with, and may have saved.
const BUDGET: u32 = 1_000;
/// After so long it has all of it again: an honest client that idles and pings never runs out.
const REFILL_AFTER: Duration = Duration::from_secs(10);
/// So many bytes of heads, bodies and answers pay for one frame.
const BYTES_PER_FRAME: usize = 1_024;
/// A head's bytes as they are sent, compressed.
const BLOCK_BYTES: usize = 2 * HEAD_BYTES;
/// Requests that have not ended: more than streams may be open.
const UPLOADS: usize = 1_000;
/// The client's first bytes (RFC 9113 section 3.4).
const PREFACE_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 9;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// A client's stream with its meter.
#[derive(Debug)]
pub(super) struct Meter<S> {
    stream: S,
    frames: Frames,
    flow: Rc<Flow>,
}

/// The frames of one direction.
#[derive(Debug)]
struct Frames {
    /// Bytes that are looked at no further.
    skip: usize,
    /// They are of a head or a body.
    useful: bool,
    header: [u8; FRAME_HEADER_BYTES],
    filled: usize,
    /// Bytes of the head that has not ended.
    block: usize,
    budget: u32,
    earned: usize,
    since: Instant,
}

/// A frame's header (RFC 9113 section 4.1).
#[derive(Clone, Copy, Debug)]
struct Frame {
    len: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Frame {
    fn parse(header: [u8; FRAME_HEADER_BYTES]) -> Self {
        let [a, b, c, kind, flags, stream @ ..] = header;
        let len = u32::from_be_bytes([0, a, b, c]) as usize;
        Self { len, kind, flags, stream: u32::from_be_bytes(stream) & 0x7fff_ffff }
    }

    fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl<S> Meter<S> {
    pub(super) fn new(stream: S, flow: Rc<Flow>) -> Self {
        let frames = Frames {
            skip: PREFACE_BYTES,
            useful: false,
            header: [0; FRAME_HEADER_BYTES],
            filled: 0,
            block: 0,
            budget: BUDGET,
            earned: 0,
            since: Instant::now(),
        };
        Self { stream, frames, flow }
    }
}

impl Frames {
    fn earn(&mut self, bytes: usize) {
        self.earned += bytes;
        let frames = u32::try_from(self.earned / BYTES_PER_FRAME).unwrap_or(BUDGET);
        self.earned %= BYTES_PER_FRAME;
        self.budget = self.budget.saturating_add(frames).min(BUDGET);
    }

    fn pay(&mut self, price: u32) -> bool {
        if self.budget < price && self.since.elapsed() >= REFILL_AFTER {
            (self.budget, self.since) = (BUDGET, Instant::now());
        }
        let left = self.budget.checked_sub(price);
        self.budget = left.unwrap_or(0);
        left.is_some()
    }

    /// Looks at what came. Says whether the client may go on.
    fn look(&mut self, mut bytes: &[u8], flow: &Flow) -> bool {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let (skipped, rest) = bytes.split_at(self.skip.min(bytes.len()));
                self.skip -= skipped.len();
                bytes = rest;
                if self.useful {
                    self.earn(skipped.len());
                    flow.moved();
                }
                continue;
            }
            let wanted = FRAME_HEADER_BYTES - self.filled;
            let (part, rest) = bytes.split_at(wanted.min(bytes.len()));
            if let Some(room) = self.header.get_mut(self.filled..self.filled + part.len()) {
                room.copy_from_slice(part);
            }
            self.filled += part.len();
            bytes = rest;
            if self.filled == FRAME_HEADER_BYTES {
                self.filled = 0;
                if !self.frame(Frame::parse(self.header), flow) {
                    return false;
                }
            }
        }
        true
    }

    fn frame(&mut self, frame: Frame, flow: &Flow) -> bool {
        self.skip = frame.len;
        self.useful = matches!(frame.kind, 0 | 1);
        match frame.kind {
            // DATA, HEADERS, CONTINUATION.
            0 => {
                if frame.has(END_STREAM) {
                    flow.uploaded(frame.stream);
                    return true;
                }
                frame.len > 0 || self.pay(1)
            }
            1 | 9 => {
                if frame.kind == 1 {
                    self.block = 0;
                    if frame.has(END_STREAM) { flow.uploaded(frame.stream) } else { flow.upload(frame.stream) }
                }
                self.block += frame.len;
                let fits = self.block <= BLOCK_BYTES && flow.uploads() <= UPLOADS;
                fits && (frame.has(END_HEADERS) || self.pay(10))
            }
            // RST_STREAM: what was begun for it was for nothing (CVE-2023-44487).
            3 => {
                flow.uploaded(frame.stream);
                self.pay(5)
            }
            // SETTINGS are answered.
            4 => self.pay(5),
            // PING, which is answered; PRIORITY, GOAWAY, WINDOW_UPDATE, and whatever is not known.
            _ => self.pay(1),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Meter<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        let fresh = buf.filled().get(before..).unwrap_or_default();
        if this.frames.look(fresh, &this.flow) {
            read
        } else {
            Poll::Ready(Err(io::Error::other("a flood of HTTP/2 frames")))
        }
    }
}

impl<S> Meter<S> {
    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.flow.writing_waits(written.is_pending());
        if let Poll::Ready(Ok(bytes)) = &written {
            self.frames.earn(*bytes);
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Meter<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.wrote(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
