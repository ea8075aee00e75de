//! Pages by cursor: the next, the one before; never a number that a list in motion could not keep.

use cloakroom_api::LIMITS;
use leptos::prelude::*;

use super::List;
use crate::routes;
use crate::state::address::Step;
use crate::ui::icon;

/// The bar below the list.
pub(super) fn pager(list: List) -> AnyView {
    let count = move || list.loaded.map(|page| super::count_words(page, list.query().state));
    let prev = move || list.loaded.map(|page| page.prev.clone()).flatten();
    let next = move || list.loaded.map(|page| page.next.clone()).flatten();
    let is_needed = move || prev().is_some() || next().is_some();
    view! {
        <div class="pager">
            <p class="small muted">{count}</p>
            <Show when=is_needed>
                <nav class="pager-steps" aria-label="Pages">
                    {size(list)}
                    {move || step(list, prev(), "Previous")}
                    {move || step(list, next(), "Next")}
                </nav>
            </Show>
        </div>
    }
    .into_any()
}

fn step(list: List, cursor: Option<String>, name: &'static str) -> AnyView {
    let words = if name == "Next" {
        view! { {name} {icon("chevron-right")} }.into_any()
    } else {
        view! { {icon("chevron-left")} {name} }.into_any()
    };
    match cursor {
        Some(cursor) => {
            let href = routes::sessions(&list.query().at(Some(cursor)).search());
            view! { <a class="button" href=href>{words}</a> }.into_any()
        }
        None => view! { <span class="button" role="link" aria-disabled="true">{words}</span> }.into_any(),
    }
}

fn size(list: List) -> AnyView {
    let change = move |event| {
        let limit = event_target_value(&event).parse().ok().filter(|limit| LIMITS.contains(limit));
        if let Some(limit) = limit {
            list.go(&list.query.get_untracked().unwrap_or_default().changed(|query| query.limit = limit), Step::Within);
        }
    };
    let options = LIMITS.map(|limit| {
        view! { <option value=limit.to_string() selected=move || list.query().limit == limit>{limit.to_string()} " a page"</option> }
    });
    view! {
        <span class="select small"><select aria-label="Rows a page" on:change=change>{options.into_iter().collect_view()}</select>{icon("chevron-down")}</span>
    }
    .into_any()
}
