//! Keeping people out, letting them in again, and owners whom the host makes so. Under a lock sessions go on, but serve nobody: what a lock covers is
//! taken out of memory at once, which cuts its streams, and does not come back while the lock holds.

use serde_json::{Map, json};

use super::Sessions;
use crate::audit::AuditRow;
use crate::audit::event::{Deed, Kind, Person};
use crate::keys::By;
use crate::store::{Lock, Locked, StoreResult};

impl Sessions {
    /// Locks. When this returns, nobody is served whom it covers, and no login of theirs starts a session.
    ///
    /// # Errors
    /// As the store's; nothing is locked then.
    pub async fn lock(&self, lock: Lock, actor: Person, host: Option<&str>) -> StoreResult<()> {
        let event = self.lock_event(Kind::LockSet, &lock, actor, &lock.reason, host).await?;
        self.parts.store.add_lock(lock.clone(), event).await?;
        self.forget_where(|facts| lock.covers(facts));
        Ok(())
    }

    /// Lifts a lock; answers whether it had not been lifted before.
    ///
    /// # Errors
    /// As the store's.
    pub async fn unlock(&self, lock: &Lock, actor: Person, reason: &str, host: Option<&str>) -> StoreResult<bool> {
        let by = actor.display().to_owned();
        let event = self.lock_event(Kind::LockLifted, lock, actor, reason, host).await?;
        self.parts.store.lift_lock(lock.id, self.now(), by, event).await
    }

    /// Makes a person an owner, whatever their claims say: the act of somebody with a shell on the host. Answers whether
    /// they were none before.
    ///
    /// # Errors
    /// As the store's.
    pub async fn grant_owner(&self, issuer: &str, sub: &str, by: &By, reason: &str) -> StoreResult<bool> {
        let subject = self.parts.vault.ring().subject(issuer, sub);
        if self.parts.store.is_granted_owner(subject).await? {
            return Ok(false);
        }
        let mut facts = Map::new();
        facts.insert("host".into(), json!(by.host));
        facts.insert("text".into(), json!(reason));
        let deed = Deed {
            kind: Kind::OwnerGranted,
            tenant: "",
            session: None,
            client_id: None,
            provider_id: None,
            subject: Some(Person { issuer: issuer.to_owned(), sub: sub.to_owned(), ..Person::default() }),
            actor: Some(by.person.clone()),
            facts,
        };
        let event = self.parts.journal.row(deed).await?;
        self.parts.store.grant_owner(subject, self.now(), event).await?;
        Ok(true)
    }

    async fn lock_event(
        &self,
        kind: Kind,
        lock: &Lock,
        actor: Person,
        reason: &str,
        host: Option<&str>,
    ) -> StoreResult<AuditRow> {
        let mut facts = Map::new();
        facts.insert("lock".into(), json!(lock.id.to_string()));
        facts.insert("text".into(), json!(reason));
        if let Some(until) = lock.until {
            facts.insert("until".into(), json!(until.rfc3339()));
        }
        if let Some(host) = host {
            facts.insert("host".into(), json!(host));
        }
        let subject = match &lock.whom {
            Locked::User(user) => {
                Some(Person { issuer: user.issuer.clone(), sub: user.sub.clone(), ..Person::default() })
            }
            Locked::Client(_) | Locked::Provider(_) => None,
        };
        let deed = Deed {
            kind,
            tenant: lock.tenant.as_deref().unwrap_or_default(),
            session: None,
            client_id: if let Locked::Client(id) = &lock.whom { Some(id) } else { None },
            provider_id: if let Locked::Provider(id) = &lock.whom { Some(id) } else { None },
            subject,
            actor: Some(actor),
            facts,
        };
        self.parts.journal.row(deed).await
    }
}
