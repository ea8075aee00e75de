//! The hash chain: how an event becomes bytes, and how one link follows from the one before.

use super::{AuditRow, ChainHead, ChainLink};
use crate::session::id::sha256;
use crate::store::{Store, StoreResult};

/// Events linked or verified in one step.
const BATCH: u32 = 500;

/// The chain's start: no event, a hash of zeros.
pub const START: ChainHead = ChainHead { seq: 0, hash: [0; 32] };

/// Links every event that is not linked yet, in the order they came; answers how many.
///
/// # Errors
/// As the store's. What was linked until then stays linked.
pub async fn link_pending(store: &dyn Store) -> StoreResult<usize> {
    let mut linked = 0;
    loop {
        let (start, events) = store.unchained(BATCH).await?;
        let mut head = start;
        let links: Vec<_> = events
            .iter()
            .map(|event| {
                let link = link(head, &event.row);
                head = head_of(&link);
                link
            })
            .collect();
        let n = links.len();
        if n == 0 || !store.chain(start, links).await? {
            return Ok(linked);
        }
        linked += n;
        if n < BATCH as usize {
            return Ok(linked);
        }
    }
}

/// What walking the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every link follows from the one before.
    Whole {
        /// The last link.
        head: ChainHead,
        /// Events that wait to be linked.
        waiting: usize,
    },
    /// The first place where the chain does not hold.
    Broken {
        /// The number of the first event that is missing, altered or out of place.
        seq: i64,
        /// What is wrong there.
        what: String,
    },
}

/// Walks the chain from its start and recomputes every link.
///
/// # Errors
/// As the store's.
pub async fn verify(store: &dyn Store) -> StoreResult<Verdict> {
    walk(store, |_| {}).await
}

/// As [`verify`]; `step` hears now and then how far it is.
///
/// # Errors
/// As the store's.
pub async fn walk(store: &dyn Store, mut step: impl FnMut(ChainHead) + Send) -> StoreResult<Verdict> {
    let mut head = START;
    loop {
        let events = store.chained(head.seq, BATCH).await?;
        for event in &events {
            let expected = link(head, &event.row);
            let Some(found) = event.link else {
                return Ok(broken(expected.seq, "the event has no link"));
            };
            if found.seq != expected.seq {
                return Ok(broken(
                    expected.seq,
                    &format!("the event is missing; the next one is number {}", found.seq),
                ));
            }
            if found.hash != expected.hash {
                return Ok(broken(expected.seq, "the event or one before it was altered"));
            }
            head = head_of(&expected);
        }
        step(head);
        if events.len() < BATCH as usize {
            break;
        }
    }
    let (stored, waiting) = store.unchained(BATCH).await?;
    if stored != head {
        return Ok(broken(head.seq + 1, &format!("the log ends at {} but its head says {}", head.seq, stored.seq)));
    }
    Ok(Verdict::Whole { head, waiting: waiting.len() })
}

fn broken(seq: i64, what: &str) -> Verdict {
    Verdict::Broken { seq, what: what.to_owned() }
}

/// The link of `event` after `head`.
#[must_use]
pub fn link(head: ChainHead, event: &AuditRow) -> ChainLink {
    let seq = head.seq.saturating_add(1);
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(b"cloakroom audit chain 1");
    bytes.extend_from_slice(&head.hash);
    bytes.extend_from_slice(&seq.to_be_bytes());
    write_event(&mut bytes, event);
    ChainLink { event: event.id, seq, hash: sha256(&bytes) }
}

/// The head that follows a link.
#[must_use]
pub const fn head_of(link: &ChainLink) -> ChainHead {
    ChainHead { seq: link.seq, hash: link.hash }
}

/// Every field of the event with its length in front, so that no two events share their bytes.
fn write_event(out: &mut Vec<u8>, event: &AuditRow) {
    let AuditRow {
        id,
        version,
        tenant,
        at,
        kind,
        session,
        client_id,
        provider_id,
        subject,
        address: _,
        subject_sealed,
        actor,
        actor_sealed,
        facts,
    } = event;
    field(out, id);
    field(out, &version.to_be_bytes());
    field(out, tenant.as_bytes());
    field(out, &at.0.to_be_bytes());
    field(out, kind.as_bytes());
    optional(out, session.as_ref().map(|id| id.as_bytes().as_slice()));
    optional(out, client_id.as_deref().map(str::as_bytes));
    optional(out, provider_id.as_deref().map(str::as_bytes));
    optional(out, subject.as_ref().map(<[u8; 32]>::as_slice));
    field(out, subject_sealed);
    optional(out, actor.as_ref().map(<[u8; 32]>::as_slice));
    field(out, actor_sealed);
    field(out, facts.as_bytes());
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    out.push(u8::from(bytes.is_some()));
    if let Some(bytes) = bytes {
        field(out, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;

    fn event(facts: &str) -> AuditRow {
        AuditRow {
            id: [1; 16],
            version: 1,
            tenant: "default".into(),
            at: UnixMs(1),
            kind: "session.started".into(),
            session: None,
            client_id: Some("app".into()),
            provider_id: None,
            subject: None,
            address: None,
            subject_sealed: vec![],
            actor: None,
            actor_sealed: vec![],
            facts: facts.into(),
        }
    }

    #[test]
    fn a07_every_field_and_the_place_move_the_hash() {
        let start = START;
        let base = link(start, &event("{}"));
        let edits: [fn(&mut AuditRow); 9] = [
            |e| e.id = [2; 16],
            |e| e.version = 2,
            |e| e.tenant.push('x'),
            |e| e.at = UnixMs(2),
            |e| e.kind.push('x'),
            |e| e.client_id = None,
            |e| e.subject = Some([0; 32]),
            |e| e.subject_sealed.push(0),
            |e| e.facts.push(' '),
        ];
        for edit in edits {
            let mut edited = event("{}");
            edit(&mut edited);
            assert_ne!(link(start, &edited).hash, base.hash, "{edited:?}");
        }
        assert_ne!(link(ChainHead { seq: 1, ..start }, &event("{}")).hash, base.hash);
        assert_ne!(link(head_of(&base), &event("{}")).hash, base.hash);
    }
}
