//! The routes of a configuration, in words.

use cloakroom_api::RouteFacts;
use cloakroom_core::policy::{Access, Callers};

use crate::config::{Config, Route, RouteTo, Site};
use crate::edge::antiforgery::Kind;

/// One site's routes.
pub(super) fn of_site(config: &Config, id: &str, site: &Site) -> Vec<RouteFacts> {
    config.routes.iter().filter(|route| route.site == id).map(|route| facts(config, site, route)).collect()
}

fn facts(config: &Config, site: &Site, route: &Route) -> RouteFacts {
    let (to, address) = match &route.to {
        RouteTo::Upstream(id) => (id.clone(), config.upstreams.get(id).map(|upstream| upstream.url.to_string())),
        RouteTo::Folder(path) => (path.display().to_string(), None),
        RouteTo::Outside => ("the proxy in front".to_owned(), None),
    };
    let policy = route.policy.as_deref();
    let callers: &[&str] = match route.callers {
        Callers::Sessions => &["session"],
        Callers::Machines => &["machine"],
        Callers::Both => &["session", "machine"],
    };
    RouteFacts {
        site: route.site.clone(),
        origin: site.origin.text(),
        path: route.path.clone(),
        methods: route.methods.iter().map(ToString::to_string).collect(),
        to,
        address,
        kind: match route.kind {
            Kind::Api => "api",
            Kind::Guarded => "guarded",
            Kind::Forms => "forms",
            Kind::Page => "page",
        }
        .to_owned(),
        token: super::token(&route.token).to_owned(),
        anonymous: route.access == Access::Anonymous,
        callers: callers.iter().map(|&caller| caller.to_owned()).collect(),
        policy: policy.and_then(|policy| policy.name.as_deref()).map(str::to_owned),
        asks: policy.map_or_else(Vec::new, |policy| policy.tests.iter().map(|test| test.wants().to_string()).collect()),
    }
}
