//! Refreshing a token set: ahead of expiry, once for all who wait, and never sent twice in doubt (T1, T7).
//!
//! Before the first byte leaves, an attempt row is committed. What then happens is one of: a complete answer is
//! adopted; a complete refusal ends the session; nothing surely was sent, and the attempt is taken back; or no
//! complete answer came, and the generation is in doubt.

use std::sync::Arc;

use tokio::sync::watch;

use super::Sessions;
use super::end::How;
use super::open::{Access, Flight, Live};
use super::record::{SealedSession, TokenSet};
use crate::clock::UnixMs;
use crate::oidc::{ClaimMap, RefreshFailure, RefreshIdentity, RefreshReuse, Refreshed, Unadopted};
use crate::store::{BeginRefresh, CommitRefresh, Doubt, Measure, RefreshGrant, StoreError};
use crate::vault::sealed::Owner;

/// How long one refresh may take before another node may take over.
const LEASE_SECS: i64 = 60;
/// What a caller is told to wait when the provider did not say.
const RETRY_AFTER_SECS: u64 = 5;
/// How long to wait for another holder of the lease before looking again.
const LEASE_POLL: std::time::Duration = std::time::Duration::from_millis(50);

/// Why there is no fresh access token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// The session is over: the provider refused to renew it, or it was ended meanwhile.
    #[error("the session is over")]
    Over,
    /// The access token expired and nothing can renew it but a new sign-in; the session itself lives.
    #[error("the access token expired and cannot be renewed without signing in again")]
    SignInAgain,
    /// The provider or the store cannot be reached now; the session lives.
    #[error("the access token could not be renewed now; try again in {retry_after_secs} s")]
    TryLater {
        /// When to try again.
        retry_after_secs: u64,
    },
}

const TRY_LATER: RefreshError = RefreshError::TryLater { retry_after_secs: RETRY_AFTER_SECS };

/// Whether a session's access token can be attached as it stands.
#[derive(Debug)]
pub enum Freshness {
    /// Good for a while.
    Fresh(Arc<Access>),
    /// Still good, but it is time to renew it in the background.
    Aging(Arc<Access>),
    /// Expired, or not there.
    Stale,
}

impl Live {
    /// Looks at the access token in memory; the hot path's only question.
    #[must_use]
    pub fn freshness(&self, now: UnixMs) -> Freshness {
        let Some(access) = self.access() else { return Freshness::Stale };
        if access.expires_at.is_some_and(|at| now >= at) {
            Freshness::Stale
        } else if access.renew_from.is_some_and(|at| now >= at) {
            Freshness::Aging(access)
        } else {
            Freshness::Fresh(access)
        }
    }

    /// Whether a refresh runs now.
    fn refreshing(&self) -> bool {
        self.flight.lock().is_some()
    }
}

impl Sessions {
    /// Starts a refresh that nobody waits for, unless one runs.
    pub fn refresh_in_background(self: &Arc<Self>, live: &Arc<Live>) {
        if !live.refreshing() {
            drop(self.join_flight(live));
        }
    }

    /// A fresh access token, renewed if need be. Callers in parallel share one refresh; a caller that goes away
    /// cancels nothing (S3).
    ///
    /// # Errors
    /// [`RefreshError`].
    pub async fn fresh_token(self: &Arc<Self>, live: &Arc<Live>) -> Result<Arc<Access>, RefreshError> {
        match live.freshness(self.now()) {
            Freshness::Fresh(access) => return Ok(access),
            Freshness::Aging(access) => {
                self.refresh_in_background(live);
                return Ok(access);
            }
            Freshness::Stale => {}
        }
        let mut flight = self.join_flight(live);
        let outcome = if let Ok(outcome) = flight.wait_for(Option::is_some).await {
            outcome.clone().unwrap_or(Err(TRY_LATER))
        } else {
            // The refresh broke down without an outcome: the next caller starts anew.
            *live.flight.lock() = None;
            Err(TRY_LATER)
        };
        outcome?;
        // It may have ended, or been locked, while the provider answered.
        if live.is_over(self.now()) {
            return Err(RefreshError::Over);
        }
        live.access().ok_or(RefreshError::SignInAgain)
    }

