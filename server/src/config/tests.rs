//! Good configurations load, and every mistake is found where it stands.

mod bad;
mod page;
mod presets;
mod rules;
mod secrets;
mod tls;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::LazyLock;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::{Environment, Loaded, Report, load};
use cloakroom_core::oidc::RefreshReuse;

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// A private key in PEM.
static CLIENT_KEY: LazyLock<String> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let der = pair.to_pkcs8v1().expect("written");
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
});
/// A certificate of the example's sites, and its key.
static SITE: LazyLock<(String, String)> = LazyLock::new(|| {
    let names = ["app.example.com", "console.example.com"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem())
});
const GOOD: &str = r#"[server]
listen = "127.0.0.1:8080"
management = "127.0.0.1:9090"
[store]
url = "sqlite:cloakroom.db"
[keys]
root = "file:root.key"
[providers.main]
issuer = "https://id.example.com"
[providers.main.registrations.web]
client_id = "cloakroom"
client_secret = "env:CLIENT_SECRET"
[clients.app]
kind = "web"
registrations = ["main.web"]
[sites.app]
origin = "https://app.example.com"
client = "app"
[upstreams.api]
url = "http://127.0.0.1:4000"
[[routes]]
site = "app"
path = "/api/"
upstream = "api"
token = "user"
"#;

const BY_KEY: &str = "client_auth = \"private_key_jwt\"\nprivate_key = \"file:client.key\"";

fn environment(extra: &[(&str, &str)]) -> Environment {
    let all = [("CLIENT_SECRET", "very-secret"), ("FORWARD_AUTH_SECRET", "very-secret-too")]
        .into_iter()
        .chain(extra.iter().copied());
    all.map(|(name, value)| (name.to_owned(), OsString::from(value))).collect()
}

/// A folder with a root key and a client's secret, and the configuration in it.
fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("root.key", KEY),
        ("console.secret", KEY),
        ("client.key", &CLIENT_KEY),
        ("site.pem", &SITE.0),
        ("company-ca.pem", &SITE.0),
        ("logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("site.key", &SITE.1),
        ("database-ca.pem", &SITE.0),
        ("gateway.pem", &SITE.0),
        ("gateway.key", &SITE.1),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    }
    fs::create_dir(folder.path().join("help")).expect("a folder of files");
    fs::write(folder.path().join("cloakroom.toml"), text).expect("written");
    folder
}

fn load_with(text: &str, extra: &[(&str, &str)]) -> Result<Loaded, Report> {
    load(&folder(text).path().join("cloakroom.toml"), &environment(extra))
}

/// The good configuration with one thing replaced.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

fn said(text: &str) -> String {
    load_with(text, &[]).err().map(|report| report.to_string()).unwrap_or_default()
}

#[test]
fn good_configurations_load() {
    let cases = [
        GOOD.to_owned(),
        with("https://app.example.com", "https://app.example.com:8443"),
        with("https://app.example.com", "http://app.localhost:8080"),
        with("https://app.example.com", "http://[::1]:8080"),
        with("https://id.example.com", "https://id.example.com/realms/main"),
        with("https://id.example.com", "http://idp.localhost:9000"),
        with("127.0.0.1:8080", "[::]:8080"),
        with("[server]\n", "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nproxy_protocol = true\n"),
        format!("{GOOD}[limits]\naddress = {{ rate = \"5/min\" }}\nlogin = \"off\"\n"),
        with("sqlite:cloakroom.db", "sqlite:/var/lib/cloakroom.db"),
        with("sqlite:cloakroom.db", "postgres://cloakroom@db.example.com/cloakroom"),
        with("\"sqlite:cloakroom.db\"", "\"postgres://cloakroom@[::1]:6432/c\"\npool_size = 4\ntls = \"off\""),
        with("path = \"/api/\"", "path = \"/\""),
        with("path = \"/api/\"", "path = \"/bffx/\""),
        with("client = \"app\"", "client = \"app\"\nbase_path = \"/login/x\""),
        with("\"http://127.0.0.1:4000\"", "\"http://api.example.com\"\nallow_plain_http = true"),
        with("token = \"user\"", "token = \"none\"\naccess = \"anonymous\""),
        with(
            "token = \"user\"",
            "methods = [\"GET\"]\n[[routes]]\nsite = \"app\"\npath = \"/api\"\nupstream = \"api\"",
        ),
        format!("{GOOD}[admin]\nsite = \"app\"\nrole_claim = \"a.b\"\nowners = []\n"),
        format!("{GOOD}[admin]\nsite = \"app\"\nrole_claim = [\"https://a.example/roles\"]\nowners = []\n"),
        with("client_secret = \"env:CLIENT_SECRET\"", BY_KEY),
        with("client_secret = \"env:CLIENT_SECRET\"", &format!("{BY_KEY}\nprivate_key_id = \"k1\"")),
    ];
    for text in cases {
        assert_eq!(said(&text), "", "{text}");
    }
}

