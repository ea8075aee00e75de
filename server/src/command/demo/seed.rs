//! `cloakroom demo --seed N`: N plausible sessions of a week, live and over, with their people, devices and history. The
//! same N gives the same picture; the secrets are nobody's. Written through the store, before the gateway opens it.

mod plan;

use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Map, json};
use tokio::runtime::Handle;

use cloakroom_core::audit::event::{Deed, Journal, Kind, Person};
use cloakroom_core::clock::{Clock as _, HeldClock, UnixMs};
use cloakroom_core::random::{Random, SystemRandom};
use cloakroom_core::session::id::{SessionId, SessionSecret};
use cloakroom_core::session::record::{SealedSession, Token, TokenSet};
use cloakroom_core::store::{CommitLogin, End, Ended, Proven, SessionRow, SessionSummary, Store, StoredTokens};
use cloakroom_core::vault::sealed::Owner;
use cloakroom_core::vault::{KeyRing, SessionVault};

use crate::app::{self, Ambient};
use crate::clock::SystemClock;
use crate::config::Config;
use plan::{Ending, Planned, Someone};

/// People whose sessions are made at once.
const AT_ONCE: usize = 64;
/// Units of work written together.
const TOGETHER: usize = 1_000;
/// How long a demo session may go unused, and last.
const IDLE_SECS: i64 = 8 * 3_600;
const ABSOLUTE_SECS: i64 = 24 * 3_600;
/// Secrets are by chance, unlike all that is seen.
const RANDOM: &dyn Random = &SystemRandom;

/// Writes `n` sessions into the demo's store, unless sessions are there already.
pub(super) async fn seed(config: &Config, issuer: &str, n: u32) -> anyhow::Result<()> {
    let ambient = Ambient::system()?;
    let store = app::open_store(config, &Handle::current()).await?;
    let filled = fill(config, &ambient, &store, issuer, n).await;
    store.close().await;
    filled
}

async fn fill(config: &Config, ambient: &Ambient, store: &Arc<dyn Store>, issuer: &str, n: u32) -> anyhow::Result<()> {
    let ring = app::key_ring(config, ambient, store).await?;
    if !store.latest_events(None, 1).await?.is_empty() {
        return Ok(());
    }
    let hand = Hand { store: Arc::clone(store), ring, issuer: issuer.to_owned() };
    let people = plan::people(n, SystemClock::new().now());
    let made: Vec<Vec<Step>> =
        stream::iter(people).map(|someone| hand.steps(someone)).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut steps: Vec<Step> = made.into_iter().flatten().collect();
    steps.sort_by_key(Step::at);
    while !steps.is_empty() {
        let rest = steps.split_off(steps.len().min(TOGETHER));
        let writes = steps.into_iter().map(|step| step.write(&**store));
        join_all(writes).await.into_iter().collect::<Result<Vec<()>, _>>()?;
        steps = rest;
    }
    Ok(())
}

/// One unit of work, in the order of time.
enum Step {
    Login(Box<CommitLogin>),
    End(Box<End>),
}

impl Step {
    fn at(&self) -> UnixMs {
        match self {
            Self::Login(login) => login.session.summary.created_at,
            Self::End(end) => end.ended.at,
        }
    }

    async fn write(self, store: &dyn Store) -> anyhow::Result<()> {
        match self {
            Self::Login(login) => drop(store.commit_login(*login).await?),
            Self::End(end) => {
                let id = end.id;
                store.end(vec![*end]).await?;
                // Nobody will be told at the provider: these tokens were never given.
                store.forget_tokens(id).await?;
            }
        }
        Ok(())
    }
}

/// One person's events.
struct Log {
    journal: Journal,
    clock: Arc<HeldClock>,
}

impl Log {
    async fn event(
        &self,
        (kind, at): (Kind, UnixMs),
        id: SessionId,
        planned: &Planned,
        (subject, actor): (Person, Option<Person>),
        facts: Map<String, serde_json::Value>,
    ) -> anyhow::Result<cloakroom_core::audit::AuditRow> {
        self.clock.set(at);
        let deed = Deed {
            kind,
            tenant: "default",
            session: Some(id),
            client_id: Some(planned.client),
            provider_id: Some("demo"),
            subject: Some(subject),
            actor,
            facts,
        };
        Ok(self.journal.row(deed).await?)
    }
}

/// What sessions are made with.
struct Hand {
    store: Arc<dyn Store>,
    ring: Arc<KeyRing>,
    issuer: String,
}

impl Hand {
    async fn steps(&self, someone: Someone) -> anyhow::Result<Vec<Step>> {
        // A journal of this person's, which keeps their key at hand; its clock stands at each event's moment.
        let clock = Arc::new(HeldClock::default());
        let (store, ring) = (Arc::clone(&self.store), Arc::clone(&self.ring));
        let log = Log { journal: Journal::new(store, ring, Arc::clone(&clock) as _, Arc::new(SystemRandom)), clock };
        let mut steps = Vec::new();
        for planned in &someone.sessions {
            steps.extend(self.session(&log, &someone, planned).await?);
        }
        Ok(steps)
    }

