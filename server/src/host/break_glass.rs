//! Acts of emergency: with the host's store and keys, without any provider, in the name of the operating system's user.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};

use cloakroom_core::keys::By;
use cloakroom_core::session::Sessions;
use cloakroom_core::session::revocation::Decision;
use cloakroom_core::store::{Filter, Lock, LockId, Locked, StoreError, User};

use super::{Answer, Emergency};

/// How long an answer waits for the rows of a revocation; it has taken effect before.
const PATIENCE: Duration = Duration::from_secs(20);
/// Blocks of one provider that hold at once, at most.
const BLOCKS: u32 = 1_000;

/// Does it.
pub(super) async fn act(sessions: &Arc<Sessions>, act: &Emergency, reason: &str, by: &By) -> Answer {
    let done = match act {
        Emergency::Revoke { user, client, provider } => {
            let ring = sessions.vault().ring();
            let user = user.as_ref().map(|(issuer, sub)| User {
                subject: ring.subject(issuer, sub),
                issuer: issuer.clone(),
                sub: sub.clone(),
            });
            let filter = Filter { user, client_id: client.clone(), provider_id: provider.clone(), ..Filter::default() };
            revoke(sessions, filter, reason, by).await
        }
        Emergency::BlockProvider { provider } => block(sessions, provider, reason, by).await,
        Emergency::UnblockProvider { provider } => unblock(sessions, provider, reason, by).await,
        Emergency::GrantOwner { issuer, sub } => {
            if sessions.providers().all(|provider| provider.issuer() != issuer) {
                return Answer::Refused(format!("no provider of the configuration has the issuer {issuer}"));
            }
            sessions.grant_owner(issuer, sub, by, reason).await.map(Answer::Done)
        }
    };
    done.unwrap_or_else(|error| Answer::Refused(error.to_string()))
}

async fn revoke(sessions: &Arc<Sessions>, filter: Filter, reason: &str, by: &By) -> Result<Answer, StoreError> {
    let expected = sessions.preview(&filter, 0).await?.count;
    let mut facts = Map::new();
    facts.insert("host".into(), json!(by.host));
    let decision = Decision {
        id: sessions.new_revocation(),
        filter,
        actor: by.person.clone(),
        reason: reason.to_owned(),
        expected,
        facts,
    };
    let row = sessions.revoke(decision, PATIENCE).await?;
    Ok(Answer::Revoked { id: row.id.to_string(), ended: row.ended, more: row.finished_at.is_none() })
}

async fn held(sessions: &Sessions, provider: &str) -> Result<Vec<Lock>, StoreError> {
    let locks = sessions.store().locks(None, Some(sessions.now()), None, BLOCKS).await?;
    Ok(locks.into_iter().filter(|lock| lock.whom == Locked::Provider(provider.to_owned())).collect())
}

async fn block(sessions: &Sessions, provider: &str, reason: &str, by: &By) -> Result<Answer, StoreError> {
    if sessions.provider(provider).is_none() {
        return Ok(Answer::Refused(format!("there is no provider {provider} in the configuration")));
    }
    if !held(sessions, provider).await?.is_empty() {
        return Ok(Answer::Done(false));
    }
    let id: LockId = sessions.new_revocation();
    let lock = Lock {
        id,
        tenant: None,
        whom: Locked::Provider(provider.to_owned()),
        reason: reason.to_owned(),
        by: by.person.display().to_owned(),
        since: sessions.now(),
        until: None,
        lifted: None,
    };
    sessions.lock(lock, by.person.clone(), Some(&by.host)).await?;
    Ok(Answer::Done(true))
}

async fn unblock(sessions: &Sessions, provider: &str, reason: &str, by: &By) -> Result<Answer, StoreError> {
    let held = held(sessions, provider).await?;
    for lock in &held {
        sessions.unlock(lock, by.person.clone(), reason, Some(&by.host)).await?;
    }
    Ok(Answer::Done(!held.is_empty()))
}
