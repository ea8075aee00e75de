//! The tests that policies are made of.

use super::claim::{ClaimPath, ClaimTest, is_one_of};
use super::mail::{MailDomain, verified_domain};
use super::need::Need;
use super::network::Network;
use super::{Facts, Voucher};

/// One test. What lists several values is met by any of them; every scope is a test of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The scope was granted.
    Scope(Box<str>),
    /// The claim holds one of these roles.
    Role(ClaimPath, Vec<Box<str>>),
    /// The claim holds one of these groups.
    Group(ClaimPath, Vec<Box<str>>),
    /// A claim.
    Claim(ClaimPath, ClaimTest),
    /// A verified mail address at one of these domains.
    Mail(Vec<MailDomain>),
    /// One of these providers vouches for them.
    Provider(Vec<Box<str>>),
    /// One of these issuers vouches for them, as a machine.
    Machine(Vec<Box<str>>),
    /// Their session is of this tenant.
    Tenant(Box<str>),
    /// They proved who they are in one of these ways (OIDC Core section 2, `acr`).
    Acr(Vec<Box<str>>),
    /// They did so at most so many seconds ago.
    MaxAge(i64),
    /// They call from one of these networks.
    Network(Vec<Network>),
    /// At least one of these lists holds as a whole.
    Any(Vec<Vec<Test>>),
}

impl Test {
    /// Whether it holds. Allocates nothing.
    #[must_use]
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Scope(scope) => facts.scopes.iter().any(|granted| **granted == **scope),
            Self::Role(path, any_of) | Self::Group(path, any_of) => {
                path.find(facts.claims).is_some_and(|value| is_one_of(value, any_of))
            }
            Self::Claim(path, test) => path.find(facts.claims).is_some_and(|value| test.holds(value)),
            Self::Mail(domains) => {
                verified_domain(facts.claims).is_some_and(|domain| domains.iter().any(|one| one.is(domain)))
            }
            Self::Provider(any_of) => any_of.iter().any(|one| facts.voucher == Some(Voucher::Provider(one))),
            Self::Machine(any_of) => any_of.iter().any(|one| facts.voucher == Some(Voucher::Issuer(one))),
            Self::Tenant(tenant) => facts.tenant == Some(&**tenant),
            Self::Acr(any_of) => facts.acr.is_some_and(|acr| any_of.iter().any(|one| **one == *acr)),
            Self::MaxAge(secs) => facts.auth_time.is_some_and(|at| facts.now.secs().saturating_sub(at) <= *secs),
            Self::Network(networks) => networks.iter().any(|network| network.holds(facts.peer)),
            Self::Any(lists) => lists.iter().any(|list| list.iter().all(|test| test.holds(facts))),
        }
    }

    /// What a caller lacks to meet it; `None` where it holds.
    #[must_use]
    pub fn need(&self, facts: &Facts<'_>) -> Option<Need> {
        if self.holds(facts) {
            return None;
        }
        Some(match self {
            // Each way with what it lacks.
            Self::Any(lists) => {
                let lacking = |list: &Vec<Self>| list.iter().filter_map(|test| test.need(facts)).collect();
                Need::AnyOf { any_of: lists.iter().map(lacking).collect() }
            }
            other => other.wants(),
        })
    }

    /// What it asks for.
    #[must_use]
    pub fn wants(&self) -> Need {
        let texts = |list: &[Box<str>]| list.iter().map(ToString::to_string).collect();
        match self {
            Self::Scope(scope) => Need::Scope { scope: scope.to_string() },
            Self::Role(_, any_of) => Need::Role { any_of: texts(any_of) },
            Self::Group(_, any_of) => Need::Group { any_of: texts(any_of) },
            Self::Claim(path, test) => Need::Claim { claim: path.to_string(), test: test.clone() },
            Self::Mail(domains) => Need::Mail { any_of: domains.iter().map(ToString::to_string).collect() },
            Self::Provider(any_of) => Need::Provider { any_of: texts(any_of) },
            Self::Machine(any_of) => Need::Machine { any_of: texts(any_of) },
            Self::Tenant(tenant) => Need::Tenant { tenant: tenant.to_string() },
            Self::Acr(any_of) => Need::Acr { any_of: texts(any_of) },
            Self::MaxAge(secs) => Need::MaxAge { secs: *secs },
            Self::Network(_) => Need::Network,
            Self::Any(lists) => {
                Need::AnyOf { any_of: lists.iter().map(|list| list.iter().map(Self::wants).collect()).collect() }
            }
        }
    }
}
