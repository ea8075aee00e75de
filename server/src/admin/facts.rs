//! What the configuration says, as the API tells it: gathered once at start.

use cloakroom_api as api;
use cloakroom_core::oidc::ClientAuth;

use super::roles::Fence;
use crate::config::{self, Config, RouteTo};

/// Clients, upstreams, providers and the file's text.
#[derive(Debug)]
pub struct Facts {
    clients: Vec<api::Client>,
    /// Where each route leads, with its client's tenant; none on a site that logs nobody in.
    routes: Vec<(Option<String>, Option<String>)>,
    upstreams: Vec<api::Upstream>,
    providers: Vec<api::Provider>,
    /// The configuration's text.
    pub(super) configuration: api::Configuration,
    /// Threads that serve clients.
    pub(super) workers: u64,
}

impl Facts {
    /// The facts of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let mut clients: Vec<_> = config.clients.iter().map(|(id, one)| client(config, id, one)).collect();
        clients.extend(config.mobile_clients.iter().map(|(id, one)| mobile_client(config, id, one)));
        clients.sort_by(|one, other| one.id.cmp(&other.id));
        let tenant = |site: &str| {
            let client = config.sites.get(site).and_then(|site| site.client.as_ref());
            client.and_then(|id| config.clients.get(id)).map(|client| client.tenant.clone())
        };
        Self {
            clients,
            routes: config.routes.iter().map(|one| (tenant(&one.site), leads_to(one))).collect(),
            upstreams: config.upstreams.iter().map(|(id, one)| upstream(id, one)).collect(),
            providers: config.providers.iter().map(|(id, one)| provider(id, one)).collect(),
            configuration: config.shown.clone(),
            workers: config.server.workers as u64,
        }
    }

    /// Whether there is a client of this tenant.
    pub(super) fn has_tenant(&self, tenant: &str) -> bool {
        self.clients.iter().any(|client| client.tenant == tenant)
    }

    /// The clients that an administrator may see.
    pub(super) fn clients(&self, fence: &Fence) -> Vec<&api::Client> {
        self.clients.iter().filter(|client| fence.shows(&client.tenant)).collect()
    }

    /// The upstreams that the routes of their sites lead to, each with how many do.
    pub(super) fn upstreams(&self, fence: &Fence) -> Vec<api::Upstream> {
        let shown = |tenant: &Option<String>| match tenant {
            Some(tenant) => fence.shows(tenant),
            None => *fence == Fence::None,
        };
        let leading = |id: &str| {
            let leads = |(tenant, to): &&(Option<String>, Option<String>)| shown(tenant) && to.as_deref() == Some(id);
            self.routes.iter().filter(leads).count() as u64
        };
        let counted = self.upstreams.iter().map(|one| api::Upstream { routes: leading(&one.id), ..one.clone() });
        counted.filter(|one| one.routes > 0 || *fence == Fence::None).collect()
    }

    /// The providers that their clients sign in with.
    pub(super) fn providers(&self, fence: &Fence) -> Vec<&api::Provider> {
        let clients = self.clients(fence);
        let used = |id: &str| {
            let of = |name: &String| name.split_once('.').is_some_and(|(provider, _)| provider == id);
            clients.iter().any(|client| client.registrations.iter().any(of))
        };
        self.providers.iter().filter(|one| *fence == Fence::None || used(&one.id)).collect()
    }
}

fn registrations(list: &[config::RegistrationId]) -> Vec<String> {
    list.iter().map(|one| format!("{}.{}", one.provider, one.registration)).collect()
}

fn secs(secs: i64) -> u64 {
    u64::try_from(secs).unwrap_or_default()
}

fn client(config: &Config, id: &str, client: &config::Client) -> api::Client {
    let own = || config.sites.values().filter(|site| site.client.as_deref() == Some(id));
    api::Client {
        id: id.to_owned(),
        name: client.name.clone(),
        kind: api::Kind::Web,
        tenant: client.tenant.clone(),
        source: api::Source::File,
        registrations: registrations(&client.registrations),
        origins: own().map(|site| site.origin.text()).collect(),
        base_path: own().next().map(|site| site.base_path.clone()),
        issuer: None,
        idle_secs: secs(client.idle_secs),
        absolute_secs: secs(client.absolute_secs),
        trusted_origins: client.trusted_origins.iter().map(config::Origin::text).collect(),
        return_urls: client.return_urls.clone(),
        redirect_uris: Vec::new(),
        live_sessions: 0,
    }
}

fn mobile_client(config: &Config, id: &str, client: &config::MobileClient) -> api::Client {
    let origins = client.sites.iter().filter_map(|site| config.sites.get(site)).map(|site| site.origin.text());
    api::Client {
        id: id.to_owned(),
        name: client.name.clone(),
        kind: api::Kind::Mobile,
        tenant: client.tenant.clone(),
        source: api::Source::File,
        registrations: registrations(&client.registrations),
        origins: origins.collect(),
        base_path: None,
        issuer: config.sites.get(&client.issuer_site).map(|site| site.origin.text()),
        idle_secs: secs(client.idle_secs),
        absolute_secs: secs(client.absolute_secs),
        trusted_origins: Vec::new(),
        return_urls: Vec::new(),
        redirect_uris: client.redirect_uris.iter().map(|uri| uri.text().to_owned()).collect(),
        live_sessions: 0,
    }
}

fn leads_to(route: &config::Route) -> Option<String> {
    match &route.to {
        RouteTo::Upstream(id) => Some(id.clone()),
        RouteTo::Folder(_) | RouteTo::Outside => None,
    }
}

fn upstream(id: &str, upstream: &config::Upstream) -> api::Upstream {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    api::Upstream {
        id: id.to_owned(),
        origin: upstream.url.origin().ascii_serialization(),
        connect_timeout_ms: millis(upstream.connect_timeout),
        response_timeout_ms: millis(upstream.response_timeout),
        idle_timeout_ms: millis(upstream.idle_timeout),
        routes: 0,
    }
}

fn provider(id: &str, provider: &config::Provider) -> api::Provider {
    let registration = |(id, one): (&String, &config::Registration)| api::Registration {
        id: id.clone(),
        client_id: one.client_id.clone(),
        auth: match &one.client_auth {
            ClientAuth::Basic(_) => "client_secret_basic",
            ClientAuth::Post(_) => "client_secret_post",
            ClientAuth::PrivateKeyJwt(_) => "private_key_jwt",
        }
        .to_owned(),
        scopes: one.scopes.clone(),
    };
    api::Provider {
        id: id.to_owned(),
        name: provider.name.clone(),
        issuer: provider.issuer.clone(),
        registrations: provider.registrations.iter().map(registration).collect(),
        live_sessions: 0,
        discovered_at: None,
        last_error: None,
    }
}
