//! An answer's body on its way: nothing is buffered but what one read brought. Dropped half-way, it closes its
//! connection; read to its end, it gives the connection back.

use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::chunked::{Chunked, Step};
use super::deadline::Alarm;
use super::head::{Framing, Head};
use super::pool::Pool;
use super::wire::{Wire, ended};
use super::{Upstream, UpstreamError};

/// What one read may bring at first, and at most: a body that fills what it gets is given more.
const READ_BYTES: (usize, usize) = (16 * 1024, 128 * 1024);
/// How often a stream is asked whether it may still go on.
const CHECK_EVERY: Duration = Duration::from_millis(400);

#[derive(Debug)]
enum State {
    Length(u64),
    Chunked(Chunked),
    Close,
}

impl State {
    /// How much may still be read, where that is known.
    fn left(&self) -> Option<usize> {
        match self {
            Self::Length(left) => usize::try_from(*left).ok(),
            Self::Chunked(_) | Self::Close => None,
        }
    }
}

/// A streamed body.
pub struct UpstreamBody {
    /// `None` when the body is over.
    wire: Option<Wire>,
    state: State,
    keep_alive: bool,
    space: usize,
    pool: Rc<Pool>,
    upstream: usize,
    idle: Duration,
    /// The tick at which the upstream has kept silent for too long.
    silent_at: u64,
    /// The tick at which `watch` is asked again.
    check_at: u64,
    alarm: Alarm,
    watch: Option<Watch>,
}

/// Says whether a stream may still go on.
pub(crate) type Watch = Box<dyn Fn() -> bool>;

impl std::fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamBody").field("state", &self.state).finish_non_exhaustive()
    }
}

impl UpstreamBody {
    pub(crate) fn new(pool: &Rc<Pool>, upstream: &Upstream, head: &Head, wire: Wire) -> Self {
        let state = match head.framing {
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::default()),
            Framing::Close => State::Close,
        };
        Self {
            wire: Some(wire),
            state,
            keep_alive: head.keep_alive,
            space: READ_BYTES.0,
            pool: Rc::clone(pool),
            upstream: upstream.number,
            idle: upstream.idle_timeout,
            silent_at: pool.ticks.after(upstream.idle_timeout),
            check_at: u64::MAX,
            alarm: Alarm::new(&pool.ticks, upstream.idle_timeout),
            watch: None,
        }
    }

    /// Cuts the stream within a second of `watch` turning false (P11).
    pub(crate) fn only_while(&mut self, watch: impl Fn() -> bool + 'static) {
        self.watch = Some(Box::new(watch));
        self.check_at = self.pool.ticks.after(CHECK_EVERY);
        self.alarm.move_to(self.check_at.min(self.silent_at));
    }

    /// The length, where it is known.
    pub(crate) const fn remaining(&self) -> Option<u64> {
        match (&self.wire, &self.state) {
            (None, _) => Some(0),
            (Some(_), State::Length(left)) => Some(*left),
            (Some(_), State::Chunked(_) | State::Close) => None,
        }
    }

    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        let outcome = ready!(self.poll_piece(cx));
        if !matches!(outcome, Some(Ok(_))) {
            self.wire = None;
        }
        Poll::Ready(outcome)
    }

    fn check(&mut self) -> Result<(), UpstreamError> {
        if self.pool.ticks.now() < self.check_at {
            return Ok(());
        }
        self.check_at = self.pool.ticks.after(CHECK_EVERY);
        if self.watch.as_ref().is_some_and(|watch| !watch()) { Err(UpstreamError::SessionEnded) } else { Ok(()) }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        self.check()?;
        let Some(wire) = &mut self.wire else { return Poll::Ready(None) };
        if wire.poll_send(cx)? {
            self.silent_at = self.pool.ticks.after(self.idle);
        }
        loop {
            match self.next_piece()? {
                Step::Data(data) => return Poll::Ready(Some(Ok(data))),
                Step::End => {
                    self.give_back();
                    return Poll::Ready(None);
                }
                Step::More => {}
            }
            match ready!(self.poll_more(cx))? {
                0 if matches!(self.state, State::Close) => return Poll::Ready(None),
                0 => return Poll::Ready(Some(Err(ended()))),
                n => self.note_read(n),
            }
        }
    }

    /// Takes the next piece out of what was read.
    fn next_piece(&mut self) -> Result<Step, UpstreamError> {
        let Some(wire) = &mut self.wire else { return Ok(Step::End) };
        let input = wire.input();
        match &mut self.state {
            State::Length(0) => Ok(Step::End),
            State::Chunked(chunked) => {
                chunked.step(input).map_err(|_| UpstreamError::BadAnswer("its chunks are malformed"))
            }
            State::Length(_) | State::Close if input.is_empty() => Ok(Step::More),
            State::Close => Ok(Step::Data(input.split().freeze())),
            State::Length(left) => {
                let n = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                let data = input.split_to(n).freeze();
                *left -= n as u64;
                if *left == 0 {
                    // hyper asks no further once the length is reached: the connection goes back now.
                    self.give_back();
                }
                Ok(Step::Data(data))
            }
        }
    }

    fn note_read(&mut self, n: usize) {
        self.silent_at = self.pool.ticks.after(self.idle);
        if n >= self.space {
            self.space = (self.space * 2).min(READ_BYTES.1);
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, UpstreamError>> {
        let Some(wire) = &mut self.wire else { return Poll::Ready(Ok(0)) };
        let left = self.state.left().unwrap_or(usize::MAX);
        if let Poll::Ready(outcome) = wire.poll_read(cx, self.space.min(left)) {
            return Poll::Ready(outcome);
        }
        if self.pool.ticks.now() >= self.silent_at {
            return Poll::Ready(Err(wire.timeout()));
        }
        while self.alarm.poll(cx) {
            self.alarm.move_to(self.check_at.min(self.silent_at));
        }
        Poll::Pending
    }

    /// A connection whose request and answer are both complete may carry another exchange (S10).
    fn give_back(&mut self) {
        if let Some(mut connection) = self.wire.take().and_then(Wire::into_idle)
            && self.keep_alive
        {
            // An idle connection does not keep a stream's large buffer.
            connection.input = BytesMut::new();
            self.pool.give(self.upstream, connection);
        }
    }
}
