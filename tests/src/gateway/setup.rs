//! The configuration of a gateway under test: sane defaults, and what a story changes about them.

use super::{Gateway, Registrations, free_port};
use crate::adversary::keys::Key;
use crate::{Provider, Upstream};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::json;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a story asks of its gateway; the rest is the usual.
#[derive(Clone, Debug)]
pub struct Setup {
    issuer: Option<String>,
    app: String,
    routes: String,
    server: String,
    rest: String,
    access_ttl_secs: u64,
    provider_extra: String,
    second: Option<String>,
    by_key: Option<String>,
    phone: Option<String>,
    registrations: Option<String>,
    provider: String,
    store: Option<String>,
    store_extra: String,
}

/// The secret of the clients at a second provider.
pub const SECOND_SECRET: &str = "client-secret-at-the-second-provider";

/// The routes that every gateway under test has.
const ROUTES: &str = r#"
[[routes]]
site = "app"
path = "/api/"
upstream = "api"
kind = "api"
token = "user"
access = "signed_in"

[[routes]]
site = "app"
path = "/public/"
upstream = "api"
kind = "api"
token = "none"
access = "anonymous"

[[routes]]
site = "app"
path = "/forms/"
upstream = "api"
kind = "api"
token = "user"
access = "signed_in"
forms = true

[[routes]]
site = "app"
path = "/pages/"
upstream = "api"
kind = "page"
token = "user"
access = "signed_in"

[[routes]]
site = "app"
path = "/"
upstream = "api"
kind = "page"
token = "none"
access = "anonymous"
"#;

/// The mobile app.
const PHONE: &str = r#"
[clients.other-phone]
kind = "mobile"
registrations = ["main.web"]
issuer_site = "app"
redirect_uris = ["com.example.other:/callback"]

[clients.phone]
kind = "mobile"
name = "Phone & <app>"
registrations = ["main.web"]
issuer_site = "app"
sites = ["app"]
post_logout_redirect_uris = ["com.example.phone:/signed-out"]
redirect_uris = ["com.example.phone:/callback", "https://phone.example.com/callback?from=login", "http://127.0.0.1/callback"]
"#;

impl Default for Setup {
    fn default() -> Self {
        Self {
            issuer: None,
            app: String::new(),
            routes: ROUTES.to_owned(),
            server: String::new(),
            rest: String::new(),
            access_ttl_secs: 3600,
            provider_extra: String::new(),
            second: None,
            phone: None,
            by_key: None,
            registrations: None,
            provider: String::new(),
            store: None,
            store_extra: String::new(),
        }
    }
}

impl Setup {
    /// Adds lines to the app's client, such as `idle_secs = 2`.
    #[must_use]
    pub fn app(mut self, lines: &str) -> Self {
        self.app.push_str(lines);
        self.app.push('\n');
        self
    }

    /// Adds lines to `[server]`.
    #[must_use]
    pub fn server(mut self, lines: &str) -> Self {
        self.server.push_str(lines);
        self.server.push('\n');
        self
    }

    /// Adds whole sections at the end.
    #[must_use]
    pub fn section(mut self, lines: &str) -> Self {
        self.rest.push_str(lines);
        self.rest.push('\n');
        self
    }

    /// Adds lines to the provider's registrations.
    #[must_use]
    pub fn registration(mut self, lines: &str) -> Self {
        self.provider_extra.push_str(lines);
        self.provider_extra.push('\n');
        self
    }

    /// Another provider than the shared one.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// A second provider, `other`, where both sites may log in too; its clients have the ids `other-app` and
    /// `other-console` and the secret [`SECOND_SECRET`].
    #[must_use]
    pub fn second_provider(mut self, issuer: &str) -> Self {
        self.second = Some(issuer.to_owned());
        self
    }

    /// Adds lines to the provider itself.
    #[must_use]
    pub fn provider(mut self, lines: &str) -> Self {
        self.provider.push_str(lines);
        self.provider.push('\n');
        self
    }

    /// The registrations of the app, in place of the usual ones.
    #[must_use]
    pub fn registrations(mut self, list: &str) -> Self {
        self.registrations = Some(list.to_owned());
        self
    }

    /// The app proves who it is with a key instead of a secret; with more lines for its registration.
    #[must_use]
    pub fn by_key(mut self, lines: &str) -> Self {
        self.by_key = Some(lines.to_owned());
        self
    }

    /// A mobile app, `phone`, whose session API lives on the app's site, and more lines of it.
    #[must_use]
    pub fn phone(mut self, lines: &str) -> Self {
        self.phone = Some(lines.to_owned());
        self
    }

    /// Adds lines to `[store]`.
    #[must_use]
    pub fn store(mut self, lines: &str) -> Self {
        self.store_extra.push_str(lines);
        self.store_extra.push('\n');
        self
    }

    /// The store is the PostgreSQL database at this address.
    #[must_use]
    pub fn postgres(mut self, url: &str) -> Self {
        self.store = Some(url.to_owned());
        self
    }

    /// How long the provider's access tokens live.
    #[must_use]
    pub fn access_ttl_secs(mut self, secs: u64) -> Self {
        self.access_ttl_secs = secs;
        self
    }

    /// Writes the folder, registers the clients and starts the gateway.
    pub async fn start(self) -> Gateway {
        let mut gateway = self.prepare().await;
        gateway.launch().await;
        gateway
    }

