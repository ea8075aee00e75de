//! Navigation, the page, and what lies over both.

use leptos::ev;
use leptos::html::Main;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::{nav, palette, shortcuts, sign_in_again};
use crate::pages;
use crate::routes::{Page, Route};
use crate::state::address::Address;
use crate::state::viewer::Viewer;
use crate::ui::Announcer;

/// The console for someone who may be here.
pub(crate) fn frame() -> AnyView {
    let address = Address::get();
    let route = Memo::new(move |_| Route::parse(&address.path()));
    let page = Memo::new(move |_| route.with(|route| (route.page(), *route == Route::SignedIn)));
    let main = NodeRef::<Main>::new();
    keep_title(route);
    move_focus(route, page, main);
    check_on_return();
    view! {
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        <div class="shell">
            {nav::sidebar(page)}
            {nav::topbar(page)}
            <main id="main" node_ref=main class="main" tabindex="-1">
                {move || match page.get() {
                    (Page::Overview, _) => pages::overview(),
                    (Page::Sessions, _) => pages::sessions(route),
                    (Page::Other, true) => pages::signed_in(),
                    (Page::Other, false) => pages::not_found(),
                }}
            </main>
        </div>
        {palette::palette()}
        {shortcuts::shortcuts()}
        {sign_in_again::sign_in_again()}
    }
    .into_any()
}

fn keep_title(route: Memo<Route>) {
    Effect::new(move |_| document().set_title(&format!("{} · Cloakroom", route.with(Route::title))));
}

/// A new page is announced and takes the focus to its heading; the router does neither. Not on the first one: there
/// the browser does.
fn move_focus(route: Memo<Route>, page: Memo<(Page, bool)>, main: NodeRef<Main>) {
    let announcer = Announcer::get();
    Effect::new(move |last: Option<(Page, bool)>| {
        let page = page.get();
        if last.is_some_and(|last| last != page) {
            announcer.say(route.with_untracked(Route::title));
            set_timeout(
                move || {
                    let heading = main.get_untracked().and_then(|main| main.query_selector("h1").ok().flatten());
                    heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()?.focus().ok());
                },
                std::time::Duration::ZERO,
            );
        }
        page
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
