//! The node that answers, and the configuration that it runs with.

use cloakroom_api::{Configuration, Node, Page as List};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::domain::facts::{fact, facts, tags};
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Part, badge, classed, code, copyable, foreign, grouped, part, written_time};

/// The page.
pub(crate) fn settings() -> AnyView {
    let nodes = Loaded::<List<Node>>::new(OnChange::Keep, || Some(api::operation::nodes()));
    let configuration = Loaded::<Configuration>::new(OnChange::Keep, || Some(api::operation::configuration()));
    let node = |list: &List<Node>| classed("div", "panel-column").all(list.items.iter().map(node));
    part("div")
        .view(heading("Settings & health", vec![refresh_button(nodes)]))
        .view(loaded_view(nodes, |list| Some(&list.as_of), node))
        .child(classed("div", "after-table").view(loaded_view(configuration, |_| None, shown)))
        .any()
}

fn node(node: &Node) -> Part {
    let health = if node.store_ready {
        badge("ok", "circle-check", "Serves, and its store takes writes")
    } else {
        badge("bad", "circle-alert", "Its store takes no writes")
    };
    let list = facts()
        .child(fact("Version", copyable("the version", &node.version)))
        .child(fact("Started", written_time(&node.started_at)))
        .child(fact("Threads that serve", part("span").text(grouped(node.workers))))
        .child(fact("Sessions in memory", part("span").text(grouped(node.cached_sessions))));
    classed("section", "panel")
        .attr("aria-labelledby", "node-title")
        .child(
            part("h2")
                .attr("id", "node-title")
                .text("The node that answered ")
                .child(foreign(node.host.as_str()).class("mono"))
                .child(health),
        )
        .child(list)
}

fn shown(configuration: &Configuration) -> Part {
    let list = facts()
        .child(fact("File", copyable("the file’s path", &configuration.file)))
        .child(fact("Overridden by", tags(&configuration.overrides, "no variable of the environment")));
    classed("section", "panel")
        .attr("aria-labelledby", "configuration-title")
        .child(part("h2").attr("id", "configuration-title").text("Configuration"))
        .child(list)
        .child(classed("p", "small muted after").text("As this node read it; whatever may be a secret is ***."))
        .child(classed("div", "whole").child(code("the configuration", &configuration.text)))
}
