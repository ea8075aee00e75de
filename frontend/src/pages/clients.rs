//! Clients: the apps that sign people in here, and how another one is connected.

mod one;
mod snippet;

use cloakroom_api::{Client, Kind, Page as List};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::domain::facts::tags;
use crate::domain::listing::{cell, row_head, table};
use crate::routes::{self, Route};
use crate::state::clock::span;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Part, Row, badge, classed, empty, foreign, grouped, link, live, part};

/// The page: the list, or one client.
pub(crate) fn clients(route: Memo<Route>) -> AnyView {
    let open = Memo::new(move |_| if let Route::Clients { open } = route.get() { open } else { None });
    live(move || match open.get() {
        Some(id) => one::one(&id),
        None => all(),
    })
}

fn all() -> AnyView {
    let loaded = Loaded::<List<Client>>::new(OnChange::Keep, || Some(api::clients::list()));
    let lead = classed("p", "lead muted").text(
        "The apps that sign people in here. Each is kept in the configuration file, and changed there; open one to see \
         how its code connects.",
    );
    part("div")
        .view(heading("Clients", vec![refresh_button(loaded)]))
        .child(lead)
        .view(loaded_view(loaded, |list| Some(&list.as_of), content))
        .any()
}

fn content(list: &List<Client>) -> Part {
    if list.items.is_empty() {
        let text = "Add [clients.ID] to the configuration file: docs/configuration.md shows each key.";
        return empty("app-window", "No client is configured", text, vec![]);
    }
    let items = list.items.clone();
    let drawn = move || {
        let row = |client: Client| Row::new(format!("{} {}", client.id, client.live_sessions), move || row(&client));
        items.iter().cloned().map(row).collect()
    };
    let heads = ["Client", "Kind", "Signs in with", "Where", "Sessions end", "Live"];
    table("clients", "Clients.", &heads, drawn)
}

fn row(client: &Client) -> Part {
    let name = link(routes::client(&client.id)).class("user-link").child(foreign(client.name.as_str()));
    let first = classed("span", "stacked").child(name).child(foreign(client.id.as_str()).class("small faint mono"));
    let origins = classed("span", "stacked").all(client.origins.iter().map(|origin| foreign(origin.as_str())));
    part("tr")
        .attr("role", "row")
        .child(row_head(first))
        .child(cell("Kind", kind(client.kind)))
        .child(cell("Signs in with", tags(&client.registrations, "nothing")))
        .child(cell("Where", origins))
        .child(cell("Sessions end", ends(client)))
        .child(cell("Live", live_sessions(client)))
}

fn kind(kind: Kind) -> Part {
    match kind {
        Kind::Web => badge("neutral", "app-window", "Web"),
        Kind::Mobile => badge("neutral", "smartphone", "Mobile"),
    }
}

fn ends(client: &Client) -> Part {
    classed("span", "stacked")
        .child(part("span").text(format!("after {}", span(client.absolute_secs))))
        .child(classed("span", "small faint").text(format!("unused: {}", span(client.idle_secs))))
}

fn live_sessions(client: &Client) -> Part {
    link(routes::sessions_at(&client.id)).class("number").text(grouped(client.live_sessions))
}
