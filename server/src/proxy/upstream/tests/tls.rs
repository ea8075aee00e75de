//! Upstreams behind TLS.

use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::spawn_local;
use tokio_rustls::TlsAcceptor;

use super::rig::{Rig, on_a_worker, talk};

/// A certificate for localhost and its key, for these tests alone; good from 2020 to 2120.
const CERTIFICATE: &str = "\
MIIBXjCCAQSgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx\
MDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBgBw8aKUhj7HO63Qvmm6z1F\
nld7rOKftygYsZmmmHjXDdbT3VCa9WkeqbJw/kzFPNfkeAQsniK/FDuoJzVngqKjRTBDMAwGA1UdEwEB/wQCMAAwFAYDVR0RBA0w\
C4IJbG9jYWxob3N0MB0GA1UdDgQWBBQuMSJc4e4USCztpMkls/pK6W3QuTAKBggqhkjOPQQDAgNIADBFAiApU237cuaZgIVrX//C\
CQCC7DvfHXn7DPTUlYRb7AymDwIhANePcERpOWP3om2fBTavRGjMmEdReWMKdw5Ysje681Cs";
const KEY: &str = "\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIlBcPzoMmRYXMz82xLBGNM5M50fKFyZhbT56flLVWt+hRANCAAQY\
AcPGilIY+xzut0L5pus9RZ5Xe6zin7coGLGZpph41w3W091QmvVpHqmycP5MxTzX5HgELJ4ivxQ7qCc1Z4Ki";

fn certificate() -> CertificateDer<'static> {
    BASE64_STANDARD.decode(CERTIFICATE).expect("base64").into()
}

/// Echoes each request's body of a length that it knows, with as many bytes of its own.
async fn serve(length: usize) -> u16 {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(BASE64_STANDARD.decode(KEY).expect("base64")));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            spawn_local(async move {
                let mut stream = acceptor.accept(stream).await?;
                let mut heard = Vec::new();
                while stream.read_buf(&mut heard).await? > 0 {
                    let Some(head) = heard.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
                    if heard.len() - head - 4 >= length {
                        stream
                            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes())
                            .await?;
                        stream.write_all(&heard[head + 4..]).await?;
                        stream.flush().await?;
                        heard.clear();
                    }
                }
                Ok::<_, io::Error>(())
            });
        }
    });
    port
}

fn client(port: u16, name: &str, trusted: bool) -> Rig {
    let mut roots = RootCertStore::empty();
    if trusted {
        roots.add(certificate()).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut rig = Rig::at(port);
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    Rc::get_mut(&mut rig.upstream).expect("nobody else has it").tls = Some((Arc::new(config), name));
    rig
}

#[test]
fn bodies_of_every_size_pass_tls_and_its_connections_are_used_again() {
    on_a_worker(async {
        for length in [0, 5, 20_000, 3_000_000] {
            let body = "x".repeat(length);
            let rig = client(serve(length).await, "localhost", true);
            let front = rig.front(u64::MAX).await;
            for _ in 0..3 {
                let heard = talk(
                    front,
                    &format!(
                        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
                    ),
                )
                .await;
                assert!(heard.starts_with("HTTP/1.1 200") && heard.ends_with(&body), "{length}: {heard:.200}");
                assert_eq!(rig.idle(), 1, "{length}");
            }
        }
    });
}

#[test]
fn s17_a_certificate_of_another_name_or_signer_is_no_connection() {
    on_a_worker(async {
        let port = serve(0).await;
        for (name, trusted) in [("localhost", false), ("api.example", true)] {
            assert_eq!(client(port, name, trusted).get().await, Err("upstream-unreachable"), "{name}");
        }
        assert_eq!(client(port, "localhost", true).get().await.as_deref(), Ok(""));
    });
}
