//! The audit log: events, the tail, the chain, files taken out of it.

use cloakroom_api::{AuditChain, AuditEvent, ChainPoint, ExportTicket, Fact, Verification, VerificationState, Who};

use super::client::{self, Failure};
use super::decode::{codes, record};
use super::json::Json;
use crate::state::filters::Filters;
use crate::state::query_string::encode;

record!(AuditEvent {
    id,
    at,
    kind,
    text,
    tenant,
    subject,
    subject_erased,
    actor,
    actor_erased,
    session_id,
    client_id,
    provider_id,
    facts,
    seq,
    hash,
});
record!(Who { issuer, sub, name, email, address, user_agent });
record!(Fact { name, value });
record!(AuditChain { head, verification, as_of });
record!(ChainPoint { seq, hash });
record!(Verification { state, started_at, ended_at, up_to, what });
codes!(VerificationState {
    Never = "never",
    Running = "running",
    Whole = "whole",
    Broken = "broken",
    Failed = "failed",
});
record!(ExportTicket { path, expires_at });

/// The filters that the list takes, under the names that the address has.
pub(crate) const NAMES: [&str; 8] = ["kind", "subject", "actor", "session", "address", "from", "until", "cursor"];
const AUDIT: &str = "/admin/api/v1/audit";

/// A page of events.
pub(crate) fn list(filters: &Filters) -> String {
    format!("{AUDIT}/events?{}", filters.search())
}

/// One event.
pub(crate) fn one(id: &str) -> String {
    format!("{AUDIT}/events/{}", encode(id))
}

/// Events as they come: what narrows the past does not narrow the future.
pub(crate) fn tail(filters: &Filters) -> String {
    let mut filters = filters.with("from", "");
    for name in ["until", "address"] {
        filters = filters.with(name, "");
    }
    format!("{AUDIT}/tail?{}", filters.search())
}

/// How the chain stands.
pub(crate) fn chain() -> String {
    format!("{AUDIT}/chain")
}

/// Walks the whole chain.
pub(crate) async fn verify() -> Result<AuditChain, Failure> {
    client::post(&format!("{AUDIT}/verify"), &Json::map([])).await
}

/// Makes a file of the events that match; the answer says where it can be had, once.
pub(crate) async fn export(format: &str, filters: &Filters) -> Result<ExportTicket, Failure> {
    let filter = filters.set().map(|(name, value)| {
        let value =
            if name == "kind" { Json::List(value.split(',').map(Json::text).collect()) } else { Json::text(value) };
        (name.to_owned(), value)
    });
    let body = Json::map([("format", Json::text(format)), ("filter", Json::Map(filter.collect()))]);
    client::post(&format!("{AUDIT}/exports"), &body).await
}

#[cfg(test)]
mod tests {
    use super::super::decode::Decode;
    use super::*;

    #[test]
    fn an_event_is_read_as_serde_reads_it() {
        let text = r#"{"id":"e","at":"a","kind":"session.started","text":"t","tenant":"","subject":{"issuer":"i",
            "sub":"s","name":"n","email":"e","address":"a","user_agent":"u"},"subject_erased":false,
            "actor_erased":true,"session_id":"s","client_id":"c","provider_id":"p",
            "facts":[{"name":"n","value":"v"}],"seq":7,"hash":"h"}"#;
        let expected: AuditEvent = serde_json::from_str(text).unwrap();
        assert_eq!(AuditEvent::decode(&Json::parse(text).unwrap()), Some(expected));
        let text = r#"{"head":{"seq":1,"hash":"h"},"verification":{"state":"whole","up_to":1},"as_of":"a"}"#;
        let expected: AuditChain = serde_json::from_str(text).unwrap();
        assert_eq!(AuditChain::decode(&Json::parse(text).unwrap()), Some(expected));
    }
}
