//! Ctrl K: pages, lists, a pasted session id, a search, and what the account menu can do.

use cloakroom_api::StateFilter;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, Event, KeyboardEvent};

use super::Overlays;
use super::known::Known;
use crate::routes::{self, Page};
use crate::state::address::{Address, Step};
use crate::state::list_query::ListQuery;
use crate::state::prefs::{Prefs, Theme};
use crate::state::viewer::Viewer;
use crate::ui::{Layer, Part, classed, foreign, icon, layer, part, value_of};

/// What an entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Go(String),
    Leave(String),
    Theme(Theme),
    Shortcuts,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    words: String,
    sign: &'static str,
    deed: Deed,
}

impl Entry {
    pub(super) fn new(words: impl Into<String>, sign: &'static str, deed: Deed) -> Self {
        Self { words: words.into(), sign, deed }
    }
}

/// The entries that fit what was typed, those made from it first.
fn entries(typed: &str, logout_url: Option<&str>) -> Vec<Entry> {
    let typed = typed.trim();
    let mut found = Vec::new();
    if looks_like_session(typed) {
        found.push(Entry::new(
            format!("Open session {typed}"),
            "monitor-smartphone",
            Deed::Go(routes::session(typed, "state=all")),
        ));
    }
    let wanted = typed.to_ascii_lowercase();
    let words: Vec<_> = wanted.split_whitespace().collect();
    found.extend(fixed(logout_url).into_iter().filter(|entry| {
        let text = entry.words.to_ascii_lowercase();
        words.iter().all(|word| text.contains(word))
    }));
    if !typed.is_empty() {
        let query = ListQuery { state: StateFilter::All, text: typed.to_owned(), ..ListQuery::default() };
        found.push(Entry::new(
            format!("Search sessions for “{typed}”"),
            "search",
            Deed::Go(routes::sessions(&query.search())),
        ));
    }
    found
}

/// Ids are UUIDs; what merely could be one is a search.
fn looks_like_session(typed: &str) -> bool {
    typed.len() == 36 && routes::is_id(typed) && typed.bytes().filter(|byte| *byte == b'-').count() == 4
}

fn fixed(logout_url: Option<&str>) -> Vec<Entry> {
    let list = |state| routes::sessions(&ListQuery { state, ..ListQuery::default() }.search());
    let mut entries: Vec<_> = Page::NAVIGATION
        .into_iter()
        .map(|(page, name, sign, _)| Entry::new(format!("Go to {name}"), sign, Deed::Go(page.path().to_owned())))
        .collect();
    entries.push(Entry::new("Go to ended sessions", "history", Deed::Go(list(StateFilter::Ended))));
    for (theme, name, sign) in Theme::ALL {
        entries.push(Entry::new(format!("Theme: {}", name.to_ascii_lowercase()), sign, Deed::Theme(theme)));
    }
    entries.push(Entry::new("Keyboard shortcuts", "keyboard", Deed::Shortcuts));
    entries.extend(logout_url.map(|url| Entry::new("Sign out", "log-out", Deed::Leave(url.to_owned()))));
    entries
}

/// The palette.
pub(super) fn palette() -> AnyView {
    let overlays = Overlays::get();
    let prefs = expect_context::<Prefs>();
    let address = Address::get();
    let act = Callback::new(move |deed: Deed| {
        overlays.palette.set(false);
        match deed {
            Deed::Go(to) => address.go(&to, Step::Page),
            Deed::Leave(to) => {
                // As boot.js does for links: the other tabs are emptied too.
                if let Ok(channel) = BroadcastChannel::new("cloakroom.signed-out") {
                    channel.post_message(&JsValue::TRUE).ok();
                }
                window().location().set_href(&to).ok();
            }
            Deed::Theme(theme) => prefs.set_theme(theme),
            Deed::Shortcuts => overlays.shortcuts.set(true),
        }
    });
    let viewer = Viewer::get();
    let frame = Layer {
        class: "palette",
        labelled_by: "palette-title",
        open: overlays.palette.into(),
        docks_from_px: None,
        on_close: Callback::new(move |()| overlays.palette.set(false)),
    };
    layer(frame, move || content(viewer, act))
}

