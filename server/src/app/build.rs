//! From a configuration to a gateway: every part made once, each handed what it needs.

mod rates;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use http::HeaderValue;
use tokio::runtime::Handle;

use cloakroom_core::audit::event::Journal;
use cloakroom_core::grant::OwnToken;
use cloakroom_core::http::HttpClient;
use cloakroom_core::identity::Identity;
use cloakroom_core::keys::Keys;
use cloakroom_core::machine::Machines;
use cloakroom_core::oidc::{self, Provider, ProviderSettings};
use cloakroom_core::policy::Rule;
use cloakroom_core::session::follow::Shared;
use cloakroom_core::session::{Parts, SeenQueue, Sessions};
use cloakroom_core::store::Store;
use cloakroom_core::vault::ring::INDEX_ID;
use cloakroom_core::vault::{KeyRing, SessionVault, TicketSeal};

use super::{Ambient, open_store};
use crate::admin::audit::verify::Verifier;
use crate::admin::facts::Facts;
use crate::admin::roles::RoleRules;
use crate::config::{self, Config, RouteTo};
use crate::edge::client::{Client, RegistrationRef, Site, Sites};
use crate::edge::dpop::Proofs;
use crate::edge::mobile_client::MobileClient;
use crate::edge::page::look::Look;
use crate::edge::refusals::Refusals;
use crate::edge::tls::Tls;
use crate::explain::Explainer;
use crate::gateway::Gateway;
use crate::outbound::Outbound;
use crate::proxy::folder::Folder;
use crate::proxy::forward_auth::ForwardAuth;
use crate::proxy::route::{Route, Routes, Target, TokenMode};
use crate::proxy::upstream::Upstream;
use crate::telemetry::metrics::{Metrics, WorkerCounts};

/// The gateway, and the queue of last-seen moments that must be flushed.
pub(super) async fn gateway(
    config: &Config,
    ambient: &Ambient,
    background: &Handle,
    counts: Vec<Arc<WorkerCounts>>,
) -> anyhow::Result<(Arc<Gateway>, SeenQueue)> {
    let store = open_store(config, background).await?;
    let (sessions, seen, ring) = sessions(config, ambient, store, background).await?;
    let metrics = Arc::new(Metrics::new(counts, Arc::clone(&sessions)));
    let gateway = Gateway {
        sites: sites(config, &ring, &sessions, &metrics)?,
        rates: rates::rates(config, &metrics),
        refusals: Refusals::default(),
        metrics,
        sessions,
        random: Arc::clone(&ambient.random),
        clock: Arc::clone(&ambient.clock),
        limits: config.server.limits,
        roles: roles(config),
        identity: Identity::new(ring),
        explainer: Explainer::new(config),
        machines: Machines::new(
            config.machines.values().cloned().collect(),
            Arc::clone(&ambient.http),
            Arc::clone(&ambient.clock),
        ),
        proofs: Proofs::new(ambient.clock.now()),
        facts: Facts::of(config),
        started_at: ambient.clock.now(),
        verifier: Verifier::default(),
        draining: AtomicBool::new(false),
        proxies: config.server.proxies.clone(),
        forward_auth: config
            .server
            .forward_auth
            .clone()
            .map(|secret| ForwardAuth::new(secret, config.sites.values().map(|site| site.base_path.as_str()))),
        tls: tls(config)?,
    };
    Ok((Arc::new(gateway), seen))
}

/// The sessions of a store, with their queue of last-seen moments and the key ring.
pub(super) async fn sessions(
    config: &Config,
    ambient: &Ambient,
    store: Arc<dyn Store>,
    background: &Handle,
) -> anyhow::Result<(Arc<Sessions>, SeenQueue, Arc<KeyRing>)> {
    let Keyed { ring, journal, keys } = keyed(config, ambient, &store).await?;
    let shared = Arc::clone(&store).change_log().zip(config.store.reread());
    let parts = Parts {
        store,
        shared: shared.map(|(log, reread)| Shared { log, reread }),
        keys,
        vault: SessionVault::new(Arc::clone(&ring), Arc::clone(&ambient.random)),
        journal,
        clock: Arc::clone(&ambient.clock),
        random: Arc::clone(&ambient.random),
        providers: providers(config, ambient)?,
        background: background.clone(),
    };
    let (sessions, seen) = Sessions::new(parts, config.server.cached_sessions);
    Ok((sessions, seen, ring))
}

