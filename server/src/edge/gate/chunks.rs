//! A chunked body (RFC 9112 section 7.1), followed byte by byte where it is framing and skipped where it is data.

use super::head::is_token;
use super::refused::Refused;

/// The longest trailer section.
const TRAILER_BYTES: u16 = 8 * 1024;

/// Where a chunked body stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In a chunk's size, behind so many digits.
    Size { size: u64, digits: u8 },
    /// Behind a size and its CR.
    SizeEnd(u64),
    /// In data, so many bytes before its end.
    Data(u64),
    /// Behind the data, before CR.
    DataEnd,
    /// Behind the data and CR.
    DataEndLine,
    /// In the trailer section, behind so many bytes of it.
    Trailer { place: Trailer, bytes: u16 },
    /// Over.
    End,
}

/// Where the trailer section stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trailer {
    /// At a line's start.
    Start,
    /// In a name.
    Name,
    /// In a value.
    Value,
    /// Behind a value's CR.
    ValueEnd,
    /// Behind the CR of the empty line.
    LastLine,
}

impl Chunks {
    pub(super) const START: Self = Self::Size { size: 0, digits: 0 };

    /// Follows `bytes` to their end or the body's, whichever comes first; says how many were the body's.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<usize, (usize, Refused)> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at)
            && *self != Self::End
        {
            if let Self::Data(left) = self {
                let n = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                *left -= n as u64;
                if *left == 0 {
                    *self = Self::DataEnd;
                }
                at += n;
                continue;
            }
            *self = self.step(byte).map_err(|refused| (at, refused))?;
            at += 1;
        }
        Ok(at)
    }

    fn step(self, byte: u8) -> Result<Self, Refused> {
        Ok(match (self, byte) {
            (Self::Size { size, digits: digits @ 0..16 }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                Self::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }
            }
            (Self::Size { size, digits: 1.. }, b'\r') => Self::SizeEnd(size),
            (Self::Size { digits: 1.., .. }, b';' | b' ' | b'\t') => return Err(Refused::ChunkExtension),
            (Self::SizeEnd(0), b'\n') => Self::Trailer { place: Trailer::Start, bytes: 0 },
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataEnd, b'\r') => Self::DataEndLine,
            (Self::DataEndLine, b'\n') => Self::START,
            (Self::Trailer { place: Trailer::LastLine, .. }, b'\n') => Self::End,
            (Self::Trailer { place, bytes: bytes @ 0..TRAILER_BYTES }, _) => {
                Self::Trailer { place: place.step(byte).ok_or(Refused::Trailer)?, bytes: bytes + 1 }
            }
            (Self::Trailer { .. }, _) => return Err(Refused::Trailer),
            _ => return Err(Refused::Chunk),
        })
    }
}

impl Trailer {
    fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Start, b'\r') => Some(Self::LastLine),
            (Self::Value, b'\r') => Some(Self::ValueEnd),
            (Self::Name, b':') | (Self::Value, b'\t' | 0x20..=0x7e | 0x80..) => Some(Self::Value),
            (Self::Start | Self::Name, _) => is_token(byte).then_some(Self::Name),
            (Self::ValueEnd, b'\n') => Some(Self::Start),
            (Self::Value | Self::ValueEnd | Self::LastLine, _) => None,
        }
    }
}
