//! TLS on the public listener: which certificate, which sites, and new ones without a new process.

mod answers;
mod http2;

use cloakroom_tests::secure::{Client, Pair, whole};
use cloakroom_tests::{Gateway, Setup, eventually};
use std::fs;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The names of the sites under test.
const SITES: [&str; 2] = ["app.localhost", "console.localhost"];

/// Turns a gateway that does not run into one whose listener speaks TLS, with these certificates by file name.
fn secure(gateway: &Gateway, pairs: &[(&str, &Pair)], settings: &str) {
    let mut text = fs::read_to_string(gateway.config()).unwrap();
    for site in SITES {
        text = text.replace(&format!("\"http://{site}:"), &format!("\"https://{site}:"));
    }
    let certificate = |(name, pair): &(&str, &Pair)| {
        pair.write(gateway.folder(), name);
        format!("[[server.tls.certificates]]\ncert = \"file:{name}.pem\"\nkey = \"file:{name}.key\"\n")
    };
    let certificates: Vec<String> = pairs.iter().map(certificate).collect();
    let text = format!("{text}\n[server.tls]\n{settings}\n{}", certificates.concat());
    fs::write(gateway.config(), text).unwrap();
}

/// A gateway with one certificate for both sites.
async fn one_certificate(settings: &str) -> (Gateway, Pair) {
    let pair = Pair::of(&SITES);
    let mut gateway = Setup::default().prepare().await;
    secure(&gateway, &[("site", &pair)], settings);
    gateway.launch().await;
    (gateway, pair)
}

/// A GET over HTTP/1.1 and TLS, under a name, for a host: the answer as it came.
async fn get(client: &Client, name: &str, host: &str, target: &str) -> String {
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    whole(client.connect(name).await.unwrap(), head.as_bytes()).await
}

#[tokio::test]
async fn p16_host_of_another_certificate_needs_a_connection_of_its_own() {
    let pairs = SITES.map(|site| Pair::of(&[site]));
    let mut gateway = Setup::default().prepare().await;
    secure(&gateway, &[("app", &pairs[0]), ("console", &pairs[1])], "");
    gateway.launch().await;
    let trusted = [&pairs[0], &pairs[1]];
    let client = Client::new(gateway.port(), &trusted, "http/1.1");
    let cases = [
        ("app.localhost", "app.localhost", 401),
        ("app.localhost", "APP.localhost.", 401),
        ("app.localhost", "console.localhost", 421),
        ("console.localhost", "console.localhost", 401),
        ("console.localhost", "app.localhost", 421),
        ("app.localhost", "elsewhere.localhost", 421),
    ];
    let client2 = Client::new(gateway.port(), &trusted, "h2");
    for (name, host, status) in cases {
        let text = get(&client, name, host, "/bff/user").await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{name} {host}: {text}");
        let answer = client2.http2(name).await.get(&format!("https://{host}/bff/user")).await;
        assert_eq!(answer.status, status, "{name} {host}: {answer:?}");
        let other = status == 421 && host != "elsewhere.localhost";
        assert_eq!(answer.text().contains("other-connection"), other, "{answer:?}");
    }
    // A name that no certificate is for, and none at all.
    for name in ["elsewhere.localhost", "127.0.0.1"] {
        let refused = client.connect(name).await.map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("UnrecognizedName") || refused.contains("UnrecognisedName"), "{name}: {refused}");
    }
}

