//! Which site a request is for, and which client that site has: by the Host header alone, from configuration.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, Uri, header};

use cloakroom_core::session::limit::SessionLimit;
use cloakroom_core::vault::TicketSeal;

use super::mobile_client::MobileClient;
use super::page::look::Look;
use super::problem::Refusal;
use super::rates::Limit;
pub use crate::proxy::route::Routes;

/// One external origin of the gateway.
#[derive(Debug)]
pub struct Site {
    /// Its place among the sites.
    pub number: usize,
    /// The site's id in the configuration.
    pub id: Box<str>,
    /// Scheme, host and port, without a trailing slash: what a browser sends as `Origin`.
    pub origin: Box<str>,
    /// The origin's authority, as forwarded to upstreams.
    pub authority: http::HeaderValue,
    /// `http` or `https`, as forwarded to upstreams.
    pub scheme: http::HeaderValue,
    /// Where Cloakroom's own browser endpoints live: `/bff` unless configured.
    pub base_path: Box<str>,
    /// The app that logs users in here.
    pub client: Option<Arc<Client>>,
    /// The mobile apps whose session API lives here.
    pub issues: Vec<Arc<MobileClient>>,
    /// The mobile apps that may call the routes.
    pub apps: Vec<Arc<MobileClient>>,
    /// The site's routes.
    pub routes: Routes,
    /// Whether calls from here carry identity tokens, whose keys are then published here.
    pub identity: bool,
    /// Whether people may see what the gateway knows of their own calls.
    pub diagnostics: bool,
    /// Whether the console and the admin API live here.
    pub admin: bool,
}

impl Site {
    /// How its pages look.
    #[must_use]
    pub fn look(&self) -> &Look {
        self.client.as_ref().map_or(&Look::PLAIN, |client| &client.look)
    }

    /// Where a sign-in starts.
    #[must_use]
    pub fn login_url(&self) -> String {
        format!("{}/login", self.base_path)
    }

    /// How often the sessions of a client, this site's or an app's, may call all together.
    #[must_use]
    pub fn limit_of(&self, client_id: &str) -> Option<&Limit> {
        match &self.client {
            Some(client) if *client.id == *client_id => client.limit.as_ref(),
            _ => self.apps.iter().find(|app| *app.id == *client_id)?.limit.as_ref(),
        }
    }
}

/// An app that logs users in through Cloakroom.
#[derive(Debug)]
pub struct Client {
    /// The client's id in the configuration.
    pub id: Box<str>,
    /// Its name for people.
    pub name: Box<str>,
    /// How its pages look.
    pub look: Look,
    /// Its tenant.
    pub tenant: Box<str>,
    /// Seals its tickets.
    pub tickets: TicketSeal,
    /// The `SameSite` attribute of its session cookie.
    pub same_site: SameSite,
    /// Ends a session that is not used for so long, in seconds.
    pub idle_secs: i64,
    /// Ends a session after so long in any case, in seconds.
    pub absolute_secs: i64,
    /// How long the old session still counts after a step-up, in seconds.
    pub step_up_grace_secs: i64,
    /// How old a sign-in may be of whoever ends other sessions of theirs, in seconds; 0: any.
    pub recent_login_secs: i64,
    /// How many sessions a person may have at once; `None` for any number.
    pub session_limit: Option<SessionLimit>,
    /// The registrations it may log in with; the first is the default.
    pub registrations: Vec<RegistrationRef>,
    /// Origins whose pages may call with the session cookie, beside the own one.
    pub trusted_origins: Vec<Box<str>>,
    /// Absolute URLs that `return_to` may name beside paths of the own site.
    pub return_urls: Vec<Box<str>>,
    /// The path that the signed-out page leads back to.
    pub post_logout_path: Box<str>,
    /// How often its sessions may call, all together.
    pub limit: Option<Limit>,
}

/// A provider's registration by its ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationRef {
    /// Provider.
    pub provider: Box<str>,
    /// Registration at that provider.
    pub registration: Box<str>,
}

/// The `SameSite` attribute of a session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Sent with requests of the own site only.
    Strict,
    /// Sent with top-level navigations from other sites too.
    Lax,
}

/// Every site by its host name. Ports do not tell sites apart, since cookies ignore them.
#[derive(Debug, Default)]
pub struct Sites {
    by_host: HashMap<Box<str>, Arc<Site>>,
}

impl Sites {
    /// Sites by the host names of their origins.
    #[must_use]
    pub fn new(sites: impl IntoIterator<Item = (Box<str>, Arc<Site>)>) -> Self {
        Self { by_host: sites.into_iter().collect() }
    }

    /// All sites.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.by_host.values()
    }

    /// The site that a request is for.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`] without exactly one Host, [`Refusal::UnknownHost`] for a host that is not configured
    /// (RFC 9110 section 15.5.20).
    pub fn resolve(&self, uri: &Uri, headers: &HeaderMap) -> Result<&Arc<Site>, Refusal> {
        // An HTTP/2 request names its host in the `:authority` pseudo-header.
        if let Some(authority) = uri.authority() {
            return self.find(authority.host());
        }
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Refusal::BadRequest("exactly one Host header is needed"));
        };
        let host = host.to_str().map_err(|_| Refusal::UnknownHost)?;
        // The ordinary case: the header is a configured name, with or without a port, and needs no parsing.
        let after = host.rfind(']').map_or(0, |end| end + 1);
        let (name, port) = match host.get(after..).and_then(|rest| rest.find(':')) {
            Some(colon) => host.split_at(after + colon),
            None => (host, ":0"),
        };
        let port = port.strip_prefix(':').unwrap_or(port);
        if port.parse::<u16>().is_err() || port.starts_with('+') {
            return Err(Refusal::BadRequest("the Host header must be a name, or a name and a port"));
        }
        match self.by_host.get(name) {
            Some(site) => Ok(site),
            None => self.find(name),
        }
    }

    fn find(&self, host: &str) -> Result<&Arc<Site>, Refusal> {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.by_host.get(host.as_str()).ok_or(Refusal::UnknownHost)
    }
}
