//! What becomes of a call: which route, which rule, why, and what would help. It asks the very rules that calls are
//! decided by, and nobody else; it gives no right to send anything.

mod routes;

use std::net::{IpAddr, Ipv4Addr};

use http::{Method, Uri};
use serde::Deserialize;
use serde_json::{Map, Value};

use cloakroom_api::{ExplainedTest, Explanation, RouteFacts};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::policy::{CallerKind, Facts, Need, Refusal, Rule, Voucher, admits, meets, nobody};

use crate::config::{Config, Route, RouteTo, TokenMode};
use crate::edge::antiforgery::Kind;
use crate::proxy::path::NormalPath;
use crate::proxy::table::{Found, Table};

/// Where the gateway's own endpoints live on every site, beside the base path.
const OWN: [&str; 4] = ["/admin", "/oauth", "/session", "/.well-known"];

/// `POST /explain`: a call that nobody made.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// Method.
    pub method: String,
    /// The whole address, with scheme and host.
    pub url: String,
    /// `anonymous` (where nothing is said), `session` or `machine`.
    #[serde(default)]
    pub caller: Option<String>,
    /// The caller's claims: a session's as its ID token has them, a machine's as its access token has. `scope` holds the
    /// granted scopes, between spaces.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub claims: Option<Map<String, Value>>,
    /// The network address that the call comes from.
    #[serde(default)]
    pub address: Option<String>,
}

/// Every site with its rules.
#[derive(Debug)]
pub struct Explainer {
    sites: Vec<Site>,
    /// Issuers of machines, by their URL and id.
    machines: Vec<(String, String)>,
}

#[derive(Debug)]
struct Site {
    id: String,
    host: String,
    base_path: String,
    /// Tenant, and provider of the first registration.
    client: Option<(String, String)>,
    listed: Vec<RouteFacts>,
    routes: Table<Known>,
}

#[derive(Debug)]
struct Known {
    name: String,
    to: String,
    token: &'static str,
    kind: Kind,
    rule: Rule,
}

/// What is asked cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoQuestion {
    /// The method is none.
    #[error("the method is none")]
    Method,
    /// The address is not whole.
    #[error("the address must be whole, such as https://app.example.com/api/orders")]
    Url,
    /// The caller is of no known kind.
    #[error("the caller is anonymous, session or machine")]
    Caller,
    /// The network address is none.
    #[error("the network address is none")]
    Address,
}

