//! The key ring: what is sealed under each key, and how far the newest one is. Keys are made and ended by a command on
//! the host, which alone has the root key; the page says which.

use cloakroom_api::{Configuration, Page as List, RingKey};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::domain::listing::{cell, row_head, table};
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Part, Row, badge, classed, code, foreign, grouped, live, part, stacked_time};

/// The page.
pub(crate) fn keys() -> AnyView {
    let loaded = Loaded::<List<RingKey>>::new(OnChange::Keep, || Some(api::operation::keys()));
    let file = Loaded::<Configuration>::new(OnChange::Keep, || Some(api::operation::configuration()));
    let lead =
        classed("p", "lead muted").text("The keys that seal cookies and stored values. A key itself is never shown.");
    let commands = live(move || {
        let keys = loaded.data()?;
        let file = file.map(|known| known.file.clone()).unwrap_or_else(|| "FILE".to_owned());
        Some(commands(&keys.items, &file))
    });
    part("div")
        .view(heading("Keys", vec![refresh_button(loaded)]))
        .child(lead)
        .view(loaded_view(loaded, |list| Some(&list.as_of), content))
        .view(commands)
        .any()
}

fn content(list: &List<RingKey>) -> Part {
    let items = list.items.clone();
    let drawn = move || {
        let keyed = |key: RingKey| {
            let state = format!("{} {} {} {} {}", key.id, key.active, key.sessions, key.audit_keys, key.not_seen_since);
            Row::new(state, move || row(&key))
        };
        items.iter().cloned().map(keyed).collect()
    };
    let heads = ["Key", "State", "Since", "Sessions under it", "Audit keys under it", "Cookies under it"];
    part("div").child(progress(&list.items)).child(table("keys", "The key ring, the oldest first.", &heads, drawn))
}

/// How much of what is stored the newest key seals.
fn progress(keys: &[RingKey]) -> Part {
    let stored = |key: &RingKey| key.sessions + key.audit_keys;
    let all: u64 = keys.iter().map(stored).sum();
    let moved: u64 = keys.iter().filter(|key| key.active).map(stored).sum();
    let words = if moved == all {
        format!("All {} stored values are sealed under the newest key", grouped(all))
    } else {
        format!("{} of {} stored values are sealed under the newest key", grouped(moved), grouped(all))
    };
    let (colour, sign, word) =
        if moved == all { ("ok", "circle-check", "Whole") } else { ("info", "refresh-cw", "Moving") };
    let bar = part("progress")
        .attr("max", all.max(1).to_string())
        .attr("value", if all == 0 { "1".to_owned() } else { moved.to_string() })
        .attr("aria-label", "Sealed under the newest key");
    classed("section", "strip ring")
        .attr("aria-label", "Re-encryption")
        .child(classed("div", "strip-words").attr("role", "status").child(badge(colour, sign, word)).text(words))
        .child(bar)
}

fn row(key: &RingKey) -> Part {
    let state = if key.active { badge("ok", "lock", "Seals") } else { badge("neutral", "key-round", "Only opens") };
    let cookies = if key.active {
        classed("span", "faint").text("all that are sent now")
    } else {
        let words = format!(
            "{} of {} live sessions not seen since",
            grouped(key.not_seen_since),
            grouped(key.live_of_its_time)
        );
        part("span").text(words)
    };
    part("tr")
        .attr("role", "row")
        .child(row_head(foreign(key.id.as_str()).class("mono strong")))
        .child(cell("State", state))
        .child(cell("Since", stacked_time(&key.since)))
        .child(cell("Sessions under it", part("span").class("number").text(grouped(key.sessions))))
        .child(cell("Audit keys under it", part("span").class("number").text(grouped(key.audit_keys))))
        .child(cell("Cookies under it", cookies))
}

/// What to run on the host, with what it would do now.
fn commands(keys: &[RingKey], file: &str) -> Part {
    let command = |title: &str, about: String, text: String| {
        classed("div", "command")
            .child(part("h3").text(title))
            .child(classed("p", "small muted").text(about))
            .child(code("this command", &text))
    };
    let rotate = command(
        "Rotate",
        "A new key seals from then on. Nobody is signed out, nothing restarts; stored values move by themselves."
            .to_owned(),
        format!("cloakroom keys rotate --config {file}"),
    );
    let old = keys.iter().find(|key| !key.active).map(|key| {
        let about = format!(
            "Once everything has moved. {} live sessions were not seen since the rotation: their cookies die with it.",
            grouped(key.not_seen_since)
        );
        let burn = format!(
            "If others may know it: ends all {} live sessions that began before the rotation.",
            grouped(key.live_of_its_time)
        );
        (
            command("Retire the oldest", about, format!("cloakroom keys retire {} --config {file}", key.id)),
            command("Burn the oldest", burn, format!("cloakroom keys retire {} --burn --config {file}", key.id)),
        )
    });
    let (retire, burn) = old.unzip();
    classed("section", "panel after-table")
        .attr("aria-labelledby", "commands-title")
        .child(part("h2").attr("id", "commands-title").text("On the host"))
        .child(classed("div", "commands").child(rotate).maybe(retire).maybe(burn))
}
