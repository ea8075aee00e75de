//! WebSocket handshakes (RFC 6455 section 4): checked here, sent upstream like any other call, and answered 101 only
//! where the upstream's answer proves that it understood (S10).

mod frames;
mod tunnel;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderValue, Method, Response, Version, header};
use hyper::upgrade::OnUpgrade;

use super::upstream::body::Watch;
use super::upstream::exchange::{Handshake, handshake};
use super::upstream::head::Head;
use super::upstream::{Upstream, UpstreamError};
use crate::edge::body::Body;
use crate::edge::connection::Connection;
use crate::edge::problem::Refusal;

pub(crate) use tunnel::Tunnel;

/// RFC 6455 section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");

/// A well-formed handshake.
#[derive(Debug)]
pub(crate) struct Asked {
    on_upgrade: OnUpgrade,
    /// What the upstream must answer in `Sec-WebSocket-Accept`.
    accept: String,
}

/// The handshake that a request is; `None` if it is none.
///
/// # Errors
/// [`Refusal::BadRequest`] for one that is malformed.
pub(crate) fn asked(parts: &Parts) -> Result<Option<Asked>, Refusal> {
    const MALFORMED: Refusal = Refusal::BadRequest("the WebSocket handshake is not as RFC 6455 section 4.1 wants it");
    let headers = &parts.headers;
    let Some(upgrade) = headers.get(header::UPGRADE) else { return Ok(None) };
    if parts.method != Method::GET || !upgrade.as_bytes().eq_ignore_ascii_case(b"websocket") {
        return Ok(None);
    }
    let on_upgrade = parts.extensions.get::<OnUpgrade>().filter(|_| parts.version == Version::HTTP_11);
    let on_upgrade = on_upgrade.ok_or(MALFORMED)?.clone();
    let only = |name| {
        let mut values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
        values.next().filter(|_| values.next().is_none())
    };
    let connection =
        headers.get_all(header::CONNECTION).iter().flat_map(|value| value.as_bytes().split(|&b| b == b','));
    let is_upgrade = { connection }.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
    let key = only(header::SEC_WEBSOCKET_KEY).filter(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16));
    let has_body = only(header::CONTENT_LENGTH).is_some_and(|length| length.iter().any(|&digit| digit != b'0'));
    match key {
        Some(key) if is_upgrade && !has_body && only(header::SEC_WEBSOCKET_VERSION) == Some(b"13") => {
            Ok(Some(Asked { on_upgrade, accept: accept(key) }))
        }
        _ => Err(MALFORMED),
    }
}

/// RFC 6455 section 4.2.2: SHA-1 by its rules, not for secrecy.
fn accept(key: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[key, GUID].concat()))
}

/// Sends a handshake upstream and answers as it did. After a 101 the connection tunnels, as long as the session lives.
///
/// # Errors
/// [`Refusal::Upstream`]; what the gate says, where the client did not wait for the answer.
pub(crate) async fn switch(
    connection: &Connection,
    upstream: &Upstream,
    asked: Asked,
    watch: Option<Watch>,
    write_head: impl Fn(&mut Vec<u8>),
) -> Result<Response<Body>, Refusal> {
    let (head, outcome) = handshake(&connection.worker.pool, upstream, write_head).await?;
    let (stream, input) = match outcome {
        Handshake::Answered(body) => return Ok(head.response(body)),
        Handshake::Switched(stream, input) => (stream, input),
    };
    if let Some(refused) = connection.record.refused() {
        return Err(refused.into());
    }
    check(&head, &asked.accept)?;
    let tunnel = Tunnel { on_upgrade: asked.on_upgrade, upstream: stream, input, watch, idle: upstream.idle_timeout };
    connection.tunnel.replace(Some(tunnel));
    let mut response = head.response(Body::Empty);
    response.headers_mut().insert(header::CONNECTION, UPGRADE);
    response.headers_mut().insert(header::UPGRADE, WEBSOCKET);
    Ok(response)
}

/// RFC 6455 section 4.1: an answer that does not prove that the handshake was understood is none.
fn check(head: &Head, expected: &str) -> Result<(), UpstreamError> {
    let mut accepts = head.headers.get_all(header::SEC_WEBSOCKET_ACCEPT).iter();
    let is_proven = accepts.next().is_some_and(|accept| accept.as_bytes() == expected.as_bytes());
    if head.websocket && is_proven && accepts.next().is_none() {
        Ok(())
    } else {
        Err(UpstreamError::BadAnswer("it switched protocols without a WebSocket handshake"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s10_the_sample_of_the_rfc() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
