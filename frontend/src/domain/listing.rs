//! What lists have in common: the table, its cells, pages by cursor, filters that can be taken off.

use cloakroom_api::Page;

use crate::routes::with_search;
use crate::state::filters::Filters;
use crate::ui::{Part, Row, classed, foreign, grouped, icon, link, part, rows};

/// A cell with the name that stands beside it on narrow screens.
pub(crate) fn cell(name: &'static str, value: Part) -> Part {
    part("td").attr("role", "cell").attr("data-label", name).child(value)
}

/// The first cell, which names the row.
pub(crate) fn row_head(value: Part) -> Part {
    part("th").attr("scope", "row").attr("role", "rowheader").child(value)
}

/// A table of rows that stay while they do not change.
pub(crate) fn table(
    class: &str,
    caption: &str,
    heads: &[&str],
    drawn: impl Fn() -> Vec<Row> + Send + Sync + 'static,
) -> Part {
    let heads = heads.iter().map(|name| {
        let head = part("th").attr("scope", "col").attr("role", "columnheader");
        if name.is_empty() { head.child(classed("span", "sr-only").text("Action")) } else { head.text(*name) }
    });
    let head = part("thead").attr("role", "rowgroup").child(part("tr").attr("role", "row").all(heads));
    let table = part("table")
        .class(&format!("list {class}"))
        .attr("role", "table")
        .child(classed("caption", "sr-only").text(caption))
        .child(head)
        .child(part("tbody").attr("role", "rowgroup").view(rows(drawn)));
    classed("div", "table-frame").child(table)
}

/// How many there are, and the pages before and after this one.
pub(crate) fn pager<T>(page: &Page<T>, one: &str, many: &str, path: &'static str, filters: &Filters) -> Part {
    let about = if page.count.exact { "" } else { "More than " };
    let word = if page.count.n == 1 { one } else { many };
    let words = format!("{about}{} {word}", grouped(page.count.n));
    let step = |cursor: &Option<String>, name: &str| {
        let step = match cursor {
            Some(cursor) => link(with_search(path, &filters.with("cursor", cursor).search())),
            None => part("span").attr("role", "link").attr("aria-disabled", "true"),
        };
        step.class("button").text(name)
    };
    let needed = page.prev.is_some() || page.next.is_some();
    let steps = needed.then(|| {
        classed("nav", "pager-steps")
            .attr("aria-label", "Pages")
            .child(step(&page.prev, "Previous"))
            .child(step(&page.next, "Next"))
    });
    classed("div", "pager").child(classed("p", "small muted").text(words)).maybe(steps)
}

/// Filters that are set, each with the link that takes it off.
pub(crate) fn chips(path: &'static str, filters: &Filters, name_of: fn(&str) -> &'static str) -> Option<Part> {
    let chips: Vec<_> = filters
        .set()
        .map(|(name, value)| {
            let label = format!("Take off the filter {}: {value}", name_of(name));
            let off = link(with_search(path, &filters.with(name, "").search()))
                .class("chip-off")
                .attr("data-noscroll", "")
                .attr("aria-label", label)
                .child(icon("x"));
            classed("li", "chip").child(classed("span", "faint").text(name_of(name))).child(foreign(value)).child(off)
        })
        .collect();
    (!chips.is_empty()).then(|| classed("ul", "chips").attr("aria-label", "Filters that are set").all(chips))
}
