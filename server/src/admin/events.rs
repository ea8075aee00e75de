//! Audit events in words.

use serde_json::Value;

use cloakroom_api::Event;
use cloakroom_core::audit::StoredEvent;
use cloakroom_core::audit::event::{Journal, Person, ReadEvent};

use crate::edge::problem::Refusal;

/// Opens events and puts them into words.
///
/// # Errors
/// As the store's.
pub async fn in_words(journal: &Journal, events: &[StoredEvent]) -> Result<Vec<Event>, Refusal> {
    let mut out = Vec::with_capacity(events.len());
    for event in events {
        let read = journal.read(event).await?;
        out.push(Event {
            at: read.at.rfc3339(),
            text: text(&read),
            actor: read.actor.as_ref().map(|actor| actor.display().to_owned()),
            session_id: read.session.map(|id| id.to_string()),
            kind: read.kind,
        });
    }
    Ok(out)
}

/// What administrators, or somebody on the host, decided about many.
fn decided(event: &ReadEvent, actor: &str, who: &str) -> String {
    let fact = |name: &str| event.facts.get(name).and_then(Value::as_str).unwrap_or_default();
    let sessions = event.facts.get("sessions").and_then(Value::as_u64).unwrap_or_default();
    match event.kind.as_str() {
        "owner.granted" => format!("{actor} made {who} an owner on {}: {}", fact("host"), fact("text")),
        "revocation.started" => {
            format!("{actor} ended sessions, {sessions} of them as seen before: {}", fact("text"))
        }
        "revocation.finished" => format!("The revocation by {actor} is through: {sessions} sessions ended"),
        kind => {
            let named = event.client_id.as_ref().or(event.provider_id.as_ref());
            let whom = named.map_or(who, String::as_str);
            let did = if kind == "lock.set" { "locked" } else { "unlocked" };
            format!("{actor} {did} {whom}: {}", fact("text"))
        }
    }
}

fn ended(who: &str, reason: &str) -> String {
    match reason {
        "signed_out" => format!("{who} signed out"),
        "replaced" => format!("{who} signed in anew in the same browser"),
        "ended_by_user" => format!("{who} ended the session from another device"),
        "refused_by_provider" => format!("The provider no longer renews the session of {who}"),
        "logged_out_by_provider" => format!("The provider signed {who} out"),
        "erased" => format!("The session of {who} ended, who is to be forgotten"),
        other => format!("The session of {who} ended: {other}"),
    }
}

/// What administrators did about machines, and about what is kept of people.
fn kept(event: &ReadEvent, actor: &str, who: &str) -> String {
    let fact = |name: &str| event.facts.get(name).and_then(Value::as_str).unwrap_or_default();
    match event.kind.as_str() {
        "service_account.created" => {
            format!("{actor} made the service account {who}, which may {}", list(event, "scopes"))
        }
        "service_account.rotated" => format!("{actor} replaced the token of the service account {who}"),
        "service_account.disabled" => format!("{actor} disabled the service account {who}: {}", fact("text")),
        "user.exported" => format!("{actor} took out as a file what is kept of {who}"),
        "user.erased" => format!("{actor} had a person forgotten: {}", fact("text")),
        other => format!("{other}: {who}"),
    }
}

/// A fact that is a list, in words.
fn list(event: &ReadEvent, name: &str) -> String {
    let items = event.facts.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

pub(super) fn text(event: &ReadEvent) -> String {
    // A provider may name a session of its own without saying whose.
    let nobody = if event.kind == "provider.logout" { "a person" } else { "An erased person" };
    let who = event.subject.as_ref().map_or(nobody, Person::display);
    let actor = event.actor.as_ref().map_or("Somebody", Person::display);
    let fact = |name: &str| event.facts.get(name).and_then(Value::as_str).unwrap_or_default();
    match event.kind.as_str() {
        "session.started" => match event.subject.as_ref().and_then(|person| person.address.as_deref()) {
            Some(address) => format!("{who} signed in from {address}"),
            None => format!("{who} signed in"),
        },
        "session.ended" => ended(who, fact("reason")),
        "session.revoked" => format!("The session of {who} was revoked: {}", fact("text")),
        "session.evicted" => format!("The oldest session of {who} made room for a new one"),
        "session.refused" => {
            let most = event.facts.get("most").and_then(Value::as_u64).unwrap_or_default();
            format!("{who} was refused one more session: {most} at once is the most")
        }
        "session.old_cookie_used" => {
            let from =
                event.subject.as_ref().and_then(|person| person.address.as_deref()).unwrap_or("an unknown address");
            format!(
                "A cookie of {who} that a step-up had replaced was used from {from}: somebody may hold a copy of it"
            )
        }
        "lock.set" | "lock.lifted" | "owner.granted" | "revocation.started" | "revocation.finished" => {
            decided(event, actor, who)
        }
        "provider.logout" => match event.facts.get("sessions").and_then(Value::as_u64).unwrap_or_default() {
            0 => format!("The provider told of a sign-out of {who}, who had no session here"),
            1 => format!("The provider told of a sign-out of {who}: one session ended"),
            n => format!("The provider told of a sign-out of {who}: {n} sessions ended"),
        },
        "key.rotated" => format!("{actor} made a new key, {}, on {}", fact("key"), fact("host")),
        "key.retired" => format!("{actor} retired the key {} on {}", fact("key"), fact("host")),
        "key.burned" => {
            format!("{actor} burned the key {} on {}: every session of its time ended", fact("key"), fact("host"))
        }
        kind if kind.starts_with("service_account.") || kind.starts_with("user.") => kept(event, actor, who),
        "audit.exported" => format!("{actor} took events out of the audit log as {}", fact("format")),
        "requests.refused" => {
            let n = event.facts.get("n").and_then(Value::as_u64).unwrap_or_default();
            let most = event.facts.get("most").and_then(|most| most.get(0));
            let most = |name| most.and_then(|most| most.get(name)).and_then(Value::as_str);
            let site = Some(fact("site")).filter(|site| !site.is_empty()).unwrap_or("hosts that are no site");
            format!(
                "{n} requests to {site} were refused within a minute, most as {} from {}",
                most("code").unwrap_or("?"),
                most("network").unwrap_or("many networks")
            )
        }
        "provider.revoked" => format!("The provider revoked the tokens of {who}"),
        "provider.revocation_failed" => {
            format!("The tokens of {who} were not revoked at the provider: {}", fact("detail"))
        }
        other => format!("{other}: {who}"),
    }
}
