//! What `cloakroom init` writes: a small configuration with comments, and the root key.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use cloakroom_core::random::Random;

use super::Facts;

/// Where things are now.
pub(super) struct Written {
    pub(super) config: PathBuf,
    pub(super) key: PathBuf,
    pub(super) secret: PathBuf,
}

/// Writes what is not there yet; a configuration or key of before is never overwritten.
pub(super) fn write(folder: &Path, facts: &Facts, random: &dyn Random) -> anyhow::Result<Written> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    let at = |name: &str| folder.join(name);
    let written = Written { config: at("cloakroom.toml"), key: at("root.key"), secret: at("client.secret") };
    for file in [&written.config, &written.key] {
        anyhow::ensure!(
            !file.exists(),
            "{} is there already; init never overwrites: move it, or use --dir",
            file.display()
        );
    }
    create(&written.key, &STANDARD.encode(random.bytes::<32>()))?;
    create(&written.config, &text(facts))?;
    Ok(written)
}

fn create(file: &Path, content: &str) -> anyhow::Result<()> {
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut opened = opened.with_context(|| format!("{} cannot be written", file.display()))?;
    writeln!(opened, "{}", content.trim_end()).with_context(|| format!("{} cannot be written", file.display()))
}

/// A TOML text: what the person typed cannot leave its quotes.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Scheme, host and port of an address.
fn origin(url: &url::Url) -> String {
    url.origin().ascii_serialization()
}

pub(super) fn text(facts: &Facts) -> String {
    let port = facts.site.port_or_known_default().unwrap_or(8080);
    // A site on https has a TLS endpoint in front of this listener, or one of its own in [server].
    let listen = if facts.site.scheme() == "http" { port } else { 8080 };
    format!(
        r#"# Cloakroom for {site}. Every key: docs/configuration.md
server = {{ listen = "127.0.0.1:{listen}", management = "127.0.0.1:9090" }}
store.url = "sqlite:cloakroom.db"
keys.root = "file:root.key" # back it up: without it the store opens nothing

routes = [
  # Calls to the API carry the user's access token; everything else is the app, open to everybody.
  {{ site = "app", path = "/api/", upstream = "api", token = "user" }},
  {{ site = "app", path = "/", upstream = "app", kind = "page", access = "anonymous" }},
]

[providers.main]
issuer = {issuer}
registrations.web = {{ client_id = {client}, client_secret = "file:client.secret", scopes = ["openid", "profile", "email", "offline_access"] }}

[clients]
app = {{ kind = "web", registrations = ["main.web"] }}

[sites]
app = {{ origin = {site_text}, client = "app" }}

[upstreams]
app.url = {app}
api.url = {api}
"#,
        site = origin(&facts.site),
        issuer = quoted(&facts.issuer),
        client = quoted(&facts.client_id),
        site_text = quoted(&origin(&facts.site)),
        app = quoted(&origin(&facts.app)),
        api = quoted(&origin(&facts.api)),
    )
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::config::{Environment, load};

    fn facts(client_id: &str) -> Facts {
        let url = |text: &str| Url::parse(text).expect("a URL");
        Facts {
            issuer: "https://id.example.com/tenant/".to_owned(),
            client_id: client_id.to_owned(),
            app: url("http://localhost:5173/some/page"),
            api: url("http://127.0.0.1:3000"),
            site: url("http://localhost:8080"),
        }
    }

    #[test]
    fn u24_what_is_written_is_short_and_loads_whatever_was_typed() {
        for client in ["my-app", "quo\"ted\\", "x\" } # '\u{fe0f}"] {
            let folder = tempfile::tempdir().expect("a folder");
            let written = write(folder.path(), &facts(client), &cloakroom_core::random::SystemRandom).expect("written");
            create(&written.secret, "secret").expect("written");
            let loaded = load(&written.config, &Environment::default()).map_err(|report| report.to_string());
            let config = loaded.expect("loads").config;
            assert_eq!(config.providers["main"].registrations["web"].client_id, client);
            assert_eq!(config.providers["main"].issuer, "https://id.example.com/tenant/");
            assert!(config.admin.is_none());
            assert!(fs::read_to_string(&written.config).expect("read").lines().count() <= 25);
        }
    }

    #[test]
    fn nothing_of_before_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("root.key"), "precious").expect("written");
        let error = write(folder.path(), &facts("x"), &cloakroom_core::random::SystemRandom).err().expect("refused");
        assert!(error.to_string().contains("root.key is there already"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("root.key")).expect("read"), "precious");
        assert!(!folder.path().join("cloakroom.toml").exists());
    }
}
