//! Origins, sites and how a request's beginning relates to its target.

use crate::wire::Request;
use url::{Host, Url};

/// What `Sec-Fetch-Site` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// Scheme, host and port are the same.
    SameOrigin,
    /// Scheme and registrable domain are the same.
    SameSite,
    /// Anything else.
    CrossSite,
}

impl Relation {
    /// The field's value.
    pub fn header(self) -> &'static str {
        match self {
            Self::SameOrigin => "same-origin",
            Self::SameSite => "same-site",
            Self::CrossSite => "cross-site",
        }
    }
}

/// Scheme and registrable domain. `localhost` is a top-level name: `app.localhost` is a site of its own.
pub fn site_of(url: &Url) -> String {
    let host = match url.host() {
        Some(Host::Domain(name)) => {
            let labels: Vec<&str> = name.split('.').collect();
            labels[labels.len().saturating_sub(2)..].join(".")
        }
        other => other.map(|host| host.to_string()).unwrap_or_default(),
    };
    format!("{}://{host}", url.scheme())
}

/// How two addresses relate.
pub fn relation(from: &Url, to: &Url) -> Relation {
    if from.origin() == to.origin() {
        Relation::SameOrigin
    } else if site_of(from) == site_of(to) {
        Relation::SameSite
    } else {
        Relation::CrossSite
    }
}

/// The worst relation along a redirect chain; none when a person began it.
pub(super) fn relation_over(initiator: Option<&Url>, chain: &[Url], url: &Url) -> Option<Relation> {
    let initiator = initiator?;
    chain.iter().chain([url]).map(|step| relation(initiator, step)).max()
}

/// Whether Strict cookies may go along: every step is of the target's site (RFC 6265bis section 5.2).
pub(super) fn same_site_over(initiator: Option<&Url>, chain: &[Url], url: &Url) -> bool {
    initiator.into_iter().chain(chain).all(|step| site_of(step) == site_of(url))
}

/// A request with the `Host` field and target of an address.
pub(super) fn request(method: &str, url: &Url) -> Request {
    let host = url.host_str().expect("a host");
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Request::new(method, &host, &url[url::Position::BeforePath..url::Position::AfterQuery])
}

/// The port to connect to: every name of a test is this machine.
pub(super) fn port(url: &Url) -> u16 {
    let host = url.host_str().unwrap_or_default();
    assert!(host.ends_with("localhost") || host == "127.0.0.1", "a test would leave this machine: {url}");
    url.port_or_known_default().expect("a port")
}
