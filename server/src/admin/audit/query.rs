//! What is searched for, checked: from parameters or a body to a question for the store.

use std::net::IpAddr;

use cloakroom_api::AuditFilter;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::AuditQuery;

use crate::admin::roles::Fence;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Every parameter of the list.
pub(super) const NAMES: [&str; 11] = [
    "subject",
    "subject_issuer",
    "actor",
    "actor_issuer",
    "session",
    "address",
    "kind",
    "from",
    "until",
    "limit",
    "cursor",
];
/// Those that events can be followed by as they come: what stands in the event itself.
pub(super) const FOLLOWED: [&str; 6] = ["subject", "subject_issuer", "actor", "actor_issuer", "session", "kind"];
/// The longest value, in bytes.
const TEXT_BYTES: usize = 500;
/// The most kinds at once.
const KINDS: usize = 8;

/// The filter that parameters ask for.
pub(super) fn filter(params: &Params) -> AuditFilter {
    let text = |name| params.get(name).map(str::to_owned);
    AuditFilter {
        subject: text("subject"),
        subject_issuer: text("subject_issuer"),
        actor: text("actor"),
        actor_issuer: text("actor_issuer"),
        session: text("session"),
        address: text("address"),
        kind: params.get("kind").map(|kinds| kinds.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        from: text("from"),
        until: text("until"),
    }
}

/// The question for the store.
pub(super) fn checked(gateway: &Gateway, filter: &AuditFilter, fence: &Fence) -> Result<AuditQuery, Refusal> {
    let (session, address) = (filter.session.as_deref(), filter.address.as_deref());
    let ring = gateway.sessions.vault().ring();
    Ok(AuditQuery {
        tenant: fence.tenant().map(str::to_owned),
        subjects: people(gateway, "subject", filter.subject.as_deref(), filter.subject_issuer.as_deref())?,
        actors: people(gateway, "actor", filter.actor.as_deref(), filter.actor_issuer.as_deref())?,
        session: session
            .map(str::parse::<SessionId>)
            .transpose()
            .map_err(|_| Refusal::parameter("session", "must be a session id, a lower-case UUID"))?,
        address: address
            .map(str::parse::<IpAddr>)
            .transpose()
            .map_err(|_| Refusal::parameter("address", "must be an IP address"))?
            .map(|address| ring.address(&address.to_string())),
        kinds: kinds(&filter.kind)?,
        from: moment("from", filter.from.as_deref())?,
        until: moment("until", filter.until.as_deref())?,
    })
}

/// Keyed hashes of a person: at the provider that is named, or at each that is configured.
fn people(
    gateway: &Gateway,
    name: &'static str,
    sub: Option<&str>,
    issuer: Option<&str>,
) -> Result<Vec<[u8; 32]>, Refusal> {
    if [sub, issuer].into_iter().flatten().any(|text| text.len() > TEXT_BYTES) {
        return Err(Refusal::parameter(name, "is longer than 500 bytes"));
    }
    let ring = gateway.sessions.vault().ring();
    match (sub, issuer) {
        (None, None) => Ok(Vec::new()),
        (None, Some(_)) => Err(Refusal::parameter(name, "is missing: an issuer alone names nobody")),
        (Some(sub), Some(issuer)) => Ok(vec![ring.subject(issuer, sub)]),
        (Some(sub), None) => Ok(gateway.sessions.providers().map(|known| ring.subject(known.issuer(), sub)).collect()),
    }
}

fn kinds(kinds: &[String]) -> Result<Vec<String>, Refusal> {
    let is_code = |kind: &String| {
        (1..=64).contains(&kind.len()) && kind.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_'))
    };
    if kinds.len() > KINDS {
        return Err(Refusal::parameter("kind", "names more than 8 kinds"));
    }
    if !kinds.iter().all(is_code) {
        return Err(Refusal::parameter("kind", "must be kinds of events, such as session.started,session.ended"));
    }
    let mut kinds = kinds.to_vec();
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}

fn moment(name: &'static str, text: Option<&str>) -> Result<Option<UnixMs>, Refusal> {
    let parse = |text| {
        UnixMs::parse_rfc3339(text)
            .ok_or_else(|| Refusal::parameter(name, "must be a moment such as 2026-11-24T10:00:00Z"))
    };
    text.map(parse).transpose()
}

/// What a cursor is bound to: another filter or tenant makes it worthless.
pub(super) fn bound(asked: &AuditQuery) -> Vec<Vec<u8>> {
    let AuditQuery { tenant, subjects, actors, session, address, kinds, from, until } = asked;
    vec![
        b"audit".to_vec(),
        tenant.as_ref().map_or_else(Vec::new, |tenant| [b"=", tenant.as_bytes()].concat()),
        subjects.concat(),
        actors.concat(),
        session.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        address.map(|address| address.to_vec()).unwrap_or_default(),
        kinds.join(",").into_bytes(),
        format!("{from:?} {until:?}").into_bytes(),
    ]
}
