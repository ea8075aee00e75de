//! What every room shares at run time: sites, sessions, rules. Made by [`crate::app`], read by all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use cloakroom_core::clock::{Clock, UnixMs};
use cloakroom_core::identity::Identity;
use cloakroom_core::machine::Machines;
use cloakroom_core::random::Random;
use cloakroom_core::session::Sessions;
use cloakroom_core::store::Measure;

use crate::admin::audit::verify::Verifier;
use crate::admin::facts::Facts;
use crate::admin::roles::RoleRules;
use crate::edge::client::{RegistrationRef, Sites};
use crate::edge::dpop::Proofs;
use crate::edge::forwarded::TrustedProxies;
use crate::edge::rates::Rates;
use crate::edge::refusals::Refusals;
use crate::edge::tls::Tls;
use crate::edge::watch::Limits;
use crate::explain::Explainer;
use crate::proxy::forward_auth::ForwardAuth;
use crate::telemetry::metrics::Metrics;

/// The running gateway.
pub struct Gateway {
    /// Sites with their clients and routes.
    pub sites: Sites,
    /// Sessions.
    pub sessions: Arc<Sessions>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How long clients may keep a connection waiting.
    pub limits: Limits,
    /// Signs the gateway's word about who calls.
    pub identity: Identity,
    /// Says what becomes of calls, and why.
    pub explainer: Explainer,
    /// Issuers of machines' tokens.
    pub machines: Machines,
    /// Who may do what in the console.
    pub roles: RoleRules,
    /// What the configuration says, for the admin API.
    pub facts: Facts,
    /// When this process started.
    pub started_at: UnixMs,
    /// The last walk over the audit chain.
    pub verifier: Verifier,
    /// Whether the process is on its way out: long answers end, no new traffic should come.
    pub draining: AtomicBool,
    /// Who is believed about callers' addresses.
    pub proxies: TrustedProxies,
    /// Proxies in front that forward by themselves, and ask first.
    pub forward_auth: Option<ForwardAuth>,
    /// TLS of the public listener; none where something in front of it speaks TLS.
    pub tls: Option<Arc<Tls>>,
    /// Proofs of possession that were used here.
    pub proofs: Proofs,
    /// How often who may call.
    pub rates: Rates,
    /// What was refused since it was last written down.
    pub refusals: Refusals,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("sites", &self.sites).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Clients' names for people by their ids.
    #[must_use]
    pub fn client_names(&self) -> BTreeMap<&str, &str> {
        let web = self.sites.iter().filter_map(|site| site.client.as_ref()).map(|client| (&*client.id, &*client.name));
        let mobile = self.sites.iter().flat_map(|site| &site.issues).map(|app| (&*app.id, &*app.name));
        web.chain(mobile).collect()
    }

    /// A client's tenant; `None` where there is no such client.
    #[must_use]
    pub fn client_tenant(&self, id: &str) -> Option<String> {
        let web =
            self.sites.iter().filter_map(|site| site.client.as_ref()).map(|client| (&*client.id, &*client.tenant));
        let mobile = self.sites.iter().flat_map(|site| &site.issues).map(|app| (&*app.id, &*app.tenant));
        web.chain(mobile).find(|(known, _)| *known == id).map(|(_, tenant)| tenant.to_owned())
    }

    /// A login started a session. `of`: tenant, client, provider.
    pub fn login_succeeded(&self, of: (&str, &str, &str)) {
        self.metrics.login_succeeded(of.2);
        self.sessions.count(Measure::Login, of, 1);
    }

    /// A login was refused after the provider's answer. `of`: tenant, client, provider.
    pub fn login_failed(&self, of: (&str, &str, &str)) {
        self.metrics.login_failed(of.2);
        self.sessions.count(Measure::LoginFailed, of, 1);
    }

    /// The client of the console.
    #[must_use]
    pub fn console_client(&self) -> Option<&str> {
        self.sites.iter().find(|site| site.admin).and_then(|site| site.client.as_ref()).map(|client| &*client.id)
    }

    /// Whether administrators sign in by this provider.
    #[must_use]
    pub fn admits_administrators(&self, provider: &str) -> bool {
        let console = self.sites.iter().find(|site| site.admin).and_then(|site| site.client.as_ref());
        console.is_some_and(|client| client.registrations.iter().any(|one| *one.provider == *provider))
    }

    /// Whether answers of several of these providers come to one address (RFC 9700 section 4.4).
    pub fn several_share<'a>(&self, registrations: impl IntoIterator<Item = &'a RegistrationRef>) -> bool {
        let shares = |one: &&RegistrationRef| {
            self.sessions.provider(&one.provider).is_some_and(|provider| !provider.own_callback())
        };
        let mut sharing = registrations.into_iter().filter(shares);
        let first = sharing.next();
        sharing.any(|one| first.is_some_and(|first| first.provider != one.provider))
    }

    /// Whether the process is on its way out.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        self.clock.now()
    }
}
