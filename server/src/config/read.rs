//! Each section, read and checked; then what holds between them.

mod admin;
mod claims;
mod clients;
mod egress;
mod look;
mod machines;
mod mobile;
mod plain;
mod policies;
mod providers;
mod proxies;
mod rates;
mod routes;
mod store;
mod tls;
mod tokens;
mod trust;
mod web;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use cloakroom_api::Configuration;
use cloakroom_core::vault::RootKey;
use secrecy::ExposeSecret as _;

use super::keys;
use super::load::Environment;
use super::model::{Config, Keys, Log, RouteTo, Server};
use super::reader::Reader;
use super::report::Mistake;
use super::secret::{self, Use};
use crate::edge::watch::Limits;
use crate::telemetry::logs::Format;

/// Parts by id; `None` for those with mistakes, so that references to them are not mistakes as well.
type Parts<T> = BTreeMap<String, Option<T>>;

/// What a configuration refers to outside itself.
pub(super) struct Outside<'a> {
    /// Relative paths are relative to the file's folder.
    pub(super) folder: &'a Path,
    pub(super) env: &'a Environment,
}

/// Reads everything, noting every mistake on the way; `None` when a required part is missing.
pub(super) fn config(root: &Reader<'_>, outside: &Outside<'_>) -> Option<Config> {
    let server = server(root, outside);
    let store = store::store(root, outside);
    let keys = keys(root, outside);
    let log = log(root);
    let rates = rates::rates(root);
    let providers = providers::providers(root, outside);
    let (clients, mobile) = clients::clients(root, &providers, outside);
    let sites = clients::sites(root, &clients);
    tls::covers(root, server.as_ref(), &sites);
    let mobile_clients = mobile::clients(mobile, &providers, &sites, outside);
    let upstreams = routes::upstreams(root, outside);
    let machines = machines::machines(root, outside);
    let names =
        policies::Names { providers: &providers, clients: &clients, apps: &mobile_clients, machines: &machines };
    let policies = policies::policies(root, names);
    let routes = routes::routes(
        root,
        &routes::Known {
            sites: &sites,
            upstreams: &upstreams,
            policies: &policies,
            names,
            outside,
            forward_auth: server.as_ref().is_none_or(|server| server.forward_auth.is_some()),
        },
    );
    let admin = root.table("admin").map(|reader| admin::admin(&reader, &sites, &clients, &providers));
    root.finish();
    let (store, witness, keep_ended_days) = store?;
    let config = Config {
        server: server?,
        store,
        witness,
        keep_ended_days,
        keys: keys?,
        log,
        rates,
        providers: all(providers)?,
        clients: all(clients)?,
        mobile_clients: all(mobile_clients)?,
        sites: all(sites)?,
        upstreams: all(upstreams)?,
        machines: all(machines)?,
        policies: all(policies)?,
        routes: routes.into_iter().collect::<Option<_>>()?,
        admin: match admin {
            Some(admin) => Some(admin?),
            None => None,
        },
        shown: Configuration::default(),
    };
    warn_of_unused(root, &config);
    Some(config)
}

fn all<T>(parts: Parts<T>) -> Option<BTreeMap<String, T>> {
    parts.into_iter().map(|(id, part)| part.map(|part| (id, part))).collect()
}

