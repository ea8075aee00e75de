//! Connections to upstreams: TCP or TLS.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read as _};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Upstream;
use super::deadline::{Ticks, within};

/// What an address is given before the next one is tried beside it.
const HEAD_START: Duration = Duration::from_millis(200);

/// A connection's bytes.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Whether a name is `localhost` or under it: always loopback (RFC 6761 section 6.3).
#[must_use]
pub fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.len() > 10 && name.get(name.len() - 10..).is_some_and(|end| end.eq_ignore_ascii_case(".localhost"))
}

/// Connects, with the TLS handshake where the upstream wants one.
pub(crate) async fn connect(upstream: &Upstream, ticks: &Rc<Ticks>) -> io::Result<Stream> {
    let addresses = addresses(&upstream.host, upstream.port).await?;
    let tcp = first(&addresses, ticks).await?;
    tcp.set_nodelay(true)?;
    match &upstream.tls {
        None => Ok(Stream::Plain(tcp)),
        Some((config, name)) => {
            let connector = TlsConnector::from(std::sync::Arc::clone(config));
            Ok(Stream::Tls(Box::new(connector.connect(name.clone(), tcp).await?)))
        }
    }
}

/// A name's addresses, the families taking turns, so that a dead one costs one head start and no more.
async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if is_localhost(host) {
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    let preferred = found.first().map(SocketAddr::is_ipv4);
    let (mut one, mut other): (VecDeque<_>, VecDeque<_>) =
        found.into_iter().partition(|address| Some(address.is_ipv4()) == preferred);
    let mut turns = Vec::new();
    while !(one.is_empty() && other.is_empty()) {
        turns.extend(one.pop_front().into_iter().chain(other.pop_front()));
    }
    Ok(turns)
}

/// The first connection that succeeds. Each address gets a head start before the next one; one that fails gives way at
/// once (RFC 8305 section 5).
async fn first(addresses: &[SocketAddr], ticks: &Rc<Ticks>) -> io::Result<TcpStream> {
    let mut attempts = FuturesUnordered::new();
    let mut rest = addresses.iter();
    let mut error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        let next = rest.next();
        if let Some(address) = next {
            attempts.push(TcpStream::connect(*address));
        }
        if attempts.is_empty() {
            return Err(error);
        }
        while let Some(outcome) = within(ticks, HEAD_START, attempts.next()).await {
            match outcome {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(failed)) => error = failed,
                None => break,
            }
            if rest.len() > 0 {
                break;
            }
        }
    }
}

impl Stream {
    /// Nothing to read, not even an end, as far as the runtime knows: mostly told without a system call.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let would_block =
            |outcome: io::Result<usize>| matches!(outcome, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        match self {
            Self::Plain(tcp) => would_block(tcp.try_read(&mut [0])),
            Self::Tls(tls) => {
                let (tcp, session) = tls.get_mut();
                would_block(session.reader().read(&mut [0])) && would_block(tcp.try_read(&mut [0]))
            }
        }
    }

    /// The same, asked of the kernel.
    pub(crate) fn is_still_quiet(&self) -> bool {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        };
        let outcome = SockRef::from(tcp).peek(&mut [MaybeUninit::uninit()]);
        matches!(outcome, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn port_that_listens(host: &str) -> Option<u16> {
        let listener = tokio::net::TcpListener::bind((host, 0)).await.ok()?;
        let port = listener.local_addr().ok()?.port();
        drop(tokio::runtime::Handle::current().spawn(async move { while listener.accept().await.is_ok() {} }));
        Some(port)
    }

    #[tokio::test]
    async fn a_service_that_listens_on_one_family_alone_is_found() {
        let ticks = Rc::new(Ticks::default());
        for host in ["127.0.0.1", "::1"] {
            // A machine may have no IPv6.
            let Some(port) = port_that_listens(host).await else { continue };
            let both = addresses("api.localhost", port).await.expect("loopback");
            assert_eq!(both.len(), 2);
            let stream = first(&both, &ticks).await.expect("connects");
            assert_eq!(stream.peer_addr().expect("an address").ip().to_string(), host);
        }
        let error = first(&[], &ticks).await.expect_err("there is no address");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn an_address_that_keeps_silent_does_not_hold_up_the_next() {
        let ticks = Rc::new(Ticks::default());
        let port = port_that_listens("127.0.0.1").await.expect("a port");
        // TEST-NET-1 (RFC 5737): nobody answers there.
        let addresses = [SocketAddr::from(([192, 0, 2, 1], 9)), SocketAddr::from(([127, 0, 0, 1], port))];
        let ticking = async {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                ticks.tick();
            }
        };
        let stream = tokio::select! {
            stream = first(&addresses, &ticks) => stream.expect("connects"),
            () = ticking => unreachable!("it ticks for ever"),
        };
        assert_eq!(stream.peer_addr().expect("an address").port(), port);
    }

    #[test]
    fn names_under_localhost_are_loopback() {
        for name in ["localhost", "LOCALHOST", "localhost.", "api.localhost", "a.b.LocalHost"] {
            assert!(is_localhost(name), "{name}");
        }
        for name in ["localhost.example", "notlocalhost", ".localhost", "", "127.0.0.1"] {
            assert!(!is_localhost(name), "{name}");
        }
    }
}