    /// The refresh that runs, or a new one.
    fn join_flight(self: &Arc<Self>, live: &Arc<Live>) -> Flight {
        let mut flight = live.flight.lock();
        if let Some(running) = flight.as_ref() {
            return running.clone();
        }
        let (done, waiting) = watch::channel(None);
        *flight = Some(waiting.clone());
        let (sessions, live) = (Arc::clone(self), Arc::clone(live));
        drop(self.parts.background.spawn(async move {
            let outcome = sessions.refresh(&live).await;
            if let Err(error) = &outcome {
                tracing::info!(session = %live.id, %error, "no refresh");
            }
            *live.flight.lock() = None;
            done.send_replace(Some(outcome));
        }));
        waiting
    }

    async fn refresh(self: &Arc<Self>, live: &Arc<Live>) -> Result<(), RefreshError> {
        let grant = self.take_lease(live).await?;
        let Some(grant) = grant else { return Ok(()) };
        let (values, tokens) = match self.open_grant(&grant) {
            Ok(opened) => opened,
            Err(error) => {
                self.abandon(live, grant.fence).await;
                return Err(store_error(&error));
            }
        };
        let Some(refresh_token) = tokens.refresh_token.as_ref() else {
            self.abandon(live, grant.fence).await;
            return Err(RefreshError::SignInAgain);
        };
        let Some(provider) = self.provider(&live.provider_id) else {
            self.abandon(live, grant.fence).await;
            return Err(RefreshError::SignInAgain);
        };
        let identity = RefreshIdentity { issuer: &values.issuer, sub: &values.sub };
        match provider.refresh(&live.registration_id, refresh_token, &identity).await {
            Ok(refreshed) => self.adopt(live, &grant, values, &tokens, refreshed).await,
            Err(failure) => self.settle_failure(live, grant.fence, failure).await,
        }
    }

    /// Takes the lease and commits the attempt; `None` when another node has renewed the token set meanwhile.
    async fn take_lease(self: &Arc<Self>, live: &Arc<Live>) -> Result<Option<Box<RefreshGrant>>, RefreshError> {
        let mut doubt = Doubt::Tell;
        loop {
            let now = self.now();
            let until = now.plus_secs(LEASE_SECS);
            let begun = self.parts.store.begin_refresh(live.id, "node", now, until, doubt).await;
            match begun.map_err(|error| store_error(&error))? {
                BeginRefresh::Over => {
                    self.forget(live.id);
                    return Err(RefreshError::Over);
                }
                BeginRefresh::Held { until } if until > now => tokio::time::sleep(LEASE_POLL).await,
                BeginRefresh::Held { .. } => {}
                BeginRefresh::InDoubt { since } if self.may_send_again(live, since, now) => doubt = Doubt::SendAgain,
                BeginRefresh::InDoubt { .. } => return Err(RefreshError::SignInAgain),
                BeginRefresh::Granted(grant) => {
                    let newer = live.access().is_some_and(|access| grant.tokens.generation > access.generation);
                    if !newer {
                        return Ok(Some(grant));
                    }
                    self.abandon(live, grant.fence).await;
                    let (values, tokens) = self.open_grant(&grant).map_err(|error| store_error(&error))?;
                    live.adopt(values, Access::of(&tokens, grant.tokens.generation));
                    return Ok(None);
                }
            }
        }
    }

    /// An earlier attempt has no known outcome: sent again only where the provider allows it.
    fn may_send_again(&self, live: &Live, since: UnixMs, now: UnixMs) -> bool {
        let reuse = self.provider(&live.provider_id).map_or(RefreshReuse::Never, |provider| provider.refresh_reuse());
        match reuse {
            RefreshReuse::Always => true,
            RefreshReuse::Grace { secs } => now.0.saturating_sub(since.0) / 1000 <= secs,
            RefreshReuse::Never => false,
        }
    }

    fn open_grant(&self, grant: &RefreshGrant) -> Result<(SealedSession, TokenSet), StoreError> {
        let vault = &self.parts.vault;
        let opened = vault.data_key(&grant.session).and_then(|key| {
            Ok((vault.open_session(&key, &grant.session)?, vault.open_tokens(&key, &grant.session, &grant.tokens)?))
        });
        opened.map_err(|error| StoreError::Corrupt(format!("session {}: {error}", grant.session.summary.id)))
    }

