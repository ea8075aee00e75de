//! People: who has sessions, what is kept of them, and forgetting them.

use async_trait::async_trait;

use super::locks::Lock;
use super::revocations::{Filter, User};
use super::rows::{Place, SessionSummary};
use super::{StoreError, StoreResult};
use crate::audit::AuditRow;
use crate::audit::event::Person;
use crate::clock::UnixMs;

/// What an administrator asks of the list of people.
#[derive(Clone, Debug)]
pub struct UserQuery {
    /// Only people with sessions of this tenant; `None` sees all.
    pub tenant: Option<String>,
    /// Only people with a session that runs; else everybody of whom a session is kept.
    pub live: bool,
    /// Only this person's id, at any provider.
    pub sub: Option<String>,
    /// A part of sub, name or mail address.
    pub text: Option<String>,
    /// Where the page starts: a person stands by their newest session that counts.
    pub place: Option<Place>,
    /// Rows a page.
    pub limit: u32,
    /// The present moment, which tells live from expired.
    pub now: UnixMs,
}

/// A person with sessions inside the fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Keyed hash of (issuer, sub).
    pub subject: [u8; 32],
    /// Their newest session that counts: who they are, as their provider said then.
    pub newest: SessionSummary,
    /// How many of their sessions run.
    pub live: u64,
    /// Whether a lock inside the fence keeps them out.
    pub locked: bool,
}

/// The unit of work that forgets a person.
#[derive(Clone, Debug)]
pub struct Erase {
    /// Whom.
    pub user: User,
    /// The audit event. Its person is sealed under the key that this unit destroys.
    pub event: AuditRow,
}

/// What an [`Erase`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EraseOutcome {
    /// All of it.
    Done {
        /// Sessions whose rows are gone.
        deleted: u64,
        /// Sessions whose rows go once their provider was told of the end.
        waiting: u64,
    },
    /// Nothing: a session of theirs runs.
    Runs,
}

/// How the end of a session reads whose person was erased.
pub const ERASED: &str = "erased";

/// What stands of a person in revocations that were about them, or by them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrubbed {
    /// The filter, naming nobody.
    pub filter: String,
    /// Who decided.
    pub actor: String,
}

impl Erase {
    /// A revocation's filter and actor without this person; `None` where it does not name them.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they are no such values.
    pub fn scrub(&self, filter: &str, actor: &str) -> StoreResult<Option<Scrubbed>> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("revocations.{what}"));
        let mut filter: Filter = serde_json::from_str(filter).map_err(|_| corrupt("filter"))?;
        let mut actor: Person = serde_json::from_str(actor).map_err(|_| corrupt("actor"))?;
        let about = filter.user.as_ref().is_some_and(|user| user.subject == self.user.subject);
        let by = actor.issuer == self.user.issuer && actor.sub == self.user.sub;
        if !about && !by {
            return Ok(None);
        }
        if about {
            let nobody = User { issuer: String::new(), sub: String::new(), subject: self.user.subject };
            filter = Filter { user: Some(nobody), upstream: None, network: None, user_agent: None, ..filter };
        }
        if by {
            actor = Person { sub: "an erased person".to_owned(), ..Person::default() };
        }
        let json = |value: serde_json::Result<String>, what| value.map_err(|_| corrupt(what));
        let filter = json(serde_json::to_string(&filter), "filter")?;
        Ok(Some(Scrubbed { filter, actor: json(serde_json::to_string(&actor), "actor")? }))
    }
}

/// The part of a store that tells of people.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// People by their newest session that counts, the newest first.
    async fn users(&self, query: UserQuery) -> StoreResult<Vec<UserRow>>;

    /// Up to `limit` sessions of one person, live and ended, newest first: one tenant's, or all.
    async fn sessions_of_user(
        &self,
        subject: [u8; 32],
        tenant: Option<&str>,
        place: Option<Place>,
        limit: u32,
    ) -> StoreResult<Vec<SessionSummary>>;

    /// The locks on one person, newest first, at most 100: one tenant's, or all.
    async fn locks_of_user(&self, subject: [u8; 32], tenant: Option<&str>) -> StoreResult<Vec<Lock>>;

    /// When a person was erased last; `None` where never.
    async fn erased_at(&self, subject: [u8; 32]) -> StoreResult<Option<UnixMs>>;

    /// Forgets a person whose sessions are all over: the key that seals them in the audit log, the rows of their
    /// sessions, from where they came, past locks, and what else names them. A session whose provider is still to be told
    /// stays until it was. A lock that holds stays. Nothing is done while a session runs.
    async fn erase(&self, erase: Erase) -> StoreResult<EraseOutcome>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn erase() -> Erase {
        Erase {
            user: User { issuer: "https://id".into(), sub: "u1".into(), subject: [1; 32] },
            event: AuditRow {
                id: [0; 16],
                version: 1,
                tenant: String::new(),
                at: UnixMs(0),
                kind: "user.erased".into(),
                session: None,
                client_id: None,
                provider_id: None,
                subject: None,
                address: None,
                subject_sealed: vec![],
                actor: None,
                actor_sealed: vec![],
                facts: "{}".into(),
            },
        }
    }

    fn filter(subject: u8) -> String {
        let user = User { issuer: "https://id".into(), sub: format!("u{subject}"), subject: [subject; 32] };
        serde_json::to_string(&Filter { user: Some(user), ..Filter::default() }).unwrap()
    }

    #[test]
    fn a10_a_revocation_names_no_erased_person() {
        let by = |sub: &str| {
            json!({"issuer": "https://id", "sub": sub, "name": "N", "email": null, "address": null, "user_agent": null})
                .to_string()
        };
        let erase = erase();
        assert_eq!(erase.scrub(&filter(2), &by("u2")).unwrap(), None);
        for (text, actor) in [(filter(1), by("u2")), (filter(2), by("u1")), (filter(1), by("u1"))] {
            let Scrubbed { filter, actor } = erase.scrub(&text, &actor).unwrap().expect("names them");
            assert!(!filter.contains("u1") && !actor.contains("u1"), "{filter} {actor}");
        }
        let left: Value = serde_json::from_str(&erase.scrub(&filter(1), &by("u2")).unwrap().unwrap().actor).unwrap();
        assert_eq!(left["sub"], "u2", "others stay named");
        assert!(erase.scrub("{", &by("u1")).is_err());
    }
}
