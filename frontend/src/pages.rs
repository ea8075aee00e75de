//! The pages: a file or folder each.

mod audit;
mod clients;
mod entrance;
mod incident;
mod keys;
mod overview;
mod providers;
mod routes;
mod sessions;
mod settings;
mod users;

pub(crate) use audit::audit;
pub(crate) use clients::clients;
pub(crate) use entrance::{SIGNED_IN_CHANNEL, asking, failed, not_found, refused, signed_in, signed_out};
pub(crate) use incident::incident;
pub(crate) use keys::keys;
pub(crate) use overview::overview;
pub(crate) use providers::providers;
pub(crate) use routes::routes;
pub(crate) use sessions::sessions;
pub(crate) use settings::settings;
pub(crate) use users::users;

use leptos::prelude::*;

use crate::api::{Decode, Failure};
use crate::routes::Page;
use crate::state::clock::Moment;
use crate::state::loaded::Loaded;
use crate::ui::{Notice, Part, Tone, button, classed, icon, link, live, loading, notice, part};

/// The way up from a page that belongs to another.
fn crumb(page: Page, name: &'static str) -> Part {
    let up = link(page.path()).child(icon("chevron-left")).text(name);
    classed("nav", "crumb small").attr("aria-label", "Breadcrumb").child(up)
}

/// A page's heading: it takes the focus when the page is entered.
fn heading(title: &'static str, beside: Vec<AnyView>) -> AnyView {
    titled(part("span").text(title), beside)
}

/// The same, for a title that is known later.
fn titled(title: Part, beside: Vec<AnyView>) -> AnyView {
    let beside = beside.into_iter().fold(classed("div", "page-actions"), Part::view);
    let title = part("h1").attr("tabindex", "-1").child(title);
    classed("header", "page-head").child(title).child(beside).any()
}

/// The button that asks again; `r` presses it.
fn refresh_button<T: Decode + Clone + Send + Sync + 'static>(loaded: Loaded<T>) -> AnyView {
    button("", move || loaded.again())
        .live_attr("class", move || Some(if loaded.busy() { "button quiet busy" } else { "button quiet" }.to_owned()))
        .attr("data-shortcut", "refresh")
        .child(icon("refresh-cw"))
        .child(classed("span", "button-word").text("Refresh"))
        .any()
}

/// A failure over data that is still shown, or in its place.
fn failure_notice(failure: &Failure, as_of: Option<&str>, again: impl Fn() + Send + 'static) -> Part {
    let shown = as_of.and_then(Moment::parse).map(|moment| format!(" Shown is the state as of {}.", moment.exact()));
    let words = Notice {
        tone: Tone::Bad,
        title: failure.title(),
        text: format!("{}{}", failure.advice(), shown.unwrap_or_default()),
        request_id: failure.request_id(),
    };
    notice(words, Some(button("button", again).text("Try again")))
}

/// What is loaded, or its outline; over it what went wrong, with the old data still there.
fn loaded_view<T: Decode + Clone + Send + Sync + 'static>(
    loaded: Loaded<T>,
    as_of: fn(&T) -> Option<&str>,
    content: impl Fn(&T) -> Part + Send + Sync + 'static,
) -> AnyView {
    let old = move || loaded.map(|data| as_of(data).map(str::to_owned)).flatten();
    let failed = live(move || {
        loaded.failure().map(|failure| failure_notice(&failure, old().as_deref(), move || loaded.again()))
    });
    let body = live(move || match loaded.data() {
        Some(data) => content(&data),
        None if loaded.failure().is_some() => part("div"),
        None => loading(6),
    });
    part("div").view(failed).view(body).any()
}
