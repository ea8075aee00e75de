//! Filters on the wire, checked, and back.

use cloakroom_api::{RevocationFilter, UpstreamSession, UserRef};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::policy::Network;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{Filter, Upstream, User};

use crate::admin::Administrator;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Sessions that may be named at once.
const NAMED: usize = 500;
/// The longest text of a filter, in bytes.
const TEXT_BYTES: usize = 1_024;

fn bad(name: &str, what: &'static str) -> Refusal {
    Refusal::BadParameter { name: format!("filter.{name}"), what }
}

/// The filter that is meant, within the administrator's fence.
///
/// # Errors
/// [`Refusal::BadParameter`].
pub(super) fn checked(gateway: &Gateway, admin: &Administrator, asked: &RevocationFilter) -> Result<Filter, Refusal> {
    let narrowed = RevocationFilter { all: false, ..asked.clone() } != RevocationFilter::default();
    match (asked.all, narrowed) {
        (false, false) => return Err(bad("all", "must be true where nothing narrows the filter")),
        (true, true) => return Err(bad("all", "must not be true where something narrows the filter")),
        _ => {}
    }
    let ring = gateway.sessions.vault().ring();
    let text = |name: &str, text: &str| match text.len() {
        0 => Err(bad(name, "is empty")),
        1..=TEXT_BYTES => Ok(text.to_owned()),
        _ => Err(bad(name, "is longer than 1024 bytes")),
    };
    let optional = |name: &str, value: &Option<String>| value.as_deref().map(|value| text(name, value)).transpose();
    let moment = |name: &str, value: &Option<String>| {
        let read = |value: &String| UnixMs::parse_rfc3339(value).ok_or_else(|| bad(name, "is no RFC 3339 moment"));
        value.as_ref().map(read).transpose()
    };
    let network = |value: &String| Network::parse(value).map_err(|_| bad("network", "is no address or network"));
    let (started_from, started_before) =
        (moment("started_from", &asked.started_from)?, moment("started_before", &asked.started_before)?);
    if started_from.zip(started_before).is_some_and(|(from, before)| from >= before) {
        return Err(bad("started_before", "must be later than started_from"));
    }
    let user = asked.user.as_ref().map(|UserRef { issuer, sub }| -> Result<User, Refusal> {
        let (issuer, sub) = (text("user.issuer", issuer)?, text("user.sub", sub)?);
        Ok(User { subject: ring.subject(&issuer, &sub), issuer, sub })
    });
    let upstream =
        asked.upstream_session.as_ref().map(|UpstreamSession { issuer, sid }| -> Result<Upstream, Refusal> {
            let (issuer, sid) = (text("upstream_session.issuer", issuer)?, text("upstream_session.sid", sid)?);
            Ok(Upstream { hash: ring.upstream_sid(&issuer, &sid), issuer, sid })
        });
    Ok(Filter {
        tenant: admin.fence.tenant().map(str::to_owned),
        user: user.transpose()?,
        client_id: optional("client", &asked.client)?,
        provider_id: optional("provider", &asked.provider)?,
        upstream: upstream.transpose()?,
        network: asked.network.as_ref().map(network).transpose()?,
        user_agent: optional("user_agent", &asked.user_agent)?,
        started_from,
        started_before,
        ids: asked.sessions.as_deref().map(ids).transpose()?,
        spares: None,
    })
}

fn ids(named: &[String]) -> Result<Vec<SessionId>, Refusal> {
    if named.is_empty() || named.len() > NAMED {
        return Err(bad("sessions", "must name 1 to 500 sessions"));
    }
    let one = |id: &String| id.parse().map_err(|_| bad("sessions", "holds something that is no session id"));
    named.iter().map(one).collect()
}

/// Whether it is about more than one person, one session at the provider, or sessions that are named one by one.
pub(super) const fn is_mass(filter: &Filter) -> bool {
    filter.user.is_none() && filter.upstream.is_none() && filter.ids.is_none()
}

/// The filter as it was asked for.
pub(super) fn on_the_wire(filter: &Filter) -> RevocationFilter {
    let wire = RevocationFilter {
        all: false,
        user: filter.user.as_ref().map(|user| UserRef { issuer: user.issuer.clone(), sub: user.sub.clone() }),
        client: filter.client_id.clone(),
        provider: filter.provider_id.clone(),
        upstream_session: { filter.upstream.as_ref() }
            .map(|upstream| UpstreamSession { issuer: upstream.issuer.clone(), sid: upstream.sid.clone() }),
        network: filter.network.map(|network| network.to_string()),
        user_agent: filter.user_agent.clone(),
        started_from: filter.started_from.map(UnixMs::rfc3339),
        started_before: filter.started_before.map(UnixMs::rfc3339),
        sessions: filter.ids.as_ref().map(|ids| ids.iter().map(ToString::to_string).collect()),
    };
    RevocationFilter { all: wire == RevocationFilter::default(), ..wire }
}
