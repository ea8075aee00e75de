//! May this caller use this route? Pure: no clock, no store. Only [`decide`] makes a [`Permit`], and nothing is
//! sent upstream without one.
//!
//! A [`Rule`] is what a route asks: who may call at all, and the [`Policy`] that they must meet. A policy is compiled
//! once; asking it allocates nothing. Only a refusal does, to say what is missing.

pub mod claim;
pub mod mail;
pub mod need;
pub mod network;
pub mod test;

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::clock::UnixMs;
use crate::machine::Machine;
use crate::session::open::Live;
pub use claim::{ClaimPath, ClaimTest};
pub use mail::{MailDomain, verified_address};
pub use need::{Need, StepUp};
pub use network::Network;
pub use test::Test;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anonymous,
    /// Callers who are known.
    SignedIn,
}

/// Which kinds of callers a route takes (P15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Sessions.
    Sessions,
    /// Machines with a token of their own.
    Machines,
    /// Both.
    Both,
}

impl Callers {
    /// Whether sessions are taken.
    #[must_use]
    pub const fn sessions(self) -> bool {
        matches!(self, Self::Sessions | Self::Both)
    }

    /// Whether machines are taken.
    #[must_use]
    pub const fn machines(self) -> bool {
        matches!(self, Self::Machines | Self::Both)
    }
}

/// What a route asks of its callers.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which kinds of callers it takes.
    pub callers: Callers,
    /// Who may call at all.
    pub access: Access,
    /// What they must meet beside that.
    pub policy: Option<Arc<Policy>>,
}

/// What callers must meet: every test of it.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Its name in the configuration; `None` for one that stands at its route.
    pub name: Option<Box<str>>,
    /// All of them must hold.
    pub tests: Vec<Test>,
}

/// What is known of a caller when a policy is asked.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Claims about them, as their provider signed them.
    pub claims: &'a Map<String, Value>,
    /// Scopes that were granted.
    pub scopes: &'a [String],
    /// Who vouches for them; `None` for those for whom nobody does.
    pub voucher: Option<Voucher<'a>>,
    /// Tenant label of their session.
    pub tenant: Option<&'a str>,
    /// How well they proved who they are (OIDC Core section 2, `acr`).
    pub acr: Option<&'a str>,
    /// When they did (OIDC Core section 2, `auth_time`), in seconds since 1970.
    pub auth_time: Option<i64>,
    /// The address that the call comes from.
    pub peer: IpAddr,
    /// The present moment.
    pub now: UnixMs,
}

/// Who vouches for a caller. Persons and machines never share a name (P15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voucher<'a> {
    /// A provider, for a person.
    Provider(&'a str),
    /// An issuer, for a machine.
    Issuer(&'a str),
}

impl Policy {
    /// Whether a caller meets it. Allocates nothing.
    #[must_use]
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        self.tests.iter().all(|test| test.holds(facts))
    }

    /// What a caller lacks; empty where the policy holds.
    #[must_use]
    pub fn needs(&self, facts: &Facts<'_>) -> Vec<Need> {
        self.tests.iter().filter_map(|test| test.need(facts)).collect()
    }

    /// What a sign-in should ask the provider for, so that its session meets the policy.
    #[must_use]
    pub fn sign_in_ask(&self) -> StepUp {
        let mut ask = StepUp::default();
        for test in &self.tests {
            match test {
                Test::Acr(any_of) => ask.acr_values.clone_from(any_of),
                Test::MaxAge(secs) => ask.max_age_secs = Some(*secs),
                _ => {}
            }
        }
        ask
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody known: no ticket, or a dead one.
    Anonymous,
    /// A live session.
    Session(Arc<Live>),
    /// A machine whose token was checked.
    Machine(Arc<Machine>),
}

/// What kind of caller it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// Nobody known.
    Anonymous,
    /// A session.
    Session,
    /// A machine.
    Machine,
}

impl Caller {
    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> CallerKind {
        match self {
            Self::Anonymous => CallerKind::Anonymous,
            Self::Session(_) => CallerKind::Session,
            Self::Machine(_) => CallerKind::Machine,
        }
    }
}

/// The right to send one request upstream.
#[derive(Debug)]
pub struct Permit {
    caller: Caller,
}

