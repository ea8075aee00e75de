//! Ending many sessions: decided in one unit of work, from whose commit on they are over, on their way or not; their rows
//! are ended after that in small batches, which a restart resumes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Map, Value, json};

use super::Sessions;
use super::end::{How, counted_by};
use crate::audit::AuditRow;
use crate::audit::event::{Deed, Kind, Person};
use crate::store::{Covered, End, Facts, Filter, Measure, RevocationId, RevocationRow, SessionSummary, StoreResult};

/// Sessions ended in one unit of work.
const BATCH: u32 = 200;
/// Events made at once.
const EVENTS_AT_ONCE: usize = 8;
/// Between two tries of a batch that the store did not take.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What somebody decided.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The id that its preview gave it: the same twice is done once.
    pub id: RevocationId,
    /// Which sessions.
    pub filter: Filter,
    /// Who.
    pub actor: Person,
    /// Why.
    pub reason: String,
    /// How many the preview showed.
    pub expected: u64,
    /// More facts for the audit event, that name nobody.
    pub facts: Map<String, Value>,
}

impl Sessions {
    /// An id for a revocation to be.
    #[must_use]
    pub fn new_revocation(&self) -> RevocationId {
        RevocationId::new(self.now(), &*self.parts.random)
    }

    /// What a revocation would end now.
    ///
    /// # Errors
    /// As the store's.
    pub async fn preview(&self, filter: &Filter, sample: u32) -> StoreResult<Covered> {
        self.parts.store.covered(filter.clone(), self.now(), sample).await
    }

    /// Ends every session that the decision covers. When this returns, none of them is served any more: those in memory
    /// are out of it, streams are being cut, and logins that had begun start nothing. The rows are ended in the
    /// background; the answer waits for that, for `patience` at most.
    ///
    /// # Errors
    /// As the store's; nothing was decided then.
    pub async fn revoke(self: &Arc<Self>, decision: Decision, patience: Duration) -> StoreResult<RevocationRow> {
        let event = self.decided(&decision).await?;
        let Decision { id, filter, actor, reason, expected, .. } = decision;
        let row = RevocationRow {
            id,
            filter,
            actor,
            reason,
            decided_at: self.now(),
            expected,
            ended: 0,
            finished_at: None,
            telling: crate::store::Telling::default(),
        };
        let (row, new) = self.parts.store.begin_revocation(row, event).await?;
        if !new {
            return Ok(row);
        }
        self.forget_covered(&row);
        let (sessions, job) = (Arc::clone(self), row.clone());
        let carried_out = self.parts.background.spawn(async move { sessions.carry_out(job).await });
        if tokio::time::timeout(patience, carried_out).await.is_err() {
            return Ok(row);
        }
        Ok(self.parts.store.revocation(id).await?.unwrap_or(row))
    }

