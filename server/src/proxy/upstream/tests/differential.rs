//! Good answers read the same by this client and by hyper's.

use std::net::Ipv4Addr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use super::rig::{Rig, on_a_worker};
use crate::proxy::hygiene::comes_back;

/// An answer's parts: interim answers, status, headers, the body's pieces, how it is framed, where the wire is cut.
#[derive(Clone, Debug)]
struct Good {
    head_only: bool,
    interim: usize,
    status: u16,
    headers: Vec<(String, String)>,
    pieces: Vec<Vec<u8>>,
    framing: u8,
    cuts: Vec<usize>,
}

fn good() -> impl Strategy<Value = Good> {
    let header = ("(x-[a-z]{1,9}|etag|server|content-type|cache-control|vary|link)", "[!-~]{0,12}( [!-~]{1,12})?");
    let pieces = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..3000), 0..6);
    let status = prop::sample::select(vec![200_u16, 201, 204, 206, 301, 304, 404, 429, 500, 599]);
    let headers = prop::collection::vec(header, 0..8);
    let cuts = prop::collection::vec(1_usize..4000, 0..5);
    (any::<bool>(), 0_usize..3, status, headers, pieces, 0_u8..3, cuts).prop_map(
        |(head_only, interim, status, headers, pieces, framing, cuts)| Good {
            head_only,
            interim,
            status,
            headers,
            pieces,
            framing,
            cuts,
        },
    )
}

impl Good {
    fn wire(&self) -> Vec<u8> {
        let mut wire = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(self.interim).into_bytes();
        wire.extend(format!("HTTP/1.1 {} Some reason\r\n", self.status).bytes());
        for (name, value) in &self.headers {
            wire.extend(format!("{name}: {value}\r\n").bytes());
        }
        let bodyless = self.head_only || matches!(self.status, 204 | 304);
        let length = self.pieces.concat().len();
        match self.framing {
            _ if self.status == 204 => wire.extend(b"\r\n"),
            0 => wire.extend(format!("Content-Length: {length}\r\n\r\n").bytes()),
            1 => wire.extend(b"Transfer-Encoding: chunked\r\n\r\n"),
            _ => wire.extend(b"\r\n"),
        }
        if bodyless {
            return wire;
        }
        for piece in &self.pieces {
            if self.framing == 1 {
                wire.extend(format!("{:X}\r\n", piece.len()).bytes());
            }
            wire.extend(piece);
            if self.framing == 1 {
                wire.extend(b"\r\n");
            }
        }
        if self.framing == 1 {
            wire.extend(b"0\r\nX-Trailer: 1\r\n\r\n");
        }
        wire
    }

    /// Serves itself to two connections, in the same pieces.
    async fn serve(self) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        spawn_local(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("a socket");
                stream.readable().await.expect("a request");
                drop(stream.try_read(&mut [0; 4096]));
                let wire = self.wire();
                let mut rest = &wire[..];
                for cut in &self.cuts {
                    let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                    drop(stream.write_all(piece).await);
                    tokio::task::yield_now().await;
                    rest = behind;
                }
                drop(stream.write_all(rest).await);
                drop(stream.shutdown().await);
            }
        });
        port
    }
}

async fn by_hyper(port: u16, method: Method) -> (StatusCode, HeaderMap, Vec<u8>) {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("connects");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a client");
    spawn_local(connection);
    let request = Request::builder().method(method).uri("/").header("host", "x").body(Empty::<Bytes>::new());
    let (parts, body) = sender.send_request(request.expect("a request")).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
    let headers = parts.headers.iter().filter(|(name, _)| comes_back(name));
    (parts.status, headers.map(|(name, value)| (name.clone(), value.clone())).collect(), body)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn p08_f08_good_answers_read_as_hypers_client_reads_them(good in good()) {
        let method = if good.head_only { Method::HEAD } else { Method::GET };
        on_a_worker(async {
            let port = good.serve().await;
            let theirs = by_hyper(port, method.clone()).await;
            let (status, mut headers, body) = Rig::at(port).ask(&method).await.expect("an answer");
            headers.remove(http::header::CONTENT_LENGTH);
            assert_eq!((status, headers, body.expect("a whole body")), theirs);
        });
    }
}
