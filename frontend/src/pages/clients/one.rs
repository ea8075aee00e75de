//! One client: what is configured, and the code that connects it.

use cloakroom_api::{Client, Kind, RouteList};
use leptos::prelude::*;

use super::snippet::{self, Snippet};
use super::{kind, live_sessions};
use crate::api;
use crate::domain::facts::{fact, facts, pair, tags};
use crate::pages::{crumb, loaded_view, refresh_button, titled};
use crate::routes::{self, Page};
use crate::state::address::Address;
use crate::state::clock::span;
use crate::state::loaded::{Loaded, OnChange};
use crate::state::query_string;
use crate::ui::{Part, classed, code, copyable, foreign, icon, link, live, part};

/// The page of a client.
pub(super) fn one(id: &str) -> AnyView {
    let url = api::clients::one(id);
    let loaded = Loaded::<Client>::new(OnChange::Clear, move || Some(url.clone()));
    let calls = Loaded::<RouteList>::new(OnChange::Keep, || Some(api::routes::address()));
    let name = move || loaded.map(|client| client.name.clone()).unwrap_or_else(|| "Client".to_owned());
    let content = move |client: &Client| {
        classed("div", "panels client").child(about(client)).child(connect(client.clone(), calls))
    };
    part("div")
        .child(crumb(Page::Clients, "Clients"))
        .view(titled(part("bdi").live(name), vec![refresh_button(loaded)]))
        .view(loaded_view(loaded, |_| None, content))
        .any()
}

fn about(client: &Client) -> Part {
    let list = |name: &str, values: &[String]| (!values.is_empty()).then(|| fact(name, tags(values, "")));
    let tenant = Some(client.tenant.as_str()).filter(|tenant| !tenant.is_empty());
    let origins = if client.kind == Kind::Web { "Lives at" } else { "May call" };
    let unused = format!("after {} unused", span(client.idle_secs));
    let sealed = classed("p", "file-mark small muted").child(icon("lock")).child(
        part("span")
            .text("From the configuration file, under ")
            .child(classed("code", "mono").text(format!("[clients.{}]", client.id)))
            .text(": changed there, read-only here."),
    );
    let table = facts()
        .child(fact("Id", copyable("the client’s id", &client.id)))
        .child(fact("Kind", kind(client.kind)))
        .maybe(tenant.map(|tenant| fact("Tenant", foreign(tenant))))
        .child(fact("Signs in with", tags(&client.registrations, "nothing")))
        .maybe(list(origins, &client.origins))
        .maybe(client.issuer.as_deref().map(|issuer| fact("Issuer", copyable("the issuer", issuer))))
        .maybe(list("Trusts pages of", &client.trusted_origins))
        .maybe(list("Returns to", &client.return_urls))
        .maybe(list("Redirects to", &client.redirect_uris))
        .child(fact("Sessions end", pair(&format!("after {}", span(client.absolute_secs)), unused)))
        .child(fact("Live sessions", live_sessions(client)));
    let act = |href: String, sign: &str, words: &str| link(href).class("button").child(icon(sign)).text(words);
    let acts = classed("div", "panel-acts")
        .child(act(routes::sessions_at(&client.id), "monitor-smartphone", "Sessions"))
        .child(act(routes::incident(&[("client", &client.id)]), "ban", "End its sessions…"));
    classed("section", "panel")
        .attr("aria-labelledby", "about-title")
        .child(part("h2").attr("id", "about-title").text("Configured"))
        .child(sealed)
        .child(table)
        .child(acts)
}

/// The code, for the framework that the address says.
fn connect(client: Client, calls: Loaded<RouteList>) -> Part {
    let address = Address::get();
    let chosen = Memo::new(move |_| {
        let asked = query_string::read(&address.search()).into_iter().find(|(name, _)| name == "for");
        asked.map(|(_, code)| code).unwrap_or_default()
    });
    let known = snippet::all(client.kind);
    let path = format!("/admin/clients/{}", client.id);
    let current = move |snippet: &Snippet, first: bool| {
        chosen.with(|code| code == snippet.code || (first && known.iter().all(|one| one.code != code)))
    };
    let tabs = known.iter().enumerate().map(move |(at, snippet)| {
        classed("a", "tab")
            .attr("href", routes::with_search(&path, &query_string::write(&[("for", snippet.code)])))
            .attr("data-noscroll", "")
            .live_attr("aria-current", move || current(snippet, at == 0).then(|| "true".to_owned()))
            .text(snippet.name)
    });
    let body = live(move || {
        let snippet = known.iter().enumerate().find(|(at, one)| current(one, *at == 0)).map(|(_, one)| one)?;
        let call = calls.map(|list| call_of(&client, list)).flatten();
        let place = snippet::Place::of(&client, call.as_deref());
        let blocks = (snippet.blocks)(&place).into_iter().map(|(file, text)| {
            classed("div", "code-block")
                .child(classed("p", "small muted mono").text(file))
                .child(code("this code", &text))
        });
        Some(part("div").child(classed("p", "muted").text(snippet.about)).all(blocks))
    });
    classed("section", "panel")
        .attr("aria-labelledby", "connect-title")
        .child(part("h2").attr("id", "connect-title").text("Connect its code"))
        .child(classed("nav", "tabs wrap").attr("aria-label", "Framework").all(tabs))
        .child(classed("div", "code-blocks").attr("role", "status").view(body))
}

/// A route of the client's that scripts call: the example that is true.
fn call_of(client: &Client, routes: &RouteList) -> Option<String> {
    let own = routes.items.iter().filter(|route| client.origins.contains(&route.origin));
    own.filter(|route| route.kind == "api" && !route.anonymous).map(|route| route.path.clone()).next()
}
