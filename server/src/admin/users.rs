//! `/admin/api/v1/users`: who has sessions, and what is kept of each. A person is one at one provider (S7).

pub mod erase;
pub mod export;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use cloakroom_api::{Page, Permission, User as WireUser, UserDetail, UserDevice};
use cloakroom_core::audit::event::Person;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{AuditQuery, Locked, Place, SessionSummary, User, UserQuery, UserRow};
use cloakroom_core::vault::ring::hex;

use super::audit::row::event;
use super::locks;
use super::paging::{self, Cut};
use super::sessions::detail;
use super::{Administrator, cursor};
use crate::edge::device;
use crate::edge::own::json;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// The longest value of a parameter.
const TEXT_BYTES: usize = 200;
/// Sessions of a person that are shown.
const SESSIONS: u32 = 100;
/// Events about a person that are shown.
const EVENTS: u32 = 50;

/// One page of people, by their newest session, the newest first.
#[utoipa::path(
    get, path = "/admin/api/v1/users", tag = "users",
    extensions(("x-least-role" = json!("viewer"))),
    params(
        ("state" = Option<String>, Query, description = "`live` (default): with a session that runs; `all`: everybody of whom a session is kept"),
        ("sub" = Option<String>, Query, description = "Only the person of this id, at any provider"),
        ("q" = Option<String>, Query, description = "A part of sub, name or mail address, as of the newest session"),
        ("limit" = Option<u32>, Query, description = "Rows a page, 1 to 100 (default 50)"),
        ("cursor" = Option<String>, Query, description = "`next` or `prev` of another page of the same list"),
    ),
    responses(
        (status = 200, body = Page<WireUser>),
        (status = 400, description = "A parameter is wrong; the problem names it", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    let params = Params::parse(raw.as_deref().unwrap_or_default())?.only(&["state", "sub", "q", "limit", "cursor"])?;
    let (state, live) = match params.get("state") {
        None | Some("live") => ("live", true),
        Some("all") => ("all", false),
        Some(_) => return Err(Refusal::parameter("state", "must be live or all")),
    };
    let text = |name: &str| match params.get(name) {
        Some(text) if text.len() > TEXT_BYTES => Err(Refusal::parameter(name, "is longer than 200 bytes")),
        other => Ok(other.map(str::to_owned)),
    };
    let (sub, q, limit, now) = (text("sub")?, text("q")?, paging::limit(&params)?, gateway.now());
    let (ring, tenant) = (gateway.sessions.vault().ring(), admin.fence.tenant());
    let optional = |text: Option<&str>| text.map_or_else(Vec::new, |text| [b"=", text.as_bytes()].concat());
    let (bound_sub, bound_q) = (optional(sub.as_deref()), optional(q.as_deref()));
    let bound: [&[u8]; 5] =
        [b"users", state.as_bytes(), tenant.unwrap_or_default().as_bytes(), bound_sub.as_slice(), bound_q.as_slice()];
    let place = params.get("cursor").map(|text| cursor::open(&ring, &bound, text)).transpose()?;
    let tenant = tenant.map(str::to_owned);
    let query = UserQuery { tenant, live, sub, text: q, place, limit: limit + 1, now };
    let page = Cut::of(gateway.sessions.store().users(query).await?, limit, place);
    let stands = |row: &UserRow, backwards| Place { at: row.newest.created_at, id: row.newest.id, backwards };
    let (next, prev) = page.cursors((&ring, &*gateway.random), &bound, stands);
    let count = cloakroom_api::Count { n: page.rows.len() as u64, exact: page.whole };
    let items: Vec<_> =
        page.rows.iter().map(|row| on_the_wire(row.subject, &row.newest, row.live, row.locked)).collect();
    Ok(json(&Page { next, prev, count, as_of: now.rfc3339(), items }))
}

/// One person with their sessions, devices, locks, and the newest events about them.
#[utoipa::path(
    get, path = "/admin/api/v1/users/{id}", tag = "users",
    extensions(("x-least-role" = json!("viewer"))),
    params(("id" = String, Path, description = "The person's id here")),
    responses(
        (status = 200, body = UserDetail),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody of that id, or nothing is kept of them", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    let found = Found::of(&gateway, &admin, &id).await?;
    let (store, now) = (gateway.sessions.store(), gateway.now());
    let subject = found.user.subject;
    let asked = AuditQuery {
        tenant: admin.fence.tenant().map(str::to_owned),
        subjects: vec![subject],
        ..AuditQuery::default()
    };
    let mut events = Vec::new();
    for stored in &store.search_events(&asked, None, EVENTS).await?.rows {
        events.push(event(&gateway, &admin.fence, stored).await?);
    }
    let newest = found.sessions.first().ok_or(Refusal::NotFound)?;
    let live = found.sessions.iter().filter(|row| is_live(row, now)).count() as u64;
    let locks = store.locks_of_user(subject, admin.fence.tenant()).await?;
    Ok(json(&UserDetail {
        user: on_the_wire(subject, newest, live, locks.iter().any(|lock| lock.holds(now))),
        sessions: found.sessions.iter().map(|row| detail::row(&gateway, &admin, row, now)).collect(),
        more_sessions: found.more,
        devices: devices(&found.sessions, now),
        locks: locks.into_iter().map(|lock| locks::on_the_wire(lock, now)).collect(),
        events,
    }))
}

/// A person of whom something is kept inside the fence. Others are not there (A1).
struct Found {
    user: User,
    /// The newest. None where they were swept, and locks or the audit log still name the person.
    sessions: Vec<SessionSummary>,
    /// Whether there are more.
    more: bool,
}

impl Found {
    async fn of(gateway: &Gateway, admin: &Administrator, id: &str) -> Result<Self, Refusal> {
        let subject = subject(id).ok_or(Refusal::NotFound)?;
        let store = gateway.sessions.store();
        let mut sessions = store.sessions_of_user(subject, admin.fence.tenant(), None, SESSIONS + 1).await?;
        let more = sessions.len() > SESSIONS as usize;
        sessions.truncate(SESSIONS as usize);
        let user = match sessions.first() {
            Some(newest) => User { issuer: newest.issuer.clone(), sub: newest.sub.clone(), subject },
            None => named_elsewhere(gateway, admin, subject).await?.ok_or(Refusal::NotFound)?,
        };
        Ok(Self { user, sessions, more })
    }
}

/// A person whom a lock or the audit log names. An erased one's events tell nobody whom they were about.
async fn named_elsewhere(gateway: &Gateway, admin: &Administrator, subject: [u8; 32]) -> Result<Option<User>, Refusal> {
    let (store, fence) = (gateway.sessions.store(), admin.fence.tenant());
    for lock in store.locks_of_user(subject, fence).await? {
        if let Locked::User(user) = lock.whom {
            return Ok(Some(user));
        }
    }
    let asked = AuditQuery { tenant: fence.map(str::to_owned), subjects: vec![subject], ..AuditQuery::default() };
    let Some(newest) = store.search_events(&asked, None, 1).await?.rows.into_iter().next() else { return Ok(None) };
    let told = gateway.sessions.journal().read(&newest).await?.subject;
    Ok(told.map(|Person { issuer, sub, .. }| User { issuer, sub, subject }))
}

/// The keyed hash that an id stands for.
fn subject(id: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let (pairs, rest) = id.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok());
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    bytes.try_into().ok().filter(|_| rest.is_empty())
}

