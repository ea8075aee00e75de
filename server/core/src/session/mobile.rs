//! A mobile app's session: its code is redeemed once, its refresh token rotates with every use, and whoever shows an
//! old one ends it (RFC 6749 section 10.5, RFC 9700 section 4.14).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Sessions;
use super::end::How;
use super::id::{SessionId, Ticket, sha256};
use super::open::{Live, Opened};
use super::record::{CodeBinding, MobileValues};
use crate::clock::UnixMs;
use crate::store::{MobileGrant, RedeemCode, RotateRefresh, SessionRow, StoreError};
use crate::vault::sealed::Owner;
use crate::vault::session_token::{OpenedToken, SessionTokenKind};

/// How long a lost response may be asked for again with the old refresh token (M13).
const GRACE_SECS: i64 = 60;
/// The same where the answer is of use to the holder of the device key alone.
const GRACE_BOUND_SECS: i64 = 86_400;

/// What an app shows to redeem a code.
#[derive(Debug)]
pub struct CodeUse<'a> {
    /// The code.
    pub code: &'a str,
    /// The app.
    pub client_id: &'a str,
    /// The redirect URI that the code was sent to.
    pub redirect_uri: &'a str,
    /// The PKCE verifier (RFC 7636 section 4.5).
    pub verifier: &'a str,
    /// The device key that it proved to hold.
    pub jkt: Option<&'a str>,
    /// How long the access token lives, in seconds.
    pub access_secs: i64,
}

/// What an app shows to refresh.
#[derive(Debug)]
pub struct RefreshUse<'a> {
    /// The refresh token.
    pub token: &'a str,
    /// The app.
    pub client_id: &'a str,
    /// The device key that it proved to hold.
    pub jkt: Option<&'a str>,
    /// How long the access token lives, in seconds.
    pub access_secs: i64,
}

/// The tokens of an app's session.
pub struct SessionTokens {
    /// `crs_at_…`
    pub access: Zeroizing<String>,
    /// `crs_rt_…`
    pub refresh: Zeroizing<String>,
    /// When the access token expires.
    pub expires_at: UnixMs,
    /// The session.
    pub live: Arc<Live>,
}

impl std::fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SessionTokens").field(&self.live.id).finish()
    }
}

/// Why an app gets no tokens.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// It is none of ours, another app's, too old, or its session is over.
    #[error("the code or token is not valid for this app, has expired, or its session is over")]
    Invalid,
    /// The redirect URI is another than the code was sent to.
    #[error("redirect_uri is not the one that the code was sent to")]
    OtherRedirect,
    /// The verifier does not belong to the code's challenge.
    #[error("code_verifier does not belong to the code's challenge")]
    WrongVerifier,
    /// It is bound to a device key that was not proven.
    #[error("bound to a device key that was not proven")]
    OtherKey,
    /// It was used before: the session has been ended.
    #[error("used before: somebody else may hold it, so the session was ended; sign in again")]
    Reused,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is kept, sealed, for a lost response.
#[derive(Serialize, Deserialize)]
struct Answer {
    refresh: [u8; 32],
    expires_at: UnixMs,
}

impl Sessions {
    /// Redeems a code: once, by the app it was made for, with the verifier of its challenge.
    ///
    /// # Errors
    /// [`GrantError`]. After [`GrantError::Reused`] the session is ended (M3).
    pub async fn redeem_code(self: &Arc<Self>, ask: CodeUse<'_>) -> Result<SessionTokens, GrantError> {
        let opened = self.tokens.open(SessionTokenKind::Code, ask.code).ok_or(GrantError::Invalid)?;
        let id = opened.ticket.id;
        let (mut row, grant) = self.grant_of(&opened, ask.client_id).await?;
        if grant.redeemed_at.is_some() {
            return Err(self.end_reused(id, "code_reused").await);
        }
        let now = self.now();
        if row.summary.ended.is_some() || now >= grant.code_expires_at {
            return Err(GrantError::Invalid);
        }
        let vault = &self.parts.vault;
        let unreadable = |_| StoreError::Corrupt(format!("session {id} does not open"));
        let key = vault.data_key(&row).map_err(unreadable)?;
        let mut values = vault.open_session(&key, &row).map_err(unreadable)?;
        let mobile = values.mobile.as_mut().ok_or(GrantError::Invalid)?;
        let binding = mobile.code.take().ok_or(GrantError::Invalid)?;
        proven(&binding, &ask)?;
        *mobile =
            MobileValues { scopes: std::mem::take(&mut mobile.scopes), jkt: ask.jkt.map(str::to_owned), code: None };
        values.idle_secs = binding.idle_secs;
        row.sealed = vault.seal_session(&key, Owner::of(&row), &values);
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(self.parts.random.bytes());
        let redeem = RedeemCode {
            id,
            now,
            sealed: row.sealed,
            idle_ms: values.idle_secs.saturating_mul(1000),
            refresh: sha256(secret.as_slice()),
        };
        if !self.parts.store.redeem_code(redeem).await? {
            // Somebody was faster, on this node or another.
            return Err(self.end_reused(id, "code_reused").await);
        }
        let Opened::Live(live) = self.open(id, &opened.ticket.secret.hash()).await? else {
            return Err(GrantError::Invalid);
        };
        let expires_at = now.plus_secs(ask.access_secs).min(live.expires_at());
        Ok(self.made(&opened.ticket, &secret, expires_at, live))
    }

