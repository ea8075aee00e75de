//! How things stand: live sessions, the last 24 hours, and what happened last.

use cloakroom_api::{Event, Named, Overview};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::domain::event::{Room, timeline};
use crate::routes;
use crate::state::list_query::ListQuery;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Part, classed, empty, foreign, grouped, icon, link, live, part, relative_time};

/// The page.
pub(crate) fn overview() -> AnyView {
    let loaded = Loaded::<Overview>::new(OnChange::Keep, || Some(api::overview::address()));
    let age = live(move || {
        loaded.map(|overview| classed("span", "small faint").text("as of ").child(relative_time(&overview.as_of)))
    });
    let body = loaded_view(loaded, |overview| Some(&overview.as_of), content);
    part("div").view(heading("Overview", vec![age, refresh_button(loaded)])).view(body).any()
}

fn content(overview: &Overview) -> Part {
    let day = overview.last_24_hours;
    let stats = classed("dl", "stats")
        .child(stat("Live sessions", overview.live_sessions, "now", Some(routes::sessions(""))))
        .child(stat("Sign-ins", day.sign_ins, "last 24 hours", None))
        .child(stat("Sign-outs", day.sign_outs, "last 24 hours", None))
        .child(stat("Revocations", day.revocations, "last 24 hours", Some(routes::sessions("state=ended"))));
    let client = |named: &Named| {
        let query = ListQuery { client: Some(named.id.clone()), ..ListQuery::default() };
        Some(routes::sessions(&query.search()))
    };
    let shares = classed("div", "panel-column")
        .child(shares("Live sessions by client", &overview.by_client, client))
        .child(shares("Live sessions by provider", &overview.by_provider, |_| None));
    part("div").child(stats).child(classed("div", "panels").child(shares).child(latest(&overview.latest_events)))
}

fn stat(name: &str, n: u64, when: &str, href: Option<String>) -> Part {
    let number = match href {
        Some(href) => link(href),
        None => part("span"),
    };
    let number = number.class("stat-number").text(grouped(n));
    let number = part("dd").child(number).child(classed("span", "small faint").text(when));
    classed("div", "stat").child(classed("dt", "muted").text(name)).child(number)
}

/// Names with their numbers, and bars that compare them.
fn shares(title: &str, named: &[Named], href: fn(&Named) -> Option<String>) -> Part {
    let most = named.iter().map(|named| named.n).max().unwrap_or(0).max(1);
    let row = |one: &Named| {
        let name = foreign(one.name.as_str());
        let name = match href(one) {
            Some(href) => link(href).child(name),
            None => name,
        };
        let fill = classed("span", "share-fill").width((one.n * 100).div_ceil(most));
        classed("li", "share")
            .child(classed("span", "share-name").child(name))
            .child(classed("span", "share-n").text(grouped(one.n)))
            .child(classed("span", "share-bar").attr("aria-hidden", "true").child(fill))
    };
    let body = if named.is_empty() {
        classed("p", "muted").text("No live session.")
    } else {
        classed("ul", "shares").all(named.iter().map(row))
    };
    classed("section", "panel").child(part("h2").text(title)).child(body)
}

fn latest(events: &[Event]) -> Part {
    let body = if events.is_empty() {
        empty("activity", "Nothing has happened yet", "Sign-ins, sign-outs and revocations show up here.", vec![])
    } else {
        timeline(events, Room::Panel)
    };
    classed("section", "panel").child(part("h2").child(icon("activity")).text("Latest events")).child(body)
}
