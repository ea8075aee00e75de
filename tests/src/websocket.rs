//! WebSocket by hand (RFC 6455): frames as they are, and a peer that echoes.

use crate::wire::{Conn, Request};
use std::io;

/// The key of RFC 6455 section 1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// What a server answers to [`KEY`].
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// The opcode of text.
pub const TEXT: u8 = 1;
/// The opcode of a close frame.
pub const CLOSE: u8 = 8;

/// What a server that understands says to [`KEY`].
pub fn accepted() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
    )
}

/// A handshake as a browser makes it.
pub fn handshake(request: Request) -> Request {
    request
        .header("Connection", "keep-alive, Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", KEY)
        .header("Sec-WebSocket-Protocol", "chat")
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub opcode: u8,
    /// Without its mask.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Code and reason of a close frame.
    pub fn closing(&self) -> (u16, String) {
        assert_eq!(self.opcode, CLOSE, "{self:?}");
        (
            u16::from_be_bytes([self.payload[0], self.payload[1]]),
            String::from_utf8_lossy(&self.payload[2..]).into_owned(),
        )
    }
}

/// The bytes of a frame, masked as clients must.
pub fn bytes(opcode: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..=125 => frame.push(mask | u8::try_from(len).unwrap()),
        len @ 126..=0xffff => {
            frame.push(mask | 0x7e);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(mask | 0x7f);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    if masked {
        frame.extend([0; 4]);
    }
    frame.extend(payload);
    frame
}

/// Reads a frame.
pub async fn read(conn: &mut Conn) -> io::Result<Frame> {
    let start = conn.bytes(2).await?;
    let long = match start[1] & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let number = |bytes: Vec<u8>| bytes.into_iter().fold(0_usize, |n, byte| n << 8 | usize::from(byte));
    let len = if long == 0 { usize::from(start[1] & 0x7f) } else { number(conn.bytes(long).await?) };
    let mask = conn.bytes(if start[1] & 0x80 == 0 { 0 } else { 4 }).await?;
    let mut payload = conn.bytes(len).await?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok(Frame { opcode: start[0] & 0x0f, payload })
}

/// Echoes until the other side closes.
pub async fn echo(conn: &mut Conn) -> io::Result<()> {
    loop {
        let Frame { opcode, payload } = read(conn).await?;
        let pushed = String::from_utf8_lossy(&payload).strip_prefix("push ").and_then(|len| len.parse().ok());
        let payload = pushed.map_or(payload, |len| vec![b'x'; len]);
        conn.write(bytes(opcode, &payload, false)).await?;
        if opcode == CLOSE {
            return Ok(());
        }
    }
}