    async fn session(&self, log: &Log, someone: &Someone, planned: &Planned) -> anyhow::Result<Vec<Step>> {
        let id = SessionId::new(planned.started_at, &SystemRandom);
        let person = self.person(someone, Some(planned));
        let started = log.event((Kind::SessionStarted, planned.started_at), id, planned, (person, None), Map::new());
        let (row, tokens) = self.sealed(someone, planned, id)?;
        let proven = Proven {
            upstream_sid: None,
            subject: row.subject,
            issued_at: planned.started_at,
            auth_time: planned.started_at,
            begun_at: planned.started_at.plus_secs(-8),
        };
        let login = CommitLogin {
            transaction: RANDOM.bytes(),
            transaction_expires_at: planned.started_at.plus_secs(600),
            session: row,
            tokens,
            replaces: None,
            good_until: None,
            room: None,
            proven,
            code_expires_at: None,
            event: started.await?,
        };
        let mut steps = vec![Step::Login(Box::new(login))];
        if let Some((at, ending)) = &planned.ended {
            steps.push(self.end(log, someone, planned, id, (*at, *ending)).await?);
        }
        Ok(steps)
    }

    async fn end(
        &self,
        log: &Log,
        someone: &Someone,
        planned: &Planned,
        id: SessionId,
        (at, ending): (UnixMs, Ending),
    ) -> anyhow::Result<Step> {
        let (reason, text) = (ending.reason(), ending.text().map(str::to_owned));
        let by = text.as_ref().map(|_| Person {
            issuer: self.issuer.clone(),
            sub: "demo-olga".into(),
            name: Some("Olga Orlova".into()),
            email: Some("olga@example.com".into()),
            ..Person::default()
        });
        let ended =
            Ended { at, reason: reason.into(), text: text.clone(), by: by.as_ref().map(|by| by.display().to_owned()) };
        let mut facts = Map::new();
        facts.insert("reason".into(), json!(reason));
        facts.extend(text.map(|text| ("text".to_owned(), json!(text))));
        let kind = if by.is_some() { Kind::SessionRevoked } else { Kind::SessionEnded };
        let event = log.event((kind, at), id, planned, (self.person(someone, None), by), facts).await?;
        Ok(Step::End(Box::new(End { id, ended, event })))
    }

    /// A person as an event names them: with address and user agent where they sign in.
    fn person(&self, someone: &Someone, planned: Option<&Planned>) -> Person {
        Person {
            issuer: self.issuer.clone(),
            sub: someone.sub.clone(),
            name: Some(someone.name.clone()),
            email: Some(someone.email.clone()),
            address: planned.map(|planned| planned.address.clone()),
            user_agent: planned.map(|planned| planned.user_agent.to_owned()),
        }
    }

    fn sealed(
        &self,
        someone: &Someone,
        planned: &Planned,
        id: SessionId,
    ) -> anyhow::Result<(SessionRow, StoredTokens)> {
        let at = planned.started_at;
        let vault = SessionVault::new(Arc::clone(&self.ring), Arc::new(SystemRandom));
        let key = vault.new_data_key(id);
        let secret_hash = SessionSecret::new(&SystemRandom).hash();
        let owner = Owner {
            tenant: "default",
            client_id: planned.client,
            id,
            secret_hash,
            issuer: &self.issuer,
            sub: &someone.sub,
            provider_id: "demo",
            registration_id: "cloakroom",
        };
        let values = self.values(someone, at);
        let token = || Token::parse(RANDOM.token());
        let tokens = TokenSet {
            access_token: token()?,
            refresh_token: Some(token()?),
            id_token: None,
            scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
            access_expires_at: Some(planned.last_seen_at.plus_secs(300)),
            received_at: at,
        };
        let summary = SessionSummary {
            id,
            tenant: "default".into(),
            client_id: planned.client.into(),
            provider_id: "demo".into(),
            kind: "web".into(),
            issuer: self.issuer.clone(),
            sub: someone.sub.clone(),
            name: Some(someone.name.clone()),
            email: Some(someone.email.clone()),
            device_name: None,
            address: Some(planned.address.clone()),
            user_agent: Some(planned.user_agent.into()),
            created_at: at,
            last_seen_at: planned.last_seen_at,
            idle_expires_at: planned.last_seen_at.plus_secs(IDLE_SECS),
            expires_at: values.expires_at,
            ended: None,
        };
        let row = SessionRow {
            summary,
            secret_hash,
            subject: vault.ring().subject(&self.issuer, &someone.sub),
            upstream_sid: None,
            registration_id: "cloakroom".into(),
            version: 1,
            sealed: vault.seal_session(&key, owner, &values),
            key_id: key.key_id.clone(),
            wrapped_key: key.wrapped.clone(),
        };
        let sealed = vault.seal_tokens(&key, owner, 1, &tokens);
        Ok((row, StoredTokens { generation: 1, sealed, refreshed_at: at, in_doubt: false }))
    }

    fn values(&self, someone: &Someone, at: UnixMs) -> SealedSession {
        let mut claims = Map::new();
        claims.insert("name".into(), json!(someone.name));
        claims.insert("email".into(), json!(someone.email));
        claims.insert("groups".into(), json!(["staff"]));
        SealedSession {
            issuer: self.issuer.clone(),
            sub: someone.sub.clone(),
            sid: None,
            claims,
            from_userinfo: Vec::new(),
            claims_at: at,
            auth_time: Some(at.secs()),
            acr: None,
            amr: vec!["pwd".into()],
            created_at: at,
            idle_secs: IDLE_SECS,
            expires_at: at.plus_secs(ABSOLUTE_SECS),
            generation: 1,
            mobile: None,
        }
    }
}