#[tokio::test]
async fn p16_sites_of_one_certificate_share_connections_and_sessions_stay_with_their_name() {
    let (gateway, pair) = one_certificate("").await;
    let client = Client::new(gateway.port(), &[&pair], "h2");
    let mut connection = client.http2("app.localhost").await;
    for host in SITES {
        assert_eq!(connection.get(&format!("https://{host}/bff/user")).await.status, 401, "{host}");
    }
    let client = Client::new(gateway.port(), &[&pair], "http/1.1");
    for (name, kind) in [("app.localhost", "Full"), ("app.localhost", "Resumed"), ("console.localhost", "Full")] {
        let mut stream = client.connect(name).await.unwrap();
        let head = format!("GET /public/x HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // Tickets come with the answer.
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        let said = format!("{:?}", stream.get_ref().1.handshake_kind());
        assert!(said.contains(kind), "{name}: {said}");
    }
}

#[tokio::test]
async fn s17_certificates_are_replaced_while_connections_go_on() {
    let (gateway, old) = one_certificate("reload_secs = 3600").await;
    let mut kept = Client::new(gateway.port(), &[&old], "h2").http2("app.localhost").await;
    assert_eq!(kept.get("https://app.localhost/bff/user").await.status, 401);
    let new = Pair::of(&SITES);
    new.write(gateway.folder(), "site");
    gateway.signal("HUP");
    let client = Client::new(gateway.port(), &[&new], "http/1.1");
    let connected = async || client.connect("app.localhost").await.ok();
    eventually("the new certificate", connected).await;
    assert!(Client::new(gateway.port(), &[&old], "h2").connect("app.localhost").await.is_err());
    assert_eq!(kept.get("https://app.localhost/bff/user").await.status, 401, "the old connection goes on");
}

#[tokio::test]
async fn s17_f06_broken_new_certificates_leave_the_old_ones_in_use() {
    let (gateway, pair) = one_certificate("reload_secs = 3600").await;
    let client = Client::new(gateway.port(), &[&pair], "http/1.1");
    let other = Pair::of(&["other.localhost"]);
    let broken: [(&str, &dyn Fn()); 3] = [
        ("holds no certificate", &|| fs::write(gateway.folder().join("site.pem"), "broken").unwrap()),
        ("no certificate is for app.localhost", &|| other.write(gateway.folder(), "site")),
        ("cannot be read", &|| fs::remove_file(gateway.folder().join("site.key")).unwrap()),
    ];
    for (why, spoil) in broken {
        spoil();
        gateway.signal("HUP");
        let told = async || {
            gateway.log().lines().any(|line| line.contains("old certificates stay") && line.contains(why)).then_some(())
        };
        eventually(why, told).await;
        assert!(
            get(&client, "app.localhost", "app.localhost", "/bff/user").await.starts_with("HTTP/1.1 401 "),
            "{why}"
        );
    }
}

#[tokio::test]
async fn s17_changed_files_are_seen_without_a_signal() {
    let (gateway, _) = one_certificate("reload_secs = 1").await;
    let new = Pair::of(&SITES);
    new.write(gateway.folder(), "site");
    let client = Client::new(gateway.port(), &[&new], "http/1.1");
    eventually("the new certificate", async || client.connect("app.localhost").await.ok()).await;
}

#[tokio::test]
async fn s17_certificates_that_cannot_be_used_stop_the_start() {
    let pair = Pair::of(&["other.localhost"]);
    let gateway = Setup::default().prepare().await;
    secure(&gateway, &[("site", &pair)], "");
    for command in ["check", "serve"] {
        let output = gateway.run(&[command]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{command}: {said}");
        assert!(said.contains("no certificate is for app.localhost"), "{command}: {said}");
    }
}

#[tokio::test]
async fn p13_handshakes_are_bounded_in_time_and_number() {
    let (gateway, pair) = one_certificate("handshake_timeout_ms = 2000\nmax_handshakes = 1").await;
    let client = Client::new(gateway.port(), &[&pair], "http/1.1");
    // Another client is turned away while the silent one has the only place, and let in when its time is over.
    let full_house = async || {
        let silent = tokio::net::TcpStream::connect(("127.0.0.1", gateway.port())).await.unwrap();
        client.connect("app.localhost").await.is_err().then_some(silent)
    };
    let mut silent = eventually("a full house", full_house).await;
    eventually("a place", async || client.connect("app.localhost").await.ok()).await;
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap_or(0), 0, "the silent one was closed");
}

#[tokio::test]
async fn s17_old_versions_of_tls_are_not_spoken() {
    let (gateway, pair) = one_certificate("min_version = \"1.3\"").await;
    pair.write(gateway.folder(), "trusted");
    let address = format!("127.0.0.1:{}", gateway.port());
    // openssl s_client is in every Debian image that has curl; without it there is nobody who still speaks 1.2 alone.
    for (version, spoken) in [("-tls1_3", true), ("-tls1_2", false)] {
        let mut command = std::process::Command::new("openssl");
        command.args(["s_client", version, "-connect", &address, "-servername", "app.localhost"]);
        let Ok(output) = command.stdin(std::process::Stdio::null()).output() else { return };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said.contains("-----BEGIN CERTIFICATE"), spoken, "{version}: {said}");
    }
}
