//! `cloakroom demo`: gateway, demo identity provider, sample API, sample web app and console in one process, on
//! loopback, with nothing installed.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

mod files;
mod seed;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use tokio::runtime::Handle;
use url::Url;

use cloakroom_demo::app::{AppConfig, PhoneConfig};
use cloakroom_demo::listening::{self, Bound};
use cloakroom_demo::provider::{Provider, ProviderConfig, RegisteredClient, User};
use cloakroom_demo::sources::Sources;
use cloakroom_demo::{api, app, provider};

use cloakroom_core::random::{Random as _, SystemRandom};

use crate::app::{Ambient, Running, control_runtime, stop_signal};
use crate::clock::SystemClock;
use crate::telemetry::logs;
use cloakroom_core::clock::Clock as _;

/// How long an access token of the demo provider lives: short, so that refreshes are seen.
const ACCESS_TOKEN_SECS: u64 = 60;

/// What may be chosen.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The gateway's port; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Keep sessions, keys and configuration in this folder. Without it, everything is gone at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Your own web app instead of the sample's, such as <http://localhost:5173>.
    #[arg(long, value_name = "URL")]
    app: Option<Url>,
    /// Your own API instead of the sample's, such as <http://localhost:3000>. It gets what comes under /api/.
    #[arg(long, value_name = "URL")]
    api: Option<Url>,
    /// Begin with so many sessions of a made-up week: people, devices and history. The same number gives the same week.
    /// A data folder that has a history keeps its own.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    seed: Option<u32>,
    /// Print one line of JSON when ready, and nothing else, on standard output.
    #[arg(long)]
    json: bool,
}

/// Runs the demo until it is stopped.
///
/// # Errors
/// When a port is taken or the data folder cannot be written.
pub fn run(options: Options) -> anyhow::Result<ExitCode> {
    logs::start(logs::Format::Text, if options.json { "warn" } else { "warn,cloakroom=info" })?;
    let runtime = control_runtime()?;
    runtime.block_on(demo(options))?;
    Ok(ExitCode::SUCCESS)
}

/// Listeners come first: addresses name each other.
struct Places {
    gateway: SocketAddr,
    provider: Bound,
    api: Bound,
    app: Bound,
}

impl Places {
    fn site(&self, name: &str) -> String {
        format!("http://{name}.localhost:{}", self.gateway.port())
    }
}

async fn demo(options: Options) -> anyhow::Result<()> {
    let places = Places {
        gateway: free_address(options.port)
            .await
            .with_context(|| format!("port {} is taken; choose another with --port", options.port))?,
        provider: listening::bind("idp.localhost", 0).await?,
        api: listening::bind("api.localhost", 0).await?,
        app: listening::bind("app-files.localhost", 0).await?,
    };
    let folder = files::Folder::open(options.data.clone())?;
    let secret = folder.client_secret(&SystemRandom)?;
    let users = users();
    let provider = Arc::new(Provider::new(provider_config(&places, &users, &secret)?, sources())?);
    let config = folder.configuration(&files::Facts {
        gateway: places.gateway,
        app_site: &places.site("app"),
        console_site: &places.site("console"),
        issuer: provider.issuer(),
        api: &upstream(options.api.as_ref(), places.api.port()),
        app: &upstream(options.app.as_ref(), places.app.port()),
    })?;
    if let Some(n) = options.seed {
        seed::seed(&config, provider.issuer(), n).await?;
    }
    let ready = ready_line(&places, &users, &options);
    serve_surroundings(places, provider)?;
    let stop = stop_signal()?;
    let running = Running::start(config, Ambient::system()?).await?;
    announce(&options.json, &ready, running.management());
    stop.await;
    running.drain().await;
    Ok(())
}

/// An upstream's address: the developer's own, or the sample's.
fn upstream(own: Option<&Url>, sample_port: u16) -> String {
    own.map_or_else(|| format!("http://127.0.0.1:{sample_port}"), |url| url.origin().ascii_serialization())
}

async fn free_address(port: u16) -> std::io::Result<SocketAddr> {
    // Given back at once: the gateway binds it again a moment later.
    tokio::net::TcpListener::bind(("127.0.0.1", port)).await?.local_addr()
}

fn sources() -> Sources {
    let clock = SystemClock::new();
    let now_secs = move || u64::try_from(clock.now().secs()).unwrap_or(0);
    Sources::new(now_secs, |out: &mut [u8]| SystemRandom.fill(out))
}

