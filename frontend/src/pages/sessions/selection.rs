//! Sessions picked from the list, to be ended together: the guide shows what would end, and asks why.

use cloakroom_api::{Page, Session, SessionState, StateFilter};
use leptos::prelude::*;

use super::List;
use crate::routes;
use crate::ui::{Part, button, classed, grouped, icon, link, part};

/// Ids of those that are picked, in the order of picking.
#[derive(Clone, Copy)]
pub(super) struct Selection(RwSignal<Vec<String>>);

impl Selection {
    pub(super) fn new() -> Self {
        Self(RwSignal::new(Vec::new()))
    }

    fn has(self, id: &str) -> bool {
        self.0.with(|picked| picked.iter().any(|one| one == id))
    }

    fn toggle(self, id: &str) {
        self.0.update(|picked| match picked.iter().position(|one| one == id) {
            Some(at) => drop(picked.remove(at)),
            None => picked.push(id.to_owned()),
        });
    }

    /// Picks all of them, or none where all are picked.
    fn toggle_all(self, ids: &[String]) {
        self.0.update(|picked| {
            let others: Vec<_> = ids.iter().filter(|id| !picked.contains(id)).cloned().collect();
            if others.is_empty() {
                picked.retain(|one| !ids.contains(one));
            } else {
                picked.extend(others);
            }
        });
    }
}

/// The box in a row; what has ended cannot be picked, and stands in line with the others.
pub(super) fn tick(list: List, session: &Session) -> Option<Part> {
    if session.state != SessionState::Live {
        return untrack(|| list.query().state == StateFilter::All).then(|| classed("span", "tick"));
    }
    let (id, other) = (session.id.clone(), session.id.clone());
    let label = format!("Select the session of {} at {}", session.display(), session.client_name);
    let tick = classed("input", "tick")
        .attr("type", "checkbox")
        .attr("aria-label", label)
        .live_checked(move || list.picked.has(&id))
        .on("change", move |_| list.picked.toggle(&other));
    Some(tick)
}

/// The box over the column: every live session of the page.
pub(super) fn tick_all(list: List) -> Part {
    let ids = move || -> Vec<String> {
        let live = |page: &Page<Session>| {
            let live = page.items.iter().filter(|session| session.state == SessionState::Live);
            live.map(|session| session.id.clone()).collect()
        };
        list.loaded.map(live).unwrap_or_default()
    };
    let is_all = move || {
        let ids = ids();
        !ids.is_empty() && ids.iter().all(|id| list.picked.has(id))
    };
    classed("input", "tick")
        .attr("type", "checkbox")
        .attr("aria-label", "Select every live session of this page")
        .live_checked(is_all)
        .on("change", move |_| list.picked.toggle_all(&untrack(ids)))
}

/// What is picked, and what to do with it; there while something is.
pub(super) fn bar(list: List) -> AnyView {
    let content = move || {
        let ids = list.picked.0.get();
        (!ids.is_empty()).then(|| {
            let words = match ids.len() {
                1 => "1 session selected".to_owned(),
                n => format!("{n} sessions selected"),
            };
            let end = link(routes::incident(&[("sessions", &ids.join(","))])).class("button danger");
            classed("div", "bulk-bar")
                .child(classed("strong", "bulk-count").text(words))
                .child(end.child(icon("ban")).text("End them…"))
                .maybe(all_that_match(list))
                .child(button("button quiet", move || list.picked.0.set(Vec::new())).child(icon("x")).text("Clear"))
        })
    };
    classed("div", "bulk").attr("role", "status").live(content).any()
}

/// Where the filter is one that a revocation can have: all that it matches, on later pages too.
fn all_that_match(list: List) -> Option<Part> {
    let query = list.query();
    let client = query.client.filter(|_| query.text.is_empty() && query.sub.is_none())?;
    let count = list.loaded.map(|page| page.count)?;
    let words = if count.exact {
        format!("End all {} at this client…", grouped(count.n))
    } else {
        "End all at this client…".to_owned()
    };
    Some(link(routes::incident(&[("client", &client)])).class("button").child(part("span").text(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_picked_then_none_and_others_stay() {
        let owner = Owner::new();
        owner.with(|| {
            let picked = Selection::new();
            let ids = || vec!["a".to_owned(), "b".to_owned()];
            picked.toggle("x");
            picked.toggle("b");
            picked.toggle_all(&ids());
            assert_eq!(picked.0.get_untracked(), ["x", "b", "a"]);
            picked.toggle_all(&ids());
            assert_eq!(picked.0.get_untracked(), ["x"]);
        });
    }
}
