//! Where WebSocket frames begin and end (RFC 6455 section 5.2): enough to put a frame of our own between two.

use bytes::BytesMut;

/// The longest frame header: two bytes, a length of eight, a masking key of four.
const HEADER_BYTES: usize = 14;

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Frames {
    header: [u8; HEADER_BYTES],
    /// So many bytes of the header came.
    have: usize,
    /// So many bytes of the payload are to come.
    left: u64,
}

impl Frames {
    /// Whether a frame just ended.
    pub(super) const fn is_between(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// Follows bytes to their end.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let n = self.follow_frame(bytes);
            bytes = bytes.get(n..).unwrap_or_default();
        }
    }

    /// Follows bytes to the end of the frame that they begin in, or to their own; says how many that were.
    pub(super) fn follow_frame(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.left > 0 {
                let n = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - at);
                self.left -= n as u64;
                at += n;
            } else {
                if let Some(slot) = self.header.get_mut(self.have) {
                    *slot = byte;
                }
                self.have += 1;
                at += 1;
                if self.have == self.header_len() {
                    self.left = self.payload_len();
                    self.have = 0;
                } else {
                    continue;
                }
            }
            if self.is_between() {
                break;
            }
        }
        at
    }

    fn header_len(&self) -> usize {
        let [_, second, ..] = self.header;
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        match (self.have, second & 0x7f) {
            (0 | 1, _) => HEADER_BYTES,
            (_, 126) => 4 + mask,
            (_, 127) => 10 + mask,
            _ => 2 + mask,
        }
    }

    fn payload_len(&self) -> u64 {
        let [_, second, long @ ..] = self.header;
        let number = |bytes: usize| long.iter().take(bytes).fold(0, |n: u64, &byte| n << 8 | u64::from(byte));
        match second & 0x7f {
            126 => number(2),
            127 => number(8),
            short => u64::from(short),
        }
    }
}

/// A Close frame of a server (RFC 6455 section 5.5.1). The reason has 123 bytes at most.
pub(super) fn close(code: u16, reason: &str) -> BytesMut {
    let reason = reason.as_bytes().get(..reason.len().min(123)).unwrap_or_default();
    let mut frame = BytesMut::with_capacity(4 + reason.len());
    frame.extend_from_slice(&[0x88, u8::try_from(2 + reason.len()).unwrap_or(2)]);
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(len: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match len {
            0..=125 => frame.push(mask | u8::try_from(len).expect("small")),
            126..=0xffff => {
                frame.push(mask | 0x7e);
                frame.extend_from_slice(&u16::try_from(len).expect("fits").to_be_bytes());
            }
            _ => {
                frame.push(mask | 0x7f);
                frame.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&[7; 4][..if masked { 4 } else { 0 }]);
        frame.resize(frame.len() + len, b'x');
        frame
    }

    #[test]
    fn p11_a_close_frame_is_one_frame() {
        let mut frames = Frames::default();
        let bytes = close(4401, &"x".repeat(200));
        assert_eq!((bytes.len(), frames.follow_frame(&bytes)), (127, 127));
        assert!(frames.is_between());
        assert_eq!(&close(4401, "over")[..], b"\x88\x06\x11\x31over");
    }

    proptest! {
        #[test]
        fn p11_f08_frames_end_where_they_end_however_they_are_cut(
            lens in prop::collection::vec(prop_oneof![0_usize..3, 120_usize..130, 65_530_usize..65_540], 1..4),
            masked in any::<bool>(),
            cut in 1_usize..70_000,
        ) {
            let all: Vec<_> = lens.iter().map(|&len| frame(len, masked)).collect();
            let text = all.concat();
            let mut frames = Frames::default();
            let (mut at, mut ends) = (0, Vec::new());
            while at < text.len() {
                let end = text.len().min((at / cut + 1) * cut);
                at += frames.follow_frame(&text[at..end]);
                if frames.is_between() {
                    ends.push(at);
                }
            }
            let expected: Vec<_> = all.iter().scan(0, |sum, frame| { *sum += frame.len(); Some(*sum) }).collect();
            prop_assert_eq!(ends, expected);
            let mut whole = Frames::default();
            whole.follow(&text);
            prop_assert!(whole.is_between());
        }

        #[test]
        fn f08_any_bytes_are_followed_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut frames = Frames::default();
            frames.follow(&bytes);
            prop_assert!(frames.have < HEADER_BYTES);
        }
    }
}