    /// Refreshes: the presented token is used up, and a successor comes in its place. A response that was lost is
    /// answered once more with the same successor (M13); anything else that is old ends the session (M5).
    ///
    /// # Errors
    /// [`GrantError`]. After [`GrantError::Reused`] the session is ended.
    pub async fn rotate(self: &Arc<Self>, ask: RefreshUse<'_>) -> Result<SessionTokens, GrantError> {
        let opened = self.tokens.open(SessionTokenKind::Refresh, ask.token).ok_or(GrantError::Invalid)?;
        let id = opened.ticket.id;
        let (_, mut grant) = self.grant_of(&opened, ask.client_id).await?;
        let Opened::Live(live) = self.open(id, &opened.ticket.secret.hash()).await? else {
            return Err(GrantError::Invalid);
        };
        let bound = live.values().mobile.as_ref().and_then(|mobile| mobile.jkt.clone());
        if bound.as_deref() != ask.jkt {
            return Err(GrantError::OtherKey);
        }
        let (now, presented) = (self.now(), opened.hash());
        self.seen(&live, now);
        if grant.refresh == Some(presented) {
            let secret: Zeroizing<[u8; 32]> = Zeroizing::new(self.parts.random.bytes());
            let expires_at = now.plus_secs(ask.access_secs).min(live.expires_at());
            let answer = Answer { refresh: *secret, expires_at };
            let plain = Zeroizing::new(serde_json::to_vec(&answer).unwrap_or_default());
            let answer = self.tokens.seal_answer(ask.token, id, &plain, &*self.parts.random);
            let answer_until = now.plus_secs(if bound.is_some() { GRACE_BOUND_SECS } else { GRACE_SECS });
            let to = sha256(secret.as_slice());
            let rotate = RotateRefresh { id, now, from: presented, to, answer, answer_until };
            if self.parts.store.rotate_refresh(rotate).await? {
                return Ok(self.made(&opened.ticket, &secret, expires_at, live));
            }
            grant = self.parts.store.mobile_grant(id).await?.ok_or(GrantError::Invalid)?;
        }
        match self.lost(&grant, &presented) {
            Some(sealed) => self.again(&opened.ticket, sealed, &ask, live),
            // Every token with our tag was the present one once: this one's time is over.
            None => Err(self.end_reused(id, "refresh_token_reused").await),
        }
    }

    /// The answer that is kept for the token before the present one, while the grace lasts.
    fn lost<'a>(&self, grant: &'a MobileGrant, presented: &[u8; 32]) -> Option<&'a [u8]> {
        let in_time = grant.answer_until.is_some_and(|until| self.now() < until);
        let answer = grant.answer.as_deref()?;
        (grant.previous.as_ref() == Some(presented) && in_time).then_some(answer)
    }

    fn again(
        &self,
        ticket: &Ticket,
        sealed: &[u8],
        ask: &RefreshUse<'_>,
        live: Arc<Live>,
    ) -> Result<SessionTokens, GrantError> {
        let unreadable = || StoreError::Corrupt(format!("the refresh answer of session {} does not open", ticket.id));
        let plain = self.tokens.open_answer(ask.token, ticket.id, sealed).map_err(|_| unreadable())?;
        let answer: Answer = serde_json::from_slice(&plain).map_err(|_| unreadable())?;
        let now = self.now();
        // Asked for after hours, the same access token would be of no use.
        let expires_at = if answer.expires_at > now {
            answer.expires_at
        } else {
            now.plus_secs(ask.access_secs).min(live.expires_at())
        };
        Ok(self.made(ticket, &answer.refresh, expires_at, live))
    }

    /// The session's row and grant, if the token's secret is the session's own and the app the one it was made for (M4).
    async fn grant_of(&self, opened: &OpenedToken, client_id: &str) -> Result<(SessionRow, MobileGrant), GrantError> {
        let id = opened.ticket.id;
        let row = self.parts.store.session(id).await?.ok_or(GrantError::Invalid)?;
        if !row.secret_hash.matches(&opened.ticket.secret.hash()) || row.summary.client_id != client_id {
            return Err(GrantError::Invalid);
        }
        // Under a lock nothing is used up: afterwards the app goes on with what it has (S14).
        if self.parts.store.lock_on(&row, self.now()).await?.is_some() {
            return Err(GrantError::Invalid);
        }
        let grant = self.parts.store.mobile_grant(id).await?.ok_or(GrantError::Invalid)?;
        Ok((row, grant))
    }

    async fn end_reused(self: &Arc<Self>, id: SessionId, what: &'static str) -> GrantError {
        tracing::warn!(session = %id, what, "a session was ended: somebody else may hold its tokens");
        match self.end(&[id], &How::token_reused(what)).await {
            Ok(_) => GrantError::Reused,
            Err(error) => error.into(),
        }
    }

    fn made(&self, ticket: &Ticket, refresh: &[u8; 32], expires_at: UnixMs, live: Arc<Live>) -> SessionTokens {
        let access = self.tokens.access(ticket, expires_at);
        SessionTokens { access, refresh: self.tokens.refresh(ticket, refresh), expires_at, live }
    }
}

/// Whether whoever redeems the code is who began: redirect URI, verifier (RFC 7636 section 4.6), device key.
fn proven(binding: &CodeBinding, ask: &CodeUse<'_>) -> Result<(), GrantError> {
    if binding.redirect_uri != ask.redirect_uri {
        return Err(GrantError::OtherRedirect);
    }
    let challenge = URL_SAFE_NO_PAD.encode(sha256(ask.verifier.as_bytes()));
    if !bool::from(challenge.as_bytes().ct_eq(binding.challenge.as_bytes())) {
        return Err(GrantError::WrongVerifier);
    }
    match &binding.jkt {
        Some(jkt) if ask.jkt != Some(jkt) => Err(GrantError::OtherKey),
        _ => Ok(()),
    }
}
