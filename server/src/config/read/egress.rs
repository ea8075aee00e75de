//! How calls to a provider leave this machine: whom TLS trusts, and which proxy is on the way.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::Url;

use super::Outside;
use crate::config::reader::Reader;
use crate::outbound::Egress;

/// `None` where a file cannot be used: no start with less trust than was asked for (S17).
pub(super) fn egress(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<Egress> {
    let anchors = anchors(reader, outside);
    let allowed =
        "an http or https URL of a proxy, without a path or a password, such as http://proxy.example.com:3128";
    let proxy = reader.parsed(reader.text("proxy"), "proxy", allowed, proxy);
    Some(Egress { anchors: anchors?, proxy: proxy.map(|found| found.value) })
}

/// The certificates of `ca`.
pub(super) fn anchors(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let Some(found) = reader.text("ca") else { return Some(Vec::new()) };
    let wrong = |what: String, help: &str| {
        reader.wrong(&found.place, format!("{}: {what}", reader.name("ca")), help);
        None
    };
    let Some(path) = found.value.strip_prefix("file:").filter(|path| !path.is_empty()) else {
        return wrong("names no file".into(), "write \"file:PATH\", with certificates in PEM");
    };
    let path = outside.folder.join(path);
    let shown = path.display();
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) => {
            return wrong(format!("{shown} cannot be read: {error}"), "let the user that Cloakroom runs as read it");
        }
    };
    let anchors: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match anchors {
        Ok(anchors) if anchors.is_empty() => {
            wrong(format!("{shown} holds no certificate"), "write certificates in PEM there")
        }
        Ok(anchors) if anchors.iter().any(|der| !is_anchor(der)) => wrong(
            format!("{shown} holds a certificate that cannot be trusted in"),
            "write certificates of authorities there",
        ),
        Ok(anchors) => Some(anchors),
        Err(error) => wrong(format!("{shown} is no PEM: {error}"), "write certificates in PEM there"),
    }
}

fn is_anchor(der: &CertificateDer<'static>) -> bool {
    rustls::RootCertStore::empty().add(der.clone()).is_ok()
}

fn proxy(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|_| "is no URL".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("is no http or https URL".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a password, which must not stand in this file".into());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("has a path, a query or a fragment".into());
    }
    Ok(url)
}
