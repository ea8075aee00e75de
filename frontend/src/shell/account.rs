//! Who is signed in, and what they can set and leave.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::Overlays;
use crate::domain::person::avatar;
use crate::state::prefs::{Prefs, Theme};
use crate::state::viewer::Viewer;
use crate::ui::{Part, button, classed, foreign, icon, link, part};

/// The button that opens the menu.
pub(super) fn button_of(id: &'static str) -> Part {
    let viewer = Viewer::get();
    let words = move || {
        viewer.me().map(|me| {
            let words = classed("span", "account-words nav-word")
                .child(foreign(me.display()).class("account-name"))
                .child(classed("span", "small faint").text(me.role.code()));
            classed("span", "account-face").child(avatar(me.display())).child(words)
        })
    };
    part("button")
        .class("account-button")
        .attr("type", "button")
        .attr("popovertarget", id)
        .live_attr("aria-label", move || Some(label(viewer)))
        .live(words)
}

fn label(viewer: Viewer) -> String {
    viewer.me().map(|me| format!("{}, {}: account and settings", me.display(), me.role.code())).unwrap_or_default()
}

/// The menu.
pub(super) fn menu(id: &'static str) -> Part {
    classed("div", "account-menu").attr("id", id).attr("popover", "auto").all(content(id))
}

/// Closes a menu.
pub(super) fn hide(id: &str) {
    let menu = document().get_element_by_id(id).and_then(|menu| menu.dyn_into::<HtmlElement>().ok());
    menu.filter(|menu| menu.matches(":popover-open").unwrap_or(false)).and_then(|menu| menu.hide_popover().ok());
}

/// What is in it; `id` tells its controls from those of the other menu.
pub(super) fn content(id: &'static str) -> Vec<Part> {
    let viewer = Viewer::get();
    let overlays = Overlays::get();
    let shortcuts = move || {
        hide(id);
        overlays.shortcuts.set(true);
    };
    let who = move || {
        viewer.me().map(|me| {
            let second = me.email.clone().unwrap_or_else(|| me.sub.clone());
            let role = classed("span", "small faint").text("Role ").child(part("strong").text(me.role.code()));
            classed("div", "account-lines")
                .child(foreign(me.display()).class("account-name"))
                .child(foreign(second).class("small muted"))
                .child(role)
        })
    };
    let leave = move || {
        viewer.me().map(|me| {
            let out =
                link(me.logout_url).class("menu-item").attr("rel", "external").child(icon("log-out")).text("Sign out");
            part("div")
                .child(out)
                .child(classed("p", "menu-foot small faint").text(format!("Cloakroom {}", me.version)))
        })
    };
    vec![
        classed("div", "account-who").live(who),
        theme(id),
        button("menu-item", shortcuts).child(icon("keyboard")).text("Keyboard shortcuts"),
        part("div").live(leave),
    ]
}

fn theme(id: &'static str) -> Part {
    let prefs = expect_context::<Prefs>();
    let choices = Theme::ALL.map(|(theme, name, sign)| {
        let radio = part("input")
            .attr("type", "radio")
            .attr("name", format!("{id}-theme"))
            .live_checked(move || prefs.theme() == theme)
            .on("change", move |_| prefs.set_theme(theme));
        classed("label", "segment").child(radio).child(part("span").child(icon(sign)).text(name))
    });
    classed("fieldset", "segments").child(classed("legend", "sr-only").text("Theme")).all(choices)
}
