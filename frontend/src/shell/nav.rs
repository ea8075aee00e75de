//! The navigation: a column; a rail where there is less room; a bar with a sheet on a phone.

use leptos::prelude::*;

use super::{Overlays, account};
use crate::routes::Page;
use crate::state::viewer::Viewer;
use crate::ui::icon;

/// The column.
pub(super) fn sidebar(page: Memo<(Page, bool)>) -> AnyView {
    view! {
        <header class="sidebar">
            {brand()}
            {search_button()}
            <nav aria-label="Main">{links(page)}</nav>
            <div class="sidebar-foot">{account::button("account")}</div>
            {account::menu("account")}
        </header>
    }
    .into_any()
}

/// The bar of a phone.
pub(super) fn topbar(page: Memo<(Page, bool)>) -> AnyView {
    view! {
        <header class="topbar">
            {brand()}
            <button type="button" class="icon-button large" popovertarget="sheet" aria-label="Menu">{icon("menu")}</button>
            <div id="sheet" class="sheet" popover="auto">
            {search_button()}
            <nav aria-label="Main, as a menu">{links(page)}</nav>
            {account::content("sheet")}
        </div>
        </header>
    }
    .into_any()
}

fn brand() -> AnyView {
    let viewer = Viewer::get();
    let instance = move || viewer.me().map(|me| me.instance);
    view! {
        <a class="brand" href=Page::Overview.path()>
            <span class="brand-mark">{icon("hanger")}</span>
            <span class="brand-words">
                <span class="brand-name">"Cloakroom"</span>
                <bdi class="brand-instance small faint">{instance}</bdi>
            </span>
        </a>
    }
    .into_any()
}

fn search_button() -> AnyView {
    let overlays = Overlays::get();
    let open = move |_| {
        account::hide("sheet");
        overlays.palette.set(true);
    };
    view! {
        <button type="button" class="search-button" on:click=open aria-keyshortcuts="Control+K">
            {icon("search")}
            <span class="nav-word">"Search or jump to"</span>
            <kbd class="nav-word" aria-hidden="true">"Ctrl K"</kbd>
        </button>
    }
    .into_any()
}

fn links(page: Memo<(Page, bool)>) -> AnyView {
    let links = Page::NAVIGATION.map(|(target, name, sign, _)| {
        let current = move || (page.get().0 == target).then_some("page");
        view! {
            <li>
                <a class="nav-link" href=target.path() aria-current=current on:click=move |_| account::hide("sheet")>
                    {icon(sign)} <span class="nav-word">{name}</span>
                </a>
            </li>
        }
    });
    view! { <ul class="nav-links">{links.into_iter().collect_view()}</ul> }.into_any()
}
