//! The gateway's own tokens for upstreams (client credentials): one for each purpose, asked for once for all who wait,
//! kept until shortly before its end. Never a person's (T8).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use crate::clock::{Clock, UnixMs};
use crate::oidc::Provider;
use crate::oidc::grant::{GrantAsk, GrantFailure};
use crate::session::open::Access;

/// After a failure the provider is asked again so late, so that an outage of its is not made worse.
const AGAIN_MS: i64 = 1_000;

/// A token of the gateway for one purpose.
pub struct OwnToken {
    provider: Arc<Provider>,
    registration: String,
    ask: GrantAsk,
    clock: Arc<dyn Clock>,
    kept: ArcSwapOption<Access>,
    /// One request at a time; how and when the last one failed.
    asking: Mutex<Option<(UnixMs, GrantFailure)>>,
}

impl std::fmt::Debug for OwnToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnToken")
            .field("registration", &self.registration)
            .field("ask", &self.ask)
            .finish_non_exhaustive()
    }
}

impl OwnToken {
    /// A token to be, asked for when first needed.
    #[must_use]
    pub fn new(provider: Arc<Provider>, registration: String, ask: GrantAsk, clock: Arc<dyn Clock>) -> Self {
        Self { provider, registration, ask, clock, kept: ArcSwapOption::empty(), asking: Mutex::default() }
    }

    /// The token from memory, if it is good for a while.
    #[must_use]
    pub fn kept(&self, now: UnixMs) -> Option<Arc<Access>> {
        self.kept.load_full().filter(|access| access.is_fresh(now))
    }

    /// The token, asked for if need be.
    ///
    /// # Errors
    /// [`GrantFailure`].
    pub async fn get(&self) -> Result<Arc<Access>, GrantFailure> {
        let mut failed = self.asking.lock().await;
        let now = self.clock.now();
        if let Some(kept) = self.kept(now) {
            return Ok(kept);
        }
        if let Some((at, failure)) = &*failed
            && now.0.saturating_sub(at.0).saturating_abs() < AGAIN_MS
        {
            return Err(failure.clone());
        }
        let granted = self.provider.client_credentials(&self.registration, &self.ask).await;
        let access = granted.and_then(|granted| {
            Access::granted(granted, 0).ok_or(GrantFailure::BadAnswer("its access_token is no token"))
        });
        match access {
            Ok(access) => {
                let access = Arc::new(access);
                self.kept.store(Some(Arc::clone(&access)));
                *failed = None;
                Ok(access)
            }
            // One that is about to expire is still good.
            Err(failure) => {
                *failed = Some((now, failure.clone()));
                let last = self.kept.load_full().filter(|access| access.expires_at.is_some_and(|at| now < at));
                last.ok_or(failure)
            }
        }
    }
}
