//! The PROXY protocol, versions 1 and 2 (`HAProxy`'s specification of 2020): a load balancer that does not read what it
//! hands on says in the connection's first bytes, before TLS, where it came from. It is read from trusted proxies
//! alone, and those must send it; whoever else sends one is answered as what it is, no HTTP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::forwarded::TrustedProxies;
use crate::proxy::upstream::deadline::{Ticks, within};

/// How long the header may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Version 2's first bytes.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Shorter than any header of either version.
const START: usize = 15;
/// The longest header of version 1, its line's end included.
const LINE_BYTES: usize = 107;
/// What version 2 may say beside the addresses.
const MORE_BYTES: usize = 4 * 1024;

/// The address that a connection came from: its own, or what a trusted proxy says.
///
/// # Errors
/// When a trusted proxy sends no proper header in time: the connection is to be closed.
pub(super) async fn caller(
    proxies: &TrustedProxies,
    ticks: &Rc<Ticks>,
    stream: &mut TcpStream,
    peer: IpAddr,
) -> io::Result<IpAddr> {
    let peer = peer.to_canonical();
    if !proxies.proxy_protocol || !proxies.trusts(peer) {
        return Ok(peer);
    }
    let said = within(ticks, PATIENCE, read(stream)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))?;
    Ok(said.unwrap_or(peer).to_canonical())
}

/// Takes exactly the header off the stream. `None`: the proxy speaks for itself, or does not know.
async fn read(stream: &mut TcpStream) -> io::Result<Option<IpAddr>> {
    let mut start = [0; START];
    stream.read_exact(&mut start).await?;
    if start.starts_with(SIGNATURE) {
        let mut length = [0; 1];
        stream.read_exact(&mut length).await?;
        let [.., command, family, high] = start;
        let mut rest = vec![0; usize::from(u16::from_be_bytes([high, length[0]]))];
        if rest.len() > MORE_BYTES {
            return Err(odd());
        }
        stream.read_exact(&mut rest).await?;
        return binary(command, family, &rest).ok_or_else(odd);
    }
    let mut text = start.to_vec();
    while !text.ends_with(b"\n") {
        // Looked at first, so that no byte behind the line's end is taken.
        let mut ahead = [0; LINE_BYTES];
        let space = ahead.get_mut(..LINE_BYTES.saturating_sub(text.len())).unwrap_or_default();
        let seen = if text.starts_with(b"PROXY ") { stream.peek(space).await? } else { 0 };
        let seen = space.get_mut(..seen).unwrap_or_default();
        let end = memchr::memchr(b'\n', seen).map_or(seen.len(), |at| at + 1);
        let taken = seen.get_mut(..end).filter(|taken| !taken.is_empty()).ok_or_else(odd)?;
        stream.read_exact(taken).await?;
        text.extend_from_slice(taken);
    }
    line(&text).ok_or_else(odd)
}

fn odd() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a trusted proxy sent no PROXY protocol header")
}

/// Section 2.1: `PROXY TCP4 192.0.2.1 192.0.2.2 4711 443`, or `PROXY UNKNOWN` and anything.
#[expect(clippy::option_option, reason = "no header at all is another thing than a header without an address")]
fn line(text: &[u8]) -> Option<Option<IpAddr>> {
    let text = str::from_utf8(text).ok()?.strip_suffix("\r\n")?.strip_prefix("PROXY ")?;
    if text == "UNKNOWN" || text.starts_with("UNKNOWN ") {
        return Some(None);
    }
    let mut words = text.split(' ');
    let family = words.next()?;
    let (source, target): (IpAddr, IpAddr) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut is_port = || words.next().is_some_and(|word| !word.starts_with('+') && word.parse::<u16>().is_ok());
    let fits = match family {
        "TCP4" => source.is_ipv4() && target.is_ipv4(),
        "TCP6" => source.is_ipv6() && target.is_ipv6(),
        _ => false,
    };
    let fits = fits && is_port() && is_port();
    (fits && words.next().is_none()).then_some(Some(source))
}

