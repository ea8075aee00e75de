//! Words in a box: something to know, something that went wrong, nothing to show.

use super::copy::copy_button;
use super::icon::icon;
use super::part::{Part, classed, foreign, part};

/// What a notice means: an icon, a colour, and how it is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Good to know.
    Info,
    /// Done.
    Ok,
    /// Take care.
    Warn,
    /// It failed.
    Bad,
}

impl Tone {
    /// Its class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    /// Its icon.
    pub(crate) const fn icon(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ok => "circle-check",
            Self::Warn => "triangle-alert",
            Self::Bad => "circle-alert",
        }
    }
}

/// What a notice says.
pub(crate) struct Notice {
    /// What it means.
    pub(crate) tone: Tone,
    /// What happened.
    pub(crate) title: String,
    /// More, and what to try.
    pub(crate) text: String,
    /// What finds it in the gateway's log.
    pub(crate) request_id: Option<String>,
}

/// A notice, with what can be done about it behind the words.
pub(crate) fn notice(notice: Notice, actions: Option<Part>) -> Part {
    let Notice { tone, title, text, request_id } = notice;
    let role = if matches!(tone, Tone::Bad) { "alert" } else { "status" };
    let request = request_id.map(|id| {
        classed("p", "notice-request small")
            .text("Request ")
            .child(foreign(id.as_str()).class("mono"))
            .child(copy_button("the request id", id))
    });
    let words = classed("div", "notice-words")
        .child(classed("p", "notice-title").text(title))
        .child(part("p").text(text))
        .maybe(request);
    part("div")
        .class(&format!("notice {}", tone.class()))
        .attr("role", role)
        .child(icon(tone.icon()))
        .child(words)
        .maybe(actions.map(|actions| classed("div", "notice-actions").child(actions)))
}

/// Nothing to show, why, and what to do next.
pub(crate) fn empty(sign: &str, title: impl Into<String>, text: impl Into<String>, actions: Vec<Part>) -> Part {
    let actions = (!actions.is_empty()).then(|| classed("div", "empty-actions").all(actions));
    classed("div", "empty")
        .child(classed("span", "empty-sign").child(icon(sign)))
        .child(classed("p", "empty-title").text(title))
        .child(classed("p", "muted").text(text))
        .maybe(actions)
}
