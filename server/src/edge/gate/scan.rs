//! Follows a connection's requests through the states head, body of a length, chunks, trailer, handshake.

use super::chunks::Chunks;
use super::head::{self, Next};
use super::refused::Refused;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before or in a head.
    Head,
    /// In a body, so many bytes before its end.
    Length(u64),
    /// In a chunked body.
    Chunks(Chunks),
    /// Behind a handshake that is not answered yet.
    Handshake,
    /// Refused: nothing more goes on.
    Over,
}

/// Follows one connection.
#[derive(Debug)]
pub struct Scanner(State);

/// What a look at new bytes found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// So many of the bytes may go on.
    pub good: usize,
    /// So many heads are among them.
    pub heads: u32,
    /// What is the matter with the others, if there are any.
    pub rest: Rest,
}

/// What stands behind the bytes that may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    None,
    /// A head without its end: it must be seen again, with more bytes behind it.
    PartialHead,
    /// A head that must not go on.
    BadHead(Refused),
    /// The rest of a body, which must not go on.
    BadBody(Refused),
}

impl Default for Scanner {
    fn default() -> Self {
        Self(State::Head)
    }
}

impl Scanner {
    /// Whether a body is on its way.
    #[must_use]
    pub const fn in_body(&self) -> bool {
        matches!(self.0, State::Length(_) | State::Chunks(_))
    }

    /// Whether a handshake waits for its answer.
    #[must_use]
    pub const fn in_handshake(&self) -> bool {
        matches!(self.0, State::Handshake)
    }

    /// Whether nothing more goes on.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.0, State::Over)
    }

    /// The handshake was answered, and not by 101: requests go on.
    pub const fn resume(&mut self) {
        if self.in_handshake() {
            self.0 = State::Head;
        }
    }

    /// Lets nothing more go on.
    pub const fn end(&mut self) {
        self.0 = State::Over;
    }

    /// Looks at the bytes that follow what has gone on so far.
    pub fn scan(&mut self, bytes: &[u8]) -> Scan {
        let mut scan = Scan { good: 0, heads: 0, rest: Rest::None };
        while let Some(rest) = bytes.get(scan.good..).filter(|rest| !rest.is_empty()) {
            match self.step(rest) {
                Ok(Step { len, heads }) => {
                    scan.good += len;
                    scan.heads += heads;
                }
                Err((good, rest)) => {
                    if rest != Rest::PartialHead {
                        self.0 = State::Over;
                    }
                    return Scan { good: scan.good + good, rest, ..scan };
                }
            }
        }
        scan
    }

    fn step(&mut self, bytes: &[u8]) -> Result<Step, (usize, Rest)> {
        match &mut self.0 {
            State::Head => {
                let bad = |refused| (0, Rest::BadHead(refused));
                let head = head::read(bytes).map_err(bad)?.ok_or((0, Rest::PartialHead))?;
                self.0 = match head.next {
                    Next::Length(0) => State::Head,
                    Next::Length(length) => State::Length(length),
                    Next::Chunks => State::Chunks(Chunks::START),
                    Next::Handshake if bytes.len() > head.len => return Err(bad(Refused::Early)),
                    Next::Handshake => State::Handshake,
                };
                Ok(Step { len: head.len, heads: 1 })
            }
            State::Length(left) => {
                let len = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= len as u64;
                if *left == 0 {
                    self.0 = State::Head;
                }
                Ok(Step { len, heads: 0 })
            }
            State::Chunks(chunks) => {
                let len = chunks.follow(bytes).map_err(|(good, refused)| (good, Rest::BadBody(refused)))?;
                if *chunks == Chunks::End {
                    self.0 = State::Head;
                }
                Ok(Step { len, heads: 0 })
            }
            State::Handshake | State::Over => Err((0, Rest::BadBody(Refused::Early))),
        }
    }
}

struct Step {
    len: usize,
    heads: u32,
}
