//! Starting a session. Only a verified login can; the browser's old session ends in the same unit of work.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Sessions;
use super::end::How;
use super::id::{SessionId, SessionSecret, Ticket};
use super::limit::SessionLimit;
use super::open::{Access, person_of};
use super::record::{CodeBinding, MobileValues, SealedSession};
use crate::audit::event::{Deed, Kind, Person};
use crate::clock::UnixMs;
use crate::oidc::{ClaimMap, VerifiedLogin};
use crate::store::{
    CommitLogin, EndOutcome, LoginOutcome, Proven, Room, SessionRow, SessionSummary, StoreError, StoredTokens,
};
use crate::vault::sealed::Owner;

/// The longest user agent that is kept.
const USER_AGENT_BYTES: usize = 512;

/// How often a login looks again where others were faster.
const TRIES: usize = 20;

/// A session about to be kept.
struct Kept<'a> {
    row: &'a SessionRow,
    tokens: StoredTokens,
    person: Person,
    replaces: Option<SessionId>,
    now: UnixMs,
}

/// A new session to be.
#[derive(Debug)]
pub struct Start<'a> {
    /// Proof of the login.
    pub login: VerifiedLogin,
    /// Tenant label.
    pub tenant: &'a str,
    /// Client.
    pub client_id: &'a str,
    /// Provider.
    pub provider_id: &'a str,
    /// The provider's registration.
    pub registration_id: &'a str,
    /// Ends when not used for so long, in seconds.
    pub idle_secs: i64,
    /// Ends after so long in any case, in seconds.
    pub absolute_secs: i64,
    /// The caller's network address.
    pub address: Option<String>,
    /// The caller's user agent.
    pub user_agent: Option<String>,
    /// Hash of the login transaction's state, which is used up.
    pub transaction: [u8; 32],
    /// Until when that must be remembered.
    pub transaction_expires_at: UnixMs,
    /// When the login began.
    pub begun_at: UnixMs,
    /// The browser's present session, which this one replaces.
    pub replaces: Option<SessionId>,
    /// What a mobile app asked for; `None` for a browser's own session.
    pub app: Option<AppAsk>,
    /// How long the replaced session still counts, in seconds: 0 unless this login steps it up (C14).
    pub grace_secs: i64,
    /// How many sessions the person may have at the client; `None` for any number.
    pub limit: Option<SessionLimit>,
}

/// What a mobile app asked for. Its session lives as long as the code that stands for it, until that is redeemed.
#[derive(Clone, Debug)]
pub struct AppAsk {
    /// Where the code goes.
    pub redirect_uri: String,
    /// The PKCE challenge, S256.
    pub challenge: String,
    /// The device key that was named beforehand.
    pub jkt: Option<String>,
    /// Granted scopes.
    pub scopes: Vec<String>,
}

/// How long an authorization code lives (RFC 6749 section 4.1.2 allows ten minutes; an app redeems it at once).
pub const CODE_SECS: i64 = 60;

