//! Clients that speak TLS: certificates made for a test, HTTP/1.1 and HTTP/2 over them, and HTTP/2 frames by hand.

use bytes::Bytes;
use h2::client::SendRequest;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::wire::{Answer, Headers};

const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate signed by itself, with its key.
pub struct Pair {
    made: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Pair {
    /// A certificate for these names.
    pub fn of(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Self { made: rcgen::generate_simple_self_signed(names).unwrap() }
    }

    /// A server with this certificate.
    pub fn server(&self) -> Arc<rustls::ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let key = rustls::pki_types::PrivateKeyDer::try_from(self.made.signing_key.serialize_der()).unwrap();
        let chain = vec![self.made.cert.der().clone()];
        Arc::new(builder.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap())
    }

    /// A server with this certificate that talks to the holder of another one alone.
    pub fn server_for(&self, client: &Self) -> Arc<rustls::ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(client.made.cert.der().clone()).unwrap();
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let key = rustls::pki_types::PrivateKeyDer::try_from(self.made.signing_key.serialize_der()).unwrap();
        let chain = vec![self.made.cert.der().clone()];
        let builder = builder.unwrap().with_client_cert_verifier(verifier.build().unwrap());
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }

    /// The pin of its public key, as configurations write it.
    pub fn pin(&self) -> String {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        use rcgen::PublicKeyData as _;
        let spki = self.made.signing_key.subject_public_key_info();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &spki);
        format!("sha256/{}", BASE64_STANDARD.encode(hash))
    }

    /// Writes `NAME.pem` and `NAME.key`.
    pub fn write(&self, folder: &Path, name: &str) {
        fs::write(folder.join(format!("{name}.key")), self.made.signing_key.serialize_pem()).unwrap();
        fs::write(folder.join(format!("{name}.pem")), self.made.cert.pem()).unwrap();
    }
}

/// A client that trusts some certificates and speaks `protocol`.
#[derive(Clone)]
pub struct Client {
    config: Arc<ClientConfig>,
    port: u16,
}

impl Client {
    /// A client of a port of this machine.
    pub fn new(port: u16, trusted: &[&Pair], protocol: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for pair in trusted {
            roots.add(pair.made.cert.der().clone()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Self { config: Arc::new(config), port }
    }

    /// Shakes hands under a name; an IP address is a name that is not said.
    pub async fn connect(&self, name: &str) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connected = TlsConnector::from(Arc::clone(&self.config)).connect(name, tcp);
        tokio::time::timeout(PATIENCE, connected).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// HTTP/2 on a connection of its own.
    pub async fn http2(&self, name: &str) -> Http2 {
        let stream = self.connect(name).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        Http2 { sender }
    }
}

/// An HTTP/2 connection.
#[derive(Clone)]
pub struct Http2 {
    sender: SendRequest<Bytes>,
}

impl Http2 {
    /// Sends a request and reads the answer whole.
    pub async fn ask(&mut self, request: http::Request<()>, body: &[u8]) -> Result<Answer, h2::Error> {
        let exchange = async {
            let mut ready = self.sender.clone().ready().await?;
            let (answer, mut send) = ready.send_request(request, body.is_empty())?;
            if !body.is_empty() {
                send.send_data(Bytes::copy_from_slice(body), true)?;
            }
            let (parts, mut stream) = answer.await?.into_parts();
            let mut body = Vec::new();
            while let Some(piece) = stream.data().await {
                let piece = piece?;
                stream.flow_control().release_capacity(piece.len())?;
                body.extend_from_slice(&piece);
            }
            let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            Ok(Answer { status: parts.status.as_u16(), headers: Headers(headers), body })
        };
        tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time")
    }

    /// GET without a body.
    pub async fn get(&mut self, url: &str) -> Answer {
        self.ask(http::Request::get(url).body(()).unwrap(), b"").await.unwrap()
    }
}

/// One HTTP/2 frame (RFC 9113 section 4.1).
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A head as literals that are not indexed (RFC 7541 section 6.2.2), whatever they hold.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        let mut out = Vec::new();
        let mut rest = text.len();
        if rest >= 127 {
            out.push(127);
            rest -= 127;
            while rest >= 128 {
                out.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
        }
        out.push(u8::try_from(rest).unwrap());
        out.extend_from_slice(text.as_bytes());
        out
    };
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// HTTP/2 frames by hand.
pub struct Frames {
    stream: TlsStream<TcpStream>,
}

impl Frames {
    /// Sends the preface and empty SETTINGS.
    pub async fn open(client: &Client, name: &str) -> Self {
        let mut frames = Self { stream: client.connect(name).await.unwrap() };
        frames.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        frames.send(&frame(4, 0, 0, &[])).await.unwrap();
        frames
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let send = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        tokio::time::timeout(PATIENCE, send).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// The next frame: kind, stream, payload; `None` when the connection is closed.
    pub async fn next(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        let read = async {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let len = usize::try_from(u32::from_be_bytes([0, head[0], head[1], head[2]])).unwrap();
            let mut payload = vec![0; len];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
        };
        tokio::time::timeout(PATIENCE, read).await.expect("a frame, or the end, in time")
    }

    /// Sends the same bytes until the other end has enough. Gives up after `most`.
    pub async fn is_cut_off(mut self, bytes: impl Fn(u32) -> Vec<u8>, most: u32) -> bool {
        for round in 0..most {
            if self.send(&bytes(round)).await.is_err() {
                return true;
            }
        }
        let mut closed = false;
        let ping = self.send(&frame(6, 0, 0, b"the end?")).await;
        while ping.is_ok() && !closed {
            match self.next().await {
                Some((6, _, payload)) if payload == b"the end?" => return false,
                Some(_) => {}
                None => closed = true,
            }
        }
        true
    }
}

/// Sends bytes over TLS and reads to the end of the connection.
pub async fn whole(mut stream: TlsStream<TcpStream>, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut all = Vec::new();
    // Some ends come without a close_notify, some as a reset: what came before counts.
    drop(tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await);
    String::from_utf8_lossy(&all).into_owned()
}