    async fn adopt(
        self: &Arc<Self>,
        live: &Arc<Live>,
        grant: &RefreshGrant,
        mut values: SealedSession,
        before: &TokenSet,
        refreshed: Refreshed,
    ) -> Result<(), RefreshError> {
        let now = self.now();
        let generation = grant.tokens.generation + 1;
        let tokens = TokenSet {
            access_token: refreshed.access_token,
            refresh_token: refreshed.refresh_token.or_else(|| before.refresh_token.clone()),
            id_token: before.id_token.clone(),
            scopes: refreshed.scopes.unwrap_or_else(|| before.scopes.clone()),
            access_expires_at: refreshed.access_expires_at,
            received_at: now,
        };
        values.generation = generation;
        if refreshed.claims.is_some() || refreshed.userinfo.is_some() {
            let none = ClaimMap::default();
            let map = self.provider(&live.provider_id).map_or(&none, |provider| provider.claim_map());
            values.take_claims(refreshed.claims, refreshed.userinfo, map);
            values.claims_at = now;
        }
        let vault = &self.parts.vault;
        let key =
            vault.data_key(&grant.session).map_err(|error| store_error(&StoreError::Corrupt(error.to_string())))?;
        let owner = Owner::of(&grant.session);
        let commit = CommitRefresh {
            id: live.id,
            fence: grant.fence,
            from_generation: grant.tokens.generation,
            tokens: crate::store::StoredTokens {
                generation,
                sealed: vault.seal_tokens(&key, owner, generation, &tokens),
                refreshed_at: now,
                in_doubt: false,
            },
            sealed: vault.seal_session(&key, owner, &values),
        };
        match self.parts.store.commit_refresh(commit).await {
            Ok(true) => {
                live.adopt(values, Access::of(&tokens, generation));
                self.count(Measure::Refresh, live.counted_by(), 1);
                Ok(())
            }
            Ok(false) => {
                // Ended while the refresh was in flight: the new tokens die with the session (T5).
                let (token, kind) = tokens.most_revocable();
                self.revoke_unadopted(live, Unadopted { token: token.clone(), kind });
                self.forget(live.id);
                Err(RefreshError::Over)
            }
            Err(error) => Err(store_error(&error)),
        }
    }

    fn revoke_unadopted(self: &Arc<Self>, live: &Arc<Live>, tokens: Unadopted) {
        let Some(provider) = self.provider(&live.provider_id).cloned() else { return };
        let live = Arc::clone(live);
        drop(self.parts.background.spawn(async move {
            if let Err(error) = provider.revoke(&live.registration_id, &tokens.token, tokens.kind).await {
                tracing::warn!(session = %live.id, %error, "tokens that nobody takes could not be revoked");
            }
        }));
    }

    async fn settle_failure(
        self: &Arc<Self>,
        live: &Arc<Live>,
        fence: i64,
        failure: RefreshFailure,
    ) -> Result<(), RefreshError> {
        tracing::warn!(session = %live.id, error = %failure, "the provider did not refresh");
        self.count(Measure::RefreshFailed, live.counted_by(), 1);
        match failure {
            RefreshFailure::NotSent(_) => {
                self.abandon(live, fence).await;
                Err(TRY_LATER)
            }
            RefreshFailure::Unavailable { retry_after_secs } => {
                self.abandon(live, fence).await;
                Err(RefreshError::TryLater { retry_after_secs: retry_after_secs.unwrap_or(RETRY_AFTER_SECS) })
            }
            RefreshFailure::Refused { ref error, .. } if error != "invalid_grant" => {
                self.abandon(live, fence).await;
                Err(TRY_LATER)
            }
            RefreshFailure::OtherIdentity { unadopted } => {
                self.end(&[live.id], &How::refused_by_provider()).await.map_err(|error| store_error(&error))?;
                self.revoke_unadopted(live, unadopted);
                Err(RefreshError::Over)
            }
            RefreshFailure::Refused { .. } => {
                self.end(&[live.id], &How::refused_by_provider()).await.map_err(|error| store_error(&error))?;
                Err(RefreshError::Over)
            }
            RefreshFailure::InDoubt(_) | RefreshFailure::BadAnswer { .. } => {
                if let RefreshFailure::BadAnswer { unadopted: Some(unadopted), .. } = failure {
                    self.revoke_unadopted(live, unadopted);
                }
                self.parts.store.leave_in_doubt(live.id, fence).await.map_err(|error| store_error(&error))?;
                Err(RefreshError::SignInAgain)
            }
        }
    }

    async fn abandon(&self, live: &Live, fence: i64) {
        if let Err(error) = self.parts.store.abandon_refresh(live.id, fence).await {
            tracing::warn!(session = %live.id, %error, "a refresh could not be taken back");
        }
    }
}

fn store_error(error: &StoreError) -> RefreshError {
    tracing::error!(%error, "no refresh");
    TRY_LATER
}
