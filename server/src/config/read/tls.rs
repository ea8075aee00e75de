//! `[server.tls]`: certificates are read with the configuration, so that `check` finds what is wrong with them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::{Outside, Parts};
use crate::config::model::{Server, Site, Tls};
use crate::config::reader::{Found, Reader};
use crate::edge::tls::{Certificate, Files, MinVersion, Settings, Trouble};

pub(super) fn tls(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<Tls> {
    let versions = [("1.2", MinVersion::Tls12), ("1.3", MinVersion::Tls13)];
    let min_version = reader.one_of("min_version", &versions, MinVersion::Tls12).value;
    let handshake = reader.number("handshake_timeout_ms", 100..=120_000, 10_000).value;
    let most = reader.number("max_handshakes", 1..=1_000_000, 2_000).value;
    let reload = reader.number("reload_secs", 1..=86_400, 60).value;
    if !reader.has("certificates") {
        reader.missing("certificates", "[{ cert = \"file:site.pem\", key = \"file:site.key\" }]");
    }
    let tables = reader.list_of_tables("certificates");
    let certificates: Vec<_> = tables.iter().map(|table| certificate(table, outside)).collect();
    if reader.has("certificates") && certificates.is_empty() {
        let what = format!("{} is empty", reader.name("certificates"));
        reader.clash(reader.place(), what, "list one, or leave server.tls out where a proxy in front speaks TLS");
    }
    reader.finish();
    Some(Tls {
        certificates: certificates.into_iter().collect::<Option<_>>()?,
        settings: Settings {
            min_version,
            handshake_timeout: Duration::from_millis(u64::try_from(handshake).unwrap_or(0)),
            max_handshakes: usize::try_from(most).unwrap_or(1),
            reload_every: Duration::from_secs(u64::try_from(reload).unwrap_or(1)),
        },
    })
}

fn certificate(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<Certificate> {
    let certificate = key_pair(reader, ("cert", "key"), outside);
    reader.finish();
    certificate
}

/// A certificate and its key, by the names of their keys.
pub(super) fn key_pair(
    reader: &Reader<'_>,
    (cert, key): (&'static str, &'static str),
    outside: &Outside<'_>,
) -> Option<Certificate> {
    let cert = path(reader, cert, "\"file:site.pem\"", outside);
    let key = path(reader, key, "\"file:site.key\"", outside);
    let (cert, key) = (cert?, key?);
    let files = Files { cert: cert.value, key: key.value };
    if let Some(mode) = files.open_to_others() {
        let shown = files.key.display();
        let what = format!("others can read {shown} (mode {mode:03o})");
        reader.warn(&key.place, what, format!("run: chmod 600 {shown} (unless what mounts it shuts others out)"));
    }
    let key_file = files.key.clone();
    Certificate::read(files).map_or_else(
        |trouble| {
            let place = if trouble.file() == Some(&key_file) { &key.place } else { &cert.place };
            reader.wrong(place, trouble.to_string(), trouble.help());
            None
        },
        Some,
    )
}

/// A file by `file:PATH`. What else stands there is not shown: it may be the key itself.
fn path(reader: &Reader<'_>, key: &'static str, example: &str, outside: &Outside<'_>) -> Option<Found<PathBuf>> {
    let found = reader.required(key, example)?;
    match found.value.strip_prefix("file:") {
        Some(path) if !path.is_empty() => Some(Found { value: outside.folder.join(path), place: found.place }),
        _ => {
            let what = format!("{} names no file", reader.name(key));
            reader.wrong(&found.place, what, "write \"file:PATH\", with PEM in that file");
            None
        }
    }
}

/// What holds between certificates and sites: each site has one, and none is without a site.
pub(super) fn covers(root: &Reader<'_>, server: Option<&Server>, sites: &Parts<Site>) {
    let Some(tls) = server.and_then(|server| server.tls.as_ref()) else { return };
    for (id, site) in sites {
        let Some(site) = site else { continue };
        let place = root.place_of(&["sites", id, "origin"]);
        if site.origin.scheme != "https" {
            let what = format!("sites.{id} is http, but the listener speaks TLS alone");
            root.clash(&place, what, "write an https origin, or leave server.tls out");
        } else if tls.first_for(&site.origin.host).is_none() {
            let trouble = Trouble::Uncovered { host: site.origin.host.as_str().into() };
            root.clash(&place, format!("sites.{id}: {trouble}"), trouble.help());
        }
    }
    let of_hosts: BTreeSet<_> = sites.values().flatten().filter_map(|site| tls.first_for(&site.origin.host)).collect();
    for (index, certificate) in tls.certificates.iter().enumerate() {
        if !of_hosts.contains(&index) {
            let what = format!("the certificate in {} is used by no site", certificate.files().cert.display());
            let help = "add the site that it is for, or leave it out; of two for one name the first is used";
            root.warn(&root.place_of(&["server", "tls"]), what, help);
        }
    }
}
