//! Chunked bodies (RFC 9112 section 7.1), read strictly: digits and CRLF, no extension, trailers dropped.

use bytes::{Bytes, BytesMut};

/// Trailers longer than this, or chunk-size lines longer than 18 bytes, are refused.
const TRAILER_BYTES: usize = 8 * 1024;

/// Where a chunked body stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Chunked {
    /// Before a chunk's size.
    #[default]
    Size,
    /// Inside a chunk, so many bytes before its end.
    Data(u64),
    /// Behind a chunk's data, before its CRLF.
    DataEnd,
    /// In the trailer section, of which so many bytes were dropped.
    Trailer(usize),
    /// Over.
    End,
}

/// One step of reading.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A piece of data.
    Data(Bytes),
    /// More bytes are needed.
    More,
    /// The body is whole.
    End,
}

/// The body is not chunked as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Chunked {
    /// Takes the next piece out of `input`.
    pub(crate) fn step(&mut self, input: &mut BytesMut) -> Result<Step, Malformed> {
        loop {
            match *self {
                Self::Size => match take_line(input, 18)? {
                    None => return Ok(Step::More),
                    Some(line) => *self = size(&line).map(|n| if n == 0 { Self::Trailer(0) } else { Self::Data(n) })?,
                },
                Self::Data(left) => {
                    if input.is_empty() {
                        return Ok(Step::More);
                    }
                    let n = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let left = left - n as u64;
                    *self = if left == 0 { Self::DataEnd } else { Self::Data(left) };
                    return Ok(Step::Data(input.split_to(n).freeze()));
                }
                Self::DataEnd => match take_line(input, 2)? {
                    None => return Ok(Step::More),
                    Some(line) if line.is_empty() => *self = Self::Size,
                    Some(_) => return Err(Malformed),
                },
                Self::Trailer(dropped) => match take_line(input, TRAILER_BYTES - dropped)? {
                    None => return Ok(Step::More),
                    Some(line) if line.is_empty() => *self = Self::End,
                    Some(line) => *self = Self::Trailer(dropped + line.len() + 2),
                },
                Self::End => return Ok(Step::End),
            }
        }
    }
}

/// A line without its CRLF; `None` when it is not whole yet. A bare LF, or more than `limit` bytes, is malformed.
fn take_line(input: &mut BytesMut, limit: usize) -> Result<Option<Bytes>, Malformed> {
    match memchr::memchr(b'\n', input) {
        None if input.len() >= limit => Err(Malformed),
        None => Ok(None),
        Some(at) if at >= limit => Err(Malformed),
        Some(at) => {
            let mut line = input.split_to(at + 1);
            if at == 0 || line.get(at - 1) != Some(&b'\r') {
                return Err(Malformed);
            }
            line.truncate(at - 1);
            Ok(Some(line.freeze()))
        }
    }
}

fn size(line: &[u8]) -> Result<u64, Malformed> {
    if line.is_empty() || line.len() > 16 || !line.iter().all(u8::is_ascii_hexdigit) {
        return Err(Malformed);
    }
    let text = str::from_utf8(line).map_err(|_| Malformed)?;
    u64::from_str_radix(text, 16).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
        out.extend_from_slice(format!("{:X}\r\n", data.len()).as_bytes());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }

    fn read(pieces: &[&[u8]]) -> Result<Option<Vec<u8>>, Malformed> {
        let (mut state, mut input, mut out) = (Chunked::default(), BytesMut::new(), Vec::new());
        for piece in pieces {
            input.extend_from_slice(piece);
            loop {
                match state.step(&mut input)? {
                    Step::Data(data) => out.extend_from_slice(&data),
                    Step::More => break,
                    Step::End => return Ok(Some(out)),
                }
            }
        }
        Ok(None)
    }

    #[test]
    fn p08_chunks_are_read_strictly() {
        assert_eq!(read(&[b"3\r\nabc\r\n0\r\n\r\n"]), Ok(Some(b"abc".to_vec())));
        assert_eq!(
            read(&[b"A\r\n0123456789\r\n1\r\nx\r\n0\r\nX-Trailer: 1\r\n\r\n"]),
            Ok(Some(b"0123456789x".to_vec()))
        );
        assert_eq!(read(&[b"3\r\nab"]), Ok(None));
        for bad in [
            &b"3\nabc\r\n0\r\n\r\n"[..],
            b"3;x=y\r\nabc\r\n0\r\n\r\n",
            b" 3\r\nabc\r\n0\r\n\r\n",
            b"+3\r\nabc\r\n0\r\n\r\n",
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"3\r\nabc0\r\n\r\n",
            b"3\r\nabc\n0\r\n\r\n",
            b"3\r\nabc\r\n0\n\r\n",
            b"3\r\nabc\r\n0\r\nX: 1\n\r\n",
            b"3 \r\nabc\r\n0\r\n\r\n",
            b"-3\r\nabc\r\n0\r\n\r\n",
            b"3_0\r\nabc\r\n0\r\n\r\n",
            b"\r\n",
            b"11111111111111111\r\n",
            b"g\r\n",
        ] {
            assert_eq!(read(&[bad]), Err(Malformed), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn p08_trailers_are_bounded() {
        let trailers = |n: usize| format!("0\r\n{}\r\n", "X-Trailer: 1\r\n".repeat(n));
        assert_eq!(read(&[trailers(100).as_bytes()]), Ok(Some(Vec::new())));
        assert_eq!(read(&[trailers(1000).as_bytes()]), Err(Malformed));
        assert_eq!(read(&[b"0\r\n", &[b'x'; TRAILER_BYTES]]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn f08_what_was_written_reads_back_however_it_is_cut(data in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8), cut in 0_usize..400) {
            let mut wire = Vec::new();
            for piece in &data {
                write_chunk(&mut wire, piece);
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let cut = cut.min(wire.len());
            prop_assert_eq!(read(&[&wire[..cut], &wire[cut..]]), Ok(Some(data.concat())));
        }

        #[test]
        fn f08_any_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(read(&[&bytes]));
        }
    }
}
