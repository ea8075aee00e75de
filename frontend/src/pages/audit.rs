//! The audit log: searched, followed while it grows, held against its own chain, taken out as a file.

mod chain;
mod drawer;
mod export;
mod toolbar;

use cloakroom_api::{AuditEvent, Page, Who};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::domain::event::sign;
use crate::domain::listing::{cell, chips, pager, row_head, table};
use crate::domain::live_bar::{live_bar, live_switch};
use crate::routes::{self, Route};
use crate::state::address::Address;
use crate::state::filters::Filters;
use crate::state::live::Live;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Notice, Part, Row, Tone, classed, empty, foreign, icon, link, notice, part, stacked_time};

const PATH: &str = "/admin/audit";

/// What the parts of this page share.
#[derive(Clone, Copy)]
struct Log {
    filters: Memo<Result<Filters, String>>,
    open: Memo<Option<String>>,
    address: Address,
}

impl Log {
    fn filters(self) -> Filters {
        self.filters.get().unwrap_or_default()
    }
}

/// The page.
pub(crate) fn audit(route: Memo<Route>) -> AnyView {
    let address = Address::get();
    let filters = Memo::new(move |_| Filters::parse(&api::audit::NAMES, &address.search()));
    let open = Memo::new(move |_| if let Route::Audit { open } = route.get() { open } else { None });
    let loaded =
        Loaded::<Page<AuditEvent>>::new(OnChange::Keep, move || filters.get().ok().as_ref().map(api::audit::list));
    let log = Log { filters, open, address };
    let first = move || filters.get().ok().filter(|filters| filters.get("cursor").is_none());
    let news =
        Live::listen(move || first().as_ref().map(api::audit::tail), move || loaded.map(|_| ()).unwrap_or_default());
    let list = loaded_view(loaded, |page| Some(&page.as_of), move |page| content(log, page));
    part("div")
        .view(heading("Audit", vec![live_switch(news), export::export(log), refresh_button(loaded)]))
        .view(chain::chain())
        .view(toolbar::toolbar(log))
        .view(live_bar(news, "event", move || loaded.again()))
        .live(move || filters.get().err().map(|name| unknown(&name)))
        .view(list)
        .view(drawer::drawer(log))
        .any()
}

fn unknown(name: &str) -> Part {
    let words = Notice {
        tone: Tone::Warn,
        title: "This link has a filter that the log does not know".to_owned(),
        text: format!("It is called “{name}”. Nothing is shown rather than too much."),
        request_id: None,
    };
    notice(words, Some(link(PATH).class("button").text("Show the whole log")))
}

/// What a filter is called.
fn name_of(filter: &str) -> &'static str {
    match filter {
        "kind" => "What",
        "subject" => "About",
        "actor" => "By",
        "session" => "Session",
        "address" => "Address",
        "from" => "From",
        "until" => "Until",
        _ => "Filter",
    }
}

fn content(log: Log, page: &Page<AuditEvent>) -> Part {
    let filters = log.filters();
    if page.items.is_empty() {
        let is_filtered = filters.set().next().is_some();
        let (title, text) = if is_filtered {
            ("No event matches", "Try a wider time, or fewer filters.")
        } else {
            ("Nothing has happened yet", "Sign-ins, ends and the deeds of administrators show up here.")
        };
        let ways = is_filtered.then(|| link(PATH).class("button").attr("data-noscroll", "").text("Clear filters"));
        return empty("history", title, text, ways.into_iter().collect());
    }
    let items = page.items.clone();
    let drawn =
        move || items.iter().cloned().map(|event| Row::new(event.id.clone(), move || row(log, &event))).collect();
    part("div")
        .child(table("events", "Events, the newest first.", &["What", "About", "By", "When"], drawn))
        .child(pager(page, "event", "events", PATH, &filters))
}

fn row(log: Log, event: &AuditEvent) -> Part {
    let (name, colour) = sign(&event.kind);
    let id = event.id.clone();
    let href = move || Some(routes::event(&id, &log.filters().search()));
    let title = part("a")
        .class("user-link")
        .live_attr("href", href)
        .attr("data-noscroll", "")
        .child(foreign(event.text.as_str()));
    let words =
        classed("span", "user-words").child(title).child(foreign(event.kind.as_str()).class("small faint mono"));
    let what = classed("span", "user")
        .child(part("span").class(&format!("timeline-sign {colour}")).child(icon(name)))
        .child(words);
    let own = event.id.clone();
    part("tr")
        .attr("role", "row")
        .live_attr("class", move || (log.open.get().as_deref() == Some(own.as_str())).then(|| "selected".to_owned()))
        .child(row_head(what))
        .child(cell("About", who(event.subject.as_ref(), event.subject_erased, "—")))
        .child(cell("By", who(event.actor.as_ref(), event.actor_erased, "—")))
        .child(cell("When", stacked_time(&event.at)))
}

/// A person, or why there is none.
fn who(who: Option<&Who>, erased: bool, nobody: &str) -> Part {
    match who {
        Some(who) => {
            let second = who.address.as_deref().or(who.email.as_deref()).filter(|second| *second != who.display());
            classed("span", "stacked")
                .child(foreign(who.display()))
                .maybe(second.map(|second| foreign(second).class("small faint")))
        }
        None if erased => classed("span", "faint").text("erased since"),
        None => classed("span", "faint").text(nobody),
    }
}
