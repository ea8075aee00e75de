//! A request's head, read where it lies: line by line, without a copy. Only what decides where the request ends, and
//! what two servers could read in two ways, is looked at; hyper reads the rest.

use memchr::memchr_iter;

use super::refused::Refused;

/// The longest head.
pub const HEAD_BYTES: usize = 32 * 1024;
/// The longest request target. RFC 9112 section 3 recommends 8000 bytes at least.
const TARGET_BYTES: usize = 16 * 1024;
/// The most header lines: what hyper takes.
const LINES: usize = 100;

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next request, or a body of so many bytes before it.
    Length(u64),
    /// A chunked body.
    Chunks,
    /// Nothing, until the handshake is answered; then another protocol, if the answer was 101.
    Handshake,
}

/// A whole head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its length in bytes, the empty line included.
    pub(super) len: usize,
    /// What follows it.
    pub(super) next: Next,
}

/// Reads the head that `bytes` begin with; `None` when its end has not come yet.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Head>, Refused> {
    // One empty line may come before (RFC 9112 section 2.2).
    let start = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let rest = bytes.get(start..).unwrap_or_default();
    if rest.first().is_some_and(|&byte| !is_token(byte) && byte != b'\r') {
        return Err(Refused::RequestLine);
    }
    let mut facts = Facts::default();
    let (mut at, mut lines) = (0, 0);
    for end in memchr_iter(b'\n', rest) {
        let line = rest.get(at..end).unwrap_or_default().strip_suffix(b"\r").ok_or(Refused::BareLineFeed)?;
        at = end + 1;
        lines += 1;
        if lines == 1 {
            facts.request_line(line)?;
        } else if line.is_empty() {
            let head = rest.get(..at).unwrap_or_default();
            if start + at > HEAD_BYTES {
                return Err(Refused::HeadTooLong);
            }
            // Each line's CR LF, and nothing else.
            if controls(head) != 2 * lines {
                return Err(Refused::ControlCharacter);
            }
            return Ok(Some(Head { len: start + at, next: facts.next()? }));
        } else if lines > LINES + 1 {
            return Err(Refused::TooManyLines);
        } else {
            facts.line(line)?;
        }
    }
    if bytes.len() < HEAD_BYTES {
        return Ok(None);
    }
    Err(if lines == 0 { Refused::TargetTooLong } else { Refused::HeadTooLong })
}

/// How many control characters there are; tabs do not count. In parts of a fixed size, of which the compiler counts many
/// bytes at once.
fn controls(bytes: &[u8]) -> usize {
    let is = |byte: u8| u8::from((byte < 0x20 && byte != b'\t') || byte == 0x7f);
    let (parts, rest) = bytes.as_chunks::<64>();
    let in_part = |part: &[u8; 64]| part.iter().fold(0, |sum, &byte| sum + is(byte));
    let in_parts: usize = parts.iter().map(|part| usize::from(in_part(part))).sum();
    in_parts + rest.iter().map(|&byte| usize::from(is(byte))).sum::<usize>()
}

/// RFC 9110 section 5.6.2.
pub(super) const fn is_token(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_')
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'.' | b'^' | b'`' | b'|' | b'~')
}

/// What may stand in a target: what RFC 3986 names, and what browsers send unescaped all the same
/// (<https://url.spec.whatwg.org/#path-state>, `#query-state`).
fn is_target(target: &[u8]) -> bool {
    let path = memchr::memchr(b'?', target).unwrap_or(target.len());
    let common = |byte: u8| matches!(byte, 0x21..=0x7e) && !matches!(byte, b'#' | b'<' | b'>');
    let (path, query) = target.split_at_checked(path).unwrap_or_default();
    path.iter().all(|&byte| common(byte) && byte != b'`') && query.iter().all(|&byte| common(byte) && byte != b'"')
}