/// What the root key opens.
pub(super) struct Keyed {
    pub(super) ring: Arc<KeyRing>,
    journal: Arc<Journal>,
    keys: Arc<Keys>,
}

/// Opens the store's key ring, makes its first key if need be, and keeps the index key beside it.
pub(super) async fn keyed(config: &Config, ambient: &Ambient, store: &Arc<dyn Store>) -> anyhow::Result<Keyed> {
    let (root, clock, random) = (&config.keys.root, &ambient.clock, &ambient.random);
    let mut rows = store.keys().await?;
    if rows.is_empty() {
        rows = store.add_first_key(root.new_ring_key(clock.now(), &**random)).await?;
    }
    let ring = KeyRing::open(root.clone(), &rows).context(
        "keys.root is not the key that this store was made with, or the store's keys were altered, or made by a version before this one",
    )?;
    if !rows.iter().any(|row| row.id == INDEX_ID) {
        store.keep_index_key(ring.index_row(&**random)).await?;
    }
    let ring = Arc::new(ring);
    let share = || (Arc::clone(store), Arc::clone(&ring));
    let (kept, shared) = share();
    let journal = Arc::new(Journal::new(kept, shared, Arc::clone(clock), Arc::clone(random)));
    let (kept, shared) = share();
    let keys = Arc::new(Keys::new(kept, shared, Arc::clone(&journal), Arc::clone(clock), Arc::clone(random)));
    Ok(Keyed { ring, journal, keys })
}

pub(super) fn providers(config: &Config, ambient: &Ambient) -> anyhow::Result<BTreeMap<String, Arc<Provider>>> {
    let make = |(id, provider): (&String, &config::Provider)| {
        let registration = |(id, registration): (&String, &config::Registration)| oidc::Registration {
            id: id.clone(),
            client_id: registration.client_id.clone(),
            auth: registration.client_auth.clone(),
            scopes: registration.scopes.clone(),
            extra_authorize: registration.extra_authorize.clone(),
            login_parameters: registration.login_parameters.clone(),
            response_mode: registration.response_mode,
            userinfo: registration.userinfo,
        };
        let settings = ProviderSettings {
            id: id.clone(),
            name: provider.name.clone(),
            mail_domains: provider.mail_domains.clone(),
            own_callback: provider.own_callback,
            issuer: provider.issuer.clone(),
            claims: provider.claims.clone(),
            plain: provider.plain.clone(),
            clock_skew_secs: provider.clock_skew_secs,
            refresh_reuse: provider.refresh_reuse,
            timeout_secs: provider.timeout_secs,
            id_token_hint: provider.id_token_hint,
            logout_redirect_parameter: provider.logout_redirect_parameter.clone(),
            registrations: provider.registrations.iter().map(registration).collect(),
        };
        let http: Arc<dyn HttpClient> = if provider.egress.is_usual() {
            Arc::clone(&ambient.http)
        } else {
            Arc::new(Outbound::new(&provider.egress).with_context(|| format!("providers.{id}"))?)
        };
        let clock = Arc::clone(&ambient.clock);
        let made = Provider::new(settings, http, clock, Arc::clone(&ambient.random));
        made.map(|made| (id.clone(), Arc::new(made))).with_context(|| format!("providers.{id}"))
    };
    config.providers.iter().map(make).collect()
}

