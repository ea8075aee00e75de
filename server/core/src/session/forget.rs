//! Out of memory, and not in again by a race: a session that is put in by a row read before others were forgotten is
//! looked up once more.

use std::sync::atomic::Ordering::SeqCst;

use super::Sessions;
use super::id::SessionId;
use crate::store::StoreError;

impl Sessions {
    /// After a session was put into memory by a row read when so many had been forgotten: if others were forgotten
    /// since, it may have ended between the reading and the putting, and is looked up once more.
    pub(super) async fn settle(&self, id: SessionId, before: u64) -> Result<(), StoreError> {
        if self.forgotten() == before {
            return Ok(());
        }
        let runs = match self.parts.store.session(id).await? {
            Some(row) if row.summary.ended.is_none() => self.parts.store.lock_on(&row, self.now()).await?.is_none(),
            Some(_) | None => false,
        };
        if !runs {
            self.forget(id);
        }
        Ok(())
    }

    /// Notes that sessions are about to be taken out of memory.
    pub(super) fn count_forgotten(&self) {
        self.forgotten.fetch_add(1, SeqCst);
    }
}
