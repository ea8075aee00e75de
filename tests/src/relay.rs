//! What may stand between the gateway and a provider: TLS in front of a plain port, and an egress proxy.

use crate::secure::Pair;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Ends TLS with this certificate in front of a plain port of this machine; gives its own port.
pub async fn over_tls(pair: &Pair, to: u16) -> u16 {
    with_tls(pair.server(), to).await
}

/// The same as a server is configured.
pub async fn with_tls(server: Arc<rustls::ServerConfig>, to: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let acceptor = TlsAcceptor::from(server);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut outside = acceptor.accept(socket).await?;
                let mut inside = TcpStream::connect(("127.0.0.1", to)).await?;
                copy_bidirectional(&mut outside, &mut inside).await
            });
        }
    });
    port
}

/// A proxy that tunnels (RFC 9110 section 9.3.6) to ports of this machine, and remembers where it was asked to.
#[derive(Clone)]
pub struct ForwardProxy {
    /// Its port.
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ForwardProxy {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let proxy = Self { port, asked: Arc::default() };
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = accepting.clone();
                tokio::spawn(async move { serving.tunnel(socket).await });
            }
        });
        proxy
    }

    /// Where it was asked to lead.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    async fn tunnel(&self, mut socket: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        self.asked.lock().unwrap().push(target.to_owned());
        let Some(port) = target.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()) else {
            return socket.write_all(b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n").await;
        };
        let mut inside = TcpStream::connect(("127.0.0.1", port)).await?;
        socket.write_all(b"HTTP/1.1 200 X\r\n\r\n").await?;
        copy_bidirectional(&mut socket, &mut inside).await.map(drop)
    }
}
