//! Copying.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::announcer::Announcer;
use super::icon::icon;
use super::part::{Part, classed, foreign};
use crate::state::spawn::scoped;

/// A button that copies a text and says so.
pub(crate) fn copy_button(what: &'static str, text: String) -> Part {
    let copied = RwSignal::new(false);
    let announcer = Announcer::get();
    let copy = move |_| {
        let writing = JsFuture::from(window().navigator().clipboard().write_text(&text));
        scoped(async move {
            let done = writing.await.is_ok();
            announcer.say(if done { format!("Copied {what}.") } else { format!("The browser did not copy {what}.") });
            copied.try_set(done);
            set_timeout(
                move || {
                    copied.try_set(false);
                },
                Duration::from_millis(1500),
            );
        });
    };
    classed("button", "icon-button")
        .attr("type", "button")
        .attr("aria-label", format!("Copy {what}"))
        .on("click", copy)
        .live(move || icon(if copied.get() { "check" } else { "copy" }))
}

/// A text in full, for machines, with its copy button.
pub(crate) fn copyable(what: &'static str, text: &str) -> Part {
    classed("span", "copyable").child(foreign(text).class("mono")).child(copy_button(what, text.to_owned()))
}
