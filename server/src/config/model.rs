//! A configuration that has no mistakes.

mod provider;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use secrecy::SecretString;
use url::Url;

use cloakroom_api::{Configuration, Role};
use cloakroom_core::identity::IdentityAsk;
use cloakroom_core::machine::MachineIssuer;
use cloakroom_core::oidc::grant::GrantAsk;
use cloakroom_core::policy::{Access, Callers, ClaimPath, Policy};
use cloakroom_core::rate::Rate;
use cloakroom_core::session::limit::SessionLimit;
use cloakroom_core::vault::RootKey;

use crate::edge::antiforgery::Kind;
use crate::edge::client::SameSite;
use crate::edge::forwarded::TrustedProxies;
use crate::edge::mobile_client::{DpopMode, RedirectUri};
use crate::edge::page::look::Colour;
use crate::edge::rates::Per;
use crate::edge::tls::{Certificate, Settings};
use crate::edge::watch::Limits;
use crate::proxy::upstream::trust::Trust;
use crate::telemetry::logs::Format;

use super::store::Store;
pub(super) use crate::proxy::route::Documents;
pub use provider::{Provider, Registration, RegistrationId};

/// Everything. References between its parts hold.
#[derive(Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[store]`
    pub store: Store,
    /// Where it is written down how far the store was when it was last seen.
    pub witness: Option<PathBuf>,
    /// How long ended sessions are kept, in days.
    pub keep_ended_days: i64,
    /// `[keys]`
    pub keys: Keys,
    /// `[log]`
    pub log: Log,
    /// `[limits]`
    pub rates: Rates,
    /// `[providers.ID]`
    pub providers: BTreeMap<String, Provider>,
    /// `[clients.ID]`
    pub clients: BTreeMap<String, Client>,
    /// `[clients.ID]` of mobile apps
    pub mobile_clients: BTreeMap<String, MobileClient>,
    /// `[sites.ID]`
    pub sites: BTreeMap<String, Site>,
    /// `[upstreams.ID]`
    pub upstreams: BTreeMap<String, Upstream>,
    /// `[machines.ID]`
    pub machines: BTreeMap<String, MachineIssuer>,
    /// `[policies.ID]`
    pub policies: BTreeMap<String, Arc<Policy>>,
    /// `[[routes]]`
    pub routes: Vec<Route>,
    /// `[admin]`
    pub admin: Option<Admin>,
    /// The file as it may be shown.
    pub shown: Configuration,
}

/// `[server]`
#[derive(Debug)]
pub struct Server {
    /// The public listener.
    pub listen: SocketAddr,
    /// The management listener.
    pub management: SocketAddr,
    /// Worker threads.
    pub workers: usize,
    /// How long calls under way may take at the end, in seconds.
    pub drain_secs: u64,
    /// Sessions kept in memory.
    pub cached_sessions: usize,
    /// Client connections at once.
    pub max_connections: usize,
    /// How long clients may keep a connection waiting.
    pub limits: Limits,
    /// The proxies in front.
    pub proxies: TrustedProxies,
    /// `[server.tls]`
    pub tls: Option<Tls>,
    /// What proxies show that ask before they forward by themselves.
    pub forward_auth: Option<SecretString>,
}

/// `[server.tls]`
#[derive(Debug)]
pub struct Tls {
    /// `[[server.tls.certificates]]`, read.
    pub certificates: Vec<Certificate>,
    /// The rest of it.
    pub settings: Settings,
}

impl Tls {
    /// The first certificate for a host.
    #[must_use]
    pub fn first_for(&self, host: &str) -> Option<usize> {
        self.certificates.iter().position(|certificate| certificate.covers(host))
    }
}

/// `[keys]`
#[derive(Debug)]
pub struct Keys {
    /// The root key.
    pub root: RootKey,
}

/// `[log]`
#[derive(Debug)]
pub struct Log {
    /// How lines look.
    pub format: Format,
    /// What is logged, as `tracing-subscriber` filters are written.
    pub filter: String,
}

/// `[limits]`: how often, on one node.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Requests of one address.
    pub address: Option<Rate>,
    /// Calls of one session.
    pub session: Option<Rate>,
    /// Calls of one machine.
    pub machine: Option<Rate>,
    /// Logins of one address, each of their legs.
    pub login: Option<Rate>,
    /// Refusals of one address' requests.
    pub refused: Option<Rate>,
}