impl Explainer {
    /// The rules of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let site = |(id, site): (&String, &crate::config::Site)| {
            let mut table = Table::default();
            for route in config.routes.iter().filter(|route| route.site == *id) {
                table.add(&route.path, route.methods.clone(), known(route));
            }
            let client = site.client.as_ref().and_then(|id| config.clients.get(id)).map(|client| {
                let provider = client.registrations.first().map(|one| one.provider.clone());
                (client.tenant.clone(), provider.unwrap_or_default())
            });
            Site {
                id: id.clone(),
                host: site.origin.host.clone(),
                base_path: site.base_path.clone(),
                client,
                listed: routes::of_site(config, id, site),
                routes: table,
            }
        };
        let machines = config.machines.values().map(|one| (one.issuer.clone(), one.id.to_string())).collect();
        Self { sites: config.sites.iter().map(site).collect(), machines }
    }

    /// Every route of the sites whose tenants may be told of.
    pub fn routes(&self, shows: impl Fn(&str) -> bool) -> Vec<RouteFacts> {
        let visible = |site: &&Site| site.client.as_ref().is_none_or(|(tenant, _)| shows(tenant));
        self.sites.iter().filter(visible).flat_map(|site| site.listed.iter().cloned()).collect()
    }

    /// Explains a call. `shows` says whose tenants may be told of.
    ///
    /// # Errors
    /// [`NoQuestion`] when the call cannot be made at all.
    pub fn explain(&self, ask: &Explain, now: UnixMs, shows: impl Fn(&str) -> bool) -> Result<Explanation, NoQuestion> {
        let method: Method = ask.method.parse().map_err(|_| NoQuestion::Method)?;
        let url: url::Url = ask.url.parse().map_err(|_| NoQuestion::Url)?;
        let host = url.host_str().ok_or(NoQuestion::Url)?;
        // The path as it is written: a parser of addresses would tidy up what a call would be refused for.
        let (_, rest) = ask.url.split_once("://").ok_or(NoQuestion::Url)?;
        let target = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
        let uri: Uri = target.split('#').next().unwrap_or("/").parse().map_err(|_| NoQuestion::Url)?;
        let kind = match ask.caller.as_deref() {
            None | Some("anonymous") => CallerKind::Anonymous,
            Some("session") => CallerKind::Session,
            Some("machine") => CallerKind::Machine,
            Some(_) => return Err(NoQuestion::Caller),
        };
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let peer = ask.address.as_deref().map_or(Ok(here), str::parse).map_err(|_| NoQuestion::Address)?;
        let visible = |site: &&Site| site.client.as_ref().is_none_or(|(tenant, _)| shows(tenant));
        let Some(site) = self.sites.iter().filter(visible).find(|site| site.host == host) else {
            let hosts: Vec<&str> = self.sites.iter().filter(visible).map(|site| site.host.as_str()).collect();
            return Ok(refused(
                421,
                "no site of this name is configured",
                format!("known hosts: {}", hosts.join(", ")),
            ));
        };
        let found = site.explain(&uri, &method);
        let mut told = match found {
            Err(told) => *told,
            Ok(route) => self.judge(site, route, ask, (kind, peer, now)),
        };
        told.site = Some(site.id.clone());
        Ok(told)
    }

    /// What the route's rule says of the caller.
    fn judge(
        &self,
        site: &Site,
        route: &Known,
        ask: &Explain,
        (kind, peer, now): (CallerKind, IpAddr, UnixMs),
    ) -> Explanation {
        let empty = Map::new();
        let claims = ask.claims.as_ref().unwrap_or(&empty);
        let scopes: Vec<String> =
            text(claims, "scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let machine = self.machines.iter().find(|(issuer, _)| text(claims, "iss") == Some(issuer));
        let plain = nobody(claims, peer, now);
        let facts = match (kind, &site.client) {
            (CallerKind::Session, Some((tenant, provider))) => Facts {
                scopes: &scopes,
                voucher: Some(Voucher::Provider(provider)),
                tenant: Some(tenant),
                acr: text(claims, "acr"),
                auth_time: claims.get("auth_time").and_then(Value::as_i64),
                ..plain
            },
            (CallerKind::Machine, _) => {
                Facts { scopes: &scopes, voucher: machine.map(|(_, id)| Voucher::Issuer(id)), ..plain }
            }
            (CallerKind::Anonymous | CallerKind::Session, _) => nobody(&empty, peer, now),
        };
        let policy = route.rule.policy.as_deref();
        let verdict = admits(&route.rule, kind).and_then(|()| policy.map_or(Ok(()), |policy| meets(policy, &facts)));
        let tests = policy.map_or(&[][..], |policy| &policy.tests);
        let tests =
            tests.iter().map(|test| ExplainedTest { asks: test.wants().to_string(), holds: test.holds(&facts) });
        let (status, why, helps) = match verdict {
            Ok(()) => (200, "the call goes on to its destination".to_owned(), reminders(route, kind, &method_of(ask))),
            Err(refusal) => (status(&refusal), refusal.to_string(), helps(&refusal, site)),
        };
        Explanation {
            site: None,
            route: Some(route.name.clone()),
            to: Some(route.to.clone()),
            token: Some(route.token.to_owned()),
            policy: policy.and_then(|policy| policy.name.as_deref()).map(str::to_owned),
            allowed: status == 200,
            status,
            why,
            tests: tests.collect(),
            helps,
        }
    }
}

