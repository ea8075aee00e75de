//! People: who has sessions, and one page for each.

mod acts;
mod one;

use cloakroom_api::{Page as List, User};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::domain::listing::{cell, chips, pager, row_head, table};
use crate::domain::person::avatar;
use crate::routes::{self, Route, with_search};
use crate::state::address::{Address, Step};
use crate::state::filters::Filters;
use crate::state::loaded::{Loaded, OnChange};
use crate::state::spawn::effect;
use crate::ui::{
    Notice, Part, Row, Tone, badge, classed, empty, foreign, grouped, icon, link, live, notice, part, stacked_time,
    value_of,
};

const PATH: &str = "/admin/users";

/// The page: the list, or one person.
pub(crate) fn users(route: Memo<Route>) -> AnyView {
    let open = Memo::new(move |_| if let Route::Users { open } = route.get() { open } else { None });
    live(move || match open.get() {
        Some(id) => one::one(&id),
        None => all(),
    })
}

fn all() -> AnyView {
    let address = Address::get();
    let filters = Memo::new(move |_| Filters::parse(&api::users::NAMES, &address.search()));
    let loaded = Loaded::<List<User>>::new(OnChange::Keep, move || filters.get().ok().as_ref().map(api::users::list));
    let known = move || filters.get().unwrap_or_default();
    let chips = live(move || {
        let shown = known().with("state", "");
        chips(PATH, &shown, |name| if name == "sub" { "Id" } else { "Search" })
    });
    let list = loaded_view(
        loaded,
        |page| Some(&page.as_of),
        move |page| content(page, &filters.get_untracked().unwrap_or_default()),
    );
    part("div")
        .view(heading("Users", vec![refresh_button(loaded)]))
        .child(toolbar(address, filters))
        .view(chips)
        .live(move || filters.get().err().map(|name| unknown(&name)))
        .view(list)
        .any()
}

fn toolbar(address: Address, filters: Memo<Result<Filters, String>>) -> Part {
    let tab = |state: &'static str, name: &'static str| {
        let href = move || Some(with_search(PATH, &filters.get().unwrap_or_default().with("state", state).search()));
        let is_set = move || filters.get().is_ok_and(|filters| filters.get("state").unwrap_or_default() == state);
        classed("a", "tab")
            .live_attr("href", href)
            .attr("data-noscroll", "")
            .live_attr("aria-current", move || is_set().then(|| "true".to_owned()))
            .text(name)
    };
    let typed = RwSignal::new(String::new());
    effect(move || typed.set(filters.get().unwrap_or_default().get("q").unwrap_or_default().to_owned()));
    let field = part("input")
        .attr("type", "search")
        .attr("aria-label", "Search people")
        .attr("placeholder", "Name, mail address or id")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .attr("data-shortcut", "search")
        .attr("aria-keyshortcuts", "/")
        .live_value(move || typed.get())
        .on("input", move |event| typed.set(value_of(&event)));
    let submit = move |event: web_sys::Event| {
        event.prevent_default();
        let asked = filters.get_untracked().unwrap_or_default().with("q", &typed.get_untracked());
        address.go(&with_search(PATH, &asked.search()), Step::Within);
    };
    let search =
        classed("form", "search").attr("role", "search").on("submit", submit).child(icon("search")).child(field);
    let tabs = classed("nav", "tabs")
        .attr("aria-label", "Which people")
        .child(tab("", "Signed in"))
        .child(tab("all", "Everybody"));
    classed("div", "toolbar").child(tabs).child(search)
}

fn unknown(name: &str) -> Part {
    let words = Notice {
        tone: Tone::Warn,
        title: "This link has a filter that the list does not know".to_owned(),
        text: format!("It is called “{name}”. Nothing is shown rather than too much."),
        request_id: None,
    };
    notice(words, Some(link(PATH).class("button").text("Show who is signed in")))
}

fn content(page: &List<User>, filters: &Filters) -> Part {
    if page.items.is_empty() {
        let (title, text) = if filters.get("q").is_some() || filters.get("sub").is_some() {
            ("Nobody matches", "Try other words, or look among everybody of whom a session is kept.")
        } else {
            ("Nobody is signed in", "A person shows up here when they sign in at one of your clients.")
        };
        let everybody = link(with_search(PATH, &filters.with("state", "all").search())).class("button");
        let ways = (filters.get("state").is_none()).then(|| everybody.text("Search everybody"));
        return empty("users", title, text, ways.into_iter().collect());
    }
    let items = page.items.clone();
    let drawn = move || {
        let keyed = |user: User| {
            let key = format!("{} {} {} {}", user.id, user.live_sessions, user.locked, user.last_seen_at);
            Row::new(key, move || row(&user))
        };
        items.iter().cloned().map(keyed).collect()
    };
    let heads = ["User", "Issuer", "Live sessions", "Signed in", "Last seen"];
    part("div")
        .child(table("users", "People, the newest sign-in first.", &heads, drawn))
        .child(pager(page, "person", "people", PATH, filters))
}

fn row(user: &User) -> Part {
    let second = user.email.as_deref().filter(|email| *email != user.display()).unwrap_or(&user.sub);
    let name = link(routes::user(&user.id)).class("user-link").child(foreign(user.display()));
    let line = classed("span", "user-line").child(name).maybe(user.locked.then(locked));
    let words = classed("span", "user-words").child(line).child(foreign(second).class("small faint clip"));
    part("tr")
        .attr("role", "row")
        .child(row_head(classed("span", "user").child(avatar(user.display())).child(words)))
        .child(cell("Issuer", foreign(user.issuer.as_str())))
        .child(cell("Live sessions", part("span").class("number").text(grouped(user.live_sessions))))
        .child(cell("Signed in", stacked_time(&user.signed_in_at)))
        .child(cell("Last seen", stacked_time(&user.last_seen_at)))
}

fn locked() -> Part {
    badge("bad", "lock", "Locked")
}
