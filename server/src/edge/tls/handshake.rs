//! A handshake: bounded in time and in number, with the policy chosen by what the client says first.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Secured, Tls};

/// A fatal `unrecognized_name` alert (RFC 6066 section 3, RFC 8446 section 6), before any key is agreed.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The client did not finish in time.
    #[error("the TLS handshake took longer than {0:?}")]
    TooSlow(Duration),
    /// Too many others are under way.
    #[error("{0} TLS handshakes are under way")]
    TooMany(usize),
    /// No certificate is for the name that the client asked for.
    #[error("no certificate is for the name that the client asked for")]
    UnknownName,
    /// The client's mistake, or it went away.
    #[error("the TLS handshake failed: {0}")]
    Failed(#[from] io::Error),
}

/// One of those under way, until it is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Tls {
    /// Shakes hands.
    ///
    /// # Errors
    /// [`HandshakeError`]; the connection is of no use then.
    pub async fn accept<S>(&self, stream: S) -> Result<(TlsStream<S>, Secured), HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let most = self.settings.max_handshakes;
        let before = self.under_way.fetch_add(1, Relaxed);
        let _under_way = UnderWay(&self.under_way);
        if before >= most {
            return Err(HandshakeError::TooMany(before));
        }
        // Clients that never finish would hold every place for the whole time: the fuller it is, the less time there is.
        let limit = if before >= most.div_ceil(2) {
            self.settings.handshake_timeout / 4
        } else {
            self.settings.handshake_timeout
        };
        tokio::time::timeout(limit, self.shake(stream)).await.map_err(|_| HandshakeError::TooSlow(limit))?
    }

    async fn shake<S>(&self, stream: S) -> Result<(TlsStream<S>, Secured), HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let chosen = self.current().find(start.client_hello().server_name());
        let Some((config, secured)) = chosen else {
            start.io.write_all(&UNRECOGNIZED_NAME).await?;
            start.io.shutdown().await?;
            return Err(HandshakeError::UnknownName);
        };
        Ok((start.into_stream(config).await?, secured))
    }
}
