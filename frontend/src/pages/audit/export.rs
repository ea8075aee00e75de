//! The events that match, as a file.

use leptos::prelude::*;

use super::Log;
use crate::api;
use crate::state::spawn::scoped;
use crate::state::viewer::Viewer;
use crate::ui::{Announcer, Part, button, classed, icon, part};

const FORMATS: [(&str, &str); 2] = [("csv", "CSV, for spreadsheets"), ("ndjson", "NDJSON, for programs")];

/// The button with its menu.
pub(super) fn export(log: Log) -> AnyView {
    let (viewer, announcer) = (Viewer::get(), Announcer::get());
    let take = move |format: &'static str| {
        let filters = log.filters.get_untracked().unwrap_or_default();
        scoped(async move {
            match api::audit::export(format, &filters).await {
                Ok(ticket) => {
                    announcer.say("The download begins.");
                    window().location().set_href(&ticket.path).ok();
                }
                Err(failure) => {
                    viewer.notice(&failure);
                    announcer.say(format!("{}. {}", failure.title(), failure.advice()));
                }
            }
        });
    };
    let items = FORMATS.map(|(format, words)| {
        part("li").child(
            button("menu-item", move || take(format))
                .attr("popovertarget", "export")
                .attr("popovertargetaction", "hide")
                .text(words),
        )
    });
    let menu = classed("div", "drop-menu")
        .attr("id", "export")
        .attr("popover", "auto")
        .child(classed("p", "cell-menu-title small muted").text("All events that match"))
        .child(part("ul").all(items));
    let open = part("button")
        .class("button quiet")
        .attr("type", "button")
        .attr("popovertarget", "export")
        .child(icon("arrow-down"))
        .child(classed("span", "button-word").text("Export"));
    Part::any(classed("div", "drop").child(open).child(menu))
}
