//! The address bar: what it says, and going elsewhere without loading the page anew.
//!
//! Our own rather than `leptos_router`: the console needs one address with two parts, a drawer that opens over a list
//! without the list being drawn anew, and 15 kB less to load.

use std::time::Duration;

use leptos::ev::{self, MouseEvent};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, ScrollRestoration};

/// Path and query string, without `?`.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    path: RwSignal<String>,
    search: RwSignal<String>,
}

/// How a new address stands to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Another page: from its top; Back leads here.
    Page,
    /// More or less of the same page, which stays where it is scrolled; Back leads here.
    Within,
    /// The same, and Back leads to where it would have led before.
    Replace,
}

impl Address {
    /// Follows the address bar, and links that lead into the console.
    pub(crate) fn provide() {
        let this = Self { path: RwSignal::new(String::new()), search: RwSignal::new(String::new()) };
        this.read();
        if let Ok(history) = window().history() {
            history.set_scroll_restoration(ScrollRestoration::Manual).ok();
            scroll_when_there(history.state().ok());
        }
        let back = window_event_listener(ev::popstate, move |event| {
            this.read();
            scroll_when_there(Some(event.state()));
        });
        let leave = window_event_listener(ev::pagehide, |_| remember_scroll());
        let click = window_event_listener(ev::click, move |event| this.follow(&event));
        on_cleanup(move || {
            back.remove();
            leave.remove();
            click.remove();
        });
        provide_context(this);
    }

    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// The path.
    pub(crate) fn path(self) -> String {
        self.path.get()
    }

    /// The query string, without `?`.
    pub(crate) fn search(self) -> String {
        self.search.get()
    }

    /// Goes to an address of the console.
    pub(crate) fn go(self, to: &str, step: Step) {
        let Ok(history) = window().history() else { return };
        if step != Step::Replace {
            remember_scroll();
        }
        let done = match step {
            Step::Page | Step::Within => history.push_state_with_url(&JsValue::NULL, "", Some(to)),
            Step::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(to)),
        };
        // A browser that takes no more entries still gets there.
        if done.is_err() {
            window().location().set_href(to).ok();
            return;
        }
        if step == Step::Page {
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
        self.read();
    }

    /// Signals change only where the text does: a new query string is no new page.
    fn read(self) {
        let location = window().location();
        let (path, search) = (location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
        let search = search.trim_start_matches('?').to_owned();
        if self.path.with_untracked(|before| *before != path) {
            self.path.set(path);
        }
        if self.search.with_untracked(|before| *before != search) {
            self.search.set(search);
        }
    }

    fn follow(self, event: &MouseEvent) {
        let plain = !(event.meta_key() || event.alt_key() || event.ctrl_key() || event.shift_key());
        if event.default_prevented() || event.button() != 0 || !plain {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let Some(link) = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) else { return };
        let is_ours = window().location().origin().is_ok_and(|origin| origin == link.origin());
        let leaves = link.has_attribute("target") || link.has_attribute("download") || link.rel().contains("external");
        if !is_ours || leaves || !is_inside(&link.pathname()) {
            return;
        }
        event.prevent_default();
        let step = if link.has_attribute("data-noscroll") { Step::Within } else { Step::Page };
        self.go(&format!("{}{}", link.pathname(), link.search()), step);
    }
}

/// Keeps where the page is scrolled in its history entry.
fn remember_scroll() {
    let Ok(history) = window().history() else { return };
    let at = window().scroll_y().unwrap_or(0.0);
    history.replace_state_with_url(&JsValue::from_f64(at), "", None).ok();
}

/// Scrolls to where the entry was left, as soon as its rows are there to scroll to. Not once the person does.
fn scroll_when_there(state: Option<JsValue>) {
    let Some(at) = state.and_then(|state| state.as_f64()).filter(|at| *at > 0.0) else { return };
    try_to_scroll(at, window().scroll_y().unwrap_or(0.0), 60);
}

fn try_to_scroll(at: f64, last: f64, left: u32) {
    let now = window().scroll_y().unwrap_or(0.0);
    if left == 0 || (now - last).abs() > 1.0 {
        return;
    }
    window().scroll_to_with_x_and_y(0.0, at);
    let reached = window().scroll_y().unwrap_or(0.0);
    if (reached - at).abs() > 1.0 {
        set_timeout(move || try_to_scroll(at, reached, left - 1), Duration::from_millis(50));
    }
}

/// Whether a path is one of the console's, not of the API or of the gateway around it.
fn is_inside(path: &str) -> bool {
    let rest = path.strip_prefix("/admin").unwrap_or("-");
    (rest.is_empty() || rest.starts_with('/')) && rest != "/api" && !rest.starts_with("/api/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_consoles_own_links_are_followed() {
        for (path, inside) in [
            ("/admin", true),
            ("/admin/", true),
            ("/admin/sessions/s1", true),
            ("/admin/api/v1/openapi.json", false),
            ("/administration", false),
            ("/bff/logout", false),
            ("/", false),
        ] {
            assert_eq!(is_inside(path), inside, "{path}");
        }
    }
}
