//! Navigation, the page, and what lies over both.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::{nav, palette, shortcuts, sign_in_again};
use crate::pages;
use crate::routes::{Page, Route};
use crate::state::address::Address;
use crate::state::spawn::effect;
use crate::state::viewer::Viewer;
use crate::ui::{Announcer, classed, part};

/// The console for someone who may be here.
pub(crate) fn frame() -> AnyView {
    let address = Address::get();
    let route = Memo::new(move |_| Route::parse(&address.path()));
    let page = Memo::new(move |_| route.with(|route| (route.page(), *route == Route::SignedIn)));
    keep_title(route);
    move_focus(route);
    check_on_return();
    let content = move || match page.get() {
        (Page::Overview, _) => pages::overview(),
        (Page::Sessions, _) => pages::sessions(route),
        (Page::Audit, _) => pages::audit(route),
        (Page::Users, _) => pages::users(route),
        (Page::Incident, _) => pages::incident(route),
        (Page::Clients, _) => pages::clients(route),
        (Page::Providers, _) => pages::providers(),
        (Page::Routes, _) => pages::routes(),
        (Page::Keys, _) => pages::keys(),
        (Page::Settings, _) => pages::settings(),
        (Page::Other, true) => pages::signed_in().any(),
        (Page::Other, false) => pages::not_found().any(),
    };
    let main = classed("main", "main").attr("id", "main").attr("tabindex", "-1").live(content);
    let shell = classed("div", "shell").child(nav::sidebar(page)).child(nav::topbar(page)).child(main);
    let skip = classed("a", "skip").attr("href", "#main").attr("rel", "external").text("Skip to content");
    part("div")
        .child(skip)
        .child(shell)
        .view(palette::palette())
        .view(shortcuts::shortcuts())
        .view(sign_in_again::sign_in_again())
        .any()
}

fn keep_title(route: Memo<Route>) {
    effect(move || document().set_title(&format!("{} · Cloakroom", route.with(Route::title))));
}

/// A new page is announced and takes the focus to its heading; the router does neither. Not on the first one: there
/// the browser does.
fn move_focus(route: Memo<Route>) {
    let announcer = Announcer::get();
    let place = Memo::new(move |_| route.with(|route| (route.place(), *route == Route::SignedIn)));
    let shown = StoredValue::new(None);
    effect(move || {
        let place = place.get();
        if shown.get_value().is_some_and(|last| last != place) {
            announcer.say(route.with_untracked(Route::title));
            set_timeout(
                move || {
                    let heading = document().query_selector("#main h1").ok().flatten();
                    heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()?.focus().ok());
                },
                std::time::Duration::ZERO,
            );
        }
        shown.set_value(Some(place));
    });
}

/// A session that ended while the tab was away is noticed when the person comes back, before they act.
fn check_on_return() {
    let viewer = Viewer::get();
    let focus = window_event_listener(ev::focus, move |_| {
        if viewer.interrupted_untracked() {
            viewer.ask();
        }
    });
    on_cleanup(move || focus.remove());
}
