//! The list of sessions, with one session's drawer over it.

mod detail;
mod drawer;
mod pager;
mod table;
mod toolbar;

use cloakroom_api::{Page, Session, StateFilter};
use leptos::prelude::*;

use super::{failure_notice, heading, refresh_button};
use crate::api;
use crate::domain::revoke_flow::{RevokeFlow, revoke_dialog};
use crate::routes::{self, Route};
use crate::state::address::{Address, Step};
use crate::state::list_query::{BadQuery, ListQuery};
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Notice, Tone, empty, grouped, notice, relative_time};

/// What the parts of this page share.
#[derive(Clone, Copy)]
struct List {
    query: Memo<Result<ListQuery, BadQuery>>,
    loaded: Loaded<Page<Session>>,
    open: Memo<Option<String>>,
    address: Address,
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
    let loaded = Loaded::new(OnChange::Keep, move || query.get().ok(), api::sessions::list);
    let list = List { query, loaded, open, address };
    let detail = Loaded::new(OnChange::Clear, move || open.get(), api::sessions::detail);
    let flow = RevokeFlow::new(Callback::new(move |()| {
        loaded.again();
        detail.again();
    }));
    view! {
        {heading("Sessions", view! { {age(list)} {refresh_button(move || loaded.busy(), move || loaded.again())} })}
        {toolbar::toolbar(list)}
        {move || match query.get() {
            Ok(_) => results(list),
            Err(bad) => unreadable(list, &bad),
        }}
        {drawer::drawer(list, detail, flow)}
        {revoke_dialog(flow)}
    }
    .into_any()
}

fn age(list: List) -> impl IntoView {
    move || list.loaded.map(|page| view! { <span class="small faint">"as of " {relative_time(&page.as_of)}</span> })
}

fn results(list: List) -> AnyView {
    let loaded = list.loaded;
    let as_of = move || loaded.map(|page| page.as_of.clone());
    let is_empty = Memo::new(move |_| loaded.map(|page| page.items.is_empty()));
    view! {
        {move || loaded.failure().map(|failure| failure_notice(&failure, as_of().as_deref(), move || loaded.again()))}
        {move || match is_empty.get() {
            Some(true) => nothing(list),
            None if loaded.failure().is_some() => ().into_any(),
            _ => view! { {table::table(list)} {pager::pager(list)} }.into_any(),
        }}
    }
    .into_any()
}

/// No row, and what to do about it.
fn nothing(list: List) -> AnyView {
    let query = list.query();
    if query.cursor.is_some() {
        let first = routes::sessions(&query.at(None).search());
        let link = view! { <a class="button" href=first data-noscroll="">"First page"</a> };
        return empty(
            "search-x",
            "No session on this page",
            "They ended, or moved to another page, since the list was read.",
            link,
        );
    }
    if query.is_filtered() {
        let all = ListQuery { state: query.state, sort: query.sort, limit: query.limit, ..ListQuery::default() };
        let clear =
            view! { <a class="button" href=routes::sessions(&all.search()) data-noscroll="">"Clear filters"</a> };
        let everywhere = (query.state != StateFilter::All).then(|| {
            let query = query.changed(|query| query.state = StateFilter::All);
            view! { <a class="button" href=routes::sessions(&query.search()) data-noscroll="">"Search all sessions"</a> }
        });
        return empty(
            "search-x",
            "No session matches",
            "Try other words, or fewer filters.",
            view! { {clear} {everywhere} },
        );
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
    empty("monitor-smartphone", title, text, ())
}

fn unreadable(list: List, bad: &BadQuery) -> AnyView {
    let words = Notice {
        tone: Tone::Warn,
        title: "This link has a filter that the list does not know".to_owned(),
        text: format!("{} = “{}”; {}. Nothing is shown rather than too much.", bad.name, bad.value, bad.allowed),
        request_id: None,
    };
    let reset = move |_| list.go(&ListQuery::default(), Step::Within);
    notice(words, view! { <button type="button" class="button" on:click=reset>"Show live sessions"</button> })
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
