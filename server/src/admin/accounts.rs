//! `/admin/api/v1/service-accounts`: machines that use this API. Only people manage them: no scope allows it, so that a
//! token that leaked makes no other.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value, json as value};

use cloakroom_api::{
    ACCOUNT_NAME_MAX_CHARS, DisableServiceAccount, MakeServiceAccount, Page, Permission, RotateServiceAccount,
    ServiceAccount, ServiceAccountToken,
};
use cloakroom_core::accounts::new_token;
use cloakroom_core::audit::event::{Deed, Kind, Person};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{Account, AccountId, Rights};

use super::who::ACCOUNT_ISSUER;
use super::{Administrator, whole_page};
use crate::edge::own::{Context, json};
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// The longest overlap of two tokens.
const OVERLAP_MAX_SECS: u32 = 604_800;

/// Every service account inside the fence, the newest first, at most 500.
#[utoipa::path(
    get, path = "/admin/api/v1/service-accounts", tag = "service-accounts",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = Page<ServiceAccount>),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may(Permission::SettingsRead)?;
    let found = gateway.sessions.store().accounts(admin.fence.tenant()).await?;
    let now = gateway.now();
    Ok(whole_page(&gateway, found.into_iter().map(|account| on_the_wire(account, now)).collect()))
}

/// Makes a service account. Its token is in the answer, and nowhere else.
#[utoipa::path(
    post, path = "/admin/api/v1/service-accounts", tag = "service-accounts",
    extensions(("x-least-role" = json!("owner"))),
    request_body(content = MakeServiceAccount, example = json!({ "name": "audit shipper", "scopes": ["audit.read"], "expires_at": "2030-01-01T00:00:00Z" })),
    responses(
        (status = 200, body = ServiceAccountToken),
        (status = 400, description = "The name, a scope, the tenant or the time is wrong", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in, or not lately enough", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role owner is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn make(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    admin: Administrator,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::AccountsManage)?;
    let asked: MakeServiceAccount = serde_json::from_slice(&body).map_err(|_| {
        Refusal::BadRequest("the body must be JSON such as {\"name\": \"audit shipper\", \"scopes\": [\"audit.read\"]}")
    })?;
    admin.is_recent(&gateway, &context)?;
    let now = gateway.now();
    let name = asked.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > ACCOUNT_NAME_MAX_CHARS || name.chars().any(char::is_control) {
        return Err(Refusal::parameter("name", "must have 1 to 100 characters, none of them a control character"));
    }
    let (id, ring) = (AccountId::new(now, &*gateway.random), gateway.sessions.vault().ring());
    let (token, secret) = new_token(&ring, &*gateway.random, id);
    let rights = Rights {
        id,
        version: 1,
        tenant: tenant(&gateway, &admin, asked.tenant)?,
        scopes: scopes(&asked.scopes)?,
        secret,
        previous: None,
        expires_at: expiry(asked.expires_at.as_deref(), now)?,
        disabled_at: None,
    };
    let account = Account {
        mark: rights.mark(&ring),
        rights,
        name,
        created_at: now,
        created_by: admin.person().display().to_owned(),
        disabled_by: None,
        used_at: None,
    };
    let facts = Map::from_iter([("scopes".to_owned(), value!(account.rights.scopes))]);
    let event = gateway.sessions.journal().row(deed(Kind::AccountCreated, &admin, &account, facts)).await?;
    gateway.sessions.store().add_account(account.clone(), event).await?;
    Ok(json(&ServiceAccountToken { account: on_the_wire(account, now), token: token.to_string() }))
}

/// The fence of a new account: never wider than its maker's.
fn tenant(gateway: &Gateway, admin: &Administrator, asked: Option<String>) -> Result<Option<String>, Refusal> {
    match asked {
        None => Ok(admin.fence.tenant().map(str::to_owned)),
        Some(tenant) if admin.fence.shows(&tenant) && gateway.facts.has_tenant(&tenant) => Ok(Some(tenant)),
        Some(_) => Err(Refusal::parameter("tenant", "is no client's")),
    }
}

fn scopes(asked: &[Permission]) -> Result<Vec<String>, Refusal> {
    if asked.is_empty() {
        return Err(Refusal::parameter("scopes", "must name at least one"));
    }
    if asked.contains(&Permission::AccountsManage) {
        return Err(Refusal::parameter("scopes", "must not name accounts.manage: only people manage service accounts"));
    }
    let named = Permission::ALL.into_iter().filter(|permission| asked.contains(permission));
    Ok(named.map(|permission| permission.code().to_owned()).collect())
}

fn expiry(asked: Option<&str>, now: UnixMs) -> Result<Option<UnixMs>, Refusal> {
    match asked.map(UnixMs::parse_rfc3339) {
        None => Ok(None),
        Some(Some(at)) if at > now => Ok(Some(at)),
        Some(_) => Err(Refusal::parameter("expires_at", "must be an RFC 3339 moment that is still to come")),
    }
}

/// Replaces an account's token. The one before counts for `overlap_secs` more, so that nothing stands still meanwhile.
#[utoipa::path(
    post, path = "/admin/api/v1/service-accounts/{id}/rotate", tag = "service-accounts",
    extensions(("x-least-role" = json!("owner"))),
    params(("id" = String, Path, description = "The account's id, a lower-case UUID")),
    request_body(content = RotateServiceAccount, example = json!({ "overlap_secs": 3600 })),
    responses(
        (status = 200, body = ServiceAccountToken),
        (status = 400, description = "The overlap is wrong, or the account is disabled or has expired", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in, or not lately enough", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role owner is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No account of that id", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody changed it meanwhile", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rotate(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::AccountsManage)?;
    let asked: RotateServiceAccount = serde_json::from_slice(&body)
        .map_err(|_| Refusal::BadRequest("the body must be JSON such as {\"overlap_secs\": 3600}"))?;
    if asked.overlap_secs > OVERLAP_MAX_SECS {
        return Err(Refusal::parameter("overlap_secs", "must be a number from 0 to 604800"));
    }
    let mut account = one(&gateway, &admin, &id).await?;
    admin.is_recent(&gateway, &context)?;
    let (now, ring) = (gateway.now(), gateway.sessions.vault().ring());
    if !account.rights.hold(now) {
        return Err(Refusal::parameter("id", "is of an account that is disabled or has expired: make a new one"));
    }
    let (token, secret) = new_token(&ring, &*gateway.random, account.rights.id);
    account.rights.version += 1;
    account.rights.previous =
        (asked.overlap_secs > 0).then(|| (account.rights.secret, now.plus_secs(asked.overlap_secs.into())));
    account.rights.secret = secret;
    let facts = Map::from_iter([("overlap_secs".to_owned(), value!(asked.overlap_secs))]);
    let account = changed(&gateway, &admin, account, Kind::AccountRotated, facts).await?;
    Ok(json(&ServiceAccountToken { account: on_the_wire(account, now), token: token.to_string() }))
}

/// Disables an account, for good: from the answer on its token counts nowhere.
#[utoipa::path(
    post, path = "/admin/api/v1/service-accounts/{id}/disable", tag = "service-accounts",
    extensions(("x-least-role" = json!("owner"))),
    params(("id" = String, Path, description = "The account's id, a lower-case UUID")),
    request_body(content = DisableServiceAccount, example = json!({ "reason": "The token leaked, incident 4711" })),
    responses(
        (status = 200, body = ServiceAccount),
        (status = 400, description = "The reason is missing or too long", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role owner is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "No account of that id", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody changed it meanwhile", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn disable(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::AccountsManage)?;
    let asked: DisableServiceAccount = serde_json::from_slice(&body)
        .map_err(|_| Refusal::BadRequest("the body must be JSON such as {\"reason\": \"the token leaked\"}"))?;
    let reason = asked.checked_reason().map_err(|_| Refusal::BadRequest("the reason must have 1 to 500 characters"))?;
    let mut account = one(&gateway, &admin, &id).await?;
    let now = gateway.now();
    if account.rights.disabled_at.is_none() {
        account.rights.version += 1;
        account.rights.previous = None;
        account.rights.disabled_at = Some(now);
        account.disabled_by = Some(admin.person().display().to_owned());
        let facts = Map::from_iter([("text".to_owned(), value!(reason))]);
        account = changed(&gateway, &admin, account, Kind::AccountDisabled, facts).await?;
    }
    Ok(json(&on_the_wire(account, now)))
}

/// An account inside the fence. Others are not there (A1).
async fn one(gateway: &Gateway, admin: &Administrator, id: &str) -> Result<Account, Refusal> {
    let id: AccountId = id.parse().map_err(|_| Refusal::NotFound)?;
    let account = gateway.sessions.store().account(id).await?;
    let seen = |account: &Account| admin.fence.shows_any(account.rights.tenant.as_deref());
    account.filter(seen).ok_or(Refusal::NotFound)
}

async fn changed(
    gateway: &Gateway,
    admin: &Administrator,
    mut account: Account,
    kind: Kind,
    facts: Map<String, Value>,
) -> Result<Account, Refusal> {
    account.mark = account.rights.mark(&gateway.sessions.vault().ring());
    let event = gateway.sessions.journal().row(deed(kind, admin, &account, facts)).await?;
    if gateway.sessions.store().change_account(account.clone(), event).await? {
        Ok(account)
    } else {
        Err(Refusal::Changed { what: "somebody changed this account meanwhile: look once more".into() })
    }
}

fn deed<'a>(kind: Kind, admin: &Administrator, account: &'a Account, facts: Map<String, Value>) -> Deed<'a> {
    Deed {
        kind,
        tenant: account.rights.tenant.as_deref().unwrap_or_default(),
        session: None,
        client_id: None,
        provider_id: None,
        subject: Some(Person {
            issuer: ACCOUNT_ISSUER.to_owned(),
            sub: account.rights.id.to_string(),
            name: Some(account.name.clone()),
            ..Person::default()
        }),
        actor: Some(admin.person()),
        facts,
    }
}

fn on_the_wire(account: Account, now: UnixMs) -> ServiceAccount {
    let Account { rights, name, created_at, created_by, disabled_by, used_at, mark: _ } = account;
    ServiceAccount {
        id: rights.id.to_string(),
        name,
        active: rights.hold(now),
        tenant: rights.tenant,
        scopes: rights.scopes.iter().filter_map(|code| Permission::from_code(code)).collect(),
        created_at: created_at.rfc3339(),
        created_by,
        expires_at: rights.expires_at.map(UnixMs::rfc3339),
        previous_until: rights.previous.map(|(_, until)| until).filter(|until| *until > now).map(UnixMs::rfc3339),
        used_at: used_at.map(UnixMs::rfc3339),
        disabled_at: rights.disabled_at.map(UnixMs::rfc3339),
        disabled_by,
    }
}