impl Site {
    /// The route of a call, or why there is none.
    fn explain(&self, uri: &Uri, method: &Method) -> Result<&Known, Box<Explanation>> {
        let path = NormalPath::parse(uri).map_err(|refusal| {
            boxed(400, &format!("the path is not acceptable: {refusal}"), "write it in its normal form".into())
        })?;
        let under =
            |base: &str| path.as_str().strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if under(&self.base_path) || OWN.into_iter().any(under) {
            let why = "this path is one of the gateway's own: no route and no policy decides about it";
            return Err(boxed(
                404,
                why,
                "own endpoints have rules of their own; choose another path for a route".into(),
            ));
        }
        match self.routes.find(&path, method) {
            Found::Route(route) => Ok(route),
            Found::MethodNotAllowed(allow) => {
                let allowed = allow.to_str().unwrap_or_default();
                Err(boxed(405, "routes of this path do not take this method", format!("methods taken: {allowed}")))
            }
            Found::Nothing => {
                let paths: Vec<&str> = self.listed.iter().map(|route| route.path.as_str()).collect();
                let known = format!("paths of routes of this site: {}", paths.join(", "));
                Err(boxed(404, "no route has this path", known))
            }
        }
    }
}

fn known(route: &Route) -> Known {
    Known {
        name: format!("{}{}", route.site, route.path),
        to: match &route.to {
            RouteTo::Upstream(id) => id.clone(),
            RouteTo::Folder(path) => path.display().to_string(),
            RouteTo::Outside => "the proxy in front".to_owned(),
        },
        token: token(&route.token),
        kind: route.kind,
        rule: Rule { access: route.access, callers: route.callers, policy: route.policy.clone() },
    }
}

const fn token(mode: &TokenMode) -> &'static str {
    match mode {
        TokenMode::None => "none",
        TokenMode::User => "user",
        TokenMode::ClientCredentials(..) => "client_credentials",
        TokenMode::Exchange(_) => "exchange",
        TokenMode::Identity(_) => "identity",
    }
}

fn refused(status: u16, why: &str, help: String) -> Explanation {
    Explanation {
        site: None,
        route: None,
        to: None,
        token: None,
        policy: None,
        allowed: false,
        status,
        why: why.to_owned(),
        tests: Vec::new(),
        helps: vec![help],
    }
}

fn boxed(status: u16, why: &str, help: String) -> Box<Explanation> {
    Box::new(refused(status, why, help))
}

const fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::SignInNeeded | Refusal::MachineTokenNeeded | Refusal::StepUp(_) => 401,
        Refusal::Missing(_) => 403,
    }
}

fn helps(refusal: &Refusal, site: &Site) -> Vec<String> {
    match refusal {
        Refusal::SignInNeeded => vec![format!("sign in at {}/login; to try it here: --caller session", site.base_path)],
        Refusal::MachineTokenNeeded => vec!["send Authorization: Bearer with a machine's access token".to_owned()],
        Refusal::StepUp(_) => {
            vec![format!("sign in again: the answer carries the address, under {}/login", site.base_path)]
        }
        Refusal::Missing(needs) => needs.iter().map(help).collect(),
    }
}

fn help(need: &Need) -> String {
    match need {
        Need::Scope { scope } => {
            format!("have the provider grant the scope {scope}: ask for it in the registration's scopes")
        }
        Need::Role { any_of } => format!("give the caller one of the roles {} at the provider", any_of.join(", ")),
        Need::Group { any_of } => {
            format!("put the caller into one of the groups {} at the provider", any_of.join(", "))
        }
        Need::Network => "call from one of the policy's networks".to_owned(),
        Need::AnyOf { .. } => format!("meet one way: {need}"),
        other => format!("provide {other}"),
    }
}

/// What else such a call needs, which no policy says.
fn reminders(route: &Known, kind: CallerKind, method: &Method) -> Vec<String> {
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    match (kind, route.kind) {
        (CallerKind::Session, Kind::Forms) => vec!["the request must come from a page of the same origin".to_owned()],
        (CallerKind::Session, Kind::Page) if safe => Vec::new(),
        (CallerKind::Session, _) => vec!["scripts send X-CSRF: 1 with every call".to_owned()],
        (CallerKind::Anonymous | CallerKind::Machine, _) => Vec::new(),
    }
}

fn method_of(ask: &Explain) -> Method {
    ask.method.parse().unwrap_or_default()
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}
