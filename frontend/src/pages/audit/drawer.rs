//! One event over the log, at an address of its own.

use cloakroom_api::{AuditEvent, Who};
use leptos::prelude::*;

use super::{Log, PATH};
use crate::api;
use crate::domain::event::sign;
use crate::domain::facts::{fact, facts, section, words};
use crate::pages::failure_notice;
use crate::routes::{self, with_search};
use crate::state::address::Step;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Layer, Part, button, classed, copyable, empty, icon, layer, link, loading, part, written_time};

/// The drawer.
pub(super) fn drawer(log: Log) -> AnyView {
    let loaded = Loaded::<AuditEvent>::new(OnChange::Clear, move || log.open.get().as_deref().map(api::audit::one));
    let close = Callback::new(move |()| {
        let search = log.filters.get_untracked().unwrap_or_default().search();
        log.address.go(&with_search(PATH, &search), Step::Within);
    });
    let frame = Layer {
        class: "drawer",
        labelled_by: "event-title",
        open: Signal::derive(move || log.open.with(Option::is_some)),
        docks_from_px: None,
        on_close: close,
    };
    layer(frame, move || {
        let title = move || loaded.map(|event| event.text.clone()).unwrap_or_else(|| "Event".to_owned());
        let title = part("h2")
            .attr("id", "event-title")
            .attr("tabindex", "-1")
            .attr("autofocus", "")
            .child(part("bdi").live(title));
        let off = button("icon-button", move || close.run(())).attr("aria-label", "Close").child(icon("x"));
        let head = classed("header", "drawer-head")
            .live(move || {
                loaded.map(|event| {
                    let (name, colour) = sign(&event.kind);
                    part("span").class(&format!("timeline-sign {colour}")).child(icon(name))
                })
            })
            .child(classed("div", "drawer-who").child(title))
            .child(off);
        let body = classed("div", "drawer-body")
            .attr("tabindex", "0")
            .attr("role", "region")
            .attr("aria-label", "Details")
            .live(move || body(loaded));
        classed("div", "drawer-layout").child(head).child(body).any()
    })
}

fn body(loaded: Loaded<AuditEvent>) -> Part {
    if let Some(event) = loaded.data() {
        return sections(&event);
    }
    match loaded.failure() {
        Some(failure) if failure.is_not_found() => {
            empty("search-x", "There is no such event", failure.advice(), vec![])
        }
        Some(failure) => failure_notice(&failure, None, move || loaded.again()),
        None => loading(7),
    }
}

fn sections(event: &AuditEvent) -> Part {
    let session = event
        .session_id
        .as_deref()
        .map(|id| fact("Session", link(routes::session(id, "state=all")).child(part("bdi").class("mono").text(id))));
    let list = facts()
        .child(fact("When", written_time(&event.at)))
        .child(fact("Kind", copyable("the kind", &event.kind)))
        .child(fact("Id", copyable("the event’s id", &event.id)))
        .maybe(session)
        .maybe(event.client_id.as_deref().map(|id| fact("Client", words(id))))
        .maybe(event.provider_id.as_deref().map(|id| fact("Provider", words(id))))
        .maybe(Some(event.tenant.as_str()).filter(|tenant| !tenant.is_empty()).map(|id| fact("Tenant", words(id))));
    let more = (!event.facts.is_empty())
        .then(|| section("Facts", facts().all(event.facts.iter().map(|known| fact(&known.name, words(&known.value))))));
    let chain = event.hash.as_deref().map(|hash| {
        let number = event.seq.map(|seq| fact("Number", words(&seq.to_string())));
        section("Chain", facts().maybe(number).child(fact("Hash", copyable("the hash", hash))))
    });
    part("div")
        .child(section("Event", list))
        .maybe(event.subject.as_ref().map(|who| section("About", person(who))))
        .maybe(event.actor.as_ref().map(|who| section("By", person(who))))
        .maybe(more)
        .maybe(chain)
}

fn person(who: &Who) -> Part {
    let sessions = fact("See also", link(routes::sessions_of(&who.sub)).text("All sessions of this person"));
    facts()
        .maybe(who.name.as_deref().map(|name| fact("Name", words(name))))
        .maybe(who.email.as_deref().map(|email| fact("Mail", copyable("the mail address", email))))
        .child(fact("Subject", copyable("the subject", &who.sub)))
        .child(fact("Issuer", words(&who.issuer)))
        .maybe(who.address.as_deref().map(|address| fact("Address", copyable("the address", address))))
        .maybe(who.user_agent.as_deref().map(|agent| fact("User agent", words(agent))))
        .child(sessions)
}
