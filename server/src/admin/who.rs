//! Who asks: a person by their console session, or a machine by its service account.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use cloakroom_api::{Permission, Role};
use cloakroom_core::accounts::{self, Refused};
use cloakroom_core::audit::event::Person;
use cloakroom_core::machine::MachineFault;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::session::open::Live;
use cloakroom_core::store::{Account, SessionRow};

use super::roles::Fence;
use crate::edge::own::{Context, SignedIn};
use crate::edge::problem::Refusal;
use crate::edge::recent;
use crate::edge::ticket::{self, Scheme};
use crate::gateway::Gateway;

/// The issuer that service accounts are named by in the audit log.
pub(super) const ACCOUNT_ISSUER: &str = "service-account";
/// A use is noted this long after the one before.
const NOTED_EVERY_SECS: i64 = 60;

/// Somebody with a role.
#[derive(Debug)]
pub struct Administrator {
    /// Who.
    pub who: Who,
    /// A person's role, from the provider's claims as last read; the least that an account's scopes need.
    pub role: Role,
    /// What they may see at all.
    pub fence: Fence,
}

/// Who asks.
#[derive(Debug)]
pub enum Who {
    /// A person, by their session of the console.
    Person(Arc<Live>),
    /// A machine, by its account and what it may do.
    Machine(Box<Account>, Vec<Permission>),
}

impl FromRequestParts<Arc<Gateway>> for Administrator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Refusal> {
        if let Some(token) = ticket::presented(&parts.headers)
            && token.text.starts_with(accounts::PREFIX)
        {
            return match token.scheme {
                Scheme::Bearer => machine(gateway, token.text).await,
                Scheme::Dpop => Err(MachineFault::Bound.into()),
            };
        }
        let SignedIn(live) = SignedIn::from_request_parts(parts, gateway).await?;
        let values = live.values();
        let subject = gateway.sessions.vault().ring().subject(&values.issuer, &values.sub);
        if gateway.sessions.store().is_granted_owner(subject).await? {
            return Ok(Self { who: Who::Person(live), role: Role::Owner, fence: Fence::None });
        }
        let role = gateway.roles.role_of(&values).ok_or(Refusal::RoleNeeded { role: Role::Viewer.code() })?;
        let fence = gateway.roles.fence_of(&values).ok_or(Refusal::TenantNeeded)?;
        Ok(Self { who: Who::Person(live), role, fence })
    }
}

/// The account of a token. It is read from the store on every call: disabled, it is so at once on every node.
async fn machine(gateway: &Gateway, token: &str) -> Result<Administrator, Refusal> {
    let ring = gateway.sessions.vault().ring();
    let (id, secret) = accounts::read_token(&ring, token).ok_or(MachineFault::Inactive)?;
    let (store, now) = (gateway.sessions.store(), gateway.now());
    let account = store.account(id).await?.ok_or(MachineFault::Inactive)?;
    if let Err(refused) = accounts::judge(&ring, &account, secret, now) {
        if refused == Refused::Altered {
            tracing::error!(account = %id, "a service account was altered in the store, and does not count");
        }
        return Err(MachineFault::Inactive.into());
    }
    if account.used_at.is_none_or(|at| now.secs_after(at) >= NOTED_EVERY_SECS) {
        // A note for people. Reads go on where nothing can be written.
        if let Err(error) = store.used_account(id, now).await {
            tracing::warn!(account = %id, %error, "that a service account was used could not be noted");
        }
    }
    let scopes: Vec<Permission> = account.rights.scopes.iter().filter_map(|code| Permission::from_code(code)).collect();
    let role = scopes.iter().map(|scope| scope.role()).max().unwrap_or(Role::Viewer);
    let fence = account.rights.tenant.clone().map_or(Fence::None, Fence::Tenant);
    Ok(Administrator { who: Who::Machine(Box::new(account), scopes), role, fence })
}