/// What the lines say about the request's end.
#[derive(Default)]
struct Facts {
    old: bool,
    is_get: bool,
    hosts: u8,
    length: Option<u64>,
    chunked: bool,
    upgrade: Option<Upgrade>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Upgrade {
    WebSocket,
    Http2,
    Other,
}

impl Facts {
    fn request_line(&mut self, line: &[u8]) -> Result<(), Refused> {
        let space = memchr::memchr(b' ', line).ok_or(Refused::RequestLine)?;
        let (method, rest) = line.split_at_checked(space).ok_or(Refused::RequestLine)?;
        let last = memchr::memrchr(b' ', rest).filter(|&last| last > 0).ok_or(Refused::RequestLine)?;
        let (target, version) = rest.split_at_checked(last).ok_or(Refused::RequestLine)?;
        let target = target.get(1..).unwrap_or_default();
        if method.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
            return Err(Refused::RequestLine);
        }
        self.old = match version {
            b" HTTP/1.1" => false,
            b" HTTP/1.0" => true,
            version if version.starts_with(b" HTTP/") => return Err(Refused::Version),
            _ => return Err(Refused::RequestLine),
        };
        if method == b"CONNECT" {
            return Err(Refused::Connect);
        }
        if target.len() > TARGET_BYTES {
            return Err(Refused::TargetTooLong);
        }
        if !is_target(target) {
            return Err(Refused::Target);
        }
        if target.first() != Some(&b'/') {
            return Err(Refused::TargetForm);
        }
        self.is_get = method == b"GET";
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Refused> {
        let end = line.iter().position(|&byte| !is_token(byte));
        let (name, value) = match end.and_then(|end| line.split_at_checked(end)) {
            Some((name, [b':', value @ ..])) if !name.is_empty() => (name, value),
            Some(([], [b' ' | b'\t', ..])) => return Err(Refused::Folded),
            _ => return Err(Refused::FieldName),
        };
        // The names that matter, told apart by their lengths first.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                self.hosts = self.hosts.saturating_add(1);
            }
            7 if name.eq_ignore_ascii_case(b"upgrade") => self.upgrade(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.length(value)?,
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.chunked || !trimmed(value).eq_ignore_ascii_case(b"chunked") {
                    return Err(Refused::Coding);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn length(&mut self, value: &[u8]) -> Result<(), Refused> {
        match self.length.replace(length(trimmed(value))?) {
            Some(_) => Err(Refused::TwoLengths),
            None => Ok(()),
        }
    }

    /// `h2c` in any company is what it is; WebSocket must stand alone.
    fn upgrade(&mut self, value: &[u8]) {
        let mut wanted = value.split(|&byte| byte == b',').map(trimmed);
        let h2c = |protocol: &[u8]| protocol.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"h2c"));
        self.upgrade = Some(if self.upgrade == Some(Upgrade::Http2) || wanted.clone().any(h2c) {
            Upgrade::Http2
        } else if self.upgrade.is_none()
            && wanted.next().is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
            && wanted.next().is_none()
        {
            Upgrade::WebSocket
        } else {
            Upgrade::Other
        });
    }

    fn next(&self) -> Result<Next, Refused> {
        if self.hosts != 1 {
            return Err(Refused::Host);
        }
        if self.upgrade == Some(Upgrade::Http2) {
            return Err(Refused::HttpUpgrade);
        }
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(Refused::LengthAndCoding),
            (true, None) if self.old => Err(Refused::OldCoding),
            (true, None) => Ok(Next::Chunks),
            (false, None | Some(0)) if self.upgrade == Some(Upgrade::WebSocket) && self.is_get && !self.old => {
                Ok(Next::Handshake)
            }
            (false, length) => Ok(Next::Length(length.unwrap_or(0))),
        }
    }
}

/// Without the spaces and tabs around it (RFC 9110 section 5.5).
fn trimmed(value: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

/// Digits alone.
fn length(value: &[u8]) -> Result<u64, Refused> {
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refused::Length);
    }
    Ok(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests;
