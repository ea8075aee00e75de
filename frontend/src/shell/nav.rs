//! The navigation: a column; a rail where there is less room; a bar with a sheet on a phone.

use leptos::prelude::*;

use super::{Overlays, account};
use crate::routes::Page;
use crate::state::viewer::Viewer;
use crate::ui::{Part, button, classed, icon, link, part};

/// The column.
pub(super) fn sidebar(page: Memo<(Page, bool)>) -> Part {
    classed("header", "sidebar")
        .child(brand())
        .child(search_button())
        .child(part("nav").attr("aria-label", "Main").child(links(page)))
        .child(classed("div", "sidebar-foot").child(account::button_of("account")))
        .child(account::menu("account"))
}

/// The bar of a phone.
pub(super) fn topbar(page: Memo<(Page, bool)>) -> Part {
    let menu = part("button")
        .class("icon-button large")
        .attr("type", "button")
        .attr("popovertarget", "sheet")
        .attr("aria-label", "Menu")
        .child(icon("menu"));
    let sheet = classed("div", "sheet")
        .attr("id", "sheet")
        .attr("popover", "auto")
        .child(search_button())
        .child(part("nav").attr("aria-label", "Main, as a menu").child(links(page)))
        .all(account::content("sheet"));
    classed("header", "topbar").child(brand()).child(menu).child(sheet)
}

fn brand() -> Part {
    let viewer = Viewer::get();
    let instance = move || viewer.me().map(|me| me.instance).unwrap_or_default();
    let words = classed("span", "brand-words")
        .child(classed("span", "brand-name").text("Cloakroom"))
        .child(classed("bdi", "brand-instance small faint").live(instance));
    link(Page::Overview.path()).class("brand").child(classed("span", "brand-mark").child(icon("hanger"))).child(words)
}

fn search_button() -> Part {
    let overlays = Overlays::get();
    let open = move || {
        account::hide("sheet");
        overlays.palette.set(true);
    };
    button("search-button", open)
        .attr("aria-keyshortcuts", "Control+K")
        .child(icon("search"))
        .child(classed("span", "nav-word").text("Search or jump to"))
        .child(classed("kbd", "nav-word").attr("aria-hidden", "true").text("Ctrl K"))
}

/// What goes on, then how it is set up.
fn links(page: Memo<(Page, bool)>) -> Part {
    let group = |is_setup: bool| {
        let of = move |known: &(Page, &str, &str, &str)| known.0.is_setup() == is_setup;
        let items = Page::NAVIGATION.into_iter().filter(of).map(move |(target, name, sign, _)| {
            let current = move || (page.get().0 == target).then(|| "page".to_owned());
            let link = link(target.path())
                .class("nav-link")
                .live_attr("aria-current", current)
                .on("click", |_| account::hide("sheet"))
                .child(icon(sign))
                .child(classed("span", "nav-word").text(name));
            part("li").child(link)
        });
        classed("ul", "nav-links").all(items)
    };
    let setup = classed("p", "nav-title small faint").child(classed("span", "nav-word").text("Setup"));
    classed("div", "nav-groups").child(group(false)).child(setup).child(group(true))
}
