//! What became of a revocation: watched while it runs, kept for ever, printable.

use cloakroom_api::{RevocationFilter, RevocationReport, RevocationState};
use leptos::prelude::*;

use super::{PATH, state};
use crate::api;
use crate::domain::facts::{fact, facts, section, words};
use crate::pages::{crumb, heading, loaded_view};
use crate::routes::{self, Page};
use crate::state::loaded::{Loaded, OnChange};
use crate::state::spawn::{effect, scoped};
use crate::state::viewer::Viewer;
use crate::ui::{
    Announcer, Part, Tone, button, classed, copy_button, foreign, grouped, icon, link, part, save, written_time,
};

/// One report.
pub(super) fn report(id: &str) -> AnyView {
    let url = api::revocations::one(id);
    let loaded = Loaded::<RevocationReport>::new(OnChange::Clear, move || Some(url.clone()));
    // While something is under way, its state is asked for.
    effect(move || {
        let running = loaded.map(|report| report.state == RevocationState::Running || report.provider.queued > 0);
        if running == Some(true) {
            set_timeout(move || loaded.again(), std::time::Duration::from_secs(1));
        }
    });
    let body = loaded_view(loaded, |report| Some(&report.as_of), content);
    let origin = window().location().origin().unwrap_or_default();
    let copy = copy_button("the link to this report", format!("{origin}{}", routes::revocation(id))).any();
    let print = button("button quiet", || {
        window().print().ok();
    });
    let print = print.child(icon("printer")).child(classed("span", "button-word").text("Print")).any();
    let another = link(PATH).class("button").text("New revocation").any();
    part("div")
        .child(crumb(Page::Incident, "Incident response"))
        .view(heading("Revocation", vec![copy, download(id).any(), print, another]))
        .view(body)
        .any()
}

/// The report as a file, as it stands when the button is pressed.
fn download(id: &str) -> Part {
    let (viewer, announcer, id) = (Viewer::get(), Announcer::get(), id.to_owned());
    let take = move || {
        let id = id.clone();
        scoped(async move {
            match api::revocations::as_text(&id).await {
                Ok(text) if save(&format!("revocation-{id}.json"), &text).is_ok() => announcer.say("Downloaded."),
                Ok(_) => announcer.say("The browser did not take the file."),
                Err(failure) => {
                    viewer.notice(&failure);
                    announcer.say(format!("{}. {}", failure.title(), failure.advice()));
                }
            }
        });
    };
    button("button quiet", take).child(icon("arrow-down")).child(classed("span", "button-word").text("Download"))
}

fn content(report: &RevocationReport) -> Part {
    let progress = part("progress")
        .attr("max", report.expected.max(report.ended).max(1).to_string())
        .attr("value", report.ended.to_string())
        .attr("aria-label", "Sessions ended");
    let head = classed("div", "report-head").child(state(report)).child(classed("strong", "count").text(format!(
        "{} of {} ended",
        grouped(report.ended),
        grouped(report.expected.max(report.ended))
    )));
    let told = classed("section", "panel")
        .child(part("div").attr("role", "status").child(head))
        .child(progress)
        .child(steps(report));
    let about = facts()
        .child(fact("Reason", words(&report.reason)))
        .child(fact("Decided by", words(&report.by)))
        .child(fact("Decided", written_time(&report.decided_at)))
        .maybe(report.finished_at.as_deref().map(|at| fact("Finished", written_time(at))))
        .all(which(&report.filter))
        .child(fact("Id", words(&report.id)));
    let failures = (!report.failures.is_empty()).then(|| {
        let failures = report.failures.iter().map(|failure| {
            let session = link(routes::session(&failure.session_id, "state=all"));
            part("li")
                .child(session.class("mono").text(failure.session_id.as_str()))
                .text(" ")
                .child(foreign(failure.detail.as_str()).class("muted"))
        });
        section("Sessions whose provider could not be told", classed("ul", "bullets").all(failures))
    });
    let ended = link(routes::sessions("state=ended")).text("The ended sessions, with who and why");
    part("div")
        .child(told)
        .child(classed("section", "panel").child(part("h2").text("The decision")).child(about).maybe(failures))
        .child(classed("p", "after").child(ended))
}

/// Each step and how it ended.
fn steps(report: &RevocationReport) -> Part {
    let step = |tone: Tone, words: String| {
        part("li").class(&format!("step {}", tone.class())).child(icon(tone.icon())).child(part("p").text(words))
    };
    let done = report.state == RevocationState::Finished;
    let rows = if done {
        step(
            Tone::Ok,
            "Every session that the decision covers is over. No login that had begun before starts one.".to_owned(),
        )
    } else {
        step(Tone::Info, "The sessions are refused since the decision; their rows are still being ended.".to_owned())
    };
    let told = report.provider;
    let count = |n: u64, tone: Tone, words: &str| (n > 0).then(|| step(tone, format!("{} {words}", grouped(n))));
    let access = report.access_tokens_until.as_deref().map(|at| {
        part("li").class("step warn").child(icon("triangle-alert")).child(
            part("p").text("Access tokens that upstreams already hold may work there until ").child(written_time(at)),
        )
    });
    classed("ul", "steps after")
        .child(rows)
        .maybe(count(told.done, Tone::Ok, "refresh tokens were revoked at their providers."))
        .maybe(count(told.queued, Tone::Info, "are being revoked at their providers."))
        .maybe(count(
            told.failed,
            Tone::Bad,
            "could not be revoked at their providers; the gateway does not use them any more.",
        ))
        .maybe(count(told.not_supported, Tone::Info, "are of providers that offer no revocation."))
        .maybe(access)
}

/// Which sessions it was about.
fn which(filter: &RevocationFilter) -> Vec<Part> {
    let named = |name: &str, value: Option<&str>| Some(fact(name, words(value?)));
    let sessions = filter.sessions.as_ref().map(|sessions| format!("{} by their ids", grouped(sessions.len() as u64)));
    [
        filter.all.then(|| fact("Which", part("span").text("Every session"))),
        named("Person", filter.user.as_ref().map(|user| user.sub.as_str())),
        named("Issuer", filter.user.as_ref().map(|user| user.issuer.as_str())),
        named("Client", filter.client.as_deref()),
        named("Provider", filter.provider.as_deref()),
        named("Session there", filter.upstream_session.as_ref().map(|session| session.sid.as_str())),
        named("Network", filter.network.as_deref()),
        named("User agent", filter.user_agent.as_deref()),
        named("Started from", filter.started_from.as_deref()),
        named("Started before", filter.started_before.as_deref()),
        named("Sessions", sessions.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
