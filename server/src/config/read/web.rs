//! URLs, origins and paths, with the reason why one is not taken.

use http::Uri;
use url::{Host, Url};

use crate::config::model::Origin;
use crate::proxy::path::NormalPath;

/// Whether an address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => crate::proxy::upstream::is_localhost(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `http` or `https`, a host, and no credentials.
fn web_url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("is no URL ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("starts with neither https:// nor http://".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password".into());
    }
    Ok(url)
}

/// https, or http on this machine.
pub(super) fn safe_url(text: &str) -> Result<Url, String> {
    let url = web_url(text)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err("is plain http beyond this machine".into());
    }
    Ok(url)
}

/// An issuer has neither query nor fragment (OpenID Connect Discovery 1.0 section 3), and is kept as it is written:
/// it is compared character by character.
pub(super) fn issuer(text: &str) -> Result<String, String> {
    let url = safe_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment, which no issuer has".into());
    }
    Ok(text.to_owned())
}

/// An origin as a browser spells it (RFC 6454 section 6.2).
pub(super) fn origin(text: &str) -> Result<Origin, String> {
    let url = safe_url(text)?;
    let spelt = url.origin().ascii_serialization();
    if text != spelt {
        return Err(format!("is not spelt as browsers do: write \"{spelt}\""));
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    if host.ends_with('.') {
        return Err("ends its host name with a dot".into());
    }
    let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    Ok(Origin { scheme: url.scheme().to_owned(), host, authority })
}

/// An upstream's scheme, host and port.
pub(super) fn base(text: &str) -> Result<Url, String> {
    let url = web_url(text)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("has a path, a query or a fragment; routes forward paths as they are".into());
    }
    if url.port() == Some(0) {
        return Err("has port 0".into());
    }
    Ok(url)
}

/// A path in the normal form that requests must have, too.
pub(super) fn normal_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("does not start with /".into());
    }
    if text.contains(['?', '#']) {
        return Err("has a query or a fragment".into());
    }
    let uri: Uri = text.parse().map_err(|_| "has a character that no path has".to_owned())?;
    let path = NormalPath::parse(&uri).map_err(|refusal| format!("is not in normal form: {refusal}"))?;
    Ok(path.as_str().to_owned())
}

/// Whether a path is another one, or below it.
pub(super) fn is_under(path: &str, own: &str) -> bool {
    path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
