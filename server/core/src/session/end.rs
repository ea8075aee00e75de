//! Ending a session: in the store first, then in memory, then at the provider.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Sessions;
use super::id::SessionId;
use super::record::TokenSet;
use crate::audit::event::{Deed, Kind, Person};
use crate::store::{End, EndOutcome, Ended, Measure, SessionRow, SessionSummary, StoreError, StoreResult};

/// How a session is to end.
#[derive(Clone, Debug)]
pub struct How {
    /// The reason's code (see [`Ended::reason`]).
    pub reason: &'static str,
    /// An administrator's words.
    pub text: Option<String>,
    /// The administrator, or the person from another session of theirs.
    pub by: Option<Person>,
    /// By which channel the provider said so.
    pub channel: Option<&'static str>,
}

impl How {
    /// The person signed out.
    #[must_use]
    pub const fn signed_out() -> Self {
        Self { reason: "signed_out", text: None, by: None, channel: None }
    }

    /// The person signed in anew in the same browser.
    #[must_use]
    pub const fn replaced() -> Self {
        Self { reason: "replaced", text: None, by: None, channel: None }
    }

    /// The person signed in once more than the client allows, and this was the oldest of their sessions.
    #[must_use]
    pub const fn evicted() -> Self {
        Self { reason: "evicted", text: None, by: None, channel: None }
    }

    /// The person ended it from another session.
    #[must_use]
    pub const fn ended_by_user() -> Self {
        Self { reason: "ended_by_user", text: None, by: None, channel: None }
    }

    /// The provider refused to refresh it.
    #[must_use]
    pub const fn refused_by_provider() -> Self {
        Self { reason: "refused_by_provider", text: None, by: None, channel: None }
    }

    /// A code or a refresh token of it was used twice: somebody else has it, too.
    #[must_use]
    pub const fn token_reused(what: &'static str) -> Self {
        Self { reason: what, text: None, by: None, channel: None }
    }

    /// An administrator ended it.
    #[must_use]
    pub const fn revoked(by: Person, text: String) -> Self {
        Self { reason: "revoked", text: Some(text), by: Some(by), channel: None }
    }

    /// The provider logged the person out (OIDC Back-Channel and Front-Channel Logout 1.0).
    #[must_use]
    pub const fn logged_out_by_provider(channel: &'static str) -> Self {
        Self { reason: "logged_out_by_provider", text: None, by: None, channel: Some(channel) }
    }
}

impl Sessions {
    /// Ends sessions. Those that had ended before, or do not exist, are told apart in the answers. The provider is
    /// told in the background ([`super::telling`]).
    ///
    /// # Errors
    /// As the store's; nothing has ended then.
    pub async fn end(self: &Arc<Self>, ids: &[SessionId], how: &How) -> StoreResult<Vec<EndOutcome>> {
        let mut ends = Vec::with_capacity(ids.len());
        for &id in ids {
            ends.push(self.prepare_end(id, how).await?);
        }
        let asked: Vec<End> = ends.iter().flatten().cloned().collect();
        let mut done = self.parts.store.end(asked).await?.into_iter();
        let mut outcomes = Vec::with_capacity(ids.len());
        for (&id, end) in ids.iter().zip(&ends) {
            let outcome =
                if end.is_some() { done.next().unwrap_or(EndOutcome::NotFound) } else { EndOutcome::NotFound };
            self.forget(id);
            if let ("revoked", EndOutcome::Ended, Some(end)) = (how.reason, &outcome, end) {
                self.count(Measure::Revocation, counted_by(end), 1);
            }
            outcomes.push(outcome);
        }
        self.to_tell.notify_one();
        Ok(outcomes)
    }

    /// The unit of work that would end a session; `None` when there is no such session.
    pub(super) async fn prepare_end(&self, id: SessionId, how: &How) -> StoreResult<Option<End>> {
        match self.parts.store.session(id).await? {
            Some(row) => self.end_of(&row.summary, how).await.map(Some),
            None => Ok(None),
        }
    }

    /// The unit of work that ends this session.
    pub(super) async fn end_of(&self, session: &SessionSummary, how: &How) -> StoreResult<End> {
        let kind = match how.reason {
            "revoked" => Kind::SessionRevoked,
            "evicted" => Kind::SessionEvicted,
            _ => Kind::SessionEnded,
        };
        let mut facts = Map::new();
        facts.insert("reason".into(), json!(how.reason));
        if let Some(text) = &how.text {
            facts.insert("text".into(), json!(text));
        }
        if let Some(channel) = how.channel {
            facts.insert("channel".into(), json!(channel));
        }
        let event = self.parts.journal.row(deed(kind, session, how.by.clone(), facts)).await?;
        let by = how.by.as_ref().map(|person| person.display().to_owned());
        let ended = Ended { at: self.now(), reason: how.reason.to_owned(), text: how.text.clone(), by };
        Ok(End { id: session.id, ended, event })
    }

    /// A session's opened token set; `None` once it is forgotten.
    ///
    /// # Errors
    /// As the store's, or [`StoreError::Corrupt`] when it was altered.
    pub async fn tokens_of(&self, row: &SessionRow) -> StoreResult<Option<TokenSet>> {
        let Some(stored) = self.parts.store.tokens(row.summary.id).await? else { return Ok(None) };
        let vault = &self.parts.vault;
        let opened = vault.data_key(row).and_then(|key| vault.open_tokens(&key, row, &stored));
        opened
            .map(Some)
            .map_err(|error| StoreError::Corrupt(format!("token set of session {}: {error}", row.summary.id)))
    }
}

/// What the end of a session is counted by: tenant, client, provider.
pub(super) fn counted_by(end: &End) -> (&str, &str, &str) {
    let (client, provider) = (end.event.client_id.as_deref(), end.event.provider_id.as_deref());
    (&end.event.tenant, client.unwrap_or_default(), provider.unwrap_or_default())
}

pub(super) fn deed(kind: Kind, summary: &SessionSummary, actor: Option<Person>, facts: Map<String, Value>) -> Deed<'_> {
    let subject = Person {
        issuer: summary.issuer.clone(),
        sub: summary.sub.clone(),
        name: summary.name.clone(),
        email: summary.email.clone(),
        address: None,
        user_agent: None,
    };
    Deed {
        kind,
        tenant: &summary.tenant,
        session: Some(summary.id),
        client_id: Some(&summary.client_id),
        provider_id: Some(&summary.provider_id),
        subject: Some(subject),
        actor,
        facts,
    }
}
