//! Ending a session: says what will happen, asks why, tells what happened. The only destructive flow there is.

use crate::state::spawn::scoped;
use cloakroom_api::{Permission, Revoked, SessionDetail};
use leptos::prelude::*;

use crate::api::{self, Failure};
use crate::domain::gate::gated;
use crate::domain::reason::Reason;
use crate::domain::session::device;
use crate::state::viewer::Viewer;
use crate::ui::{Announcer, Layer, Notice, Part, Tone, button, classed, foreign, icon, layer, live, notice, part};

mod outcome;

/// The flow over one session.
#[derive(Clone, Copy)]
pub(crate) struct RevokeFlow {
    target: RwSignal<Option<SessionDetail>>,
    reason: Reason,
    sending: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    outcome: RwSignal<Option<Revoked>>,
    on_done: Callback<()>,
    viewer: Viewer,
    announcer: Announcer,
}

impl RevokeFlow {
    /// A flow that calls `on_done` when a session was ended.
    pub(crate) fn new(on_done: Callback<()>) -> Self {
        Self {
            target: RwSignal::new(None),
            reason: Reason::new("revoke-reason"),
            sending: RwSignal::new(false),
            failure: RwSignal::new(None),
            outcome: RwSignal::new(None),
            on_done,
            viewer: Viewer::get(),
            announcer: Announcer::get(),
        }
    }

    /// Opens the dialog. A reason begun for this session is still there.
    fn ask(self, session: SessionDetail) {
        let same =
            self.target.with_untracked(|last| last.as_ref().is_some_and(|last| last.session.id == session.session.id));
        self.reason.reset(!same || self.outcome.with_untracked(Option::is_some));
        self.failure.set(None);
        self.outcome.set(None);
        self.target.set(Some(session));
    }

    fn close(self) {
        self.target.set(None);
    }

    fn send(self) {
        let Some(target) = self.target.get_untracked() else { return };
        let Some(reason) = self.reason.checked() else { return };
        if self.sending.get_untracked() {
            return;
        }
        self.sending.set(true);
        self.failure.set(None);
        scoped(async move {
            let answer = api::sessions::revoke(&target.session.id, &reason).await;
            self.sending.try_set(false);
            match answer {
                Ok(outcome) => {
                    self.announcer.say(if outcome.already_ended { "It had ended before." } else { "Session ended." });
                    self.outcome.try_set(Some(outcome));
                    self.on_done.try_run(());
                }
                Err(failure) => {
                    self.viewer.notice(&failure);
                    self.failure.try_set(Some(failure));
                }
            }
        });
    }
}

/// The button that opens the flow. Who may not end sessions sees it, can reach it, and reads which role may.
pub(crate) fn revoke_button(flow: RevokeFlow, session: SessionDetail) -> Part {
    let open = move || flow.ask(session.clone());
    gated(Permission::SessionsRevoke, "revoke-needs", "button danger", open, |button| {
        button.child(icon("ban")).text("Revoke session")
    })
}

/// The flow's dialog.
pub(crate) fn revoke_dialog(flow: RevokeFlow) -> AnyView {
    let frame = Layer {
        class: "dialog",
        labelled_by: "revoke-title",
        open: Signal::derive(move || flow.target.with(Option::is_some)),
        docks_from_px: None,
        on_close: Callback::new(move |()| flow.close()),
    };
    layer(frame, move || {
        let Some(target) = flow.target.get_untracked() else { return ().into_any() };
        let provider = target.session.provider_id.clone();
        live(move || match flow.outcome.get() {
            Some(outcome) => outcome::view(&outcome, &provider, move || flow.close()),
            None => question(flow, &target),
        })
    })
}

fn question(flow: RevokeFlow, target: &SessionDetail) -> Part {
    let submit = move |event: web_sys::Event| {
        event.prevent_default();
        flow.send();
    };
    let failed = live(move || {
        flow.failure.get().map(|failure| {
            let words = Notice {
                tone: Tone::Bad,
                title: failure.title(),
                text: format!("{} The session was not ended by this.", failure.advice()),
                request_id: failure.request_id(),
            };
            notice(words, None)
        })
    });
    let send = part("button")
        .class("button danger solid")
        .attr("type", "submit")
        .live_attr("aria-disabled", move || flow.sending.get().then(|| "true".to_owned()))
        .live(move || if flow.sending.get() { "Revoking…" } else { "Revoke session" });
    let actions =
        classed("div", "dialog-actions").child(button("button", move || flow.close()).text("Cancel")).child(send);
    classed("form", "dialog-body")
        .attr("novalidate", "")
        .on("submit", submit)
        .child(classed("h2", "dialog-title").attr("id", "revoke-title").text("Revoke this session?"))
        .all(consequences(target))
        .child(flow.reason.view(true))
        .view(failed)
        .child(actions)
}

/// What will happen, before it does.
fn consequences(target: &SessionDetail) -> Vec<Part> {
    let session = &target.session;
    let own = session.is_current.then(|| {
        let words = Notice {
            tone: Tone::Warn,
            title: "This is the session that you are using".to_owned(),
            text: "You will have to sign in to the console again.".to_owned(),
            request_id: None,
        };
        notice(words, None)
    });
    let has_refresh_token = target.token_set.as_ref().is_some_and(|tokens| tokens.has_refresh_token);
    let tokens = has_refresh_token.then(|| {
        part("li")
            .text("The refresh token is revoked at the provider ")
            .child(foreign(session.provider_id.as_str()).class("mono"))
            .text(".")
    });
    let strong = |text: &str| part("strong").child(foreign(text));
    let who = part("p")
        .child(strong(session.display()))
        .text(" is signed out of ")
        .child(strong(&session.client_name))
        .text(" on ")
        .child(foreign(device(session)))
        .text(".");
    let item = |words: &str| part("li").text(words);
    let list = classed("ul", "consequences muted")
        .child(item("The next request that uses this session is refused."))
        .maybe(tokens)
        .child(item("An access token that an upstream already holds works there until it expires."))
        .child(item("It cannot be undone; the person can sign in again."));
    own.into_iter().chain([who, list]).collect()
}