fn clients(config: &Config, ring: &Arc<KeyRing>, metrics: &Metrics) -> BTreeMap<String, Arc<Client>> {
    let make = |(at, (id, client)): (usize, (&String, &config::Client))| {
        let made = Client {
            id: id.as_str().into(),
            name: client.name.as_str().into(),
            look: Look::new(&client.name, client.logo.as_deref(), client.colour),
            tenant: client.tenant.as_str().into(),
            tickets: TicketSeal::new(ring, id),
            same_site: client.same_site,
            idle_secs: client.idle_secs,
            absolute_secs: client.absolute_secs,
            step_up_grace_secs: client.step_up_grace_secs,
            recent_login_secs: client.recent_login_secs,
            session_limit: client.session_limit,
            registrations: client.registrations.iter().map(registration).collect(),
            trusted_origins: client.trusted_origins.iter().map(|origin| origin.text().into()).collect(),
            return_urls: client.return_urls.iter().map(|url| url.as_str().into()).collect(),
            post_logout_path: client.post_logout_path.as_str().into(),
            limit: rates::of_client(at, client.limit, metrics),
        };
        (id.clone(), Arc::new(made))
    };
    config.clients.iter().enumerate().map(make).collect()
}

fn mobile_clients<'a>(config: &'a Config, metrics: &Metrics) -> Vec<(Arc<MobileClient>, &'a config::MobileClient)> {
    let make = |at, id: &String, client: &config::MobileClient| MobileClient {
        id: id.as_str().into(),
        name: client.name.as_str().into(),
        tenant: client.tenant.as_str().into(),
        registrations: client.registrations.iter().map(registration).collect(),
        redirect_uris: client.redirect_uris.clone(),
        device_grant: client.device_grant,
        post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
        access_secs: client.access_secs,
        idle_secs: client.idle_secs,
        absolute_secs: client.absolute_secs,
        session_limit: client.session_limit,
        dpop: client.dpop,
        introspection_secret: client.introspection_secret.clone(),
        limit: rates::of_app(at, client.limit, metrics),
    };
    let made = |(at, (id, client))| (Arc::new(make(at, id, client)), client);
    config.mobile_clients.iter().enumerate().map(made).collect()
}

fn registration(one: &config::RegistrationId) -> RegistrationRef {
    RegistrationRef { provider: one.provider.as_str().into(), registration: one.registration.as_str().into() }
}

fn sites(config: &Config, ring: &Arc<KeyRing>, sessions: &Sessions, metrics: &Metrics) -> anyhow::Result<Sites> {
    let clients = clients(config, ring, metrics);
    let apps = mobile_clients(config, metrics);
    let tls = upstreams_tls(config)?;
    let mut sites = Vec::new();
    for (number, (id, site)) in config.sites.iter().enumerate() {
        let upstreams = upstreams(config, number, &tls)?;
        let made = Site {
            number,
            id: id.as_str().into(),
            origin: site.origin.text().into(),
            authority: HeaderValue::try_from(&site.origin.authority)?,
            scheme: HeaderValue::try_from(&site.origin.scheme)?,
            base_path: site.base_path.as_str().into(),
            client: site.client.as_ref().and_then(|id| clients.get(id).cloned()),
            issues: apps
                .iter()
                .filter(|(_, wanted)| wanted.issuer_site == *id)
                .map(|(app, _)| Arc::clone(app))
                .collect(),
            apps: apps.iter().filter(|(_, wanted)| wanted.sites.contains(id)).map(|(app, _)| Arc::clone(app)).collect(),
            routes: routes(config, id, &upstreams, (sessions, metrics))?,
            identity: config
                .routes
                .iter()
                .any(|route| route.site == *id && matches!(route.token, config::TokenMode::Identity(_))),
            diagnostics: site.diagnostics,
            admin: config.admin.as_ref().is_some_and(|admin| admin.site == *id),
        };
        sites.push((Box::from(site.origin.host.as_str()), Arc::new(made)));
    }
    Ok(Sites::new(sites))
}

fn routes(
    config: &Config,
    site: &str,
    upstreams: &HashMap<&str, Arc<Upstream>>,
    (sessions, metrics): (&Sessions, &Metrics),
) -> anyhow::Result<Routes> {
    let mut routes = Routes::default();
    for (at, route) in config.routes.iter().enumerate().filter(|(_, route)| route.site == site) {
        let to = match &route.to {
            RouteTo::Folder(path) => Target::Folder(Box::new(Folder::new(path, &route.path))),
            RouteTo::Upstream(id) => match upstreams.get(id.as_str()) {
                Some(upstream) => Target::Upstream(Arc::clone(upstream)),
                None => continue,
            },
            RouteTo::Outside => Target::Outside,
        };
        let made = Route {
            to,
            kind: route.kind,
            documents: route.documents,
            token: token_mode(&route.token, sessions)?,
            rule: Rule { access: route.access, callers: route.callers, policy: route.policy.clone() },
            body_limit_bytes: route.body_limit_bytes,
            limit: rates::of_route(at, route.limit, metrics),
        };
        routes.add(&route.path, route.methods.clone(), made);
    }
    Ok(routes)
}

