//! Identity providers: what is configured, and how they answer.

use cloakroom_api::{Page as List, Provider, Registration};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::domain::facts::{fact, facts, tags};
use crate::domain::listing::{cell, row_head, table};
use crate::routes;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{
    Notice, Part, Row, Tone, badge, classed, copyable, empty, foreign, grouped, icon, link, notice, part,
    relative_time, written_time,
};

/// The page.
pub(crate) fn providers() -> AnyView {
    let loaded = Loaded::<List<Provider>>::new(OnChange::Keep, || Some(api::providers::list()));
    let lead = classed("p", "lead muted")
        .text("Who says who people are. Each is kept in the configuration file; its secrets are never shown.");
    part("div")
        .view(heading("Providers", vec![refresh_button(loaded)]))
        .child(lead)
        .view(loaded_view(loaded, |list| Some(&list.as_of), content))
        .any()
}

fn content(list: &List<Provider>) -> Part {
    if list.items.is_empty() {
        let text = "Add [providers.ID] to the configuration file: docs/providers.md has presets for the usual ones.";
        return empty("id-card", "No provider is configured", text, vec![]);
    }
    classed("div", "panel-column").all(list.items.iter().map(panel))
}

fn panel(provider: &Provider) -> Part {
    let (colour, sign, word) = health(provider);
    let title = part("h2")
        .child(foreign(provider.name.as_str()))
        .maybe((provider.id != provider.name).then(|| foreign(provider.id.as_str()).class("small faint mono")))
        .child(badge(colour, sign, word));
    let trouble = provider.last_error.as_ref().map(|trouble| {
        let words = Notice {
            tone: Tone::Bad,
            title: "Its discovery document or keys could not be read".to_owned(),
            text: format!("{}. It is asked again at the next sign-in; sessions go on meanwhile.", trouble.what),
            request_id: None,
        };
        notice(words, Some(classed("span", "small").child(relative_time(&trouble.at))))
    });
    let discovered = match provider.discovered_at.as_deref() {
        Some(at) => written_time(at),
        None => classed("span", "faint").text("not since the start of this node"),
    };
    let list = facts()
        .child(fact("Issuer", copyable("the issuer", &provider.issuer)))
        .child(fact("Discovery read", discovered))
        .child(fact("Live sessions", part("span").class("number").text(grouped(provider.live_sessions))));
    let registrations = provider.registrations.clone();
    let drawn =
        move || registrations.iter().cloned().map(|one| Row::new(one.id.clone(), move || registration(&one))).collect();
    let heads = ["Registration", "Client id there", "Proves itself by", "Scopes"];
    let end = link(routes::incident(&[("provider", &provider.id)]))
        .class("button")
        .child(icon("ban"))
        .text("End its sessions…")
        .attr("aria-label", format!("End the sessions of the provider {}", provider.name));
    classed("section", "panel provider")
        .child(title)
        .maybe(trouble)
        .child(list)
        .child(table("registrations", "Registrations at this provider.", &heads, drawn))
        .child(classed("div", "panel-acts").child(end))
}

/// How it answered last, at this node.
fn health(provider: &Provider) -> (&'static str, &'static str, &'static str) {
    match (&provider.last_error, &provider.discovered_at) {
        (Some(_), _) => ("bad", "circle-alert", "Does not answer"),
        (None, Some(_)) => ("ok", "circle-check", "Answers"),
        (None, None) => ("neutral", "clock", "Not asked yet"),
    }
}

fn registration(one: &Registration) -> Part {
    let auth = match one.auth.as_str() {
        "client_secret_basic" => "a secret, in the header",
        "client_secret_post" => "a secret, in the body",
        "private_key_jwt" => "a signature",
        other => other,
    };
    part("tr")
        .attr("role", "row")
        .child(row_head(foreign(one.id.as_str()).class("mono")))
        .child(cell("Client id there", foreign(one.client_id.as_str()).class("mono")))
        .child(cell("Proves itself by", part("span").text(auth)))
        .child(cell("Scopes", tags(&one.scopes, "none")))
}
