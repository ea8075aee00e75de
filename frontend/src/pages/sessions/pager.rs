//! Pages by cursor: the next, the one before; never a number that a list in motion could not keep.

use cloakroom_api::LIMITS;
use leptos::prelude::*;
use web_sys::Event;

use super::List;
use crate::routes;
use crate::state::address::Step;
use crate::ui::{Part, classed, icon, link, part, value_of};

/// The bar below the list.
pub(super) fn pager(list: List) -> Part {
    let count = move || list.loaded.map(|page| super::count_words(page, list.query().state)).unwrap_or_default();
    let steps = move || {
        let (prev, next) = list.loaded.map(|page| (page.prev.clone(), page.next.clone())).unwrap_or_default();
        let needed = prev.is_some() || next.is_some();
        needed.then(|| {
            let before = step(list, prev).child(icon("chevron-left")).text("Previous");
            let after = step(list, next).text("Next").child(icon("chevron-right"));
            classed("nav", "pager-steps").attr("aria-label", "Pages").child(size(list)).child(before).child(after)
        })
    };
    classed("div", "pager").child(classed("p", "small muted").live(count)).live(steps)
}

fn step(list: List, cursor: Option<String>) -> Part {
    let step = match cursor {
        Some(cursor) => link(routes::sessions(&list.query().at(Some(cursor)).search())),
        None => part("span").attr("role", "link").attr("aria-disabled", "true"),
    };
    step.class("button")
}

fn size(list: List) -> Part {
    let change = move |event: Event| {
        let limit = value_of(&event).parse().ok().filter(|limit| LIMITS.contains(limit));
        if let Some(limit) = limit {
            list.go(&list.query.get_untracked().unwrap_or_default().changed(|query| query.limit = limit), Step::Within);
        }
    };
    let options = LIMITS.map(|limit| part("option").attr("value", limit.to_string()).text(format!("{limit} a page")));
    let select = part("select")
        .attr("aria-label", "Rows a page")
        .all(options)
        .live_value(move || list.query().limit.to_string())
        .on("change", change);
    classed("span", "select small").child(select).child(icon("chevron-down"))
}
