//! An event on the wire.

use serde_json::Value;

use cloakroom_api::{AuditEvent, Fact, Who};
use cloakroom_core::audit::StoredEvent;
use cloakroom_core::audit::event::{Person, ReadEvent};
use cloakroom_core::session::id::SessionId;
use cloakroom_core::vault::ring::hex;

use crate::admin::events;
use crate::admin::roles::Fence;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Opens an event. Its number in the chain is not for those who see one tenant only: the gaps would tell of the others
/// (A10).
pub(in crate::admin) async fn event(
    gateway: &Gateway,
    fence: &Fence,
    stored: &StoredEvent,
) -> Result<AuditEvent, Refusal> {
    let read = gateway.sessions.journal().read(stored).await?;
    let link = stored.link.filter(|_| *fence == Fence::None);
    let text = events::text(&read);
    let ReadEvent { at, kind, session, client_id, provider_id, subject, actor, facts } = read;
    let show = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(AuditEvent {
        id: SessionId::from_bytes(stored.row.id).to_string(),
        at: at.rfc3339(),
        kind,
        text,
        tenant: stored.row.tenant.clone(),
        subject_erased: stored.row.subject.is_some() && subject.is_none(),
        subject: subject.map(who),
        actor_erased: stored.row.actor.is_some() && actor.is_none(),
        actor: actor.map(who),
        session_id: session.map(|id| id.to_string()),
        client_id,
        provider_id,
        facts: facts.into_iter().map(|(name, value)| Fact { name, value: show(value) }).collect(),
        seq: link.and_then(|link| u64::try_from(link.seq).ok()),
        hash: link.map(|link| hex(&link.hash)),
    })
}

fn who(person: Person) -> Who {
    let Person { issuer, sub, name, email, address, user_agent } = person;
    Who { issuer, sub, name, email, address, user_agent }
}
