//! Makes of an HTTP/2 request what the rest of the house reads: a target in origin form, one `Host`, one `Cookie`.

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Uri, Version};

use crate::edge::gate::{HEAD_BYTES, Refused};
use crate::edge::problem::Refusal;

/// What a field costs beside its name and value (RFC 9113 section 6.5.2).
const FIELD_BYTES: usize = 32;

/// Brings an HTTP/2 request into the form of an HTTP/1.1 one. hyper has refused what is malformed: fields of the
/// connection, upper-case names, control characters in values, a body of another length than was said.
///
/// # Errors
/// [`Refusal::Framing`] and [`Refusal::BadRequest`].
pub(crate) fn as_http1(parts: &mut Parts) -> Result<(), Refusal> {
    if parts.version != Version::HTTP_2 {
        return Ok(());
    }
    if parts.method == Method::CONNECT {
        return Err(Refused::Connect.into());
    }
    let fields = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_BYTES);
    if fields.sum::<usize>() > HEAD_BYTES {
        return Err(Refused::HeadTooLong.into());
    }
    // RFC 9113 section 8.3.1: it decides nothing here, but a request that says another scheme than it came by is odd.
    if parts.uri.scheme_str() != Some("https") {
        return Err(Refusal::BadRequest("the :scheme must be https"));
    }
    let target = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    host(parts)?;
    cookies(parts)?;
    parts.uri = Uri::from(target);
    Ok(())
}

/// `:authority` and `host` say the same, or one of them says it (RFC 9113 section 8.3.1).
fn host(parts: &mut Parts) -> Result<(), Refusal> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (host, another) = (hosts.next(), hosts.next());
    let Some(authority) = parts.uri.authority().map(http::uri::Authority::as_str) else {
        return if host.is_some() && another.is_none() { Ok(()) } else { Err(Refused::Host.into()) };
    };
    let same = host.is_none_or(|host| host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()));
    if another.is_some() || !same {
        return Err(Refusal::BadRequest("the :authority and the host field must say the same, once"));
    }
    let value = HeaderValue::from_str(authority).map_err(|_| Refusal::from(Refused::Host))?;
    parts.headers.insert(header::HOST, value);
    Ok(())
}

/// Clients may split the field for compression; it is one before anybody reads it (RFC 9113 section 8.2.3).
fn cookies(parts: &mut Parts) -> Result<(), Refusal> {
    let mut pieces = parts.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
    let (Some(first), Some(second)) = (pieces.next(), pieces.next()) else { return Ok(()) };
    let joined = [first, second].into_iter().chain(pieces).collect::<Vec<_>>().join(&b"; "[..]);
    let joined = HeaderValue::from_bytes(&joined).map_err(|_| Refusal::from(Refused::ControlCharacter))?;
    parts.headers.insert(header::COOKIE, joined);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Result<&'a str, u16>);

    fn read(uri: &str, fields: &[(&str, &str)]) -> Result<Parts, u16> {
        let mut request = http::Request::get(uri).version(Version::HTTP_2);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        as_http1(&mut parts).map_err(|refusal| refusal.status().as_u16())?;
        Ok(parts)
    }

    #[test]
    fn s02_authority_and_host_say_the_same() {
        let long = "x".repeat(HEAD_BYTES);
        let cases: &[Case<'_>] = &[
            ("https://app.example/x?y", &[], Ok("app.example")),
            ("https://app.example:8443/", &[("host", "App.Example:8443")], Ok("app.example:8443")),
            ("https://app.example/", &[("host", "evil.example")], Err(400)),
            ("https://app.example/", &[("host", "app.example"), ("host", "app.example")], Err(400)),
            ("https://app.example/", &[("host", "app.example:443")], Err(400)),
            ("http://app.example/", &[], Err(400)),
            ("/x", &[("host", "app.example")], Err(400)),
            ("https://app.example/", &[("x-long", &long)], Err(431)),
        ];
        for (uri, fields, expected) in cases {
            let read = read(uri, fields);
            let host =
                read.as_ref().map(|parts| parts.headers["host"].to_str().expect("text")).map_err(|status| *status);
            assert_eq!(host, *expected, "{uri} {fields:?}");
            assert!(read.is_err() || read.is_ok_and(|parts| parts.uri.authority().is_none()), "{uri}");
        }
    }

    #[test]
    fn s15_split_cookies_are_one_field() {
        let cookies = |fields: &[(&str, &str)]| {
            let parts = read("https://app.example/", fields).expect("taken");
            let all: Vec<_> =
                parts.headers.get_all("cookie").iter().map(|one| one.to_str().expect("text").to_owned()).collect();
            all
        };
        assert_eq!(cookies(&[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")]), ["a=1; b=2; c=3"]);
        assert_eq!(cookies(&[("cookie", "a=1")]), ["a=1"]);
        assert!(cookies(&[]).is_empty());
    }
}
