//! Header hygiene: what goes on to the upstream, and what comes back to the browser. One pass each way; the request's
//! head is written straight into the upstream connection's buffer, the answer's is filtered while it is read.

use std::net::IpAddr;

use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

pub use self::answers::{comes_back, finish};
use self::callers::is_forwarded;

mod answers;
mod callers;

const TRACEPARENT: &str = "traceparent";

/// What is added to a request on its way.
#[derive(Debug)]
pub struct Forward<'a> {
    /// `Host` of the upstream.
    pub host: &'a [u8],
    /// `Bearer …`, where a token is attached.
    pub authorization: Option<&'a HeaderValue>,
    /// The caller's address.
    pub peer: IpAddr,
    /// The site's authority and scheme, from configuration.
    pub site: (&'a HeaderValue, &'a HeaderValue),
    /// The request's id.
    pub request_id: &'a [u8; 32],
    /// The body's length; `None` for a chunked one, `Some(0)` without a body.
    pub body_len: Option<u64>,
    /// Whether it is a WebSocket handshake.
    pub websocket: bool,
}

/// Writes a request's head (RFC 9112 section 3): the caller's headers, less what could be forged or is not for the
/// upstream, then what the gateway vouches for. Added last and unconditionally, so that no `Connection` header of the
/// caller can strip it (P3).
pub fn write_head(out: &mut Vec<u8>, parts: &Parts, forward: &Forward<'_>) {
    out.extend_from_slice(parts.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(parts.uri.path_and_query().map_or("/", |target| target.as_str()).as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    out.extend_from_slice(forward.host);
    out.extend_from_slice(b"\r\n");
    let named = Named::of(&parts.headers);
    for (name, value) in &parts.headers {
        if is_forwarded(name.as_str()) && !named.contains(name) {
            line(out, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    trace_line(out, &parts.headers);
    match forward.body_len {
        Some(0) if matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) => {
            line(out, b"content-length", b"0");
        }
        Some(0) => {}
        Some(length) => number_line(out, b"content-length", length),
        None => line(out, b"transfer-encoding", b"chunked"),
    }
    if forward.websocket {
        line(out, b"connection", b"upgrade");
        line(out, b"upgrade", b"websocket");
    }
    if let Some(authorization) = forward.authorization {
        line(out, b"authorization", authorization.as_bytes());
    }
    out.extend_from_slice(b"x-forwarded-for: ");
    write_address(out, forward.peer);
    out.extend_from_slice(b"\r\n");
    line(out, b"x-forwarded-host", forward.site.0.as_bytes());
    line(out, b"x-forwarded-proto", forward.site.1.as_bytes());
    line(out, b"x-request-id", forward.request_id);
    out.extend_from_slice(b"\r\n");
}

/// Goes on only where there is one and it is well formed: upstreams copy it into their logs.
fn trace_line(out: &mut Vec<u8>, headers: &HeaderMap) {
    let mut said = headers.get_all(TRACEPARENT).iter();
    if let (Some(value), None) = (said.next(), said.next())
        && is_trace(value.as_bytes())
    {
        line(out, TRACEPARENT.as_bytes(), value.as_bytes());
    }
}

/// W3C Trace Context section 3.2.2: version 00, a trace id and a parent id that are not all zero, flags.
fn is_trace(value: &[u8]) -> bool {
    let mut fields = value.split(|&byte| byte == b'-');
    let mut field = |len: usize| {
        let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        fields.next().filter(|field| field.len() == len && field.iter().all(is_hex))
    };
    let not_zero = |field: Option<&[u8]>| field.is_some_and(|field| field.iter().any(|&byte| byte != b'0'));
    field(2) == Some(b"00")
        && not_zero(field(32))
        && not_zero(field(16))
        && field(2).is_some()
        && fields.next().is_none()
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn number_line(out: &mut Vec<u8>, name: &[u8], value: u64) {
    use std::io::Write as _;
    out.extend_from_slice(name);
    if write!(out, ": {value}\r\n").is_err() {
        tracing::error!("memory does not take a number");
    }
}

fn write_address(out: &mut Vec<u8>, address: IpAddr) {
    use std::io::Write as _;
    if write!(out, "{address}").is_err() {
        tracing::error!("memory does not take an address");
    }
}

/// Names that a `Connection` header lists: they are for this hop alone (RFC 9110 section 7.6.1).
struct Named<'a>(Option<&'a HeaderMap>);

impl<'a> Named<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let ordinary = |value: &HeaderValue| {
            value.as_bytes().eq_ignore_ascii_case(b"keep-alive") || value.as_bytes().eq_ignore_ascii_case(b"close")
        };
        let lists_names = headers.get_all(header::CONNECTION).iter().any(|value| !ordinary(value));
        Self(lists_names.then_some(headers))
    }

    fn contains(&self, name: &HeaderName) -> bool {
        let Some(headers) = self.0 else { return false };
        let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case(name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head_of(list: &[(&str, &str)]) -> String {
        let mut request = http::Request::get("/api/x?y=1");
        for (name, value) in list {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let token = HeaderValue::from_static("Bearer good");
        let (authority, scheme) = (HeaderValue::from_static("app.example"), HeaderValue::from_static("https"));
        let forward = Forward {
            host: b"api:4000",
            authorization: Some(&token),
            peer: IpAddr::from([192, 0, 2, 7]),
            site: (&authority, &scheme),
            request_id: &[b'0'; 32],
            websocket: false,
            body_len: Some(0),
        };
        let mut out = Vec::new();
        write_head(&mut out, &parts, &forward);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn p01_p02_p06_forgeable_headers_never_reach_the_upstream() {
        let forged = [
            "authorization",
            "cookie",
            "proxy-authorization",
            "x-forwarded-user",
            "x-forwarded-for",
            "x_forwarded_user",
            "forwarded",
            "x-real-ip",
            "x-auth-request-email",
            "x-auth-request-user",
            "remote-user",
            "remote_user",
            "x-remote-user",
            "x-user-id",
            "x-webauth-user",
            "x-client-cert",
            "ssl-client-verify",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "x-http-method",
            "x-method-override",
            "x-csrf",
            "te",
            "trailer",
            "upgrade",
            "keep-alive",
            "proxy-connection",
            "expect",
            "x-request-id",
            "x-id-token",
            "x-goog-authenticated-user-email",
            "true-client-ip",
            "cf-connecting-ip",
            "content_length",
        ];
        for name in forged {
            let head = head_of(&[(name, "forged-value"), ("accept", "text/plain")]);
            assert!(!head.contains("forged-value"), "{name}: {head}");
            assert!(head.contains("accept: text/plain\r\n"), "{head}");
            assert!(head.contains("\r\nauthorization: Bearer good\r\n"), "{head}");
        }
    }

    #[test]
    fn p03_connection_cannot_strip_what_the_gateway_adds() {
        let head = head_of(&[
            ("connection", "authorization, x-forwarded-for, x-custom, close"),
            ("x-custom", "mine"),
            ("accept", "a/b"),
        ]);
        assert!(!head.contains("x-custom") && !head.contains("connection"), "{head}");
        for added in [
            "authorization: Bearer good",
            "x-forwarded-for: 192.0.2.7",
            "x-forwarded-host: app.example",
            "x-forwarded-proto: https",
        ] {
            assert_eq!(head.matches(added).count(), 1, "{added}: {head}");
        }
    }

    #[test]
    fn p01_trace_goes_on_only_when_it_is_one() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(head_of(&[("traceparent", good)]).contains(&format!("\r\ntraceparent: {good}\r\n")));
        let bad = [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "",
        ];
        for value in bad {
            assert!(!head_of(&[("traceparent", value)]).contains("traceparent"), "{value}");
        }
        assert!(!head_of(&[("traceparent", good), ("traceparent", good)]).contains("traceparent"), "two are none");
    }
}
