//! One menu for all cells of a page: what can be done with a value.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement};

use super::icon::icon;
use super::part::{Part, classed, foreign, link, live, part};

/// What can be done: words, icon, and the address that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Words.
    pub(crate) words: String,
    /// Icon.
    pub(crate) sign: &'static str,
    /// Where it leads.
    pub(crate) href: String,
}

/// The page's menu of cells.
#[derive(Clone, Copy)]
pub(crate) struct CellMenu {
    title: RwSignal<String>,
    items: RwSignal<Vec<Item>>,
}

const ID: &str = "cell-menu";

impl CellMenu {
    /// A menu that is closed.
    pub(crate) fn new() -> Self {
        Self { title: RwSignal::new(String::new()), items: RwSignal::new(Vec::new()) }
    }

    /// The menu's place in the page.
    pub(crate) fn view(self) -> AnyView {
        let choose = move |event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if target.is_some_and(|target| target.closest("a").ok().flatten().is_some()) {
                menu().and_then(|menu| menu.hide_popover().ok());
            }
        };
        let items = move || {
            let items = self.items.get().into_iter().map(|item| {
                let entry = link(item.href).class("menu-item").attr("data-noscroll", "");
                part("li").child(entry.child(icon(item.sign)).text(item.words))
            });
            part("ul").all(items)
        };
        classed("div", "cell-menu")
            .attr("id", ID)
            .attr("popover", "auto")
            .attr("role", "dialog")
            .attr("aria-label", "What to do with this value")
            .on("click", choose)
            .child(classed("p", "cell-menu-title small muted").view(live(move || foreign(self.title.get()))))
            .view(live(items))
            .any()
    }

    /// A value that opens the menu.
    pub(crate) fn cell(
        self,
        value: Part,
        what: &str,
        title: String,
        items: impl Fn() -> Vec<Item> + Send + 'static,
    ) -> Part {
        let label = format!("{what} {title}: actions");
        let open = move |event: Event| {
            self.title.set(title.clone());
            self.items.set(items());
            let button = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
            if let Some(button) = button {
                // When the entries are there: their height decides where there is room.
                set_timeout(move || show_at(&button), std::time::Duration::ZERO);
            }
        };
        classed("button", "cell-button")
            .attr("type", "button")
            .attr("aria-haspopup", "dialog")
            .attr("aria-label", label)
            .on("click", open)
            .child(value)
            .child(icon("chevron-down"))
    }
}

fn menu() -> Option<HtmlElement> {
    document().get_element_by_id(ID).and_then(|menu| menu.dyn_into().ok())
}

#[expect(clippy::cast_possible_truncation, reason = "pixels of a window")]
const fn px_of(px: f64) -> i32 {
    px as i32
}

/// Below the value, or above it where there is no room, and never beside the window.
fn show_at(button: &Element) {
    let Some(menu) = menu() else { return };
    if menu.show_popover().is_err() {
        return;
    }
    let (value, size) = (button.get_bounding_client_rect(), menu.get_bounding_client_rect());
    let room = |size: Result<wasm_bindgen::JsValue, _>| size.ok().and_then(|size| size.as_f64()).unwrap_or(0.0);
    let (wide, high) = (room(window().inner_width()), room(window().inner_height()));
    let below = value.bottom() + 4.0;
    let top = if below + size.height() > high { (value.top() - size.height() - 4.0).max(8.0) } else { below };
    let left = value.left().min(wide - size.width() - 8.0).max(8.0);
    let place = |name: &str, px: f64| menu.style().set_property(name, &format!("{}px", px_of(px))).ok();
    place("top", top);
    place("left", left);
    let first = menu.query_selector("a").ok().flatten().and_then(|first| first.dyn_into::<HtmlElement>().ok());
    first.and_then(|first| first.focus().ok());
}
