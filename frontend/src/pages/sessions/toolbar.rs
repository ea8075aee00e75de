//! Which sessions: tabs, search, client, and what is set as chips that can be taken off.

use std::time::Duration;

use cloakroom_api::StateFilter;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use super::List;
use crate::api;
use crate::routes;
use crate::state::address::Step;
use crate::state::list_query::ListQuery;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::icon;

/// How long after the last letter the search runs.
const PAUSE: Duration = Duration::from_millis(300);

const TABS: [(StateFilter, &str); 3] =
    [(StateFilter::Live, "Live"), (StateFilter::Ended, "Ended"), (StateFilter::All, "All")];

/// The bar above the list.
pub(super) fn toolbar(list: List) -> AnyView {
    view! {
        <div class="toolbar">
            <nav class="tabs" aria-label="Which sessions">{TABS.map(|(state, name)| tab(list, state, name)).into_iter().collect_view()}</nav>
            {search(list)}
            {client_choice(list)}
        </div>
        {chips(list)}
    }
    .into_any()
}

fn tab(list: List, state: StateFilter, name: &'static str) -> AnyView {
    let href = move || routes::sessions(&list.query().changed(|query| query.state = state).search());
    let current =
        move || list.query.with(|query| query.as_ref().is_ok_and(|query| query.state == state)).then_some("true");
    view! { <a class="tab" href=href data-noscroll="" aria-current=current>{name}</a> }.into_any()
}

fn search(list: List) -> AnyView {
    let text = RwSignal::new(
        list.query.with_untracked(|query| query.as_ref().map(|query| query.text.clone()).unwrap_or_default()),
    );
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    // Back, a chip or a link changed the address: the field follows, unless it says the same already.
    Effect::new(move |_| {
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
    let input = move |event| {
        text.set(event_target_value(&event));
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
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        run();
    };
    view! {
        <form class="search" role="search" on:submit=submit>
            {icon("search")}
            <input
                type="search"
                aria-label="Search sessions"
                placeholder="Name, address, device, session id"
                autocomplete="off"
                spellcheck="false"
                data-shortcut="search"
                aria-keyshortcuts="/"
                prop:value=move || text.get()
                on:input=input
            />
        </form>
    }
    .into_any()
}

/// The clients that have live sessions, and the one that is set.
fn client_choice(list: List) -> AnyView {
    let known = Loaded::new(OnChange::Keep, || Some(()), |(), signal| api::overview::get(signal));
    let options = move || {
        let mut options: Vec<_> = known
            .map(|overview| overview.by_client.iter().map(|one| (one.id.clone(), one.name.clone())).collect())
            .unwrap_or_default();
        if let Some(set) = list.query().client.filter(|set| options.iter().all(|(id, _)| id != set)) {
            options.push((set.clone(), set));
        }
        let set = list.query().client;
        let all = view! { <option value="" selected=set.is_none()>"All clients"</option> };
        let others = options.into_iter().map(|(id, name)| {
            let selected = set.as_ref() == Some(&id);
            view! { <option value=id selected=selected>{name}</option> }
        });
        view! { {all} {others.collect_view()} }
    };
    let change = move |event| {
        let client = Some(event_target_value(&event)).filter(|client| !client.is_empty());
        list.go(&list.query.get_untracked().unwrap_or_default().changed(|query| query.client = client), Step::Within);
    };
    view! { <span class="select"><select aria-label="Client" on:change=change>{options}</select>{icon("chevron-down")}</span> }.into_any()
}

fn chips(list: List) -> AnyView {
    let chips = move || {
        let query = list.query();
        let client =
            query.client.clone().map(|client| chip("Client", client, &query.changed(|query| query.client = None)));
        let text = Some(query.text.clone()).filter(|text| !text.is_empty());
        let text = text.map(|text| chip("Search", text, &query.changed(|query| query.text = String::new())));
        query.is_filtered().then(|| view! { <ul class="chips" aria-label="Filters that are set">{client}{text}</ul> })
    };
    view! { {chips} }.into_any()
}

/// Its link takes it off.
fn chip(name: &'static str, value: String, without: &ListQuery) -> AnyView {
    let label = format!("Take off the filter {name}: {value}");
    view! {
        <li class="chip">
            <span class="faint">{name}</span>
            <bdi>{value}</bdi>
            <a class="chip-off" href=routes::sessions(&without.search()) data-noscroll="" aria-label=label>{icon("x")}</a>
        </li>
    }
    .into_any()
}
