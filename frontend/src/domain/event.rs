//! Events as a timeline.

use crate::routes;
use crate::ui::{Part, classed, foreign, icon, link, part, relative_time, written_time};
use cloakroom_api::Event;

/// An event kind's icon and colour.
pub(crate) fn sign(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "session.started" => ("log-in", "ok"),
        "session.ended" | "provider.logout" => ("log-out", "neutral"),
        "session.revoked" => ("ban", "bad"),
        "session.evicted" => ("log-out", "warn"),
        "session.old_cookie_used" => ("triangle-alert", "bad"),
        "provider.revocation_failed" => ("triangle-alert", "warn"),
        "provider.revoked" => ("key-round", "neutral"),
        _ if kind.ends_with("failed") || kind.ends_with("refused") => ("triangle-alert", "warn"),
        _ if kind.contains("refresh") => ("refresh-cw", "neutral"),
        _ => ("activity", "neutral"),
    }
}

/// How much room a timeline has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Beside other things: short times, a link to each session.
    Panel,
    /// Inside the session: exact times.
    Session,
}

/// Events, newest first.
pub(crate) fn timeline(events: &[Event], room: Room) -> Part {
    classed("ol", "timeline").all(events.iter().map(|event| item(event, room)))
}

fn item(event: &Event, room: Room) -> Part {
    let (name, colour) = sign(&event.kind);
    let text = foreign(event.text.as_str());
    let text = match (&event.session_id, room) {
        (Some(id), Room::Panel) => link(routes::session(id, "state=all")).child(text),
        _ => text,
    };
    let time = if room == Room::Panel { relative_time(&event.at) } else { written_time(&event.at) };
    let actor = event.actor.as_deref().map(|actor| part("span").text("by ").child(foreign(actor)));
    let words = classed("div", "timeline-words")
        .child(part("p").child(text))
        .child(classed("p", "timeline-facts small faint").child(time).maybe(actor));
    classed("li", "timeline-item")
        .child(part("span").class(&format!("timeline-sign {colour}")).child(icon(name)))
        .child(words)
}
