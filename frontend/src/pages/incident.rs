//! Incident response: which sessions, what would end, why, and what became of it. One job of the gateway's does it: it
//! goes on when this tab is closed.

mod decide;
mod form;
mod report;

use cloakroom_api::{Page, RevocationReport, RevocationState};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::domain::listing::{cell, pager, row_head, table};
use crate::routes::{self, Route};
use crate::state::address::Address;
use crate::state::filters::Filters;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Part, Row, badge, classed, foreign, grouped, link, live, part, stacked_time};

const PATH: &str = "/admin/incident";

/// The page: the guide, or one report.
pub(crate) fn incident(route: Memo<Route>) -> AnyView {
    let open = Memo::new(move |_| if let Route::Incident { open } = route.get() { open } else { None });
    live(move || match open.get() {
        Some(id) => report::report(&id),
        None => guide(),
    })
}

fn guide() -> AnyView {
    let address = Address::get();
    let filters = Memo::new(move |_| Filters::parse(&api::revocations::NAMES, &address.search()));
    let history = Loaded::<Page<RevocationReport>>::new(OnChange::Keep, move || {
        let filters = filters.get().unwrap_or_default();
        Some(api::revocations::list(filters.get("cursor")))
    });
    let lead = classed("p", "lead muted")
        .text("Ends many sessions at once. Nothing ends before you have seen what would, and said why.");
    let list = loaded_view(
        history,
        |page| Some(&page.as_of),
        move |page| past(page, &filters.get_untracked().unwrap_or_default()),
    );
    part("div")
        .view(heading("Incident response", vec![refresh_button(history)]))
        .child(lead)
        .view(form::form(filters))
        .view(decide::decide(filters))
        .view(list)
        .any()
}

/// The revocations that were decided.
fn past(page: &Page<RevocationReport>, filters: &Filters) -> Part {
    if page.items.is_empty() {
        return part("div");
    }
    let items = page.items.clone();
    let drawn = move || {
        let keyed = items
            .iter()
            .cloned()
            .map(|report| Row::new(format!("{} {}", report.id, report.ended), move || row(&report)));
        keyed.collect()
    };
    let heads = ["Reason", "State", "Sessions", "By", "Decided"];
    classed("section", "past")
        .child(part("h2").text("Revocations so far"))
        .child(table("revocations", "Revocations, the newest first.", &heads, drawn))
        .child(pager(page, "revocation", "revocations", PATH, filters))
}

fn row(report: &RevocationReport) -> Part {
    let reason = link(routes::revocation(&report.id)).class("user-link").child(foreign(report.reason.as_str()));
    part("tr")
        .attr("role", "row")
        .child(row_head(reason))
        .child(cell("State", state(report)))
        .child(cell("Sessions", part("span").text(grouped(report.ended))))
        .child(cell("By", foreign(report.by.as_str())))
        .child(cell("Decided", stacked_time(&report.decided_at)))
}

fn state(report: &RevocationReport) -> Part {
    match report.state {
        RevocationState::Running => badge("info", "clock", "Running"),
        RevocationState::Finished if report.provider.failed > 0 => badge("warn", "triangle-alert", "With failures"),
        RevocationState::Finished => badge("ok", "circle-check", "Finished"),
    }
}
