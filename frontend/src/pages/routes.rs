//! Where calls go and who may make them; and what becomes of one call, tried without calling anybody.

mod answer;
mod explainer;

use cloakroom_api::{RouteFacts, RouteList};
use leptos::prelude::*;

use super::{heading, loaded_view, refresh_button};
use crate::api;
use crate::state::loaded::{Loaded, OnChange};
use crate::ui::{Part, badge, button, classed, empty, foreign, icon, part};

/// The page.
pub(crate) fn routes() -> AnyView {
    let loaded = Loaded::<RouteList>::new(OnChange::Keep, || Some(api::routes::address()));
    let explainer = explainer::Explainer::new();
    let list = loaded_view(loaded, |_| None, move |list| table(list, explainer));
    let lead = classed("p", "lead muted").text(
        "Routes come from the configuration file: they say which upstream gets a call, with which token, and who may make it.",
    );
    part("div")
        .view(heading("Routes", vec![refresh_button(loaded)]))
        .child(lead)
        .view(explainer.view(loaded))
        .view(list)
        .any()
}

fn table(list: &RouteList, explainer: explainer::Explainer) -> Part {
    if list.items.is_empty() {
        let text = "Add [[routes]] to the configuration file: docs/configuration.md shows each key.";
        return empty("route", "No route is configured", text, vec![]);
    }
    let count = list.items.len();
    let words = if count == 1 { "1 route".to_owned() } else { format!("{count} routes") };
    let head = |name: &str| part("th").attr("scope", "col").attr("role", "columnheader").text(name);
    let heads = ["Path", "Goes to", "Token", "Who may call"].map(head);
    let action = part("th").attr("role", "columnheader").child(classed("span", "sr-only").text("Action"));
    let head = part("tr").attr("role", "row").all(heads).child(action);
    let table = classed("table", "list routes")
        .attr("role", "table")
        .child(classed("caption", "sr-only").text(format!("Routes. {words}.")))
        .child(part("thead").attr("role", "rowgroup").child(head))
        .child(part("tbody").attr("role", "rowgroup").all(list.items.iter().map(|route| row(route, explainer))));
    part("div").child(classed("div", "table-frame").child(table)).child(classed("p", "small muted after").text(words))
}

fn row(route: &RouteFacts, explainer: explainer::Explainer) -> Part {
    let cell = |name: &'static str, value: Part| part("td").attr("role", "cell").attr("data-label", name).child(value);
    let methods = if route.methods.is_empty() { "all methods".to_owned() } else { route.methods.join(", ") };
    let path = classed("span", "stacked")
        .child(foreign(route.path.as_str()).class("mono strong"))
        .child(classed("span", "small faint").child(foreign(route.origin.as_str())).text(format!(" · {methods}")));
    let to = classed("span", "stacked")
        .child(foreign(route.to.as_str()))
        .maybe(route.address.as_deref().map(|address| foreign(address).class("small faint")));
    let url = format!("{}{}", route.origin, route.path);
    let method = route.methods.first().cloned().unwrap_or_else(|| "GET".to_owned());
    let label = format!("Try a request to {url}");
    let tried = button("button", move || explainer.fill(&method, &url)).attr("aria-label", label).text("Try");
    let name = part("th").attr("scope", "row").attr("role", "rowheader").child(path);
    part("tr")
        .attr("role", "row")
        .child(name)
        .child(cell("Goes to", to))
        .child(cell("Token", token(&route.token)))
        .child(cell("Who may call", who(route)))
        .child(classed("td", "end").attr("role", "cell").child(tried))
}

fn token(mode: &str) -> Part {
    let words = match mode {
        "user" => "the person’s",
        "exchange" => "exchanged",
        "client_credentials" => "the gateway’s own",
        "identity" => "signed by the gateway",
        "none" => "none",
        other => other,
    };
    classed("span", if mode == "none" { "faint" } else { "" }).text(words)
}

fn who(route: &RouteFacts) -> Part {
    let first = if route.anonymous {
        badge("neutral", "user-round", "Anybody")
    } else {
        let callers: Vec<_> = route.callers.iter().map(|caller| format!("{caller}s")).collect();
        badge("ok", "lock", format!("Signed-in {}", callers.join(" and ")))
    };
    let kind = match route.kind.as_str() {
        "page" => "a page, opened by navigating",
        "forms" => "an API that also takes forms",
        "guarded" => "an API, with X-CSRF on reads too",
        _ => "an API, called by scripts",
    };
    let policy = route
        .policy
        .as_deref()
        .map(|policy| classed("span", "small").text("policy ").child(foreign(policy).class("mono")));
    let asks = (!route.asks.is_empty()).then(|| {
        classed("ul", "asks small")
            .all(route.asks.iter().map(|ask| part("li").child(icon("check")).child(foreign(ask.as_str()))))
    });
    classed("span", "stacked gap")
        .child(first)
        .child(classed("span", "small faint").text(kind))
        .maybe(policy)
        .maybe(asks)
}