impl Administrator {
    /// May they?
    ///
    /// # Errors
    /// [`Refusal::RoleNeeded`] with the least role that may; for a machine, the scope that it lacks.
    pub fn may(&self, permission: Permission) -> Result<(), Refusal> {
        match &self.who {
            Who::Machine(_, scopes) if scopes.contains(&permission) => Ok(()),
            Who::Machine(..) => Err(MachineFault::Scope(permission.code().to_owned()).into()),
            Who::Person(_) => {
                let least = permission.role();
                if self.role >= least { Ok(()) } else { Err(Refusal::RoleNeeded { role: least.code() }) }
            }
        }
    }

    /// May they, for every tenant?
    ///
    /// # Errors
    /// As [`Administrator::may`], or [`Refusal::NotPermitted`] for those who see one tenant only.
    pub fn may_see_all(&self, permission: Permission) -> Result<(), Refusal> {
        self.may(permission)?;
        let text = || "this concerns every tenant, and you may see one".to_owned();
        if self.fence == Fence::None { Ok(()) } else { Err(Refusal::NotPermitted { needs: Vec::new(), text: text() }) }
    }

    /// Did they prove who they are lately enough for an owner's act (A12)? A machine does with every call, and was given
    /// the scope by name.
    ///
    /// # Errors
    /// [`Refusal::StepUp`].
    pub(crate) fn is_recent(&self, gateway: &Gateway, context: &Context) -> Result<(), Refusal> {
        match &self.who {
            Who::Machine(..) => Ok(()),
            Who::Person(live) => {
                recent::login(live, &context.site, gateway.now(), gateway.roles.recent_login_secs, "/admin/")
            }
        }
    }

    /// Who, for the audit log.
    #[must_use]
    pub fn person(&self) -> Person {
        match &self.who {
            Who::Person(live) => live.person(),
            Who::Machine(account, _) => Person {
                issuer: ACCOUNT_ISSUER.to_owned(),
                sub: account.rights.id.to_string(),
                name: Some(account.name.clone()),
                ..Person::default()
            },
        }
    }

    /// A person's own session.
    #[must_use]
    pub fn session(&self) -> Option<&Arc<Live>> {
        match &self.who {
            Who::Person(live) => Some(live),
            Who::Machine(..) => None,
        }
    }

    /// What a ticket of theirs is bound to: their session, or the machine's account.
    #[must_use]
    pub(super) fn bound(&self) -> &[u8] {
        match &self.who {
            Who::Person(live) => live.id.as_bytes(),
            Who::Machine(account, _) => account.rights.id.as_bytes(),
        }
    }

    /// Whether what goes on for them must stop: their session is over, they lost what it takes, or the account does
    /// not count any more.
    pub(super) async fn is_over(&self, gateway: &Gateway, permission: Permission) -> bool {
        match &self.who {
            Who::Person(live) => {
                let values = live.values();
                let by_claims = gateway.roles.role_of(&values).is_some_and(|role| role >= permission.role())
                    && gateway.roles.fence_of(&values).as_ref() == Some(&self.fence);
                let subject = gateway.sessions.vault().ring().subject(&values.issuer, &values.sub);
                live.is_over(gateway.now())
                    || !(by_claims || gateway.sessions.store().is_granted_owner(subject).await.unwrap_or_default())
            }
            Who::Machine(account, _) => {
                let stands = gateway.sessions.store().account(account.rights.id).await;
                stands.is_ok_and(|stands| stands.is_none_or(|stands| stands.rights != account.rights))
                    || !account.rights.hold(gateway.now())
            }
        }
    }

    /// A session that they may see. One of another tenant is not there (A1).
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or as the store's.
    pub(crate) async fn session_of(&self, gateway: &Gateway, id: &str) -> Result<SessionRow, Refusal> {
        let id: SessionId = id.parse().map_err(|_| Refusal::NotFound)?;
        let row = gateway.sessions.store().session(id).await?;
        row.filter(|row| self.fence.shows(&row.summary.tenant)).ok_or(Refusal::NotFound)
    }
}
