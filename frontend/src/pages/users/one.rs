//! One person: sessions, devices, locks, history, and what can be done.

use cloakroom_api::{AuditEvent, Lock, Session, UserDetail, UserDevice};
use leptos::prelude::*;

use super::acts::Acts;
use super::locked;
use crate::api;
use crate::domain::event::sign;
use crate::domain::facts::{fact, facts, words};
use crate::domain::listing::{cell, row_head, table};
use crate::domain::session::{device, own_mark, state_badge};
use crate::pages::{crumb, loaded_view, refresh_button, titled};
use crate::routes::{self, Page};
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{
    Part, Row, badge, classed, copyable, foreign, grouped, icon, link, part, relative_time, stacked_time, written_time,
};

/// The page of a person.
pub(super) fn one(id: &str) -> AnyView {
    let url = api::users::one(id);
    let loaded = Loaded::<UserDetail>::new(OnChange::Clear, move || Some(url.clone()));
    let name = move || loaded.map(|detail| detail.user.display().to_owned()).unwrap_or_else(|| "User".to_owned());
    let acts = Acts::new(loaded);
    let content = move |detail: &UserDetail| {
        let left = classed("div", "panel-column").child(about(detail, &acts)).child(devices(&detail.devices));
        let right = classed("div", "panel-column").maybe(locks(&detail.locks)).child(history(detail));
        part("div").child(sessions(detail)).child(classed("div", "panels after-table").child(left).child(right))
    };
    part("div")
        .child(crumb(Page::Users, "Users"))
        .view(titled(part("bdi").live(name), vec![refresh_button(loaded)]))
        .view(loaded_view(loaded, |_| None, content))
        .view(acts.dialogs())
        .any()
}

fn panel(id: &'static str, title: &'static str) -> Part {
    classed("section", "panel").attr("aria-labelledby", id).child(part("h2").attr("id", id).text(title))
}

fn about(detail: &UserDetail, acts: &Acts) -> Part {
    let user = &detail.user;
    let list = facts()
        .maybe(user.locked.then(|| fact("State", locked())))
        .maybe(user.email.as_deref().map(|email| fact("Mail", copyable("the mail address", email))))
        .child(fact("Subject", copyable("the subject", &user.sub)))
        .child(fact("Issuer", copyable("the issuer", &user.issuer)))
        .child(fact("Live sessions", part("span").class("number").text(grouped(user.live_sessions))))
        .child(fact("Signed in", written_time(&user.signed_in_at)))
        .child(fact("Last seen", written_time(&user.last_seen_at)));
    panel("identity-title", "Identity").child(list).child(acts.buttons(detail))
}

fn sessions(detail: &UserDetail) -> Part {
    let items = detail.sessions.clone();
    let drawn = move || {
        let keyed = |session: Session| {
            Row::new(format!("{} {}", session.id, session.ended.is_some()), move || session_row(&session))
        };
        items.iter().cloned().map(keyed).collect()
    };
    let heads = ["Session", "State", "Client", "Signed in", "Last seen"];
    let more = detail.more_sessions.then(|| {
        let all = link(routes::sessions_of(&detail.user.sub)).text("All sessions of this person");
        classed("p", "small after").child(all)
    });
    part("div").child(table("of-user", "Sessions of this person, the newest first.", &heads, drawn)).maybe(more)
}

fn session_row(session: &Session) -> Part {
    let to = link(routes::session(&session.id, "state=all")).class("user-link").child(foreign(device(session)));
    let address = session.address.as_deref().map(|address| foreign(address).class("small faint"));
    let line = classed("span", "user-line").child(to).maybe(session.is_current.then(own_mark));
    part("tr")
        .attr("role", "row")
        .child(row_head(classed("span", "stacked").child(line).maybe(address)))
        .child(cell("State", state_badge(session.state)))
        .child(cell("Client", foreign(session.client_name.as_str())))
        .child(cell("Signed in", stacked_time(&session.created_at)))
        .child(cell("Last seen", stacked_time(&session.last_seen_at)))
}

fn devices(devices: &[UserDevice]) -> Part {
    let row = |one: &UserDevice| {
        let name = one.name.as_deref().or(one.device.as_deref()).unwrap_or("Unknown device");
        let count = format!("{} of {} sessions live", grouped(one.live_sessions), grouped(one.sessions));
        let about =
            classed("span", "small faint pair").child(part("span").text(count)).child(relative_time(&one.last_seen_at));
        let words = classed("span", "stacked").child(foreign(name)).child(about);
        classed("li", "with-icon").child(icon("laptop")).child(words)
    };
    panel("devices-title", "Devices").child(classed("ul", "devices").all(devices.iter().map(row)))
}

/// Locks that hold, and those that did.
fn locks(locks: &[Lock]) -> Option<Part> {
    let row = |lock: &Lock| {
        let state = if lock.holds { badge("bad", "lock", "Holds") } else { badge("neutral", "clock", "Over") };
        let until = lock.until.as_deref().map(|at| part("span").text("until ").child(relative_time(at)));
        let lifted = lock.lifted_by.as_deref().map(|by| part("span").text("lifted by ").child(foreign(by)));
        let about = classed("span", "small faint pair")
            .child(part("span").text("by ").child(foreign(lock.by.as_str())))
            .child(relative_time(&lock.since))
            .maybe(until)
            .maybe(lifted);
        let told = classed("span", "small muted").text("They read: ").child(foreign(lock.told.as_str()));
        let words = classed("span", "stacked").child(words(&lock.reason)).child(told).child(about);
        classed("li", "lock-row").child(state).child(words)
    };
    (!locks.is_empty())
        .then(|| panel("locks-title", "Locks").child(classed("ul", "devices").all(locks.iter().map(row))))
}

fn history(detail: &UserDetail) -> Part {
    let item = |event: &AuditEvent| {
        let (name, colour) = sign(&event.kind);
        let to = link(routes::event(&event.id, "")).child(foreign(event.text.as_str()));
        let by = event.actor.as_ref().map(|by| part("span").text("by ").child(foreign(by.display())));
        let about = classed("p", "timeline-facts small faint").child(relative_time(&event.at)).maybe(by);
        classed("li", "timeline-item")
            .child(part("span").class(&format!("timeline-sign {colour}")).child(icon(name)))
            .child(classed("div", "timeline-words").child(part("p").child(to)).child(about))
    };
    let all = link(routes::audit_of(&detail.user.sub)).text("All of it in the audit log");
    panel("history-title", "History")
        .child(classed("ol", "timeline").all(detail.events.iter().take(12).map(item)))
        .child(classed("p", "small after").child(all))
}