/// Section 2.2: the version and command, the address family and transport, the addresses and what stands behind them.
#[expect(clippy::option_option, reason = "no header at all is another thing than a header without an address")]
fn binary(command: u8, family: u8, rest: &[u8]) -> Option<Option<IpAddr>> {
    match (command, family) {
        // LOCAL: a health check of the proxy's own. An unspecified family: the proxy does not know.
        (0x20, _) | (0x21, 0x00) => Some(None),
        (0x21, 0x11) => {
            let source: [u8; 4] = rest.get(..12)?.first_chunk().copied()?;
            Some(Some(Ipv4Addr::from(source).into()))
        }
        (0x21, 0x21) => {
            let source: [u8; 16] = rest.get(..36)?.first_chunk().copied()?;
            Some(Some(Ipv6Addr::from(source).into()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// What is said, and what is left behind the header.
    async fn said(bytes: &[u8]) -> (io::Result<Option<IpAddr>>, Vec<u8>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut client, (mut stream, _)) = (client.expect("connects"), accepted.expect("accepts"));
        let writing = async {
            // In pieces: a header may come in several packets.
            for piece in bytes.chunks(7) {
                client.write_all(piece).await.expect("written");
                tokio::task::yield_now().await;
            }
            client.shutdown().await.expect("closed");
        };
        let (found, ()) = tokio::join!(read(&mut stream), writing);
        let mut left = Vec::new();
        if found.is_ok() {
            stream.read_to_end(&mut left).await.expect("the rest");
        }
        (found, left)
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    #[tokio::test]
    async fn u25_headers_of_both_versions_are_read_to_their_last_byte_and_no_further() {
        let v4 = [&[203, 0, 113, 7][..], &[192, 0, 2, 2], &[0x12, 0x67, 0x01, 0xbb]].concat();
        let mut v6 = vec![0x20, 0x01, 0x0d, 0xb8, 0, 2];
        v6.resize(15, 0);
        v6.push(7);
        v6.resize(36, 0);
        let rows: Vec<(Vec<u8>, Option<&str>)> = vec![
            (b"PROXY TCP4 203.0.113.7 192.0.2.2 4711 443\r\n".to_vec(), Some("203.0.113.7")),
            (b"PROXY TCP6 2001:db8:2::7 ::1 4711 443\r\n".to_vec(), Some("2001:db8:2::7")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (version_2(0x21, 0x11, &v4), Some("203.0.113.7")),
            (version_2(0x21, 0x11, &[&v4[..], &[3, 0, 1, 0]].concat()), Some("203.0.113.7")),
            (version_2(0x21, 0x21, &v6), Some("2001:db8:2::7")),
            (version_2(0x20, 0x00, &[]), None),
            (version_2(0x21, 0x00, &[]), None),
        ];
        for (header, expected) in rows {
            let shown = String::from_utf8_lossy(&header).into_owned();
            let (found, left) = said(&[&header[..], b"GET / HTTP/1.1\r\n"].concat()).await;
            assert_eq!(found.expect(&shown).map(|ip| ip.to_string()).as_deref(), expected, "{shown}");
            assert_eq!(left, b"GET / HTTP/1.1\r\n", "{shown}");
        }
    }

    #[tokio::test]
    async fn u25_what_is_no_header_closes_the_connection() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        let rows: Vec<Vec<u8>> = vec![
            b"GET / HTTP/1.1\r\nHost: app\r\n\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 192.0.2.2 4711\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 192.0.2.2 4711 443 x\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 192.0.2.2 4711 +443\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 192.0.2.2 4711 65536\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::7 192.0.2.2 4711 443\r\n".to_vec(),
            b"PROXY TCP6 203.0.113.7 192.0.2.2 4711 443\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 192.0.2.2 4711 443\n".to_vec(),
            b"PROXY UDP4 203.0.113.7 192.0.2.2 4711 443\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 19".to_vec(),
            long.into_bytes(),
            version_2(0x21, 0x11, &[1, 2, 3]),
            version_2(0x31, 0x11, &[0; 12]),
            version_2(0x22, 0x11, &[0; 12]),
            version_2(0x21, 0x31, &[0; 216]),
            version_2(0x21, 0x11, &[0; 5000]),
            version_2(0x21, 0x11, &[0; 12]).split_off(1),
        ];
        for header in rows {
            let shown = String::from_utf8_lossy(&header).into_owned();
            assert!(said(&header).await.0.is_err(), "{shown}");
        }
    }
}