    /// Everything but the start.
    pub async fn prepare(self) -> Gateway {
        let (port, management) = (free_port(), free_port());
        let upstream = Upstream::start().await;
        let registrations = Registrations::unique();
        let issuer = self.issuer.clone().unwrap_or_else(|| Provider::shared().issuer.clone());
        let (app, console) = (&registrations.app, &registrations.console);
        if self.issuer.is_none() {
            Provider::shared().register(self.metadata(app, &registrations.secrets[0], "app", port)).await;
            Provider::shared().register(self.metadata(console, &registrations.secrets[1], "console", port)).await;
        }
        let folder = tempfile::Builder::new().prefix("cloakroom-test-").tempdir().expect("a temporary folder");
        let root_key = random_key();
        let key_file = folder.path().join("root.key");
        fs::write(&key_file, &root_key).expect("a root key");
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600))
            .expect("a root key that only its owner reads");
        fs::write(folder.path().join("console.secret"), &registrations.secrets[1]).expect("a client secret");
        let text = self.text(port, management, &upstream.origin(), &issuer, &registrations);
        fs::write(folder.path().join("cloakroom.toml"), text).expect("a configuration");
        let key = Key::ec("client");
        fs::write(folder.path().join("client.key"), key.pem()).expect("a client's key");
        let mut environment = vec![
            ("TESTS_APP_SECRET".to_owned(), registrations.secrets[0].clone()),
            ("TESTS_SECOND_SECRET".to_owned(), SECOND_SECRET.to_owned()),
        ];
        environment.extend(self.store.iter().map(|url| ("TESTS_STORE".to_owned(), url.clone())));
        Gateway { child: None, folder, port, management, issuer, registrations, environment, root_key, upstream, key }
    }

    /// Client metadata for a provider, as a provider's administrator would enter it.
    pub fn metadata(&self, id: &str, secret: &str, site: &str, port: u16) -> serde_json::Value {
        let origin = format!("http://{site}.localhost:{port}");
        json!({
            "client_id": id,
            "client_secret": secret,
            "redirect_uris": [format!("{origin}/bff/callback"), format!("{origin}/oauth/callback")],
            "post_logout_redirect_uris": [
                format!("{origin}{}", super::SIGNED_OUT_PATH),
                format!("{origin}/oauth/signed-out"),
            ],
            "require_auth_time": true,
            "access_ttl": self.access_ttl_secs,
        })
    }

    fn app_auth(&self) -> String {
        match &self.by_key {
            None => "client_secret = \"env:TESTS_APP_SECRET\"".to_owned(),
            Some(lines) => format!("client_auth = \"private_key_jwt\"\nprivate_key = \"file:client.key\"\n{lines}"),
        }
    }

    /// The registrations of the app, and those of the console beside its first.
    fn logs_in_with(&self) -> (String, &'static str) {
        let (app, console) = match &self.second {
            Some(_) => (", \"other.web\"", ", \"other.console\""),
            None => ("", ""),
        };
        (self.registrations.clone().unwrap_or_else(|| format!("\"main.web\"{app}")), console)
    }

    fn text(&self, port: u16, management: u16, upstream: &str, issuer: &str, ids: &Registrations) -> String {
        let Self { app, routes, server, rest, provider_extra, store_extra, provider, .. } = self;
        let (app_id, console_id) = (&ids.app, &ids.console);
        let app_auth = self.app_auth();
        let phone = self.phone.as_deref().map(|lines| format!("{PHONE}{lines}\n")).unwrap_or_default();
        let second = self.second.as_deref().map(second_provider).unwrap_or_default();
        let (app_list, second_console) = self.logs_in_with();
        let store = if self.store.is_some() { "env:TESTS_STORE" } else { "sqlite:cloakroom.db" };
        format!(
            r#"[server]
listen = "127.0.0.1:{port}"
management = "127.0.0.1:{management}"
{server}
[store]
url = "{store}"
{store_extra}
[keys]
root = "file:root.key"

[log]
format = "json"
filter = "debug"

[providers.main]
issuer = "{issuer}"
{provider}
[providers.main.registrations.web]
client_id = "{app_id}"
{app_auth}
scopes = ["openid", "profile", "email"]
{provider_extra}
[providers.main.registrations.console]
client_id = "{console_id}"
client_secret = "file:console.secret"
scopes = ["openid", "profile", "email"]

[clients.app]
kind = "web"
name = "Tests & <app>"
registrations = [{app_list}]
{app}
[clients.console]
kind = "web"
name = "Console"
registrations = ["main.console"{second_console}]

{phone}
{second}
[sites.app]
origin = "http://app.localhost:{port}"
client = "app"

[sites.console]
origin = "http://console.localhost:{port}"
client = "console"

[upstreams.api]
url = "{upstream}"
{routes}
[admin]
site = "console"
role_claim = "roles"
roles = {{ viewer = ["viewer"], operator = ["operator"], owner = ["owner"] }}
owners = [{{ issuer = "{issuer}", sub = "carol" }}]
{rest}"#
        )
    }
}

fn second_provider(issuer: &str) -> String {
    format!(
        r#"
[providers.other]
issuer = "{issuer}"

[providers.other.registrations.web]
client_id = "other-app"
client_secret = "env:TESTS_SECOND_SECRET"
client_auth = "client_secret_post"
scopes = ["openid", "profile", "email"]

[providers.other.registrations.console]
client_id = "other-console"
client_secret = "env:TESTS_SECOND_SECRET"
client_auth = "client_secret_post"
scopes = ["openid", "profile", "email"]
"#
    )
}

impl Registrations {
    /// Clients that no other test has.
    fn unique() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let secret = || format!("client-secret-{}", random_key().replace(['+', '/', '='], "x"));
        Self { app: format!("app-{mark}"), console: format!("console-{mark}"), secrets: [secret(), secret()] }
    }
}

fn random_key() -> String {
    let mut bytes = [0; 32];
    fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).expect("random bytes");
    BASE64_STANDARD.encode(bytes)
}
