//! Copying.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use super::announcer::Announcer;
use super::icon::icon;

/// A button that copies a text and says so.
pub(crate) fn copy_button(what: &'static str, text: String) -> AnyView {
    let copied = RwSignal::new(false);
    let announcer = Announcer::get();
    let copy = move |_| {
        let writing = JsFuture::from(window().navigator().clipboard().write_text(&text));
        spawn_local(async move {
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
    view! {
        <button type="button" class="icon-button" aria-label=format!("Copy {what}") on:click=copy>
            {move || icon(if copied.get() { "check" } else { "copy" })}
        </button>
    }
    .into_any()
}

/// A text in full, for machines, with its copy button.
pub(crate) fn copyable(what: &'static str, text: &str) -> AnyView {
    view! { <span class="copyable"><bdi class="mono">{text.to_owned()}</bdi>{copy_button(what, text.to_owned())}</span> }
        .into_any()
}
