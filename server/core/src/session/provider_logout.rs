//! The end that comes from the provider: OpenID Connect Back-Channel Logout 1.0 (a signed token, told once) and
//! Front-Channel Logout 1.0 (a frame on the provider's own page).

use std::sync::Arc;

use serde_json::{Map, json};

use super::Sessions;
use super::end::How;
use crate::audit::AuditRow;
use crate::audit::event::{Deed, Kind, Person};
use crate::clock::UnixMs;
use crate::oidc::logout_token::Whom;
use crate::oidc::{LogoutToken, Provider};
use crate::store::{CommitLogout, EndOutcome, LogoutOutcome, Named, NamedBy, StoreError, StoreResult, Tombstone};

/// Logins live for a quarter of an hour; a logout is remembered for longer than any that it could meet.
const REMEMBERED_SECS: i64 = 3_600;
/// A session's last use is stored late by a minute at most: what expired before this is surely over.
const SURELY_OVER_SECS: i64 = 600;
/// How often the named sessions are read again because one more has started meanwhile.
const TRIES: u32 = 8;

/// Why a logout token ended nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotLoggedOut {
    /// It had been used before.
    #[error("this logout token was used before")]
    Replayed,
    /// The store did not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// Ends whatever a logout token names: by `sid` the sessions that were started from that session at the provider,
    /// by `sub` all of the person's, at every client (identity is issuer and sub, S7). Sessions that are being started
    /// meanwhile do not start (B4). Answers how many ended.
    ///
    /// # Errors
    /// [`NotLoggedOut`]; nothing has ended then.
    pub async fn end_by_logout_token(
        self: &Arc<Self>,
        token: &LogoutToken,
        tenant: &str,
    ) -> Result<usize, NotLoggedOut> {
        for _ in 0..TRIES {
            let logout = self.prepare_logout(token, tenant).await?;
            let ids: Vec<_> = logout.ends.iter().map(|end| end.id).collect();
            match self.parts.store.commit_logout(logout).await? {
                LogoutOutcome::Done(outcomes) => {
                    // Out of memory before anything else: from here on no call is served.
                    for &id in &ids {
                        self.forget(id);
                    }
                    self.to_tell.notify_one();
                    return Ok(outcomes.iter().filter(|outcome| **outcome == EndOutcome::Ended).count());
                }
                LogoutOutcome::Replayed => return Err(NotLoggedOut::Replayed),
                LogoutOutcome::Changed => {}
            }
        }
        Err(StoreError::Unavailable("sessions of the person start faster than they end".into()).into())
    }

    async fn prepare_logout(&self, token: &LogoutToken, tenant: &str) -> StoreResult<CommitLogout> {
        let (ring, now) = (self.parts.vault.ring(), self.now());
        let issuer = token.issuer();
        let (by, name) = match token.whom() {
            Whom::Person { sub } => {
                let subject = ring.subject(issuer, sub);
                (NamedBy::Subject(subject), subject)
            }
            Whom::Session { sid, sub } => {
                let sid = ring.upstream_sid(issuer, sid);
                let by = sub.as_ref().map(|sub| NamedBy::SidOfSubject { sid, subject: ring.subject(issuer, sub) });
                (by.unwrap_or(NamedBy::Sid(sid)), sid)
            }
        };
        let named = Named { by, client_id: None, alive_after: now.plus_secs(-SURELY_OVER_SECS) };
        let how = How::logged_out_by_provider("back");
        let mut ends = Vec::new();
        for session in self.parts.store.named(named.clone()).await? {
            ends.push(self.end_of(&session, &how).await?);
        }
        let (issued_at, expires_at) = (token.issued_at(), now.plus_secs(REMEMBERED_SECS));
        let event = self.told(token, tenant, ends.len()).await?;
        Ok(CommitLogout {
            token: ring.logout_token(issuer, token.jti()),
            token_expires_at: token.good_until(),
            now,
            named,
            ends,
            tombstone: Tombstone { name, issued_at, expires_at },
            event,
        })
    }

    /// The event of the provider's deed, whether or not anybody was signed in.
    async fn told(&self, token: &LogoutToken, tenant: &str, sessions: usize) -> StoreResult<AuditRow> {
        let (by, sub) = match token.whom() {
            Whom::Person { sub } => ("sub", Some(sub)),
            Whom::Session { sub, .. } => ("sid", sub.as_ref()),
        };
        let subject =
            sub.map(|sub| Person { issuer: token.issuer().to_owned(), sub: sub.clone(), ..Person::default() });
        let mut facts = Map::new();
        facts.insert("channel".into(), json!("back"));
        facts.insert("by".into(), json!(by));
        facts.insert("sessions".into(), json!(sessions));
        let deed = Deed {
            kind: Kind::ProviderLogout,
            tenant,
            session: None,
            client_id: None,
            provider_id: Some(token.provider_id()),
            subject,
            actor: None,
            facts,
        };
        self.parts.journal.row(deed).await
    }

    /// Ends one client's sessions that were started from this session at the provider. Whoever calls knows the `sid`,
    /// and nothing else proves that it is the provider's page: so it ends what it names and leaves no trace beside.
    ///
    /// # Errors
    /// As the store's; nothing has ended then.
    pub async fn end_by_front_channel(
        self: &Arc<Self>,
        provider: &Provider,
        sid: &str,
        client_id: &str,
    ) -> StoreResult<usize> {
        let by = NamedBy::Sid(self.parts.vault.ring().upstream_sid(provider.issuer(), sid));
        let alive_after: UnixMs = self.now().plus_secs(-SURELY_OVER_SECS);
        let named = Named { by, client_id: Some(client_id.to_owned()), alive_after };
        let ids: Vec<_> = self.parts.store.named(named).await?.iter().map(|session| session.id).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let outcomes = self.end(&ids, &How::logged_out_by_provider("front")).await?;
        Ok(outcomes.iter().filter(|outcome| **outcome == EndOutcome::Ended).count())
    }
}