fn server(root: &Reader<'_>, outside: &Outside<'_>) -> Option<Server> {
    let example = "{ listen = \"127.0.0.1:8080\", management = \"127.0.0.1:9090\" }";
    let reader = root.table_or_missing("server", example)?;
    let address = |text: &str| text.parse::<SocketAddr>().map_err(|_| "is no IP address with a port".to_owned());
    let allowed = "an IP address and a port, such as 127.0.0.1:8080 or [::]:8080";
    let listen = reader.parsed(reader.required("listen", "\"127.0.0.1:8080\""), "listen", allowed, address);
    let management = reader.parsed(reader.required("management", "\"127.0.0.1:9090\""), "management", allowed, address);
    if let (Some(listen), Some(management)) = (&listen, &management)
        && listen.value == management.value
        && listen.value.port() != 0
    {
        let what = "server.listen and server.management are the same address";
        let help = "give the management listener a port of its own, which the public cannot reach";
        reader.note(
            Mistake::new(management.place.clone(), what, help).beside(listen.place.clone(), "the public listener"),
        );
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = reader.number("workers", 1..=1024, i64::try_from(cores).unwrap_or(1));
    let drain_secs = reader.number("drain_secs", 0..=3600, 20);
    let cached = reader.number("cached_sessions", 100..=100_000_000, 200_000);
    let max_connections = reader.number("max_connections", 16..=10_000_000, 20_000);
    let limits = limits(&reader);
    let proxies = proxies::proxies(&reader);
    let forward_auth = proxies::forward_auth(&reader, &proxies, outside);
    let tls = reader.table("tls").map(|reader| tls::tls(&reader, outside));
    reader.finish();
    Some(Server {
        listen: listen?.value,
        management: management?.value,
        workers: usize::try_from(workers.value).unwrap_or(1),
        drain_secs: u64::try_from(drain_secs.value).unwrap_or(0),
        cached_sessions: usize::try_from(cached.value).unwrap_or(usize::MAX),
        max_connections: usize::try_from(max_connections.value).unwrap_or(usize::MAX),
        limits,
        proxies,
        forward_auth,
        tls: match tls {
            Some(tls) => Some(tls?),
            None => None,
        },
    })
}

fn limits(reader: &Reader<'_>) -> Limits {
    let secs = |key, default| u64::try_from(reader.number(key, 1..=3600, default).value).unwrap_or(1);
    Limits {
        head_secs: secs("head_timeout_secs", 10),
        body_idle_secs: secs("body_idle_timeout_secs", 30),
        keep_alive_secs: secs("keep_alive_secs", 75),
    }
}

#[expect(clippy::disallowed_methods, reason = "the root key is read into the vault's own type, once")]
fn keys(root: &Reader<'_>, outside: &Outside<'_>) -> Option<Keys> {
    let reader = root.table_or_missing("keys", "{ root = \"file:root.key\" }")?;
    let found = reader.required("root", "\"file:root.key\"");
    reader.finish();
    let found = found?;
    match secret::resolve(found.value, Use::RootKey, outside) {
        Err(told) => reader.wrong(&found.place, format!("keys.root: {}", told.what), told.help),
        Ok(read) => match RootKey::parse(read.text.expose_secret()) {
            Ok(root) => return Some(Keys { root }),
            Err(_) => reader.wrong(
                &found.place,
                format!("keys.root: {} does not hold 32 bytes in base64", found.value),
                "a new key is made with: head -c 32 /dev/urandom | base64 (a store that is in use needs the key it was made with)",
            ),
        },
    }
    None
}

fn log(root: &Reader<'_>) -> Log {
    let Some(reader) = root.table("log") else { return Log { format: Format::Json, filter: "info".into() } };
    let format = reader.one_of("format", &[("json", Format::Json), ("text", Format::Text)], Format::Json).value;
    let valid = |text: &str| match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("is no filter ({error})")),
    };
    let allowed = "error, warn, info, debug, trace, or module=level pairs separated by commas";
    let filter = reader.parsed(reader.text("filter"), "filter", allowed, valid);
    reader.finish();
    Log { format, filter: filter.map_or_else(|| "info".into(), |found| found.value) }
}

/// What is known of a kind, for help lines; first what was probably meant.
fn known<'a>(kind: &str, ids: impl IntoIterator<Item = &'a String>, wanted: &str) -> String {
    let ids: Vec<&str> = ids.into_iter().map(String::as_str).collect();
    if ids.is_empty() {
        return format!("there are no {kind} yet");
    }
    let all = format!("known {kind}: {}", ids.join(", "));
    keys::nearest(wanted, ids.into_iter()).map_or_else(|| all.clone(), |near| format!("did you mean {near}? {all}"))
}

/// Parts that nothing uses are probably not what was meant.
fn warn_of_unused(root: &Reader<'_>, config: &Config) {
    let warn = |section: &str, id: &str, what: &str, help: &str| {
        let place = root.place_of(&[section, id]);
        root.warn(&place, format!("{section}.{id} {what}"), help);
    };
    for id in config.clients.keys() {
        if !config.sites.values().any(|site| site.client.as_ref() == Some(id)) {
            warn("clients", id, "has no site, so nobody can sign in to it", "name it as the client of a site");
        }
    }
    for id in config.upstreams.keys() {
        if !config.routes.iter().any(|route| route.to == RouteTo::Upstream(id.clone())) {
            warn("upstreams", id, "is used by no route", "name it as the upstream of a route, or leave it out");
        }
    }
    if config.server.forward_auth.is_some() && !config.routes.iter().any(|route| route.to == RouteTo::Outside) {
        warn("server", "forward_auth_secret", "opens no route", "add forward_auth = true to a route, or leave it out");
    }
    if !config.routes.iter().any(|route| route.callers.machines()) {
        for id in config.machines.keys() {
            warn("machines", id, "may call no route", "add callers = [\"machine\"] to a route, or leave it out");
        }
    }
    for (id, policy) in &config.policies {
        if !config.routes.iter().any(|route| route.policy.as_ref().is_some_and(|used| Arc::ptr_eq(used, policy))) {
            warn("policies", id, "is asked by no route", "name it as the policy of a route, or leave it out");
        }
    }
    for id in config.providers.keys() {
        let used = |one: &super::model::RegistrationId| one.provider == *id;
        let web = config.clients.values().flat_map(|client| &client.registrations);
        let mobile = config.mobile_clients.values().flat_map(|client| &client.registrations);
        if !web.chain(mobile).any(used) {
            warn("providers", id, "is used by no client", "name one of its registrations in a client");
        }
    }
    if config.sites.is_empty() {
        root.warn(
            root.place(),
            "there are no sites, so every request is answered 421",
            "add [sites.app] with an origin",
        );
    }
}