/// Why no session started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The login's transaction was used before.
    #[error("this sign-in was already completed")]
    Replayed,
    /// The provider logged the person out while the login was on its way (B4).
    #[error("the identity provider signed you out while you were signing in")]
    LoggedOut,
    /// An administrator ended the person's sessions while the login was on its way.
    #[error("an administrator ended your sessions while you were signing in; sign in once more")]
    Revoked,
    /// A lock keeps the person out, as told.
    #[error("{0}")]
    Locked(String),
    /// The person has as many sessions at the client as they may.
    #[error(
        "you are signed in {most} times already, and this app allows no more at once; sign out somewhere else first"
    )]
    Full {
        /// How many.
        most: u32,
    },
    /// The store did not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// Starts a session and answers the ticket that the browser is to hold.
    ///
    /// # Errors
    /// [`StartError`]; no session then exists, and the old one runs on.
    pub async fn start(self: &Arc<Self>, start: Start<'_>) -> Result<Ticket, StartError> {
        let now = self.now();
        let random = &*self.parts.random;
        let ticket = Ticket { id: SessionId::new(now, random), secret: SessionSecret::new(random) };
        let none = ClaimMap::default();
        let map = self.provider(start.provider_id).map_or(&none, |provider| provider.claim_map());
        let values = sealed_values(&start, map, now);
        let (row, tokens, access) = self.seal_new(&start, &ticket, &values, now);
        let person = Person {
            address: row.summary.address.clone(),
            user_agent: row.summary.user_agent.clone(),
            ..person_of(&values)
        };
        let newest = match start.replaces {
            Some(old) => Some(self.newest(old).await?),
            None => None,
        };
        let before = self.forgotten();
        let kept = Kept { row: &row, tokens, person, replaces: newest, now };
        self.keep(&start, kept).await?;
        // An app's session changes when its code is redeemed, perhaps on another node: until then it is in no memory.
        if start.app.is_none() {
            self.remember(&row, values, access);
            self.settle(ticket.id, before).await?;
        }
        Ok(ticket)
    }

    /// Keeps the new session, ends those whose place it takes, and settles in memory who still counts.
    async fn keep(self: &Arc<Self>, start: &Start<'_>, kept: Kept<'_>) -> Result<(), StartError> {
        let Kept { row, tokens, person, replaces, now } = kept;
        let good_until = (start.grace_secs > 0).then(|| now.plus_secs(start.grace_secs));
        let _turn = match start.limit {
            Some(_) => self.turns.take(&row.subject).await,
            None => None,
        };
        for _ in 0..TRIES {
            let event = started(start, Some(row.summary.id), person.clone(), Kind::SessionStarted, Map::new());
            let room = match start.limit {
                Some(limit) => Some(self.room(limit, row, replaces).await?),
                None => None,
            };
            let evicted = room.as_ref().map(Room::makes_room).unwrap_or_default();
            let login = CommitLogin {
                transaction: start.transaction,
                transaction_expires_at: start.transaction_expires_at,
                session: row.clone(),
                tokens: tokens.clone(),
                replaces: match replaces {
                    Some(old) => self.prepare_end(old, &How::replaced()).await?,
                    None => None,
                },
                good_until,
                room,
                proven: self.proven(start),
                code_expires_at: start.app.as_ref().map(|_| now.plus_secs(CODE_SECS)),
                event: self.parts.journal.row(event).await?,
            };
            match self.parts.store.commit_login(login).await? {
                LoginOutcome::Changed => {}
                LoginOutcome::Started { replaced } => {
                    self.make_way(row.summary.id, replaces.zip(replaced), good_until, &evicted);
                    return Ok(());
                }
                LoginOutcome::Replayed => return Err(StartError::Replayed),
                LoginOutcome::LoggedOut => return Err(self.refuse(start, StartError::LoggedOut)),
                LoginOutcome::Revoked => return Err(self.refuse(start, StartError::Revoked)),
                LoginOutcome::Locked(lock) => return Err(self.refuse(start, StartError::Locked(lock.told()))),
                LoginOutcome::Full => {
                    let most = start.limit.map_or(0, |limit| limit.most);
                    self.note_refused(start, person, most).await?;
                    return Err(self.refuse(start, StartError::Full { most }));
                }
            }
        }
        Err(StoreError::Unavailable("too many sign-ins of one person at once".into()).into())
    }

    /// After a login was kept: those whose place it took are over, or count for a moment more.
    fn make_way(
        self: &Arc<Self>,
        id: SessionId,
        replaced: Option<(SessionId, EndOutcome)>,
        good_until: Option<UnixMs>,
        evicted: &[SessionId],
    ) {
        let over = match (replaced, good_until) {
            (Some((old, EndOutcome::Ended)), Some(until)) => {
                self.step_up(old, id, until);
                None
            }
            (Some((old, _)), _) => Some(old),
            (None, _) => None,
        };
        for &old in evicted.iter().chain(&over) {
            self.forget(old);
        }
        if over.is_some() || !evicted.is_empty() {
            self.to_tell.notify_one();
        }
    }

    /// Why a login starts nothing. Its tokens are of no use.
    fn refuse(&self, start: &Start<'_>, why: StartError) -> StartError {
        self.discard(&start.login, start.provider_id, start.registration_id);
        why
    }

    /// By what a provider's logout that came first is found.
    fn proven(&self, start: &Start<'_>) -> Proven {
        let (login, ring) = (&start.login, self.parts.vault.ring());
        let (issuer, sub) = (login.issuer(), login.sub());
        Proven {
            upstream_sid: login.sid().map(|sid| ring.upstream_sid(issuer, sid)),
            subject: ring.subject(issuer, sub),
            issued_at: UnixMs::from_secs(login.issued_at()),
            auth_time: UnixMs::from_secs(login.auth_time().unwrap_or(0)),
            begun_at: start.begun_at,
        }
    }

    /// Has the provider revoke the tokens of a login that starts nothing: nobody will use them. Best effort.
    fn discard(&self, login: &VerifiedLogin, provider_id: &str, registration_id: &str) {
        let Some(provider) = self.provider(provider_id).cloned() else { return };
        let (tokens, registration) = (login.tokens().clone(), registration_id.to_owned());
        drop(self.parts.background.spawn(async move {
            let (token, kind) = tokens.most_revocable();
            if let Err(error) = provider.revoke(&registration, token, kind).await {
                tracing::warn!(provider = provider.id(), %error, "the tokens of a refused login could not be revoked");
            }
        }));
    }

    fn seal_new(
        &self,
        start: &Start<'_>,
        ticket: &Ticket,
        values: &SealedSession,
        now: UnixMs,
    ) -> (SessionRow, StoredTokens, Option<Access>) {
        let person = person_of(values);
        let vault = &self.parts.vault;
        let key = vault.new_data_key(ticket.id);
        let secret_hash = ticket.secret.hash();
        let owner = Owner {
            tenant: start.tenant,
            client_id: start.client_id,
            id: ticket.id,
            secret_hash,
            issuer: &values.issuer,
            sub: &values.sub,
            provider_id: start.provider_id,
            registration_id: start.registration_id,
        };
        let tokens = start.login.tokens();
        let sealed = vault.seal_session(&key, owner, values);
        let sealed_tokens = vault.seal_tokens(&key, owner, values.generation, tokens);
        let summary = SessionSummary {
            id: ticket.id,
            tenant: start.tenant.to_owned(),
            client_id: start.client_id.to_owned(),
            provider_id: start.provider_id.to_owned(),
            kind: if start.app.is_some() { "mobile" } else { "web" }.to_owned(),
            issuer: values.issuer.clone(),
            sub: values.sub.clone(),
            name: person.name,
            email: person.email,
            device_name: None,
            address: start.address.clone(),
            user_agent: start.user_agent.as_deref().map(cut_user_agent),
            created_at: now,
            last_seen_at: now,
            idle_expires_at: now.plus_secs(values.idle_secs),
            expires_at: values.expires_at,
            ended: None,
        };
        let ring = vault.ring();
        let row = SessionRow {
            summary,
            secret_hash,
            subject: ring.subject(&values.issuer, &values.sub),
            upstream_sid: values.sid.as_deref().map(|sid| ring.upstream_sid(&values.issuer, sid)),
            registration_id: start.registration_id.to_owned(),
            version: 1,
            key_id: key.key_id,
            wrapped_key: key.wrapped,
            sealed,
        };
        let stored =
            StoredTokens { generation: values.generation, sealed: sealed_tokens, refreshed_at: now, in_doubt: false };
        let access = Access::of(tokens, values.generation);
        (row, stored, access)
    }
}

