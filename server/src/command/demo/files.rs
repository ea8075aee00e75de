//! The demo's folder: keys, secret, configuration and store. The configuration is an ordinary one, written down so
//! that it can be read and tried with `cloakroom serve`.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use cloakroom_core::random::Random;

use crate::config::{self, Config};

const SECRET_FILE: &str = "client.secret";
const KEY_FILE: &str = "root.key";
/// The id of the mobile client.
pub(super) const PHONE: &str = "phone";
const CONFIG_FILE: &str = "cloakroom.toml";

/// The folder, given or of this run alone.
pub(super) struct Folder {
    path: PathBuf,
    /// Deletes a folder of this run when it goes.
    _temporary: Option<tempfile::TempDir>,
}

/// What the configuration says.
pub(super) struct Facts<'a> {
    pub(super) gateway: SocketAddr,
    pub(super) app_site: &'a str,
    pub(super) console_site: &'a str,
    pub(super) issuer: &'a str,
    pub(super) api: &'a str,
    pub(super) app: &'a str,
}

impl Folder {
    pub(super) fn open(given: Option<PathBuf>) -> anyhow::Result<Self> {
        let temporary = if given.is_none() { Some(tempfile::tempdir()?) } else { None };
        let path = match (given, &temporary) {
            (Some(path), _) => path,
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => anyhow::bail!("no folder for the demo's data"),
        };
        fs::create_dir_all(&path).with_context(|| format!("{}: cannot be created", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        Ok(Self { path, _temporary: temporary })
    }

    /// The gateway's secret at the demo provider; made once.
    pub(super) fn client_secret(&self, random: &dyn Random) -> anyhow::Result<String> {
        write_once(&self.path.join(KEY_FILE), &STANDARD.encode(random.bytes::<32>()))?;
        let file = self.path.join(SECRET_FILE);
        write_once(&file, &random.token())?;
        Ok(fs::read_to_string(file)?.trim().to_owned())
    }

    pub(super) fn configuration(&self, facts: &Facts<'_>) -> anyhow::Result<Config> {
        let file = self.path.join(CONFIG_FILE);
        fs::write(&file, text(facts))?;
        match config::load_from_process(&file) {
            Ok(loaded) => Ok(loaded.config),
            Err(report) => anyhow::bail!("the demo's own configuration has mistakes:\n{report}"),
        }
    }
}

fn write_once(file: &Path, content: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut new) => Ok(writeln!(new, "{content}")?),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{}: cannot be written", file.display())),
    }
}

/// What is the same wherever it listens.
const ROUTES: &str = r#"[[routes]]
site = "app"
path = "/api/"
upstream = "api"
token = "user"

[[routes]]
site = "app"
path = "/api/safe"
upstream = "api"
token = "user"
policy = { acr = ["mfa"] }

[[routes]]
site = "app"
path = "/"
upstream = "app"
kind = "page"
access = "anonymous"

[admin]
site = "console"
role_claim = "roles"
roles = { viewer = ["viewer"], operator = ["operator"], owner = ["owner"] }"#;

fn text(facts: &Facts<'_>) -> String {
    let Facts { gateway, app_site, console_site, issuer, api, app } = facts;
    format!(
        r#"# Written by `cloakroom demo` at each start.
[server]
listen = "{gateway}"
management = "127.0.0.1:0"

[store]
url = "sqlite:cloakroom.db"

[keys]
root = "file:{KEY_FILE}"

[providers.demo]
issuer = "{issuer}"

[providers.demo.registrations.cloakroom]
client_id = "cloakroom"
client_secret = "file:{SECRET_FILE}"
scopes = ["openid", "profile", "email", "offline_access"]

[clients.app]
kind = "web"
name = "Sample app"
registrations = ["demo.cloakroom"]

[clients.console]
kind = "web"
name = "Console"
registrations = ["demo.cloakroom"]
post_logout_path = "/admin/"

[clients.{PHONE}]
kind = "mobile"
name = "Sample phone app"
registrations = ["demo.cloakroom"]
issuer_site = "app"
sites = ["app"]
redirect_uris = ["com.example.sample:/callback", "http://127.0.0.1/phone/back"]
post_logout_redirect_uris = ["com.example.sample:/signed-out"]
access_secs = 60
dpop = "optional"
device_grant = true

[sites.app]
origin = "{app_site}"
client = "app"

[sites.console]
origin = "{console_site}"
client = "console"

[upstreams.api]
url = "{api}"

[upstreams.app]
url = "{app}"

{ROUTES}"#
    )
}