    /// Goes on with what a restart interrupted.
    pub async fn resume_revocations(self: &Arc<Self>) {
        let unfinished = loop {
            match self.parts.store.unfinished_revocations().await {
                Ok(unfinished) => break unfinished,
                Err(error) => {
                    tracing::warn!(%error, "unfinished revocations were not read");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        };
        for job in unfinished {
            tracing::info!(revocation = %job.id, ended = job.ended, "goes on with a revocation");
            self.carry_out(job).await;
        }
    }

    /// Takes what a revocation covers out of memory. What memory does not tell of goes as its row is ended.
    pub fn forget_covered(&self, row: &RevocationRow) {
        let plain = row.filter.is_plain();
        self.forget_where(|facts| plain && row.covers(facts));
    }

    /// Takes sessions out of memory, by what memory tells of them.
    pub(super) fn forget_where(&self, covers: impl Fn(&Facts<'_>) -> bool) {
        // Counted first: a session that is put in from now on is looked up once more.
        self.count_forgotten();
        for (id, live) in self.live.iter() {
            let values = live.values();
            let facts = Facts {
                id,
                tenant: &live.tenant,
                issuer: &values.issuer,
                sub: &values.sub,
                client_id: &live.client_id,
                provider_id: &live.provider_id,
                upstream_sid: None,
                sid: values.sid.as_deref(),
                address: None,
                user_agent: None,
                created_at: values.created_at,
            };
            if covers(&facts) {
                self.forget(id);
            }
        }
    }

    /// Ends the rows of a revocation, batch by batch, until there are no more.
    async fn carry_out(self: &Arc<Self>, job: RevocationRow) {
        let mut after = None;
        loop {
            match self.end_batch(&job, after).await {
                Ok(Some(next)) => after = Some(next),
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(revocation = %job.id, %error, "a revocation's sessions wait to be ended");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// Ends one batch; answers where the next begins, `None` once the revocation is through.
    async fn end_batch(
        self: &Arc<Self>,
        job: &RevocationRow,
        after: Option<super::id::SessionId>,
    ) -> StoreResult<Option<super::id::SessionId>> {
        let batch = self.parts.store.to_end(job.id, after, BATCH, self.now()).await?;
        let ids: Vec<_> = batch.sessions.iter().map(|session| session.id).collect();
        let how = How::revoked(job.actor.clone(), job.reason.clone());
        let prepare = async |session: SessionSummary| self.end_of(&session, &how).await;
        let ends: Vec<End> =
            futures_util::stream::iter(batch.sessions).map(prepare).buffered(EVENTS_AT_ONCE).try_collect().await?;
        if !ends.is_empty() {
            let counted = ends.clone();
            self.parts.store.end_for(job.id, ends).await?;
            for end in &counted {
                self.count(Measure::Revocation, counted_by(end), 1);
            }
            for id in ids {
                self.forget(id);
            }
            self.to_tell.notify_one();
        }
        if batch.next.is_some() {
            return Ok(batch.next);
        }
        let event = self.finished(job).await?;
        self.parts.store.finish_revocation(job.id, self.now(), event).await?;
        tracing::info!(revocation = %job.id, "a revocation is through");
        Ok(None)
    }

    async fn decided(&self, decision: &Decision) -> StoreResult<AuditRow> {
        let Filter { user, client_id, provider_id, .. } = &decision.filter;
        let subject = user.as_ref().map(|user| Person {
            issuer: user.issuer.clone(),
            sub: user.sub.clone(),
            ..Person::default()
        });
        let mut facts = decision.facts.clone();
        facts.insert("revocation".into(), json!(decision.id.to_string()));
        facts.insert("text".into(), json!(decision.reason));
        facts.insert("sessions".into(), json!(decision.expected));
        facts.extend(words(&decision.filter));
        let deed = Deed {
            kind: Kind::RevocationStarted,
            tenant: decision.filter.tenant.as_deref().unwrap_or_default(),
            session: None,
            client_id: client_id.as_deref(),
            provider_id: provider_id.as_deref(),
            subject,
            actor: Some(decision.actor.clone()),
            facts,
        };
        self.parts.journal.row(deed).await
    }

    async fn finished(&self, job: &RevocationRow) -> StoreResult<AuditRow> {
        let ended = self.parts.store.revocation(job.id).await?.map_or(job.ended, |row| row.ended);
        let mut facts = Map::new();
        facts.insert("revocation".into(), json!(job.id.to_string()));
        facts.insert("sessions".into(), json!(ended));
        let deed = Deed {
            kind: Kind::RevocationFinished,
            tenant: job.filter.tenant.as_deref().unwrap_or_default(),
            session: None,
            client_id: job.filter.client_id.as_deref(),
            provider_id: job.filter.provider_id.as_deref(),
            subject: None,
            actor: Some(job.actor.clone()),
            facts,
        };
        self.parts.journal.row(deed).await
    }
}

/// A filter's parts that name nobody, for the audit log.
fn words(filter: &Filter) -> Map<String, Value> {
    let mut words = Map::new();
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.insert(name.to_owned(), Value::String(value));
        }
    };
    say("network", filter.network.map(|network| network.to_string()));
    say("user_agent", filter.user_agent.clone());
    say("started_from", filter.started_from.map(crate::clock::UnixMs::rfc3339));
    say("started_before", filter.started_before.map(crate::clock::UnixMs::rfc3339));
    say("upstream_session", filter.upstream.as_ref().map(|_| "one".to_owned()));
    say("listed", filter.ids.as_ref().map(|ids| ids.len().to_string()));
    say("spared", filter.spares.map(|id| id.to_string()));
    words
}
