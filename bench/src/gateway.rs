//! Cloakroom under load: the released binary on SQLite, a demo provider in this process, and thousands of sessions
//! that came by real logins.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use cloakroom_demo::listening;
use cloakroom_demo::provider::{self, Provider, ProviderConfig, RegisteredClient, User};
use cloakroom_demo::sources::Sources;

use crate::http::{Answer, send};
use crate::phone::{CLIENT, REDIRECT};
use crate::process::{Process, free_port};

const SECRET: &str = "bench-secret-bench-secret-bench-secret";
/// Logins under way at a time.
pub(crate) const AT_ONCE: usize = 16;

pub(crate) struct Gateway {
    pub(crate) process: Process,
    pub(crate) port: u16,
    pub(crate) host: String,
    /// Keeps the provider running.
    _provider: tokio::runtime::Runtime,
    pub(crate) origin: String,
}

/// Starts provider and gateway, with `upstream_port` behind `/api/`.
pub(crate) fn start(dir: &Path, upstream_port: u16) -> Result<Gateway> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (port, management) = (free_port()?, free_port()?);
    let origin = format!("http://app.localhost:{port}");
    let issuer = runtime.block_on(start_provider(&origin))?;
    fs::write(dir.join("client.secret"), SECRET)?;
    write_root_key(dir)?;
    let config = configuration([port, management, upstream_port], &origin, &issuer);
    let file = dir.join("cloakroom.toml");
    fs::write(&file, config)?;
    let bin = std::env::var("CLOAKROOM_BIN")
        .context("CLOAKROOM_BIN must name a release build; `cargo xtask bench` sets it")?;
    let log = fs::File::create(dir.join("cloakroom.log"))?;
    let mut process = Process::start(
        "cloakroom",
        Command::new(bin).args(["serve", "--config"]).arg(&file).stdout(Stdio::null()).stderr(log),
    )?;
    process.wait_for_port(port)?;
    Ok(Gateway { process, port, host: format!("app.localhost:{port}"), _provider: runtime, origin })
}

fn configuration([port, management, upstream_port]: [u16; 3], origin: &str, issuer: &str) -> String {
    format!(
        r#"[server]
listen = "127.0.0.1:{port}"
management = "127.0.0.1:{management}"
[store]
url = "sqlite:bench.db"
[keys]
root = "file:root.key"
[log]
format = "text"
filter = "warn"
[limits]
address = {{ rate = "1000000/s" }}
session = {{ rate = "1000000/s" }}
login = "off"
[providers.demo]
issuer = "{issuer}"
[providers.demo.registrations.web]
client_id = "cloakroom"
client_secret = "file:client.secret"
scopes = ["openid", "profile", "email", "offline_access"]
[clients.app]
kind = "web"
name = "Bench"
registrations = ["demo.web"]
[clients.{CLIENT}]
kind = "mobile"
registrations = ["demo.web"]
issuer_site = "app"
sites = ["app"]
redirect_uris = ["{REDIRECT}"]
access_secs = 86400
dpop = "optional"
[sites.app]
origin = "{origin}"
client = "app"
[upstreams.api]
url = "http://127.0.0.1:{upstream_port}"
[[routes]]
site = "app"
path = "/api/"
upstream = "api"
kind = "api"
token = "user"
access = "signed_in"
"#
    )
}

fn write_root_key(dir: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| anyhow::anyhow!("no randomness"))?;
    let file = dir.join("root.key");
    fs::write(&file, base64::engine::general_purpose::STANDARD.encode(key))?;
    Ok(fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?)
}

async fn start_provider(origin: &str) -> Result<String> {
    let bound = listening::bind("idp.localhost", 0).await?;
    let issuer = bound.origin().clone();
    let client = RegisteredClient {
        client_id: "cloakroom".into(),
        client_secret: SECRET.into(),
        redirect_uris: vec![format!("{origin}/bff/callback").parse()?, format!("{origin}/oauth/callback").parse()?],
        post_logout_redirect_uris: vec![format!("{origin}/bff/signed-out").parse()?],
        backchannel_logout_uri: None,
    };
    let user = User {
        name: "alice".into(),
        password: "alice".into(),
        sub: "alice".into(),
        email: "alice@example.com".into(),
        display_name: "Alice".into(),
        roles: vec![],
        groups: vec!["staff".into()],
    };
    let config = ProviderConfig {
        issuer: issuer.clone(),
        clients: vec![client],
        users: vec![user],
        // Longer than any bench: what is measured is the way of a call, not of a refresh.
        access_token_secs: 86_400,
        audience: "https://api.bench.example/a/path/that/brings/the/token/to/the/length/that/real/ones/have".into(),
        onward: Vec::new(),
    };
    let now_secs = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let fill = |out: &mut [u8]| {
        if aws_lc_rs::rand::fill(out).is_err() {
            std::process::abort();
        }
    };
    let provider = Arc::new(Provider::new(config, Sources::new(now_secs, fill))?);
    let serving = bound.serve(provider::router(provider), std::future::pending());
    drop(tokio::spawn(serving));
    Ok(issuer.as_str().trim_end_matches('/').to_owned())
}