/// `[clients.ID]`
#[derive(Debug)]
pub struct Client {
    /// Its name for people.
    pub name: String,
    /// Its logo, as a `data:` address.
    pub logo: Option<String>,
    /// Its colour.
    pub colour: Option<Colour>,
    /// The tenant that its sessions belong to.
    pub tenant: String,
    /// The registrations it logs in with; the first is the default.
    pub registrations: Vec<RegistrationId>,
    /// `SameSite` of its session cookie.
    pub same_site: SameSite,
    /// Ends a session that is not used for so long.
    pub idle_secs: i64,
    /// Ends a session in any case.
    pub absolute_secs: i64,
    /// How long the old session still counts after a step-up, in seconds.
    pub step_up_grace_secs: i64,
    /// How old a sign-in may be of whoever ends other sessions of theirs; 0: any.
    pub recent_login_secs: i64,
    /// How many sessions a person may have at once; `None` for any number.
    pub session_limit: Option<SessionLimit>,
    /// Origins whose pages may call with the session cookie.
    pub trusted_origins: Vec<Origin>,
    /// URLs that `return_to` may name.
    pub return_urls: Vec<String>,
    /// Where the signed-out page leads.
    pub post_logout_path: String,
    /// How often its sessions may call, all together.
    pub limit: Option<Rate>,
}

/// `[clients.ID]` of a mobile app
#[derive(Debug)]
pub struct MobileClient {
    /// Its name for people.
    pub name: String,
    /// The tenant that its sessions belong to.
    pub tenant: String,
    /// The registrations it logs in with; the first is the default.
    pub registrations: Vec<RegistrationId>,
    /// The site where its session API lives.
    pub issuer_site: String,
    /// The sites whose routes it may call.
    pub sites: Vec<String>,
    /// Where its codes may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether it signs people in who type a code on another device (RFC 8628).
    pub device_grant: bool,
    /// Where its sign-outs may come back to.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// How long an access token lives.
    pub access_secs: i64,
    /// Ends a session that is not used for so long.
    pub idle_secs: i64,
    /// Ends a session in any case.
    pub absolute_secs: i64,
    /// How many sessions a person may have at once; `None` for any number.
    pub session_limit: Option<SessionLimit>,
    /// Whether its tokens are bound to a device key.
    pub dpop: DpopMode,
    /// What a service shows to ask about its tokens.
    pub introspection_secret: Option<SecretString>,
    /// How often its sessions may call, all together.
    pub limit: Option<Rate>,
}

/// Scheme, host and port of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: String,
    /// Lower-case host name.
    pub host: String,
    /// Host, and port where it is not the scheme's own.
    pub authority: String,
}

impl Origin {
    /// As a browser's `Origin` header spells it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }
}

/// `[sites.ID]`
#[derive(Debug)]
pub struct Site {
    /// Its origin.
    pub origin: Origin,
    /// The app that logs users in here.
    pub client: Option<String>,
    /// Where the browser endpoints live.
    pub base_path: String,
    /// Whether `diagnostics` answers.
    pub diagnostics: bool,
}

/// `[upstreams.ID]`
#[derive(Debug)]
pub struct Upstream {
    /// Scheme, host and port; no path.
    pub url: Url,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long an answer's head may take.
    pub response_timeout: Duration,
    /// How long a body may pause.
    pub idle_timeout: Duration,
    /// Whether users' access tokens may travel to it over plain http beyond this machine (P12).
    pub allow_plain_http: bool,
    /// Whom TLS towards it believes.
    pub trust: Trust,
}

/// Which token a route's calls carry upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenMode {
    /// None.
    None,
    /// The session's access token.
    User,
    /// The gateway's own, by client credentials.
    ClientCredentials(RegistrationId, GrantAsk),
    /// One that the session's access token is exchanged for.
    Exchange(GrantAsk),
    /// The gateway's own word about who calls.
    Identity(IdentityAsk),
}

/// `[[routes]]`
#[derive(Debug)]
pub struct Route {
    /// The site.
    pub site: String,
    /// The path prefix.
    pub path: String,
    /// Methods; empty for all.
    pub methods: Vec<Method>,
    /// Where its calls go.
    pub to: RouteTo,
    /// What is asked of requests with a cookie.
    pub kind: Kind,
    /// How documents among its answers are shown.
    pub documents: Documents,
    /// Which token is attached.
    pub token: TokenMode,
    /// Who may call at all.
    pub access: Access,
    /// Which kinds of callers are taken.
    pub callers: Callers,
    /// What callers must meet beside that.
    pub policy: Option<Arc<Policy>>,
    /// The longest request body, in bytes.
    pub body_limit_bytes: u64,
    /// How often it may be called, and whose calls count together.
    pub limit: Option<(Rate, Per)>,
}

/// Where a route's calls go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteTo {
    /// To an upstream.
    Upstream(String),
    /// To the files of a folder.
    Folder(PathBuf),
    /// To where the proxy in front sends them.
    Outside,
}

/// `[admin]`
#[derive(Debug)]
pub struct Admin {
    /// The console's site.
    pub site: String,
    /// Where role values stand in the claims.
    pub role_claim: ClaimPath,
    /// Where the tenant stands in the claims that an administrator is fenced to; `None`: every tenant.
    pub tenant_claim: Option<ClaimPath>,
    /// Claim values that grant each role.
    pub roles: Vec<(Role, Vec<String>)>,
    /// Owners by (issuer, sub).
    pub owners: Vec<(String, String)>,
    /// How old an owner's sign-in may be for acts that need a recent one.
    pub recent_login_secs: i64,
}
