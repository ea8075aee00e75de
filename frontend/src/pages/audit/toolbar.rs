//! Which events: kind, person, session, address, time; and what is set, as chips that can be taken off.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::{Log, PATH, chips, name_of};
use crate::routes::with_search;
use crate::state::address::Step;
use crate::state::clock::{Moment, utc_of};
use crate::ui::{Part, classed, icon, live, part, value_of};

/// Kinds that belong together, as one choice.
const KINDS: [(&str, &str); 9] = [
    ("", "Everything"),
    ("session.started", "Sign-ins"),
    ("session.ended", "Sign-outs"),
    ("session.revoked", "Revocations"),
    ("session.old_cookie_used", "Signs of theft"),
    ("provider.logout,provider.revoked,provider.revocation_failed", "At providers"),
    ("key.rotated,key.retired,key.burned", "Keys"),
    ("audit.exported", "Exports of this log"),
    ("user.exported,user.erased", "Persons told or forgotten"),
];

/// What is searched by: the filter, and what is typed.
const BY: [(&str, &str); 4] = [
    ("subject", "About a user (id)"),
    ("actor", "By an administrator (id)"),
    ("session", "Session id"),
    ("address", "Network address"),
];

/// The bar above the list.
pub(super) fn toolbar(log: Log) -> AnyView {
    let go = move |name: &str, value: &str| {
        let filters = log.filters.get_untracked().unwrap_or_default().with(name, value);
        log.address.go(&with_search(PATH, &filters.search()), Step::Within);
    };
    let kinds = KINDS.map(|(code, words)| part("option").attr("value", code).text(words));
    let kind = part("select")
        .attr("aria-label", "What happened")
        .all(kinds)
        .live_value(move || log.filters().get("kind").unwrap_or_default().to_owned())
        .on("change", move |event| go("kind", &value_of(&event)));
    let by = RwSignal::new("subject".to_owned());
    let typed = RwSignal::new(String::new());
    let options = BY.map(|(code, words)| part("option").attr("value", code).text(words));
    let which = part("select")
        .attr("aria-label", "Search by")
        .all(options)
        .live_value(move || by.get())
        .on("change", move |event| by.set(value_of(&event)));
    let field = part("input")
        .attr("type", "search")
        .attr("aria-label", "Search value")
        .attr("placeholder", "Exact value, then Enter")
        .attr("autocomplete", "off")
        .attr("data-shortcut", "search")
        .attr("aria-keyshortcuts", "/")
        .live_value(move || typed.get())
        .on("input", move |event| typed.set(value_of(&event)));
    let search = classed("form", "search")
        .attr("role", "search")
        .on("submit", move |event| {
            event.prevent_default();
            let value = untrack(|| typed.get());
            if !value.trim().is_empty() {
                typed.set(String::new());
                go(&untrack(|| by.get()), &value);
            }
        })
        .child(icon("search"))
        .child(field);
    let select = |select: Part| classed("span", "select").child(select).child(icon("chevron-down"));
    let bar = classed("div", "toolbar")
        .child(select(kind))
        .child(select(which))
        .child(search)
        .child(moment(log, "from", "From"))
        .child(moment(log, "until", "Until"));
    let chips = live(move || chips(PATH, &log.filters(), name_of));
    part("div").child(bar).view(chips).any()
}

/// A moment in the browser's zone; the address and the gateway have it in UTC.
fn moment(log: Log, name: &'static str, words: &str) -> Part {
    let change = move |event: web_sys::Event| {
        let local = value_of(&event);
        let value = utc_of(&local).unwrap_or_default();
        let filters = log.filters.get_untracked().unwrap_or_default().with(name, &value);
        log.address.go(&with_search(PATH, &filters.search()), Step::Within);
        if value.is_empty() && !local.is_empty() {
            event
                .target()
                .and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok())
                .and_then(|field| field.focus().ok());
        }
    };
    let shown = move || log.filters().get(name).and_then(Moment::parse).map(|at| at.field()).unwrap_or_default();
    let field = classed("input", "input")
        .attr("type", "datetime-local")
        .attr("step", "1")
        .live_value(shown)
        .on("change", change);
    classed("label", "moment").child(classed("span", "small muted").text(words)).child(field)
}