fn token_mode(token: &config::TokenMode, sessions: &Sessions) -> anyhow::Result<TokenMode> {
    Ok(match token {
        config::TokenMode::None => TokenMode::None,
        config::TokenMode::User => TokenMode::User,
        config::TokenMode::Identity(ask) => TokenMode::Identity(Arc::new(ask.clone())),
        config::TokenMode::Exchange(ask) => TokenMode::Exchange(Arc::new(ask.clone())),
        config::TokenMode::ClientCredentials(one, ask) => {
            let provider =
                sessions.provider(&one.provider).context("a route's token names a provider that is not there")?;
            let clock = Arc::clone(sessions.clock());
            let own = OwnToken::new(Arc::clone(provider), one.registration.clone(), ask.clone(), clock);
            TokenMode::Own(Arc::new(own))
        }
    })
}

/// TLS towards each https upstream. Those that are believed by the usual anchors share one.
fn upstreams_tls(config: &Config) -> anyhow::Result<HashMap<&str, Arc<rustls::ClientConfig>>> {
    let (mut all, mut usual) = (HashMap::new(), None);
    for (id, upstream) in config.upstreams.iter().filter(|(_, upstream)| upstream.url.scheme() == "https") {
        let made = match (upstream.trust.is_usual(), &usual) {
            (true, Some(tls)) => Arc::clone(tls),
            (true, None) => Arc::clone(usual.insert(upstream.trust.client_config()?)),
            (false, _) => upstream.trust.client_config().with_context(|| format!("upstreams.{id}"))?,
        };
        all.insert(id.as_str(), made);
    }
    Ok(all)
}

/// A site's upstreams. Each site has its own, so that no connection carries the calls of two (P16).
fn upstreams<'a>(
    config: &'a Config,
    site: usize,
    tls: &HashMap<&str, Arc<rustls::ClientConfig>>,
) -> anyhow::Result<HashMap<&'a str, Arc<Upstream>>> {
    let mut upstreams = HashMap::new();
    for (at, (id, upstream)) in config.upstreams.iter().enumerate() {
        let host = upstream.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = || host.clone().try_into().with_context(|| format!("upstreams.{id}: no name for TLS"));
        let tls = tls.get(id.as_str()).map(|tls| anyhow::Ok((Arc::clone(tls), name()?))).transpose()?;
        let made = Upstream {
            number: site * config.upstreams.len() + at,
            id: id.as_str().into(),
            authority: upstream.url.authority().into(),
            host: host.into(),
            port: upstream.url.port_or_known_default().unwrap_or(80),
            tls,
            connect_timeout: upstream.connect_timeout,
            response_timeout: upstream.response_timeout,
            idle_timeout: upstream.idle_timeout,
        };
        upstreams.insert(id.as_str(), Arc::new(made));
    }
    Ok(upstreams)
}

/// TLS of the public listener, its sites numbered as [`sites`] numbers them.
fn tls(config: &Config) -> anyhow::Result<Option<Arc<Tls>>> {
    let Some(tls) = &config.server.tls else { return Ok(None) };
    let hosts = config.sites.values().map(|site| site.origin.host.as_str().into()).collect();
    Ok(Some(Arc::new(Tls::new(tls.settings, tls.certificates.clone(), hosts)?)))
}

fn roles(config: &Config) -> RoleRules {
    config.admin.as_ref().map_or_else(RoleRules::default, |admin| RoleRules {
        claim: Some(admin.role_claim.clone()),
        granting: admin.roles.clone(),
        owners: admin.owners.clone(),
        tenant_claim: admin.tenant_claim.clone(),
        recent_login_secs: admin.recent_login_secs,
    })
}
