//! `cloakroom check --online`: asks every provider and upstream of a good configuration, and says what it found.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::collections::BTreeSet;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_core::oidc::Provider;
use cloakroom_core::oidc::probe::{Knows, Lack, Promises};

use crate::app::{self, Ambient};
use crate::config::{self, Config};

/// The exit code where something is not as it must be, as `sysexits` names it (`EX_UNAVAILABLE`).
const UNAVAILABLE: u8 = 69;
/// How long any part may take.
const WAIT: Duration = Duration::from_secs(15);

/// How a finding counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Good,
    Note,
    Bad,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Bad => "FAIL",
        })
    }
}

struct Finding {
    level: Level,
    of: String,
    says: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, level: Level, of: &str, says: impl Into<String>) {
        self.0.push(Finding { level, of: of.to_owned(), says: says.into() });
    }
}

/// Asks, and prints what was found. 0 where everything answers as it must.
///
/// # Errors
/// When nothing can be asked from this machine at all.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = app::control_runtime()?;
    let ambient = Ambient::system()?;
    let providers = app::providers(config, &ambient)?;
    let mut found = Findings::default();
    runtime.block_on(async {
        for (id, provider) in &providers {
            if let Some(configured) = config.providers.get(id) {
                ask_provider(config, (id, configured), provider, &mut found).await;
            }
        }
        for (id, upstream) in &config.upstreams {
            ask_upstream(id, upstream, &mut found).await;
        }
    });
    println!();
    for Finding { level, of, says } in &found.0 {
        println!("{level:<4}  {of}: {says}");
    }
    let bad = found.0.iter().filter(|finding| finding.level == Level::Bad).count();
    println!("\n{}", if bad == 0 { "everything answers".to_owned() } else { format!("{bad} to mend") });
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::from(UNAVAILABLE) })
}

async fn ask_provider(
    config: &Config,
    (id, configured): (&str, &config::Provider),
    provider: &Arc<Provider>,
    found: &mut Findings,
) {
    let name = format!("providers.{id}");
    let promises = match tokio::time::timeout(WAIT, provider.promises()).await {
        Ok(Ok(promises)) => promises,
        Ok(Err(error)) => return found.add(Level::Bad, &name, error.to_string()),
        Err(_) => return found.add(Level::Bad, &name, format!("no answer within {} s", WAIT.as_secs())),
    };
    match &promises {
        Some(promises) => judge(config, (id, configured), promises, found),
        None => found.add(Level::Note, &name, "publishes no document; only its token endpoint is asked"),
    }
    for (registration, one) in &configured.registrations {
        let of = format!("{name}.registrations.{registration}");
        let unknown = |scope: &&String| {
            let named = promises.as_ref().and_then(|promises| promises.scopes.as_ref());
            named.is_some_and(|named| !named.contains(scope))
        };
        for scope in one.scopes.iter().filter(unknown) {
            found.add(Level::Note, &of, format!("the provider does not name the scope {scope}"));
        }
        let redirects = redirects(config, provider, id, registration);
        let redirect = redirects.first().map_or("http://localhost/", String::as_str);
        match tokio::time::timeout(WAIT, provider.knows(registration, redirect)).await {
            Ok(Ok(Knows::Client)) => found.add(Level::Good, &of, "the provider knows this client and its proof"),
            Ok(Ok(Knows::NotClient(code))) => {
                found.add(Level::Bad, &of, format!("the provider does not take this client or its proof: {code}"));
            }
            Ok(Ok(Knows::Unclear(what))) => found.add(Level::Note, &of, format!("cannot be tried: {what}")),
            Ok(Err(error)) => found.add(Level::Bad, &of, error.to_string()),
            Err(_) => found.add(Level::Bad, &of, format!("no answer within {} s", WAIT.as_secs())),
        }
        for redirect in redirects {
            found.add(Level::Note, &of, format!("redirect URI to be registered: {redirect}"));
        }
    }
}

/// What a provider's promises mean for the apps that use it.
fn judge(config: &Config, (id, configured): (&str, &config::Provider), promises: &Promises, found: &mut Findings) {
    let name = format!("providers.{id}");
    let level = if promises.keys == 0 { Level::Bad } else { Level::Good };
    found.add(level, &name, format!("{} answers, with {} keys", configured.issuer, promises.keys));
    let shares = |one: &str| config.providers.get(one).is_some_and(|provider| !provider.own_callback);
    let mixed = config.clients.iter().find(|(_, client)| {
        let mut ids = client.registrations.iter().map(|one| one.provider.as_str());
        ids.clone().any(|one| one == id) && ids.any(|one| one != id && shares(one))
    });
    if let (false, true, Some((client, _))) = (promises.iss, shares(id), mixed) {
        let what = format!("says nothing of itself in its answers, and clients.{client} has other providers beside it");
        found.add(Level::Bad, &name, format!("{what}: write callback = \"own\""));
    }
    if promises.pkce == Some(false) {
        found.add(Level::Note, &name, "does not name S256: PKCE may protect nothing there");
    }
    for lack in &promises.lacks {
        let what = match lack {
            Lack::Logout => "has no logout for browsers: its session lives on after a sign-out",
            Lack::Revocation => "takes no tokens back: they live until they expire",
            Lack::BackChannel => "tells of no logouts: sessions here live on when they end there",
        };
        found.add(Level::Note, &name, what);
    }
}

/// Where this registration's answers come, for each site that uses it, and each app.
fn redirects(config: &Config, provider: &Provider, id: &str, registration: &str) -> Vec<String> {
    let uses = |site: &&config::Site| {
        let client = site.client.as_ref().and_then(|client| config.clients.get(client));
        client.is_some_and(|client| {
            client.registrations.iter().any(|one| one.provider == id && one.registration == registration)
        })
    };
    let web = config.sites.values().filter(uses);
    let web =
        web.map(|site| format!("{}{}{}", site.origin.text(), site.base_path, provider.callback_path("/callback")));
    let apps = config.mobile_clients.values();
    let apps = apps
        .filter(|app| app.registrations.iter().any(|one| one.provider == id && one.registration == registration))
        .filter_map(|app| config.sites.get(&app.issuer_site));
    let apps = apps.map(|site| format!("{}{}", site.origin.text(), provider.callback_path("/oauth/callback")));
    web.chain(apps).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether something listens there; with https, whether it is who it should be.
async fn ask_upstream(id: &str, upstream: &config::Upstream, found: &mut Findings) {
    let name = format!("upstreams.{id}");
    match tokio::time::timeout(upstream.connect_timeout, app::connect(upstream)).await {
        Ok(Ok(())) => found.add(Level::Good, &name, format!("{} takes connections", upstream.url)),
        Ok(Err(error)) => found.add(Level::Bad, &name, format!("{}: {error:#}", upstream.url)),
        Err(_) => {
            let within = upstream.connect_timeout.as_millis();
            found.add(Level::Bad, &name, format!("{}: no connection within {within} ms", upstream.url));
        }
    }
}
