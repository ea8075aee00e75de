//! `[server.tls]`: certificates are read with the configuration, and what does not fit is told where it stands.

use std::fs;

use super::super::{load, summary};
use super::{GOOD, environment, folder, with};

const TLS: &str = "cached_sessions = 1000\n[server.tls]\n[[server.tls.certificates]]\ncert = \"file:site.pem\"\nkey = \"file:site.key\"\n[store]";

fn secured() -> String {
    with("[store]", TLS)
}

/// Loads a text whose folder `prepare` has changed.
fn said(text: &str, prepare: impl FnOnce(&std::path::Path)) -> String {
    let folder = folder(text);
    prepare(folder.path());
    match load(&folder.path().join("cloakroom.toml"), &environment(&[])) {
        Ok(loaded) => loaded.warnings.to_string(),
        Err(report) => report.to_string(),
    }
}

fn write_certificate(folder: &std::path::Path, name: &str, hosts: &[&str]) {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(hosts).expect("a certificate");
    fs::write(folder.join(format!("{name}.pem")), made.cert.pem()).expect("written");
    fs::write(folder.join(format!("{name}.key")), made.signing_key.serialize_pem()).expect("written");
}

#[test]
fn s17_good_certificates_load_and_are_summed_up() {
    let folder = folder(&secured());
    let loaded = load(&folder.path().join("cloakroom.toml"), &environment(&[])).expect("loads");
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert!(summary(&loaded).contains("site.pem  app.example.com\n"), "{}", summary(&loaded));
}

#[test]
fn s17_certificates_that_cannot_be_used_are_mistakes() {
    type Prepare = fn(&std::path::Path);
    let cases: &[(&str, &str, Prepare, &str)] = &[
        ("file:site.pem", "file:none.pem", |_| {}, "none.pem cannot be read"),
        ("file:site.key", "file:none.key", |_| {}, "none.key cannot be read"),
        ("file:site.pem", "file:site.key", |_| {}, "site.key holds no certificate"),
        ("file:site.key", "file:site.pem", |_| {}, "site.pem holds no private key"),
        ("file:site.key", "file:client.key", |_| {}, "does not belong to the certificate in"),
        ("file:site.key", "env:KEY", |_| {}, "server.tls.certificates[0].key names no file"),
        ("cert = \"file:site.pem\"\n", "", |_| {}, "server.tls.certificates[0].cert is missing"),
        ("[[server.tls.certificates]]", "min_version = \"1.1\"\n[[server.tls.certificates]]", |_| {}, "min_version"),
        ("https://app.example.com", "https://www.example.com", |_| {}, "no certificate is for www.example.com"),
        ("https://app.example.com", "http://app.localhost:80", |_| {}, "write \"http://app.localhost\""),
        ("https://app.example.com", "http://app.localhost:8080", |_| {}, "sites.app is http"),
        (
            "file:site.pem",
            "file:site.pem",
            |at| fs::write(at.join("site.pem"), "no PEM").expect("written"),
            "no certificate",
        ),
        (
            "file:site.pem",
            "file:site.pem",
            |at| {
                fs::write(at.join("site.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                    .expect("written");
            },
            "cannot be used",
        ),
        (
            "file:site.pem",
            "file:site.pem",
            |at| write_certificate(at, "site", &["*.example.org"]),
            "no certificate is for",
        ),
    ];
    for (from, to, prepare, message) in cases {
        let text = secured();
        assert!(text.contains(from), "{from}");
        let shown = said(&text.replacen(from, to, 1), prepare);
        assert!(shown.contains(message) && shown.starts_with("error"), "{from} -> {to}: {shown}");
    }
    let none = secured().replacen(
        "[[server.tls.certificates]]\ncert = \"file:site.pem\"\nkey = \"file:site.key\"\n",
        "certificates = []\n",
        1,
    );
    assert!(said(&none, |_| {}).contains("server.tls.certificates is empty"));
}

#[test]
fn s17_wildcards_cover_one_label_and_unused_certificates_are_told() {
    let shown = said(&secured(), |at| write_certificate(at, "site", &["*.example.com"]));
    assert!(shown.ends_with(" 0 warnings\n"), "{shown}");
    let spare = "[[server.tls.certificates]]\ncert = \"file:spare.pem\"\nkey = \"file:spare.key\"\n[store]";
    let shown = said(&secured().replacen("[store]", spare, 1), |at| write_certificate(at, "spare", &["spare.example"]));
    assert!(shown.contains("spare.pem is used by no site"), "{shown}");
}

#[test]
fn c08_a_private_key_in_the_file_is_not_shown() {
    let literal = "-----BEGIN PRIVATE KEY-----\\nhunter2hunter2\\n-----END PRIVATE KEY-----";
    let shown = said(&secured().replacen("file:site.key", literal, 1), |_| {});
    assert!(shown.contains("key names no file") && !shown.contains("hunter2"), "{shown}");
    assert!(!GOOD.contains("server.tls"), "the plain listener stays the default");
}

#[test]
fn s17_trust_towards_upstreams_that_cannot_be_used_is_a_mistake() {
    let url = "url = \"http://127.0.0.1:4000\"";
    let upstream = |lines: &str| with(url, &format!("url = \"https://api.example.com\"\n{lines}"));
    let pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let client = "client_cert = \"file:gateway.pem\"\nclient_key = \"file:gateway.key\"";
    let good = format!("ca = \"file:company-ca.pem\"\n{client}\npins = [\"{pin}\"]");
    assert!(said(&upstream(&good), |_| {}).ends_with(" 0 warnings\n"), "{}", said(&upstream(&good), |_| {}));
    let emptied: fn(&std::path::Path) = |at| fs::write(at.join("company-ca.pem"), "").expect("written");
    let nothing: fn(&std::path::Path) = |_| {};
    for (lines, prepare, message) in [
        ("ca = \"file:none.pem\"".to_owned(), nothing, "none.pem cannot be read"),
        (good.clone(), emptied, "company-ca.pem holds no certificate"),
        ("ca = \"file:site.key\"".to_owned(), nothing, "site.key holds no certificate"),
        (client.replace("gateway.pem", "none.pem"), nothing, "none.pem cannot be read"),
        (client.replace("gateway.key", "client.key"), nothing, "does not belong to the certificate in"),
        ("client_cert = \"file:gateway.pem\"".to_owned(), nothing, "client_key is missing"),
        ("client_key = \"file:gateway.key\"".to_owned(), nothing, "client_cert is missing"),
        ("pins = []".to_owned(), nothing, "pins is empty"),
        ("pins = \"sha256/x\"".to_owned(), nothing, "pins must be a list of texts"),
        (format!("pins = [\"{}\"]", pin.replace("sha256", "sha1")), nothing, "is no pin"),
        (format!("pins = [\"{pin}\", \"sha256/AAAA\"]"), nothing, "\"sha256/AAAA\" in upstreams.api.pins is no pin"),
    ] {
        let shown = said(&upstream(&lines), prepare);
        assert!(shown.contains(message) && shown.starts_with("error"), "{lines}: {shown}");
    }
    let plain = with(url, &format!("{url}\npins = [\"{pin}\"]"));
    assert!(said(&plain, |_| {}).contains("pins changes nothing for an upstream without TLS"));
}
