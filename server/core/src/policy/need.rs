//! What a caller lacks, as people and programs are told.

use std::fmt;

use serde::Serialize;

use super::claim::ClaimTest;

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Need {
    /// A scope.
    Scope {
        /// Which.
        scope: String,
    },
    /// One of these roles.
    Role {
        /// Any of them would do.
        any_of: Vec<String>,
    },
    /// One of these groups.
    Group {
        /// Any of them would do.
        any_of: Vec<String>,
    },
    /// A claim.
    Claim {
        /// Where it stands.
        claim: String,
        /// What it must be.
        #[serde(flatten)]
        test: ClaimTest,
    },
    /// A verified mail address at one of these domains.
    Mail {
        /// Any of them would do.
        any_of: Vec<String>,
    },
    /// A sign-in by one of these providers.
    Provider {
        /// Any of them would do.
        any_of: Vec<String>,
    },
    /// A machine's token of one of these issuers.
    Machine {
        /// Any of them would do.
        any_of: Vec<String>,
    },
    /// Another tenant.
    Tenant {
        /// Which.
        tenant: String,
    },
    /// A better sign-in.
    Acr {
        /// Any of them would do.
        any_of: Vec<String>,
    },
    /// A newer sign-in.
    MaxAge {
        /// How old it may be, in seconds.
        secs: i64,
    },
    /// Another network. Which ones would do is nobody's business.
    Network,
    /// One of several ways, each with what it lacks.
    AnyOf {
        /// The ways.
        any_of: Vec<Vec<Need>>,
    },
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_of = |f: &mut fmt::Formatter<'_>, what: &str, list: &[String]| match list {
            [one] => write!(f, "the {what} {one}"),
            list => write!(f, "one of the {what}s {}", list.join(", ")),
        };
        match self {
            Self::Scope { scope } => write!(f, "the scope {scope}"),
            Self::Role { any_of } => one_of(f, "role", any_of),
            Self::Group { any_of } => one_of(f, "group", any_of),
            Self::Claim { claim, test } => write!(f, "a claim {claim} that {test}"),
            Self::Mail { any_of } => write!(f, "a verified mail address at {}", any_of.join(" or ")),
            Self::Provider { any_of } => write!(f, "a sign-in by {}", any_of.join(" or ")),
            Self::Machine { any_of } => write!(f, "a machine's token of {}", any_of.join(" or ")),
            Self::Tenant { tenant } => write!(f, "a session of the tenant {tenant}"),
            Self::Acr { any_of } => write!(f, "a sign-in of the level {}", any_of.join(" or ")),
            Self::MaxAge { secs } => write!(f, "a sign-in at most {secs} seconds old"),
            Self::Network => f.write_str("a call from another network"),
            Self::AnyOf { any_of } => {
                let ways: Vec<String> = any_of.iter().map(|way| listed(way)).collect();
                write!(f, "either {}", ways.join(", or "))
            }
        }
    }
}

fn listed(needs: &[Need]) -> String {
    needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// What is missing, as a sentence.
pub(super) fn sentence(needs: &[Need]) -> String {
    format!("you may not use this address: it needs {}", listed(needs))
}

/// What a sign-in must prove (RFC 9470 section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StepUp {
    /// Any of these levels would do.
    pub acr_values: Vec<Box<str>>,
    /// How old it may be, in seconds.
    pub max_age_secs: Option<i64>,
}

impl StepUp {
    /// Whether it asks for nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.acr_values.is_empty() && self.max_age_secs.is_none()
    }

    /// A sign-in that would be all that is missing; `None` where something else is missing too.
    #[must_use]
    pub fn that_is_all(needs: &[Need]) -> Option<Self> {
        let mut all = Self::default();
        for need in needs {
            match need {
                Need::Acr { any_of } => {
                    let wanted = any_of.iter().map(|one| Box::from(one.as_str()));
                    // Of two lists, what stands in both.
                    all.acr_values = match all.acr_values.as_slice() {
                        [] => wanted.collect(),
                        before => wanted.filter(|one| before.contains(one)).collect(),
                    };
                    if all.acr_values.is_empty() {
                        return None;
                    }
                }
                Need::MaxAge { secs } => all.max_age_secs = Some(all.max_age_secs.map_or(*secs, |min| min.min(*secs))),
                Need::AnyOf { any_of } => {
                    let way = any_of.iter().find_map(|way| Self::that_is_all(way))?;
                    let mut both: Vec<Need> = all.needs();
                    both.extend(way.needs());
                    all = if all.is_empty() { way } else { Self::that_is_all(&both)? };
                }
                _ => return None,
            }
        }
        Some(all)
    }

    fn needs(&self) -> Vec<Need> {
        let acr = (!self.acr_values.is_empty())
            .then(|| Need::Acr { any_of: self.acr_values.iter().map(ToString::to_string).collect() });
        acr.into_iter().chain(self.max_age_secs.map(|secs| Need::MaxAge { secs })).collect()
    }

    /// What is missing, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("sign in once more: this address needs {}", listed(&self.needs()))
    }
}