impl Gateway {
    /// Signs one person in `n` times, as `n` browsers that the provider already knows; answers their cookies.
    pub(crate) fn sessions(&self, n: usize) -> Result<Vec<String>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let known_to_provider = first_login(&self.origin).await?;
            let mut cookies = Vec::with_capacity(n);
            while cookies.len() < n {
                let batch = AT_ONCE.min(n - cookies.len());
                let logins = (0..batch).map(|_| login(self.origin.clone(), known_to_provider.clone()));
                let tasks: Vec<_> = logins.map(tokio::spawn).collect();
                for task in tasks {
                    cookies.push(task.await??);
                }
            }
            Ok(cookies)
        })
    }
}

/// Fills the provider's form once; answers the provider's own cookies.
pub(crate) async fn first_login(origin: &str) -> Result<Vec<String>> {
    let begun = send("GET", &format!("{origin}/bff/login"), &[], None).await?;
    let page_url = location(&begun, origin)?;
    let mut page = send("GET", &page_url, &[], None).await?;
    let mut cookies = page.cookies();
    let mut url = page_url;
    if page.status == 303 || page.status == 302 {
        url = location(&page, &url)?;
        page = send("GET", &url, &cookies, None).await?;
        cookies.extend(page.cookies());
    }
    let attribute = |text: &str, name: &str| {
        text.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned)
    };
    let form = page.body.split_once("<form").map(|(_, rest)| rest).context("the provider's page has no form")?;
    let action = attribute(form, "action").unwrap_or_default().replace("&amp;", "&").replace("&#x2f;", "/");
    let mut fields = url::form_urlencoded::Serializer::new(String::new());
    for input in form.split("<input").skip(1) {
        let input = input.split('>').next().unwrap_or_default();
        if input.contains("type=\"hidden\"") {
            fields.append_pair(
                &attribute(input, "name").unwrap_or_default(),
                &attribute(input, "value").unwrap_or_default(),
            );
        }
    }
    let fields = fields.append_pair("username", "alice").append_pair("password", "alice").finish();
    let target = url::Url::parse(&url)?.join(&action)?;
    let answer = send("POST", target.as_str(), &cookies, Some(&fields)).await?;
    cookies.extend(answer.cookies());
    ensure!(
        (302..=303).contains(&answer.status),
        "the provider did not take the password: {} {}",
        answer.status,
        answer.body
    );
    Ok(cookies)
}

async fn login(origin: String, known_to_provider: Vec<String>) -> Result<String> {
    let begun = send("GET", &format!("{origin}/bff/login"), &[], None).await?;
    let transaction = begun.cookies();
    let mut url = location(&begun, &origin)?;
    // The provider may answer in one redirect or in several.
    while !url.starts_with(&origin) {
        let answer = send("GET", &url, &known_to_provider, None).await?;
        url = location(&answer, &url)?;
    }
    let callback = send("GET", &url, &transaction, None).await?;
    ensure!(callback.status == 200, "callback: {} {}", callback.status, callback.body);
    let target = callback
        .body
        .split_once("url=")
        .and_then(|(_, rest)| rest.split('"').next())
        .context("the callback leads nowhere")?;
    let finish = format!("{origin}{}", target.replace("&#x2f;", "/").replace("&amp;", "&"));
    let done = send("GET", &finish, &transaction, None).await?;
    ensure!(done.status == 303, "finish: {} {}", done.status, done.body);
    done.cookies().into_iter().find(|cookie| cookie.starts_with("__Host-Http-crs=")).context("no session cookie")
}

pub(crate) fn location(answer: &Answer, base: &str) -> Result<String> {
    let location =
        answer.header("location").with_context(|| format!("no redirect but {}: {}", answer.status, answer.body))?;
    Ok(url::Url::parse(base)?.join(location)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every bench rests on: where the way of a login moves, this moves with it.
    #[test]
    fn real_logins_give_sessions_that_the_gateway_knows() {
        let dir = tempfile::tempdir().expect("a folder");
        let gateway = start(dir.path(), 1).expect("the gateway starts; CLOAKROOM_BIN names it");
        let cookies = gateway.sessions(3).expect("people sign in");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for cookie in &cookies {
            // Without the anti-forgery header a live session's call is refused as forged; nobody's would be a 401.
            let url = format!("{}/bff/user", gateway.origin);
            let answer = runtime.block_on(send("GET", &url, std::slice::from_ref(cookie), None));
            assert_eq!(answer.expect("an answer").status, 403);
        }
    }
}
