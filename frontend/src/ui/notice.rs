//! Words in a box: something to know, something that went wrong, nothing to show.

use leptos::prelude::*;

use super::copy::copy_button;
use super::icon::icon;

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
pub(crate) fn notice(notice: Notice, actions: impl IntoView + 'static) -> AnyView {
    let Notice { tone, title, text, request_id } = notice;
    let role = if matches!(tone, Tone::Bad) { "alert" } else { "status" };
    let request = request_id.map(|id| {
        view! {
            <p class="notice-request small">
                "Request " <bdi class="mono">{id.clone()}</bdi> {copy_button("the request id", id)}
            </p>
        }
    });
    view! {
        <div class=format!("notice {}", tone.class()) role=role>
            {icon(tone.icon())}
            <div class="notice-words">
                <p class="notice-title">{title}</p>
                <p>{text}</p>
                {request}
            </div>
            <div class="notice-actions">{actions}</div>
        </div>
    }
    .into_any()
}

/// Nothing to show, why, and what to do next.
pub(crate) fn empty(
    sign: &'static str,
    title: impl Into<String>,
    text: impl Into<String>,
    actions: impl IntoView + 'static,
) -> AnyView {
    view! {
        <div class="empty">
            <span class="empty-sign">{icon(sign)}</span>
            <p class="empty-title">{title.into()}</p>
            <p class="muted">{text.into()}</p>
            <div class="empty-actions">{actions}</div>
        </div>
    }
    .into_any()
}
