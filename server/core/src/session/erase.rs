//! Forgetting a person: their sessions end, the key that seals them in the audit log is destroyed, and what else names
//! them goes. The chain of the log goes on as it was: it covers what was sealed, not what it meant (A10).

use std::sync::Arc;

use serde_json::{Map, json};

use super::Sessions;
use super::end::How;
use super::id::SessionId;
use crate::audit::event::{Deed, Kind, Person};
use crate::store::{ERASED, EndOutcome, Erase, EraseOutcome, Place, StoreError, StoreResult, User};

/// Sessions read, and ended, at once.
const BATCH: u32 = 200;
/// A person may sign in between the end of their sessions and the erasure; not often.
const TRIES: u32 = 5;

/// What an erasure did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Sessions that ran until then.
    pub ended: u64,
    /// Sessions that are forgotten.
    pub deleted: u64,
    /// Sessions that are forgotten once their provider was told of their end.
    pub waiting: u64,
}

impl Sessions {
    /// Erases a person.
    ///
    /// # Errors
    /// As the store's. Sessions may have ended then, and nothing else was done.
    pub async fn erase(self: &Arc<Self>, user: &User, actor: &Person, reason: &str) -> StoreResult<Erased> {
        let how = How { reason: ERASED, text: Some(reason.to_owned()), by: Some(actor.clone()), channel: None };
        let mut ended = 0;
        for _ in 0..TRIES {
            ended += self.end_all_of(user.subject, &how).await?;
            let event = self.parts.journal.row(deed(user, actor, reason, ended)).await?;
            match self.parts.store.erase(Erase { user: user.clone(), event }).await? {
                EraseOutcome::Runs => {}
                EraseOutcome::Done { deleted, waiting } => {
                    self.parts.journal.forget(user.subject);
                    self.forget_where(|facts| facts.issuer == user.issuer && facts.sub == user.sub);
                    self.to_tell.notify_one();
                    return Ok(Erased { ended, deleted, waiting });
                }
            }
        }
        Err(StoreError::Unavailable("the person signs in again and again; lock them first".into()))
    }

    async fn end_all_of(self: &Arc<Self>, subject: [u8; 32], how: &How) -> StoreResult<u64> {
        let (mut place, mut ended, now) = (None, 0, self.now());
        loop {
            let found = self.parts.store.sessions_of_user(subject, None, place, BATCH).await?;
            // Those too that an unfinished revocation covers, and tells as ended: their rows still run.
            let in_time = found.iter().filter(|row| row.idle_expires_at.min(row.expires_at) > now);
            let ids: Vec<SessionId> = in_time.map(|row| row.id).collect();
            if !ids.is_empty() {
                let done = self.end(&ids, how).await?;
                ended += done.iter().filter(|outcome| matches!(outcome, EndOutcome::Ended)).count() as u64;
            }
            match found.last() {
                Some(last) if found.len() == BATCH as usize => {
                    place = Some(Place { at: last.created_at, id: last.id, backwards: false });
                }
                _ => return Ok(ended),
            }
        }
    }
}

fn deed<'a>(user: &User, actor: &Person, reason: &str, ended: u64) -> Deed<'a> {
    let mut facts = Map::new();
    facts.insert("text".into(), json!(reason));
    facts.insert("sessions".into(), json!(ended));
    Deed {
        kind: Kind::UserErased,
        tenant: "",
        session: None,
        client_id: None,
        provider_id: None,
        subject: Some(Person { issuer: user.issuer.clone(), sub: user.sub.clone(), ..Person::default() }),
        actor: Some(actor.clone()),
        facts,
    }
}