impl Permit {
    /// The session whose token may be attached.
    #[must_use]
    pub const fn session(&self) -> Option<&Arc<Live>> {
        match &self.caller {
            Caller::Session(live) => Some(live),
            Caller::Anonymous | Caller::Machine(_) => None,
        }
    }

    /// The machine that calls.
    #[must_use]
    pub const fn machine(&self) -> Option<&Arc<Machine>> {
        match &self.caller {
            Caller::Machine(machine) => Some(machine),
            Caller::Anonymous | Caller::Session(_) => None,
        }
    }
}

/// Why a caller may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The route needs a caller who is known.
    #[error("sign in first: this address needs a session")]
    SignInNeeded,
    /// The route takes machines alone.
    #[error("this address takes access tokens of machines alone")]
    MachineTokenNeeded,
    /// Signing in again, better or just now, would do (RFC 9470).
    #[error("{}", .0.sentence())]
    StepUp(StepUp),
    /// Something is missing that the caller cannot get by themselves.
    #[error("{}", need::sentence(.0))]
    Missing(Vec<Need>),
}

/// Whether a route takes callers of this kind at all.
///
/// # Errors
/// [`Refusal`] that says which kind it takes.
pub const fn admits(rule: &Rule, kind: CallerKind) -> Result<(), Refusal> {
    match kind {
        CallerKind::Session if rule.callers.sessions() => Ok(()),
        CallerKind::Machine if rule.callers.machines() => Ok(()),
        CallerKind::Anonymous if matches!(rule.access, Access::Anonymous) => Ok(()),
        CallerKind::Anonymous | CallerKind::Machine if rule.callers.sessions() => Err(Refusal::SignInNeeded),
        CallerKind::Anonymous | CallerKind::Session | CallerKind::Machine => Err(Refusal::MachineTokenNeeded),
    }
}

/// Decides one call. `now` is asked only where a policy needs it.
///
/// # Errors
/// [`Refusal`] with what is missing.
pub fn decide(rule: &Rule, caller: Caller, peer: IpAddr, now: impl FnOnce() -> UnixMs) -> Result<Permit, Refusal> {
    admits(rule, caller.kind())?;
    if let Some(policy) = &rule.policy {
        match &caller {
            Caller::Session(live) => session_meets(policy, live, peer, now())?,
            Caller::Machine(machine) => meets(policy, &of_machine(machine, peer, now()))?,
            Caller::Anonymous => meets(policy, &nobody(&Map::new(), peer, now()))?,
        }
    }
    Ok(Permit { caller })
}

/// What is known of a machine.
fn of_machine(machine: &Machine, peer: IpAddr, now: UnixMs) -> Facts<'_> {
    let voucher = Some(Voucher::Issuer(&machine.issuer_id));
    Facts { scopes: &machine.scopes, voucher, ..nobody(&machine.claims, peer, now) }
}

fn session_meets(policy: &Policy, live: &Live, peer: IpAddr, now: UnixMs) -> Result<(), Refusal> {
    let (values, access) = (live.values(), live.access());
    let facts = Facts {
        claims: &values.claims,
        scopes: access.as_ref().map_or(&[], |access| &access.scopes),
        voucher: Some(Voucher::Provider(&live.provider_id)),
        tenant: Some(&live.tenant),
        acr: values.acr.as_deref(),
        auth_time: values.auth_time,
        peer,
        now,
    };
    meets(policy, &facts)
}

/// What is known of nobody.
#[must_use]
pub const fn nobody(no_claims: &Map<String, Value>, peer: IpAddr, now: UnixMs) -> Facts<'_> {
    Facts { claims: no_claims, scopes: &[], voucher: None, tenant: None, acr: None, auth_time: None, peer, now }
}

/// Whether a caller meets a policy.
///
/// # Errors
/// [`Refusal::StepUp`] where a better or newer sign-in is all that is missing, else [`Refusal::Missing`].
pub fn meets(policy: &Policy, facts: &Facts<'_>) -> Result<(), Refusal> {
    if policy.holds(facts) {
        return Ok(());
    }
    let needs = policy.needs(facts);
    Err(StepUp::that_is_all(&needs).map_or(Refusal::Missing(needs), Refusal::StepUp))
}

#[cfg(test)]
mod tests;
