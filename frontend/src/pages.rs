//! The pages: a file or folder each.

mod entrance;
mod overview;
mod sessions;

pub(crate) use entrance::{SIGNED_IN_CHANNEL, asking, failed, not_found, refused, signed_in, signed_out};
pub(crate) use overview::overview;
pub(crate) use sessions::sessions;

use leptos::prelude::*;

use crate::api::Failure;
use crate::state::clock::Moment;
use crate::ui::{Notice, Tone, icon, notice};

/// A page's heading: it takes the focus when the page is entered.
fn heading(title: &'static str, beside: impl IntoView + 'static) -> AnyView {
    view! {
        <header class="page-head">
            <h1 tabindex="-1">{title}</h1>
            <div class="page-actions">{beside}</div>
        </header>
    }
    .into_any()
}

/// The button that asks again; `r` presses it.
fn refresh_button(busy: impl Fn() -> bool + Send + Sync + 'static, again: impl Fn() + 'static) -> AnyView {
    view! {
        <button
            type="button"
            class="button quiet"
            data-shortcut="refresh"
            class:busy=busy
            on:click=move |_| again()
        >
            {icon("refresh-cw")} <span class="button-word">"Refresh"</span>
        </button>
    }
    .into_any()
}

/// A failure over data that is still shown, or in its place.
fn failure_notice(failure: &Failure, as_of: Option<&str>, again: impl Fn() + 'static) -> AnyView {
    let shown = as_of.and_then(Moment::parse).map(|moment| format!(" Shown is the state as of {}.", moment.exact()));
    let words = Notice {
        tone: Tone::Bad,
        title: failure.title(),
        text: format!("{}{}", failure.advice(), shown.unwrap_or_default()),
        request_id: failure.request_id(),
    };
    notice(words, view! { <button type="button" class="button" on:click=move |_| again()>"Try again"</button> })
}
