//! What ending a session did, step by step, and what it did not do.

use cloakroom_api::{ProviderRevocation, Revoked};
use leptos::prelude::*;

use crate::state::clock::span;
use crate::ui::{Tone, icon, written_time};

/// The dialog's second half.
pub(super) fn view(outcome: &Revoked, provider: &str, on_close: Callback<()>) -> AnyView {
    let (title, here) = if outcome.already_ended {
        ("It had ended before", "The session had ended already; nothing was changed.")
    } else {
        ("Session revoked", "The session is ended. Its cookie is refused from now on.")
    };
    let (tone, there) = at_provider(outcome.provider, provider);
    let left = outcome.access_token_left_secs.filter(|left| *left > 0).map(|left| {
        let left = span(left);
        step(
            Tone::Warn,
            format!("An access token that an upstream already holds may work there for up to {left}."),
            None,
        )
    });
    view! {
        <div class="dialog-body">
            <h2 id="revoke-title" class="dialog-title">{title}</h2>
            <ul class="steps">
                {step(Tone::Ok, here.to_owned(), Some(&outcome.ended_at))}
                {step(tone, there, None)}
                {left}
            </ul>
            <div class="dialog-actions">
                <button type="button" class="button primary" autofocus on:click=move |_| on_close.run(())>"Done"</button>
            </div>
        </div>
    }
    .into_any()
}

fn at_provider(revocation: ProviderRevocation, provider: &str) -> (Tone, String) {
    match revocation {
        ProviderRevocation::Done => (Tone::Ok, format!("The provider {provider} revoked the refresh token.")),
        ProviderRevocation::Queued => (
            Tone::Info,
            format!(
                "The provider {provider} is being told to revoke the refresh token. The timeline shows how that ends."
            ),
        ),
        ProviderRevocation::Failed => (
            Tone::Warn,
            format!("The provider {provider} did not revoke the refresh token. The gateway does not use it any more."),
        ),
        ProviderRevocation::NotSupported => (
            Tone::Info,
            "Nothing to revoke at the provider: it offers no revocation, or there was no refresh token.".to_owned(),
        ),
    }
}

fn step(tone: Tone, words: String, at: Option<&str>) -> AnyView {
    view! {
        <li class=format!("step {}", tone.class())>
            {icon(tone.icon())}
            <div><p>{words}</p>{at.map(|at| view! { <p class="small faint">{written_time(at)}</p> })}</div>
        </li>
    }
    .into_any()
}
