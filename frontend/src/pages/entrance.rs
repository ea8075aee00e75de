//! The pages of people who are not in: signed out, without a role, lost, or back from a sign-in.

use crate::state::spawn::scoped;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::BroadcastChannel;

use super::failure_notice;
use crate::api;
use crate::routes::Page;
use crate::state::address::Address;
use crate::state::query_string::encode;
use crate::state::viewer::{Standing, Viewer};
use crate::ui::{Part, button, classed, empty, foreign, icon, link, live, part};

/// On it, a tab that has just signed in tells the others; one that signs out does in `boot.js`.
pub(crate) const SIGNED_IN_CHANNEL: &str = "cloakroom.signed-in";

/// A card in the middle of nothing else.
fn card(title: &'static str, content: Vec<Part>) -> AnyView {
    document().set_title(&format!("{title} · Cloakroom"));
    let card = classed("div", "card")
        .child(classed("span", "brand-mark large").child(icon("hanger")))
        .child(part("h1").text(title))
        .all(content);
    classed("main", "entrance").child(card).any()
}

/// Before it is known who is there: the frame's outline, no words that come and go.
pub(crate) fn asking() -> AnyView {
    let words = classed("h1", "sr-only").text("Loading the console");
    classed("main", "entrance").attr("aria-busy", "true").child(words).any()
}

/// Nobody is signed in.
pub(crate) fn signed_out() -> AnyView {
    let address = Address::get();
    let login = move || {
        let search = address.search();
        let mark = if search.is_empty() { "" } else { "?" };
        Some(format!("/bff/login?return_to={}", encode(&format!("{}{mark}{search}", address.path()))))
    };
    let host = window().location().host().unwrap_or_default();
    let lead = classed("p", "muted")
        .text("The console of ")
        .child(foreign(host))
        .text(". Your provider asks who you are, then you come back to this page.");
    let sign_in = classed("a", "button primary wide").attr("rel", "external").live_attr("href", login);
    card("Sign in to Cloakroom", vec![lead, sign_in.child(icon("log-in")).text("Sign in")])
}

/// Signed in, with a role that is not enough.
pub(crate) fn refused() -> AnyView {
    let viewer = Viewer::get();
    let problem = move || if let Standing::Refused(problem) = viewer.standing() { Some(problem) } else { None };
    let role = move || problem().and_then(|problem| problem.required_role).map_or("viewer", |role| role.code());
    let user = RwSignal::new(None);
    scoped(async move {
        user.try_set(api::me::user().await.ok());
    });
    let lead = classed("p", "muted")
        .text("This page needs the role ")
        .child(part("strong").live(role))
        .text(". Ask an owner of this gateway for it, then check again.");
    let who = live(move || {
        user.get().map(|user| {
            let name = classed("p", "who small").child(classed("span", "faint").text("Signed in as "));
            let leave = link(user.logout_url.clone()).class("button wide").attr("rel", "external");
            classed("div", "card-who")
                .child(name.child(foreign(user.display())))
                .child(leave.child(icon("log-out")).text("Sign out"))
        })
    });
    let check = button("button quiet wide", move || viewer.ask()).child(icon("refresh-cw")).text("Check again");
    card("No access to the console", vec![lead, classed("div", "card-who").view(who), check])
}

/// The gateway could not say who is there.
pub(crate) fn failed() -> AnyView {
    let viewer = Viewer::get();
    let failure = move || if let Standing::Failed(failure) = viewer.standing() { Some(failure) } else { None };
    let words = move || failure().map(|failure| failure_notice(&failure, None, move || viewer.ask()));
    card("The console cannot start", vec![classed("div", "card-who").live(words)])
}

/// No such page.
pub(crate) fn not_found() -> Part {
    let way = vec![link(Page::Overview.path()).class("button").text("Go to the overview")];
    part("div").child(classed("h1", "sr-only").attr("tabindex", "-1").text("Not found")).child(empty(
        "search-x",
        "There is no such page",
        "The link may be old, or mistyped.",
        way,
    ))
}

/// Where a sign-in in another tab leads: tells the tab that waits.
pub(crate) fn signed_in() -> Part {
    if let Ok(channel) = BroadcastChannel::new(SIGNED_IN_CHANNEL) {
        channel.post_message(&JsValue::TRUE).ok();
        channel.close();
    }
    let text = "The tab that asked goes on by itself. This one can be closed.";
    let way = vec![link(Page::Overview.path()).class("button").text("Or go on here")];
    part("div").child(classed("h1", "sr-only").attr("tabindex", "-1").text("Signed in")).child(empty(
        "circle-check",
        "You are signed in",
        text,
        way,
    ))
}