fn users() -> Vec<User> {
    let user = |name: &str, display_name: &str, roles: &[&str]| User {
        name: name.to_owned(),
        password: name.to_owned(),
        sub: format!("demo-{name}"),
        email: format!("{name}@example.com"),
        display_name: display_name.to_owned(),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        groups: vec!["staff".to_owned()],
    };
    vec![
        user("alice", "Alice Anders", &[]),
        user("victor", "Victor Vance", &["viewer"]),
        user("olga", "Olga Orlova", &["operator"]),
        user("oscar", "Oscar Owen", &["owner"]),
    ]
}

fn provider_config(places: &Places, users: &[User], secret: &str) -> anyhow::Result<ProviderConfig> {
    let at_sites = |path: &str| -> Result<Vec<Url>, url::ParseError> {
        let sites = ["app", "console"].iter().map(|site| format!("{}/bff/{path}", places.site(site)));
        sites.chain([format!("{}/oauth/{path}", places.site("app"))]).map(|url| url.parse()).collect()
    };
    Ok(ProviderConfig {
        issuer: places.provider.origin().clone(),
        clients: vec![RegisteredClient {
            client_id: "cloakroom".to_owned(),
            client_secret: secret.to_owned(),
            redirect_uris: at_sites("callback")?,
            post_logout_redirect_uris: at_sites("signed-out")?,
            backchannel_logout_uri: None,
        }],
        users: users.to_vec(),
        access_token_secs: ACCESS_TOKEN_SECS,
        audience: places.api.origin().as_str().trim_end_matches('/').to_owned(),
        onward: vec!["http://127.0.0.1:*".to_owned(), "com.example.sample:".to_owned()],
    })
}

fn serve_surroundings(places: Places, provider: Arc<Provider>) -> anyhow::Result<()> {
    let console_url: Url = format!("{}/admin/", places.site("console")).parse()?;
    let (provider_url, app_site) = (places.provider.origin().clone(), places.site("app"));
    let tokens = provider.access_tokens();
    let never = std::future::pending;
    let background = Handle::current();
    drop(background.spawn(places.provider.serve(provider::router(provider), never())));
    drop(background.spawn(places.api.serve(api::router(tokens), never())));
    let phone = PhoneConfig {
        issuer: app_site,
        client_id: files::PHONE,
        redirect_uri: format!("http://127.0.0.1:{}/phone/back", places.app.port()),
        scope: "openid profile email",
    };
    let app = AppConfig { console_url, provider_url, phone };
    drop(background.spawn(places.app.serve(app::app_router(app), never())));
    Ok(())
}

/// The line of `--json`, but for the management address, which is known only once the gateway runs.
fn ready_line(places: &Places, users: &[User], options: &Options) -> serde_json::Value {
    let origin = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
    let users: Vec<_> =
        users.iter().map(|user| json!({ "name": user.name, "password": user.password, "roles": user.roles })).collect();
    let mut line = json!({
        "gateway": places.site("app"),
        "console": format!("{}/admin/", places.site("console")),
        "provider": origin(places.provider.origin()),
        "upstream": options.api.as_ref().map_or_else(|| origin(places.api.origin()), |url| url.origin().ascii_serialization()),
        "users": users,
    });
    // A developer's own app takes the sample's place, and the sample phone's with it.
    if let (None, Some(fields)) = (&options.app, line.as_object_mut()) {
        fields.insert("phone".into(), json!(format!("{}/phone", places.site("app"))));
    }
    line
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a bare bool argument would say nothing at the call")]
fn announce(json: &bool, ready: &serde_json::Value, management: SocketAddr) {
    let mut ready = ready.clone();
    if let Some(fields) = ready.as_object_mut() {
        fields.insert("management".into(), json!(format!("http://{management}")));
    }
    if *json {
        println!("{ready}");
        return;
    }
    let text = |name: &str| ready.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    println!(
        "
  Cloakroom is running.

  Sample app   {}{}
  Console      {}
  Provider     {}
  Sample API   {}
  Management   {}/metrics

  Users (the password is the name): alice, victor (viewer), olga (operator), oscar (owner)

  Try this first:
    1. Open the sample app, sign in as alice, and call the API: a token arrives there, your cookie does not.
    2. Open the console in the same browser and sign in as olga.
    3. Find Alice's session, revoke it, and watch the sample app notice.

  Ctrl-C ends everything.
",
        text("gateway"),
        ready
            .get("phone")
            .and_then(|url| url.as_str())
            .map(|url| format!("\n  Sample phone {url}"))
            .unwrap_or_default(),
        text("console"),
        text("provider"),
        text("upstream"),
        text("management"),
    );
}
