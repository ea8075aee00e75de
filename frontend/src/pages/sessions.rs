//! The list of sessions, with one session's drawer over it.

mod detail;
mod drawer;
mod offers;
mod pager;
mod selection;
mod table;
mod toolbar;

use cloakroom_api::{Page, Session, StateFilter};
use leptos::prelude::*;

use super::{failure_notice, heading, refresh_button};
use crate::api;
use crate::domain::live_bar::{live_bar, live_switch};
use crate::domain::revoke_flow::{RevokeFlow, revoke_dialog};
use crate::routes::{self, Route};
use crate::state::address::{Address, Step};
use crate::state::list_query::{BadQuery, ListQuery};
use crate::state::live::Live;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{
    CellMenu, Notice, Part, Tone, button, classed, empty, grouped, link, live, notice, part, relative_time,
};

/// What the parts of this page share.
#[derive(Clone, Copy)]
struct List {
    query: Memo<Result<ListQuery, BadQuery>>,
    loaded: Loaded<Page<Session>>,
    open: Memo<Option<String>>,
    address: Address,
    menu: CellMenu,
    picked: selection::Selection,
}

impl List {
    /// The query, or what stands for one that cannot be read.
    fn query(self) -> ListQuery {
        self.query.get().unwrap_or_default()
    }

    /// The address's query string, for links that keep it.
    fn search(self) -> String {
        self.query().search()
    }

    /// Shows another list.
    fn go(self, query: &ListQuery, step: Step) {
        self.address.go(&routes::sessions(&query.search()), step);
    }
}

/// The page.
pub(crate) fn sessions(route: Memo<Route>) -> AnyView {
    let address = Address::get();
    let query = Memo::new(move |_| ListQuery::parse(&address.search()));
    let open = Memo::new(move |_| if let Route::Sessions { open } = route.get() { open } else { None });
    let loaded = Loaded::new(OnChange::Keep, move || query.get().ok().as_ref().map(api::sessions::list));
    let list = List { query, loaded, open, address, menu: CellMenu::new(), picked: selection::Selection::new() };
    let watched = watch(list);
    let detail = Loaded::new(OnChange::Clear, move || open.get().as_deref().map(api::sessions::one));
    let flow = RevokeFlow::new(Callback::new(move |()| {
        loaded.again();
        detail.again();
    }));
    let shown = move || match query.get() {
        Ok(_) => results(list),
        Err(bad) => unreadable(list, &bad),
    };
    part("div")
        .view(heading("Sessions", vec![age(list), live_switch(watched), refresh_button(loaded)]))
        .child(toolbar::toolbar(list))
        .view(live_bar(watched, "session", move || loaded.again()))
        .live(shown)
        .view(selection::bar(list))
        .view(list.menu.view())
        .view(drawer::drawer(list, detail, flow))
        .view(revoke_dialog(flow))
        .any()
}

/// News come to the first page: later ones stand still.
fn watch(list: List) -> Live {
    let first = move || list.query.get().ok().filter(|query| query.cursor.is_none());
    let shown = move || {
        list.loaded.map(|page| page.items.iter().map(|session| session.id.clone()).collect()).unwrap_or_default()
    };
    Live::watch(move || first().filter(|_| list.loaded.failure().is_none()).as_ref().map(api::sessions::list), shown)
}

fn age(list: List) -> AnyView {
    live(move || {
        list.loaded.map(|page| classed("span", "small faint").text("as of ").child(relative_time(&page.as_of)))
    })
}

fn results(list: List) -> AnyView {
    let loaded = list.loaded;
    let as_of = move || loaded.map(|page| page.as_of.clone());
    let is_empty = Memo::new(move |_| loaded.map(|page| page.items.is_empty()));
    let failed =
        move || loaded.failure().map(|failure| failure_notice(&failure, as_of().as_deref(), move || loaded.again()));
    let rows = move || match is_empty.get() {
        Some(true) => nothing(list),
        None if loaded.failure().is_some() => part("div"),
        _ => part("div").view(table::table(list)).child(pager::pager(list)),
    };
    part("div").live(failed).live(rows).any()
}

/// No row, and what to do about it.
fn nothing(list: List) -> Part {
    let query = list.query();
    let to = |query: &ListQuery, words: &str| {
        link(routes::sessions(&query.search())).class("button").attr("data-noscroll", "").text(words)
    };
    if query.cursor.is_some() {
        let text = "They ended, or moved to another page, since the list was read.";
        return empty("search-x", "No session on this page", text, vec![to(&query.at(None), "First page")]);
    }
    if query.is_filtered() {
        let all = ListQuery { state: query.state, sort: query.sort, limit: query.limit, ..ListQuery::default() };
        let mut ways = vec![to(&all, "Clear filters")];
        if query.state != StateFilter::All {
            ways.push(to(&query.changed(|query| query.state = StateFilter::All), "Search all sessions"));
        }
        return empty("search-x", "No session matches", "Try other words, or fewer filters.", ways);
    }
    let (title, text) = match query.state {
        StateFilter::Live => {
            ("Nobody is signed in", "A session shows up here when someone signs in at one of your clients.")
        }
        StateFilter::Ended => {
            ("No session has ended yet", "Ended sessions stay listed here, with who ended them, when and why.")
        }
        StateFilter::All => ("No session yet", "A session shows up here when someone signs in at one of your clients."),
    };
    empty("monitor-smartphone", title, text, vec![])
}

fn unreadable(list: List, bad: &BadQuery) -> AnyView {
    let words = Notice {
        tone: Tone::Warn,
        title: "This link has a filter that the list does not know".to_owned(),
        text: format!("{} = “{}”; {}. Nothing is shown rather than too much.", bad.name, bad.value, bad.allowed),
        request_id: None,
    };
    let reset = move || list.go(&ListQuery::default(), Step::Within);
    notice(words, Some(button("button", reset).text("Show live sessions"))).any()
}

/// How many there are, honestly.
fn count_words(page: &Page<Session>, state: StateFilter) -> String {
    let (one, many) = match state {
        StateFilter::Live => ("live session", "live sessions"),
        StateFilter::Ended => ("ended session", "ended sessions"),
        StateFilter::All => ("session", "sessions"),
    };
    let about = if page.count.exact { "" } else { "More than " };
    format!("{about}{} {}", grouped(page.count.n), if page.count.n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use cloakroom_api::Count;

    use super::*;

    #[test]
    fn the_count_says_whether_it_is_exact() {
        for (n, exact, words) in [
            (1, true, "1 live session"),
            (0, true, "0 live sessions"),
            (10_000, false, "More than 10,000 live sessions"),
        ] {
            let page = Page { items: vec![], next: None, prev: None, count: Count { n, exact }, as_of: String::new() };
            assert_eq!(count_words(&page, StateFilter::Live), words);
        }
    }
}
