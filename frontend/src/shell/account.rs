//! Who is signed in, and what they can set and leave.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::Overlays;
use crate::domain::person::avatar;
use crate::state::prefs::{Prefs, Theme};
use crate::state::viewer::Viewer;
use crate::ui::icon;

/// The button that opens the menu.
pub(super) fn button(id: &'static str) -> AnyView {
    let viewer = Viewer::get();
    let words = move || {
        viewer.me().map(|me| {
            view! {
                {avatar(me.display())}
                <span class="account-words nav-word">
                    <bdi class="account-name">{me.display().to_owned()}</bdi>
                    <span class="small faint">{me.role.code()}</span>
                </span>
            }
        })
    };
    view! { <button type="button" class="account-button" popovertarget=id aria-label=move || label(viewer)>{words}</button> }.into_any()
}

fn label(viewer: Viewer) -> String {
    viewer.me().map(|me| format!("{}, {}: account and settings", me.display(), me.role.code())).unwrap_or_default()
}

/// The menu.
pub(super) fn menu(id: &'static str) -> AnyView {
    view! { <div id=id class="account-menu" popover="auto">{content(id)}</div> }.into_any()
}

/// Closes a menu.
pub(super) fn hide(id: &str) {
    let menu = document().get_element_by_id(id).and_then(|menu| menu.dyn_into::<HtmlElement>().ok());
    menu.filter(|menu| menu.matches(":popover-open").unwrap_or(false)).and_then(|menu| menu.hide_popover().ok());
}

/// What is in it; `id` tells its controls from those of the other menu.
pub(super) fn content(id: &'static str) -> AnyView {
    let viewer = Viewer::get();
    let overlays = Overlays::get();
    let shortcuts = move |_| {
        hide(id);
        overlays.shortcuts.set(true);
    };
    view! {
        <div class="account-who">
            {move || viewer.me().map(|me| view! {
                <bdi class="account-name">{me.display().to_owned()}</bdi>
                <bdi class="small muted">{me.email.clone().unwrap_or_else(|| me.sub.clone())}</bdi>
                <span class="small faint">"Role " <strong>{me.role.code()}</strong></span>
            })}
        </div>
        {theme(id)}
        <button type="button" class="menu-item" on:click=shortcuts>{icon("keyboard")} "Keyboard shortcuts"</button>
        {move || viewer.me().map(|me| view! {
            <a class="menu-item" href=me.logout_url rel="external">{icon("log-out")} "Sign out"</a>
            <p class="menu-foot small faint">"Cloakroom " {me.version}</p>
        })}
    }
    .into_any()
}

fn theme(id: &'static str) -> AnyView {
    let prefs = expect_context::<Prefs>();
    let choices = Theme::ALL.map(|(theme, name, sign)| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name=format!("{id}-theme")
                    prop:checked=move || prefs.theme() == theme
                    on:change=move |_| prefs.set_theme(theme)
                />
                <span>{icon(sign)}{name}</span>
            </label>
        }
    });
    view! {
        <fieldset class="segments"><legend class="sr-only">"Theme"</legend>{choices.into_iter().collect_view()}</fieldset>
    }
    .into_any()
}
