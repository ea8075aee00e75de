//! What ending a session did, step by step, and what it did not do.

use cloakroom_api::{ProviderRevocation, Revoked};

use crate::state::clock::span;
use crate::ui::{Part, Tone, button, classed, icon, part, written_time};

/// The dialog's second half.
pub(super) fn view(outcome: &Revoked, provider: &str, on_close: impl Fn() + Send + 'static) -> Part {
    let (title, here) = if outcome.already_ended {
        ("It had ended before", "The session had ended already; nothing was changed.")
    } else {
        ("Session revoked", "The session is ended. Its cookie is refused from now on.")
    };
    let (tone, there) = at_provider(outcome.provider, provider);
    let left = outcome.access_token_left_secs.filter(|left| *left > 0).map(|left| {
        let words = format!("An access token that an upstream already holds may work there for up to {}.", span(left));
        step(Tone::Warn, words, None)
    });
    let steps = classed("ul", "steps")
        .child(step(Tone::Ok, here.to_owned(), Some(&outcome.ended_at)))
        .child(step(tone, there, None))
        .maybe(left);
    let done = button("button primary", on_close).attr("autofocus", "").text("Done");
    classed("div", "dialog-body")
        .child(classed("h2", "dialog-title").attr("id", "revoke-title").text(title))
        .child(steps)
        .child(classed("div", "dialog-actions").child(done))
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

fn step(tone: Tone, words: String, at: Option<&str>) -> Part {
    let at = at.map(|at| classed("p", "small faint").child(written_time(at)));
    part("li")
        .class(&format!("step {}", tone.class()))
        .child(icon(tone.icon()))
        .child(part("div").child(part("p").text(words)).maybe(at))
}
