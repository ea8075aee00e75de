//! A failure, with the way on where there is one: a deed that needs a recent login names where to get it.

use crate::api::Failure;
use crate::ui::{Notice, Part, Tone, icon, link, notice};

/// The failure in words; `after` says what it left undone.
pub(crate) fn failed(failure: &Failure, after: &str) -> Part {
    let words = Notice {
        tone: Tone::Bad,
        title: failure.title(),
        text: format!("{} {after}", failure.advice()),
        request_id: failure.request_id(),
    };
    let way = failure.step_up_url().map(|url| {
        link(url)
            .class("button")
            .attr("target", "_blank")
            .attr("rel", "external noopener")
            .child(icon("log-in"))
            .text("Sign in again in a new tab")
    });
    notice(words, way)
}
