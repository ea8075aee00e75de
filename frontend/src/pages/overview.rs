//! How things stand: live sessions, the last 24 hours, and what happened last.

use cloakroom_api::{Event, Named, Overview};
use leptos::prelude::*;

use super::{failure_notice, heading, refresh_button};
use crate::api;
use crate::domain::event::{Room, timeline};
use crate::routes;
use crate::state::list_query::ListQuery;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{empty, grouped, icon, relative_time, skeleton_lines};

/// The page.
pub(crate) fn overview() -> AnyView {
    let loaded = Loaded::new(OnChange::Keep, || Some(()), |(), signal| api::overview::get(signal));
    let as_of = move || loaded.map(|overview| overview.as_of.clone());
    let age = move || as_of().map(|as_of| view! { <span class="small faint">"as of " {relative_time(&as_of)}</span> });
    view! {
        {heading("Overview", view! { {age} {refresh_button(move || loaded.busy(), move || loaded.again())} })}
        {move || loaded.failure().map(|failure| failure_notice(&failure, as_of().as_deref(), move || loaded.again()))}
        {move || match loaded.data() {
            Some(overview) => content(&overview),
            None if loaded.failure().is_some() => ().into_any(),
            None => outline(),
        }}
    }
    .into_any()
}

fn outline() -> AnyView {
    view! {
        <p class="sr-only" role="status">"Loading"</p>
        <div class="stats">{(0..4).map(|_| view! { <div class="stat">{skeleton_lines(2)}</div> }).collect_view()}</div>
        <div class="panels">
            <div class="panel">{skeleton_lines(5)}</div>
            <div class="panel">{skeleton_lines(5)}</div>
        </div>
    }
    .into_any()
}

fn content(overview: &Overview) -> AnyView {
    let day = overview.last_24_hours;
    let client = |named: &Named| {
        let query = ListQuery { client: Some(named.id.clone()), ..ListQuery::default() };
        Some(routes::sessions(&query.search()))
    };
    view! {
        <dl class="stats">
            {stat("Live sessions", overview.live_sessions, "now", Some(routes::sessions("")))}
            {stat("Sign-ins", day.sign_ins, "last 24 hours", None)}
            {stat("Sign-outs", day.sign_outs, "last 24 hours", None)}
            {stat("Revocations", day.revocations, "last 24 hours", Some(routes::sessions("state=ended")))}
        </dl>
        <div class="panels">
            <div class="panel-column">
                {shares("Live sessions by client", &overview.by_client, client)}
                {shares("Live sessions by provider", &overview.by_provider, |_| None)}
            </div>
            {latest(&overview.latest_events)}
        </div>
    }
    .into_any()
}

fn stat(name: &'static str, n: u64, when: &'static str, href: Option<String>) -> AnyView {
    let number = match href {
        Some(href) => view! { <a class="stat-number" href=href>{grouped(n)}</a> }.into_any(),
        None => view! { <span class="stat-number">{grouped(n)}</span> }.into_any(),
    };
    view! { <div class="stat"><dt class="muted">{name}</dt><dd>{number}<span class="small faint">{when}</span></dd></div> }.into_any()
}

/// Names with their numbers, and bars that compare them.
fn shares(title: &'static str, named: &[Named], href: impl Fn(&Named) -> Option<String>) -> AnyView {
    let most = named.iter().map(|named| named.n).max().unwrap_or(0).max(1);
    let rows: Vec<_> = named
        .iter()
        .map(|one| {
            let width = format!("{}%", (one.n * 100).div_ceil(most));
            let name = one.name.clone();
            let name = match href(one) {
                Some(href) => view! { <a href=href><bdi>{name}</bdi></a> }.into_any(),
                None => view! { <bdi>{name}</bdi> }.into_any(),
            };
            view! {
                <li class="share">
                    <span class="share-name">{name}</span>
                    <span class="share-n">{grouped(one.n)}</span>
                    <span class="share-bar" aria-hidden="true"><span class="share-fill" style:width=width></span></span>
                </li>
            }
        })
        .collect();
    let body = if rows.is_empty() {
        view! { <p class="muted">"No live session."</p> }.into_any()
    } else {
        view! { <ul class="shares">{rows}</ul> }.into_any()
    };
    view! { <section class="panel"><h2>{title}</h2>{body}</section> }.into_any()
}

fn latest(events: &[Event]) -> AnyView {
    let body = if events.is_empty() {
        empty("activity", "Nothing has happened yet", "Sign-ins, sign-outs and revocations show up here.", ())
    } else {
        timeline(events, Room::Panel)
    };
    view! { <section class="panel"><h2>{icon("activity")} "Latest events"</h2>{body}</section> }.into_any()
}
