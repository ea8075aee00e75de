//! Events as a timeline.

use cloakroom_api::Event;
use leptos::prelude::*;

use crate::routes;
use crate::ui::{icon, relative_time, written_time};

/// An event kind's icon and colour.
fn sign(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "session.started" => ("log-in", "ok"),
        "session.ended" | "provider.logout" => ("log-out", "neutral"),
        "session.revoked" => ("ban", "bad"),
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
pub(crate) fn timeline(events: &[Event], room: Room) -> AnyView {
    let items: Vec<_> = events.iter().map(|event| item(event, room)).collect();
    view! { <ol class="timeline">{items}</ol> }.into_any()
}

fn item(event: &Event, room: Room) -> AnyView {
    let (name, colour) = sign(&event.kind);
    let text = event.text.clone();
    let text = match (&event.session_id, room) {
        (Some(id), Room::Panel) => view! { <a href=routes::session(id, "state=all")><bdi>{text}</bdi></a> }.into_any(),
        _ => view! { <bdi>{text}</bdi> }.into_any(),
    };
    let actor = event.actor.clone().map(|actor| view! { <span>"by " <bdi>{actor}</bdi></span> });
    let time = if room == Room::Panel { relative_time(&event.at) } else { written_time(&event.at) };
    view! {
        <li class="timeline-item">
            <span class=format!("timeline-sign {colour}")>{icon(name)}</span>
            <div class="timeline-words">
                <p>{text}</p>
                <p class="timeline-facts small faint">{time}{actor}</p>
            </div>
        </li>
    }
    .into_any()
}
