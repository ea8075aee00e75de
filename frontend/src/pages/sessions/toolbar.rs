//! Which sessions: tabs, search, client, and what is set as chips that can be taken off.

use std::time::Duration;

use cloakroom_api::{Overview, StateFilter};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use web_sys::Event;

use super::List;
use crate::api;
use crate::routes;
use crate::state::address::Step;
use crate::state::list_query::ListQuery;
use crate::state::loaded::{Loaded, OnChange};
use crate::state::spawn::effect;
use crate::ui::{Part, classed, foreign, icon, link, part, value_of};

/// How long after the last letter the search runs.
const PAUSE: Duration = Duration::from_millis(300);

const TABS: [(StateFilter, &str); 3] =
    [(StateFilter::Live, "Live"), (StateFilter::Ended, "Ended"), (StateFilter::All, "All")];

/// The bar above the list.
pub(super) fn toolbar(list: List) -> Part {
    let tabs = TABS.map(|(state, name)| tab(list, state, name));
    let bar = classed("div", "toolbar")
        .child(classed("nav", "tabs").attr("aria-label", "Which sessions").all(tabs))
        .child(search(list))
        .child(client_choice(list));
    part("div").child(bar).live(move || chips(list))
}

fn tab(list: List, state: StateFilter, name: &'static str) -> Part {
    let href = move || Some(routes::sessions(&list.query().changed(|query| query.state = state).search()));
    let is_set = move || list.query.with(|query| query.as_ref().is_ok_and(|query| query.state == state));
    classed("a", "tab")
        .live_attr("href", href)
        .attr("data-noscroll", "")
        .live_attr("aria-current", move || is_set().then(|| "true".to_owned()))
        .text(name)
}

fn search(list: List) -> Part {
    let text = RwSignal::new(
        list.query.with_untracked(|query| query.as_ref().map(|query| query.text.clone()).unwrap_or_default()),
    );
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    // Back, a chip or a link changed the address: the field follows, unless it says the same already.
    effect(move || {
        let in_address = list.query().text;
        if text.with_untracked(|text| text.trim() != in_address) && waiting.get_value().is_none() {
            text.set(in_address);
        }
    });
    let run = move || {
        if let Some(handle) = waiting.get_value() {
            handle.clear();
        }
        waiting.set_value(None);
        let query = list.query.get_untracked().unwrap_or_default();
        let typed = text.get_untracked().trim().to_owned();
        if query.text != typed {
            list.go(&query.changed(|query| query.text = typed), Step::Replace);
        }
    };
    let input = move |event: Event| {
        text.set(value_of(&event));
        if let Some(handle) = waiting.get_value() {
            handle.clear();
        }
        waiting.set_value(set_timeout_with_handle(run, PAUSE).ok());
    };
    on_cleanup(move || {
        if let Some(handle) = waiting.try_get_value().flatten() {
            handle.clear();
        }
    });
    let submit = move |event: Event| {
        event.prevent_default();
        run();
    };
    let field = part("input")
        .attr("type", "search")
        .attr("aria-label", "Search sessions")
        .attr("placeholder", "Name, address, device, session id")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .attr("data-shortcut", "search")
        .attr("aria-keyshortcuts", "/")
        .live_value(move || text.get())
        .on("input", input);
    classed("form", "search").attr("role", "search").on("submit", submit).child(icon("search")).child(field)
}

/// The clients that have live sessions, and the one that is set.
fn client_choice(list: List) -> Part {
    let known = Loaded::<Overview>::new(OnChange::Keep, || Some(api::overview::address()));
    let change = move |event: Event| {
        let client = Some(value_of(&event)).filter(|client| !client.is_empty());
        list.go(&list.query.get_untracked().unwrap_or_default().changed(|query| query.client = client), Step::Within);
    };
    let select = move || {
        let mut options: Vec<_> = known
            .map(|overview| overview.by_client.iter().map(|one| (one.id.clone(), one.name.clone())).collect())
            .unwrap_or_default();
        if let Some(set) = list.query().client.filter(|set| options.iter().all(|(id, _)| id != set)) {
            options.push((set.clone(), set));
        }
        let others = options.into_iter().map(|(id, name)| part("option").attr("value", id).text(name));
        part("select")
            .attr("aria-label", "Client")
            .child(part("option").attr("value", "").text("All clients"))
            .all(others)
            .live_value(move || list.query().client.unwrap_or_default())
            .on("change", change)
    };
    classed("span", "select").live(select).child(icon("chevron-down"))
}

fn chips(list: List) -> Option<Part> {
    let query = list.query();
    let client = query.client.clone().map(|client| chip("Client", client, &query.changed(|query| query.client = None)));
    let sub = query.sub.clone().map(|sub| chip("User", sub, &query.changed(|query| query.sub = None)));
    let text = Some(query.text.clone()).filter(|text| !text.is_empty());
    let text = text.map(|text| chip("Search", text, &query.changed(|query| query.text = String::new())));
    let chips = classed("ul", "chips").attr("aria-label", "Filters that are set");
    query.is_filtered().then(|| chips.maybe(client).maybe(sub).maybe(text))
}

/// Its link takes it off.
fn chip(name: &'static str, value: String, without: &ListQuery) -> Part {
    let off = link(routes::sessions(&without.search()))
        .class("chip-off")
        .attr("data-noscroll", "")
        .attr("aria-label", format!("Take off the filter {name}: {value}"))
        .child(icon("x"));
    classed("li", "chip").child(classed("span", "faint").text(name)).child(foreign(value)).child(off)
}