pub(super) fn started<'a>(
    start: &Start<'a>,
    session: Option<SessionId>,
    person: Person,
    kind: Kind,
    facts: Map<String, Value>,
) -> Deed<'a> {
    Deed {
        kind,
        tenant: start.tenant,
        session,
        client_id: Some(start.client_id),
        provider_id: Some(start.provider_id),
        subject: Some(person),
        actor: None,
        facts,
    }
}

fn sealed_values(start: &Start<'_>, map: &ClaimMap, now: UnixMs) -> SealedSession {
    let login = &start.login;
    let mut values = SealedSession {
        issuer: login.issuer().to_owned(),
        sub: login.sub().to_owned(),
        sid: login.sid().map(str::to_owned),
        claims: Map::new(),
        from_userinfo: Vec::new(),
        claims_at: now,
        auth_time: login.auth_time(),
        acr: login.acr().map(str::to_owned),
        amr: login.amr().to_vec(),
        created_at: now,
        idle_secs: if start.app.is_some() { CODE_SECS } else { start.idle_secs },
        expires_at: now.plus_secs(start.absolute_secs),
        generation: 1,
        mobile: start.app.clone().map(|app| MobileValues {
            scopes: app.scopes,
            jkt: None,
            code: Some(CodeBinding {
                redirect_uri: app.redirect_uri,
                challenge: app.challenge,
                jkt: app.jkt,
                idle_secs: start.idle_secs,
            }),
        }),
    };
    values.take_claims(Some(login.claims().clone()), login.userinfo().cloned(), map);
    values
}

/// As much of a `User-Agent` as is kept.
#[must_use]
pub fn cut_user_agent(text: &str) -> String {
    let end = (0..=USER_AGENT_BYTES.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}
