//! What is new, waiting above the list.

use leptos::prelude::*;

use crate::state::live::Live;
use crate::ui::{Part, button, classed, icon, live};

/// The bar: there while something is new. `thing` is one of them, in one word.
pub(crate) fn live_bar(state: Live, thing: &'static str, show: impl Fn() + Clone + Send + Sync + 'static) -> AnyView {
    let bar = move || {
        let n = state.fresh();
        let show = show.clone();
        (n > 0).then(|| {
            let s = if n == 1 { "" } else { "s" };
            let words = format!("{n} new {thing}{s}");
            button("live-news", show).child(icon("arrow-down")).text(words)
        })
    };
    // In the page from the start, so that what appears in it is read out.
    classed("div", "live-bar").attr("role", "status").view(live(bar)).any()
}

/// The switch beside the heading.
pub(crate) fn live_switch(state: Live) -> AnyView {
    let content = move || {
        let (sign, word) = if state.paused() { ("play", "Paused") } else { ("pause", "Live") };
        let dot = (!state.paused()).then(|| classed("span", "live-dot").attr("aria-hidden", "true"));
        classed("span", "live-words").maybe(dot).text(word).child(icon(sign))
    };
    let pressed = move || Some(state.paused().to_string());
    Part::any(
        button("button quiet", move || state.toggle())
            .attr("aria-label", "Pause looking for news")
            .live_attr("aria-pressed", pressed)
            .view(live(content)),
    )
}
