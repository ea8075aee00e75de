//! Tokens of other audiences, exchanged for a session's access token (RFC 8693). They live in the session's own memory
//! alone, by generation and by what was asked for: they die with the session and with the token they were made from, and
//! no two sessions ever share one (T8, S4).

use std::sync::Arc;

use super::Sessions;
use super::open::{Access, Live};
use super::record::Token;
use super::refresh::{Freshness, RefreshError};
use crate::clock::UnixMs;
use crate::oidc::grant::{GrantAsk, GrantFailure};

/// Exchanged tokens of one session; routes are few.
const MOST: usize = 16;

/// Why there is no exchanged token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExchangeError {
    /// There is nothing to exchange.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The provider gave none.
    #[error(transparent)]
    Grant(#[from] GrantFailure),
}

/// The exchanged tokens of one session.
#[derive(Default)]
pub(super) struct Exchanged {
    list: parking_lot::Mutex<Vec<(Arc<GrantAsk>, Arc<Access>)>>,
    /// One exchange at a time.
    asking: tokio::sync::Mutex<()>,
}

impl Live {
    /// The exchanged token for this purpose, from memory; `None` where it is not there, has expired, or was made from a
    /// token that the session no longer has, or that has expired itself: else nobody would hear that the provider no
    /// longer renews the session.
    #[must_use]
    pub fn exchanged(&self, ask: &GrantAsk, now: UnixMs) -> Option<Arc<Access>> {
        let (Freshness::Fresh(subject) | Freshness::Aging(subject)) = self.freshness(now) else { return None };
        let list = self.exchanged.list.lock();
        let (_, access) = list.iter().find(|(known, _)| **known == *ask)?;
        (access.generation == subject.generation && access.is_fresh(now)).then(|| Arc::clone(access))
    }
}

impl Sessions {
    /// The exchanged token for a purpose; a new one where there is none. Callers in parallel share one exchange.
    ///
    /// # Errors
    /// [`ExchangeError`]. The session's own token is never given instead.
    pub async fn exchange(
        self: &Arc<Self>,
        live: &Arc<Live>,
        ask: &Arc<GrantAsk>,
    ) -> Result<Arc<Access>, ExchangeError> {
        let _alone = live.exchanged.asking.lock().await;
        if let Some(known) = live.exchanged(ask, self.now()) {
            return Ok(known);
        }
        let subject = self.fresh_token(live).await?;
        let text = subject.authorization.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        let token = text.and_then(|text| Token::parse(text).ok()).ok_or(RefreshError::SignInAgain)?;
        let provider = self.provider(&live.provider_id).ok_or(RefreshError::SignInAgain)?;
        let granted = provider.exchange_token(&live.registration_id, &token, ask).await?;
        if live.is_over(self.now()) {
            return Err(RefreshError::Over.into());
        }
        let access = Access::granted(granted, subject.generation);
        let access = Arc::new(access.ok_or(GrantFailure::BadAnswer("its access_token is no token"))?);
        let mut list = live.exchanged.list.lock();
        list.retain(|(known, other)| **known != **ask && other.generation == subject.generation);
        if list.len() >= MOST {
            list.remove(0);
        }
        list.push((Arc::clone(ask), Arc::clone(&access)));
        Ok(access)
    }
}
