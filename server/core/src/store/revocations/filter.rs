//! Which sessions a revocation covers.

use serde::{Deserialize, Serialize};

use crate::clock::UnixMs;
use crate::policy::Network;
use crate::session::id::SessionId;
use crate::store::rows::{SessionRow, SessionSummary};

/// Which sessions a revocation covers: those that meet all that is set. With nothing set, every session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Only this tenant's.
    pub tenant: Option<String>,
    /// Only this person's.
    pub user: Option<User>,
    /// Only this client's.
    pub client_id: Option<String>,
    /// Only those of this provider.
    pub provider_id: Option<String>,
    /// Only those started from this session at the provider.
    pub upstream: Option<Upstream>,
    /// Only those whose sign-in came from this network.
    pub network: Option<Network>,
    /// Only those whose user agent contains this, letters of ASCII in either case.
    pub user_agent: Option<String>,
    /// Only those started at this moment or later.
    pub started_from: Option<UnixMs>,
    /// Only those started before this moment.
    pub started_before: Option<UnixMs>,
    /// Only these.
    pub ids: Option<Vec<SessionId>>,
    /// Never this one.
    pub spares: Option<SessionId>,
}

/// A person (S7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The provider's issuer.
    pub issuer: String,
    /// The person's id there.
    pub sub: String,
    /// Keyed hash of both.
    pub subject: [u8; 32],
}

/// A session at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// The provider's issuer.
    pub issuer: String,
    /// Its session's id there.
    pub sid: String,
    /// Keyed hash of both.
    pub hash: [u8; 32],
}

/// What a filter looks at. What is not known meets no condition.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Public id.
    pub id: SessionId,
    /// Tenant label.
    pub tenant: &'a str,
    /// The provider's issuer.
    pub issuer: &'a str,
    /// The person's id there.
    pub sub: &'a str,
    /// Client.
    pub client_id: &'a str,
    /// Provider.
    pub provider_id: &'a str,
    /// Keyed hash of (issuer, the provider's `sid`), as rows have it.
    pub upstream_sid: Option<[u8; 32]>,
    /// The provider's `sid`, as sealed values have it.
    pub sid: Option<&'a str>,
    /// Network address at sign-in.
    pub address: Option<&'a str>,
    /// User agent at sign-in.
    pub user_agent: Option<&'a str>,
    /// Sign-in.
    pub created_at: UnixMs,
}

impl<'a> From<&'a SessionSummary> for Facts<'a> {
    fn from(row: &'a SessionSummary) -> Self {
        Self {
            id: row.id,
            tenant: &row.tenant,
            issuer: &row.issuer,
            sub: &row.sub,
            client_id: &row.client_id,
            provider_id: &row.provider_id,
            upstream_sid: None,
            sid: None,
            address: row.address.as_deref(),
            user_agent: row.user_agent.as_deref(),
            created_at: row.created_at,
        }
    }
}

impl<'a> From<&'a SessionRow> for Facts<'a> {
    fn from(row: &'a SessionRow) -> Self {
        Self { upstream_sid: row.upstream_sid, ..Self::from(&row.summary) }
    }
}

impl Filter {
    /// Whether it covers a session.
    #[must_use]
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        same(&self.tenant, facts.tenant)
            && same(&self.client_id, facts.client_id)
            && same(&self.provider_id, facts.provider_id)
            && self.user.as_ref().is_none_or(|user| user.issuer == facts.issuer && user.sub == facts.sub)
            && self.upstream.as_ref().is_none_or(|upstream| {
                facts.upstream_sid == Some(upstream.hash)
                    || (facts.issuer == upstream.issuer && facts.sid == Some(upstream.sid.as_str()))
            })
            && self.started_from.is_none_or(|from| facts.created_at >= from)
            && self.started_before.is_none_or(|before| facts.created_at < before)
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&facts.id))
            && self.spares != Some(facts.id)
            && self.network.is_none_or(|network| came_from(network, facts.address))
            && self.user_agent.as_deref().is_none_or(|part| contains(facts.user_agent.unwrap_or_default(), part))
    }

    /// Whether what is in memory of a session tells if it is covered.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.network.is_none() && self.user_agent.is_none()
    }
}

/// Whether a stored address belongs to a network.
#[must_use]
pub fn came_from(network: Network, address: Option<&str>) -> bool {
    address.and_then(|address| address.parse().ok()).is_some_and(|address| network.holds(address))
}

fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u15_a_filter_covers_what_meets_all_of_it_and_nothing_else() {
        let facts = Facts {
            id: SessionId::from_bytes([1; 16]),
            tenant: "acme",
            issuer: "https://id",
            sub: "u1",
            client_id: "app",
            provider_id: "main",
            upstream_sid: Some([5; 32]),
            sid: None,
            address: Some("192.0.2.7"),
            user_agent: Some("Mozilla/5.0 Firefox/140.0"),
            created_at: UnixMs(1_000),
        };
        let user = |issuer: &str| Some(User { issuer: issuer.into(), sub: "u1".into(), subject: [0; 32] });
        let upstream = |hash| Some(Upstream { issuer: "https://id".into(), sid: "s".into(), hash });
        let text = |text: &str| Some(text.to_owned());
        let network = |text| Network::parse(text).ok();
        let all = Filter::default;
        let cases = [
            (all(), true),
            (Filter { tenant: text("acme"), ..all() }, true),
            (Filter { tenant: text("globex"), ..all() }, false),
            (Filter { user: user("https://id"), ..all() }, true),
            (Filter { user: user("https://other"), ..all() }, false),
            (Filter { client_id: text("app"), provider_id: text("main"), ..all() }, true),
            (Filter { client_id: text("app"), provider_id: text("other"), ..all() }, false),
            (Filter { upstream: upstream([5; 32]), ..all() }, true),
            (Filter { upstream: upstream([6; 32]), ..all() }, false),
            (Filter { network: network("192.0.2.0/24"), ..all() }, true),
            (Filter { network: network("192.0.3.0/24"), ..all() }, false),
            (Filter { user_agent: text("firefox/"), ..all() }, true),
            (Filter { user_agent: text("Chrome"), ..all() }, false),
            (Filter { started_from: Some(UnixMs(1_000)), started_before: Some(UnixMs(1_001)), ..all() }, true),
            (Filter { started_before: Some(UnixMs(1_000)), ..all() }, false),
            (Filter { started_from: Some(UnixMs(1_001)), ..all() }, false),
            (Filter { ids: Some(vec![facts.id]), ..all() }, true),
            (Filter { ids: Some(vec![]), ..all() }, false),
            (Filter { spares: Some(facts.id), ..all() }, false),
        ];
        for (filter, covers) in cases {
            assert_eq!(filter.covers(&facts), covers, "{filter:?}");
            let json = serde_json::to_string(&filter).expect("JSON");
            assert_eq!(serde_json::from_str::<Filter>(&json).expect("reads back"), filter);
        }
    }
}
