//! A loopback listener that exists before anything is configured: addresses name each other (the
//! gateway needs the issuer, the provider needs the gateway's callback), so ports come first.

use std::{future::Future, io, net::Ipv4Addr};

use axum::{Router, serve::ListenerExt as _};
use tokio::net::TcpListener;
use url::Url;

/// A listener on loopback, and the origin under which browsers and the gateway reach it.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    origin: Url,
    port: u16,
}

/// Binds `127.0.0.1:port` (0: any free port) for the host name `host`, such as `idp.localhost`.
///
/// # Errors
/// When the port is taken, or when `host` does not make a URL.
pub async fn bind(host: &str, port: u16) -> io::Result<Bound> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = listener.local_addr()?.port();
    let origin = Url::parse(&format!("http://{host}:{port}"))
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    Ok(Bound { listener, origin, port })
}

impl Bound {
    /// `http://HOST:PORT/`.
    #[must_use]
    pub fn origin(&self) -> &Url {
        &self.origin
    }

    /// The port in use.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves `app` until `shutdown` ends; requests under way are then finished.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve(self, app: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY not set; small answers may wait");
            }
        });
        axum::serve(listener, app).with_graceful_shutdown(shutdown).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_port_is_known_before_anything_is_served() {
        let bound = bind("idp.localhost", 0).await.unwrap();
        assert_ne!(bound.port(), 0);
        assert_eq!(bound.origin().as_str(), format!("http://idp.localhost:{}/", bound.port()));
    }
}