#[test]
fn values_and_defaults_arrive() {
    let config = load_with(GOOD, &[]).expect("loads").config;
    assert_eq!((config.server.drain_secs, config.server.cached_sessions), (20, 200_000));
    assert_eq!((config.clients["app"].idle_secs, config.clients["app"].absolute_secs), (3600, 36_000));
    assert_eq!(config.clients["app"].name, "app");
    assert_eq!(config.sites["app"].base_path, "/bff");
    assert_eq!(config.providers["main"].refresh_reuse, RefreshReuse::Never);
    let issuer = "issuer = \"https://id.example.com\"";
    for (text, expected) in [
        ("\"never\"", RefreshReuse::Never),
        ("\"always\"", RefreshReuse::Always),
        ("{ grace_secs = 10 }", RefreshReuse::Grace { secs: 10 }),
    ] {
        let config = load_with(&with(issuer, &format!("{issuer}\nrefresh_reuse = {text}")), &[]).expect(text).config;
        assert_eq!(config.providers["main"].refresh_reuse, expected);
    }
}

#[test]
fn overrides_change_values() {
    let config = load_with(
        GOOD,
        &[
            ("CLOAKROOM__CLIENTS__APP__IDLE_SECS", "77"),
            ("cloakroom__log__format", "text"),
            ("CLOAKROOM__CLIENTS__APP__NAME", "2026"),
            ("CLOAKROOM__PROVIDERS__MAIN__REGISTRATIONS__WEB__CLIENT_ID", "4711"),
            ("CLOAKROOM__PROVIDERS__MAIN__REGISTRATIONS__WEB__SCOPES", "[\"openid\"]"),
            ("CLOAKROOM__PROVIDERS__MAIN__REFRESH_REUSE__GRACE_SECS", "9"),
            ("CLOAKROOM__ROUTES__0__PATH", "/v1/"),
        ],
    );
    let config = config.map_err(|report| report.to_string()).expect("loads").config;
    assert_eq!((config.clients["app"].idle_secs, config.clients["app"].name.as_str()), (77, "2026"));
    assert_eq!(config.log.format, crate::telemetry::logs::Format::Text);
    let registration = &config.providers["main"].registrations["web"];
    assert_eq!((registration.client_id.as_str(), registration.scopes.as_slice()), ("4711", &["openid".to_owned()][..]));
    assert_eq!(config.providers["main"].refresh_reuse, RefreshReuse::Grace { secs: 9 });
    assert_eq!(config.routes[0].path, "/v1/");
}

#[test]
fn mistakes_in_overrides_name_the_variable() {
    let cases = [
        ("CLOAKROOM__SERVER__WORKERS", "many", "server.workers must be a whole number, but is text"),
        ("CLOAKROOM__SERVER__LISTEN", "localhost", "is no IP address with a port"),
        ("CLOAKROOM__SERVER__LISEN", "127.0.0.1:1", "unknown key server.lisen"),
        ("CLOAKROOM__CLIENTS__APP__SAME_SITE", "none", "clients.app.same_site"),
        ("CLOAKROOM__CLIENTS__APP__REGISTRATIONS", "[\"main.wep\"]", "\"main.wep\" is no registration"),
        ("CLOAKROOM__SERVER__LISTEN__PORT", "1", "server.listen must be text"),
        ("CLOAKROOM__ROUTES__4__PATH", "/x", "routes has 1 entries"),
        ("CLOAKROOM__CLIENTS__APP", "{ kind = \"web\" }", "clients.app.registrations is missing"),
        ("CLOAKROOM__KEYS__ROOT", "hunter2", "a secret must not stand"),
    ];
    for (name, value, message) in cases {
        let report = load_with(GOOD, &[(name, value)]).expect_err(name);
        let hit = report.items().into_iter().any(|item| item.variable == Some(name) && item.message.contains(message));
        assert!(hit && report.to_string().contains(name), "{name}: {report}");
        assert!(!report.to_string().contains("hunter2"), "{report}");
    }
}

#[test]
fn what_works_but_is_odd_is_a_warning() {
    let text = format!(
        "{GOOD}[clients.idle]\nkind = \"web\"\nregistrations = [\"main.web\"]\n[upstreams.spare]\nurl = \"https://a.example\"\n\
         [providers.other]\nissuer = \"https://other.example\"\n[admin]\nsite = \"app\"\n"
    );
    let loaded = load_with(&text, &[]).expect("loads");
    let lines: Vec<_> = loaded.warnings.items().iter().map(|item| item.position.map(|(line, _)| line)).collect();
    let shown = loaded.warnings.to_string();
    assert_eq!(lines, [Some(26), Some(29), Some(31), Some(31), Some(33)], "{shown}");
    for what in ["clients.idle has no site", "upstreams.spare is used by no route", "providers.other is used by no"] {
        assert!(shown.contains(what), "{shown}");
    }
    assert!(shown.contains("warning: ") && shown.ends_with("5 warnings\n"), "{shown}");
    assert!(load_with(GOOD, &[]).expect("loads").warnings.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn f08_any_text_ends_in_a_configuration_or_a_report(
        text in "\\PC{0,200}",
        cut in 0_usize..700,
        piece in "[\\[\\]{}=\"'#\n.,a-c0-9_é -]{0,12}",
    ) {
        let shown = |text: &str| load_with(text, &[]).err().map(|report| report.coloured() + &report.to_string());
        prop_assert!(shown(&text).is_none_or(|report| !report.is_empty()));
        let (before, after) = GOOD.split_at(cut.min(GOOD.len()));
        prop_assert!(shown(before).is_none_or(|report| !report.is_empty()));
        let broken = format!("{before}{piece}{after}");
        prop_assert!(shown(&broken).is_none_or(|report| !report.is_empty()));
    }
}