fn content(viewer: Viewer, act: Callback<Deed>) -> AnyView {
    let typed = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let known = Known::ask(typed);
    let found = Memo::new(move |_| {
        let mut found = entries(&typed.get(), viewer.me().map(|me| me.logout_url).as_deref());
        let at = found.len().saturating_sub(1);
        found.splice(at..at, known.entries(&typed.get()));
        found
    });
    let input = move |event: Event| {
        typed.set(value_of(&event));
        chosen.set(0);
    };
    let key = move |event: Event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        let count = found.with(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|at| *at = (*at + 1) % count),
            "ArrowUp" => chosen.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(entry) = found.with(|found| found.get(chosen.get_untracked()).cloned()) {
                    act.run(entry.deed);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let field = part("input")
        .attr("type", "text")
        .attr("role", "combobox")
        .attr("aria-label", "Search or jump to")
        .attr("aria-expanded", "true")
        .attr("aria-controls", "palette-list")
        .live_attr("aria-activedescendant", move || Some(format!("palette-{}", chosen.get())))
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .attr("autofocus", "")
        .attr("placeholder", "A page, a name, an address, a session id")
        .live_value(move || typed.get())
        .on("input", input)
        .on("keydown", key);
    let list = classed("ul", "palette-list")
        .attr("id", "palette-list")
        .attr("role", "listbox")
        .attr("aria-label", "Results")
        .live(move || {
            let options = found.get().into_iter().enumerate();
            options.map(|(at, entry)| option(at, entry, chosen, act).any()).collect_view()
        });
    classed("div", "palette-layout")
        .child(classed("h2", "sr-only").attr("id", "palette-title").text("Search or jump to"))
        .child(classed("div", "palette-field").child(icon("search")).child(field))
        .child(list)
        .any()
}

fn option(at: usize, entry: Entry, chosen: RwSignal<usize>, act: Callback<Deed>) -> Part {
    let Entry { words, sign, deed } = entry;
    let selected = move || Some(if chosen.get() == at { "true" } else { "false" }.to_owned());
    let point = move |_| {
        if chosen.get_untracked() != at {
            chosen.set(at);
        }
    };
    classed("li", "palette-option")
        .attr("id", format!("palette-{at}"))
        .attr("role", "option")
        .live_attr("aria-selected", selected)
        .on("click", move |_| act.run(deed.clone()))
        .on("mousemove", point)
        .child(icon(sign))
        .child(foreign(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(typed: &str) -> Vec<String> {
        entries(typed, Some("/bff/logout?sid=x")).into_iter().map(|entry| entry.words).collect()
    }

    #[test]
    fn nothing_typed_shows_all_that_is_fixed() {
        assert_eq!(words(" ").first().map(String::as_str), Some("Go to Overview"));
        assert!(!words("").iter().any(|words| words.starts_with("Search")));
        assert!(entries("", None).iter().all(|entry| entry.words != "Sign out"));
    }

    #[test]
    fn all_words_must_fit_and_a_search_is_always_offered() {
        assert_eq!(words("sessions ended"), ["Go to ended sessions", "Search sessions for “sessions ended”"]);
        assert_eq!(words("berg"), ["Search sessions for “berg”"]);
    }

    #[test]
    fn a_pasted_session_id_opens_it() {
        let id = "0192f2a0-1111-7000-8000-0000000000ab";
        let first = entries(id, None).into_iter().next().unwrap();
        assert_eq!(first.deed, Deed::Go(format!("/admin/sessions/{id}?state=all")));
        assert_eq!(words("aaaa-bbbb").len(), 1);
    }
}
