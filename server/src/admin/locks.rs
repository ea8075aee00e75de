//! `/admin/api/v1/locks`: keeping a person, an app's people or a provider's people out, until a moment or for good.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;

use cloakroom_api::{LiftLock, Lock as WireLock, Page, Permission, SetLock, UserRef, checked_reason};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{Lock, LockId, Locked, Place, User};

use super::paging::{self, Cut};
use super::{Administrator, cursor};
use crate::edge::own::{Context, json};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

const REASON: Refusal = Refusal::BadRequest("the reason must have 1 to 500 characters");

/// Locks. From the answer on nobody is served whom it covers, and no sign-in of theirs starts a session.
#[utoipa::path(
    post, path = "/admin/api/v1/locks", tag = "locks",
    extensions(("x-least-role" = json!("operator"))),
    request_body(content = SetLock, example = json!({ "user": { "issuer": "https://id.example.com", "sub": "4711" }, "reason": "Phone stolen; call the help desk", "until": "2030-01-01T00:00:00Z" })),
    responses(
        (status = 200, body = WireLock),
        (status = 400, description = "Who, until when or why is wrong, or it would lock you out", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in, or not lately enough", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role operator is needed; for a client, a provider or an owner, owner", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn set(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    admin: Administrator,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRevoke)?;
    let asked: SetLock = serde_json::from_slice(&body).map_err(|_| {
        Refusal::BadRequest("the body must be JSON such as {\"user\": {\"issuer\": …, \"sub\": …}, \"reason\": …}")
    })?;
    let reason = asked.checked_reason().map_err(|_| REASON)?.to_owned();
    let now = gateway.now();
    let until = match asked.until.as_deref().map(UnixMs::parse_rfc3339) {
        None => None,
        Some(Some(until)) if until > now => Some(until),
        Some(_) => return Err(Refusal::parameter("until", "must be an RFC 3339 moment that is still to come")),
    };
    let whom = whom(&gateway, &admin, asked).await?;
    if !matches!(whom, Locked::User(_)) {
        admin.may(Permission::SessionsRevokeMass)?;
        admin.is_recent(&gateway, &context)?;
    }
    let actor = admin.person();
    let lock = Lock {
        id: LockId::new(now, &*gateway.random),
        tenant: admin.fence.tenant().map(str::to_owned),
        whom,
        reason,
        by: actor.display().to_owned(),
        since: now,
        until,
        lifted: None,
    };
    gateway.sessions.lock(lock.clone(), actor, None).await?;
    Ok(json(&on_the_wire(lock, now)))
}

/// Whom a lock is to keep out. Not the administrator, and not the console (A5).
async fn whom(gateway: &Gateway, admin: &Administrator, asked: SetLock) -> Result<Locked, Refusal> {
    let own = admin.person();
    match (asked.user, asked.client, asked.provider) {
        (Some(UserRef { issuer, sub }), None, None) => {
            if !gateway.sessions.providers().any(|provider| provider.issuer() == issuer) {
                return Err(Refusal::parameter("user.issuer", "is no provider's issuer"));
            }
            if own.issuer == issuer && own.sub == sub {
                return Err(Refusal::parameter("user", "is you: the lock would keep you out"));
            }
            let subject = gateway.sessions.vault().ring().subject(&issuer, &sub);
            let user = User { issuer, sub, subject };
            if is_owner(gateway, &user).await? {
                admin.may(Permission::SessionsRevokeMass)?;
            }
            Ok(Locked::User(user))
        }
        (None, Some(client), None) if Some(&*client) == gateway.console_client() => {
            Err(Refusal::parameter("client", "is the console's: the lock would keep every administrator out"))
        }
        (None, Some(client), None) => {
            let known = gateway.client_tenant(&client).is_some_and(|tenant| admin.fence.shows(&tenant));
            if known { Ok(Locked::Client(client)) } else { Err(Refusal::parameter("client", "is not known")) }
        }
        (None, None, Some(provider)) if admin.session().is_some_and(|live| *provider == *live.provider_id) => {
            Err(Refusal::parameter("provider", "is the one that you signed in by: the lock would keep you out"))
        }
        (None, None, Some(provider)) if admin.session().is_none() && gateway.admits_administrators(&provider) => {
            Err(Refusal::parameter("provider", "is one that administrators sign in by: a person has to lock it"))
        }
        (None, None, Some(provider)) => {
            let known = gateway.sessions.provider(&provider).is_some() && admin.fence.tenant().is_none();
            if known { Ok(Locked::Provider(provider)) } else { Err(Refusal::parameter("provider", "is not known")) }
        }
        _ => Err(Refusal::BadRequest("name exactly one of user, client and provider")),
    }
}

/// Whether the person is an owner whatever their claims say: only owners keep such a person out, or let them in again.
async fn is_owner(gateway: &Gateway, user: &User) -> Result<bool, Refusal> {
    let named = gateway.roles.is_owner(&user.issuer, &user.sub);
    Ok(named || gateway.sessions.store().is_granted_owner(user.subject).await?)
}

/// Locks, the newest first; those that hold unless asked otherwise.
#[utoipa::path(
    get, path = "/admin/api/v1/locks", tag = "locks",
    extensions(("x-least-role" = json!("viewer"))),
    params(
        ("state" = Option<String>, Query, description = "`holds` (default) or `all`"),
        ("limit" = Option<u32>, Query, description = "Rows a page, 1 to 100 (default 50)"),
        ("cursor" = Option<String>, Query, description = "`next` or `prev` of another page"),
    ),
    responses(
        (status = 200, body = Page<WireLock>),
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
    let params = Params::parse(raw.as_deref().unwrap_or_default())?.only(&["state", "limit", "cursor"])?;
    let limit = paging::limit(&params)?;
    let now = gateway.now();
    let (state, held_at) = match params.get("state") {
        None | Some("holds") => ("holds", Some(now)),
        Some("all") => ("all", None),
        Some(_) => return Err(Refusal::parameter("state", "must be holds or all")),
    };
    let (ring, tenant) = (gateway.sessions.vault().ring(), admin.fence.tenant());
    let bound: [&[u8]; 3] = [b"locks", state.as_bytes(), tenant.unwrap_or_default().as_bytes()];
    let place = params.get("cursor").map(|text| cursor::open(&ring, &bound, text)).transpose()?;
    let found = gateway.sessions.store().locks(tenant, held_at, place, limit + 1).await?;
    let page = Cut::of(found, limit, place);
    let stands =
        |row: &Lock, backwards| Place { at: row.since, id: SessionId::from_bytes(*row.id.as_bytes()), backwards };
    let (next, prev) = page.cursors((&ring, &*gateway.random), &bound, stands);
    Ok(json(&Page {
        next,
        prev,
        count: cloakroom_api::Count { n: page.rows.len() as u64, exact: page.whole },
        as_of: now.rfc3339(),
        items: page.rows.into_iter().map(|row| on_the_wire(row, now)).collect::<Vec<_>>(),
    }))
}

/// Lifts a lock: those whom it kept out are served again, by the sessions that they had.
#[utoipa::path(
    post, path = "/admin/api/v1/locks/{id}/lift", tag = "locks",
    extensions(("x-least-role" = json!("operator"))),
    params(("id" = String, Path, description = "The lock's id, a lower-case UUID")),
    request_body(content = LiftLock, example = json!({ "reason": "Phone found" })),
    responses(
        (status = 200, body = WireLock),
        (status = 400, description = "The reason is missing or too long", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in, or not lately enough", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role operator is needed; for a client, a provider or an owner, owner", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No lock of that id", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn lift(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRevoke)?;
    let asked: LiftLock = serde_json::from_slice(&body)
        .map_err(|_| Refusal::BadRequest("the body must be JSON such as {\"reason\": \"phone found\"}"))?;
    let reason = checked_reason(&asked.reason).map_err(|_| REASON)?;
    let id: LockId = id.parse().map_err(|_| Refusal::NotFound)?;
    let store = gateway.sessions.store();
    // One of another fence is not there (A1).
    let seen = |lock: &Lock| admin.fence.shows_any(lock.tenant.as_deref());
    let lock = store.lock(id).await?.filter(seen).ok_or(Refusal::NotFound)?;
    match &lock.whom {
        Locked::User(user) => {
            if is_owner(&gateway, user).await? {
                admin.may(Permission::SessionsRevokeMass)?;
            }
        }
        Locked::Client(_) | Locked::Provider(_) => {
            admin.may(Permission::SessionsRevokeMass)?;
            admin.is_recent(&gateway, &context)?;
        }
    }
    gateway.sessions.unlock(&lock, admin.person(), reason, None).await?;
    let lock = store.lock(id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(&on_the_wire(lock, gateway.now())))
}

pub(super) fn on_the_wire(lock: Lock, now: UnixMs) -> WireLock {
    let (holds, told) = (lock.holds(now), lock.told());
    let (user, client, provider) = match lock.whom {
        Locked::User(user) => (Some(UserRef { issuer: user.issuer, sub: user.sub }), None, None),
        Locked::Client(id) => (None, Some(id), None),
        Locked::Provider(id) => (None, None, Some(id)),
    };
    let (lifted_at, lifted_by) = lock.lifted.map(|(at, by)| (at.rfc3339(), by)).unzip();
    WireLock {
        id: lock.id.to_string(),
        holds,
        user,
        client,
        provider,
        reason: lock.reason,
        told,
        by: lock.by,
        since: lock.since.rfc3339(),
        until: lock.until.map(UnixMs::rfc3339),
        lifted_at,
        lifted_by,
    }
}
