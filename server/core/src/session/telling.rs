//! Telling providers of ended sessions (RFC 7009). What is to be told stands in the store from the end's commit on, and
//! is tried again, over restarts, until the provider answers or a day has passed. The outcome is in the audit log.

use futures_util::StreamExt as _;
use serde_json::{Map, json};

use super::Sessions;
use super::end::deed;
use super::record::TokenSet;
use crate::audit::event::Kind;
use crate::oidc::Revocation;
use crate::store::{Due, ERASED, SessionRow, StoreResult, Told, ToldOutcome};

/// Told at once: a provider is not flooded when many sessions end together.
const AT_ONCE: usize = 8;
/// Told in one turn.
const A_TURN: u32 = 50;
/// Nobody else tells within this time.
const LEASE_SECS: i64 = 120;
/// Waits between the tries; behind the last, the provider is given up.
const WAITS_SECS: [i64; 9] = [1, 5, 30, 120, 600, 1_800, 3_600, 21_600, 54_000];

impl Sessions {
    /// Waits until there may be something to tell.
    pub async fn something_to_tell(&self) {
        self.to_tell.notified().await;
    }

    /// Tells providers what is due, up to [`A_TURN`] sessions; answers whether there may be more.
    ///
    /// # Errors
    /// As the store's; what was not told is told later.
    pub async fn tell_providers(&self) -> StoreResult<bool> {
        let now = self.now();
        let due = self.parts.store.due(now, now.plus_secs(LEASE_SECS), A_TURN).await?;
        let full = due.len() == A_TURN as usize;
        let tell = |due: Due| async move {
            if let Err(error) = self.tell(due).await {
                tracing::warn!(session = %due.id, %error, "what became of an ended session's tokens was not kept");
            }
        };
        futures_util::stream::iter(due).for_each_concurrent(AT_ONCE, tell).await;
        Ok(full)
    }

    async fn tell(&self, due: Due) -> StoreResult<()> {
        let Some(row) = self.parts.store.session(due.id).await? else { return Ok(()) };
        let (outcome, access_until) = match self.tokens_of(&row).await {
            Ok(Some(tokens)) => match self.ask_to_revoke(&row, &tokens).await {
                Ok(outcome) => (outcome, tokens.access_expires_at),
                Err(error) => match wait_after(due.tries) {
                    Some(secs) => return self.parts.store.tell_again(due.id, self.now().plus_secs(secs)).await,
                    None => (ToldOutcome::Failed(error), tokens.access_expires_at),
                },
            },
            Ok(None) => return Ok(()),
            Err(error) if error.retry_helps() => return Err(error),
            Err(_) => (ToldOutcome::Failed("its tokens do not open".into()), None),
        };
        let (kind, detail) = match &outcome {
            ToldOutcome::Done => (Kind::ProviderRevoked, "done"),
            ToldOutcome::NotSupported => (Kind::ProviderRevocationFailed, "the provider offers no revocation"),
            ToldOutcome::Failed(detail) => (Kind::ProviderRevocationFailed, detail.as_str()),
        };
        let mut facts = Map::new();
        facts.insert("detail".into(), json!(detail));
        facts.insert("tries".into(), json!(due.tries));
        let mut deed = deed(kind, &row.summary, None, facts);
        if row.summary.ended.as_ref().is_some_and(|ended| ended.reason == ERASED) {
            // Their key in the audit log is gone, and none is to be made anew.
            deed.subject = None;
        }
        let event = self.parts.journal.row(deed).await?;
        self.parts.store.told(Told { id: due.id, outcome, access_until, event }).await
    }

    async fn ask_to_revoke(&self, row: &SessionRow, tokens: &TokenSet) -> Result<ToldOutcome, String> {
        let Some(provider) = self.provider(&row.summary.provider_id) else {
            return Ok(ToldOutcome::Failed("the provider is no longer configured".into()));
        };
        let (token, kind) = tokens.most_revocable();
        match provider.revoke(&row.registration_id, token, kind).await {
            Ok(Revocation::Done) => Ok(ToldOutcome::Done),
            Ok(Revocation::NotSupported) => Ok(ToldOutcome::NotSupported),
            Err(error) => {
                tracing::warn!(session = %row.summary.id, provider = provider.id(), %error, "tokens were not revoked");
                Err(error.to_string())
            }
        }
    }
}

/// How long to wait after so many tries; `None` when it was the last.
fn wait_after(tries: u32) -> Option<i64> {
    WAITS_SECS.get(usize::try_from(tries).ok()?.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u15_a_provider_is_given_up_after_a_day() {
        assert_eq!(
            (wait_after(1), wait_after(2), wait_after(9), wait_after(10)),
            (Some(1), Some(5), Some(54_000), None)
        );
        assert!((80_000..90_000).contains(&WAITS_SECS.iter().sum::<i64>()));
    }
}