fn is_live(row: &SessionSummary, now: UnixMs) -> bool {
    row.ended.is_none() && row.idle_expires_at.min(row.expires_at) > now
}

fn on_the_wire(subject: [u8; 32], newest: &SessionSummary, live: u64, locked: bool) -> WireUser {
    WireUser {
        id: hex(&subject),
        issuer: newest.issuer.clone(),
        sub: newest.sub.clone(),
        name: newest.name.clone(),
        email: newest.email.clone(),
        live_sessions: live,
        signed_in_at: newest.created_at.rfc3339(),
        last_seen_at: newest.last_seen_at.rfc3339(),
        locked,
    }
}

/// What sessions were used from. The name that its person gave a device tells it from others of its kind.
fn devices(sessions: &[SessionSummary], now: UnixMs) -> Vec<UserDevice> {
    let mut found: BTreeMap<(Option<&str>, Option<&str>), Vec<&SessionSummary>> = BTreeMap::new();
    for row in sessions {
        found.entry((row.user_agent.as_deref(), row.device_name.as_deref())).or_default().push(row);
    }
    let mut devices: Vec<(UnixMs, UserDevice)> = found
        .into_iter()
        .map(|((user_agent, name), rows)| {
            let last = rows.iter().map(|row| row.last_seen_at).max().unwrap_or(UnixMs(0));
            let first = rows.iter().map(|row| row.created_at).min().unwrap_or(UnixMs(0));
            let device = UserDevice {
                device: user_agent.map(device::name),
                name: name.map(str::to_owned),
                user_agent: user_agent.map(str::to_owned),
                sessions: rows.len() as u64,
                live_sessions: rows.iter().filter(|row| is_live(row, now)).count() as u64,
                first_seen_at: first.rfc3339(),
                last_seen_at: last.rfc3339(),
            };
            (last, device)
        })
        .collect();
    devices.sort_by_key(|(last, _)| std::cmp::Reverse(*last));
    devices.into_iter().map(|(_, device)| device).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_an_id_has_one_spelling() {
        let id = hex(&[0xab; 32]);
        assert_eq!(subject(&id), Some([0xab; 32]));
        for odd in [
            id.to_uppercase(),
            id.replacen("ab", "a", 1),
            format!("{id}0"),
            format!("{id}00"),
            "g".repeat(64),
            String::new(),
        ] {
            assert_eq!(subject(&odd), None, "{odd}");
        }
    }
}
