//! Ending a session: says what will happen, asks why, tells what happened. The only destructive flow there is.

use cloakroom_api::{Permission, REASON_MAX_CHARS, Revoke, Revoked, SessionDetail};
use leptos::ev::SubmitEvent;
use leptos::html::Textarea;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure};
use crate::domain::session::device;
use crate::state::viewer::Viewer;
use crate::ui::{Announcer, Layer, Notice, Tone, icon, layer, notice};

mod outcome;

/// What administrators write most.
const SUGGESTIONS: [&str; 4] =
    ["Lost or stolen device", "Asked for by the user", "Left the company", "Suspicious activity"];

/// The flow over one session.
#[derive(Clone, Copy)]
pub(crate) struct RevokeFlow {
    target: RwSignal<Option<SessionDetail>>,
    reason: RwSignal<String>,
    /// Whether sending was tried with a reason that is none.
    complained: RwSignal<bool>,
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
            reason: RwSignal::new(String::new()),
            complained: RwSignal::new(false),
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
        if !same || self.outcome.with_untracked(Option::is_some) {
            self.reason.set(String::new());
        }
        self.complained.set(false);
        self.failure.set(None);
        self.outcome.set(None);
        self.target.set(Some(session));
    }

    fn close(self) {
        self.target.set(None);
    }

    fn send(self) {
        let Some(target) = self.target.get_untracked() else { return };
        let revoke = Revoke { reason: self.reason.get_untracked() };
        if revoke.checked_reason().is_err() {
            self.complained.set(true);
            return;
        }
        if self.sending.get_untracked() {
            return;
        }
        self.sending.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let answer = api::sessions::revoke(&target.session.id, &revoke).await;
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
pub(crate) fn revoke_button(flow: RevokeFlow, session: SessionDetail) -> AnyView {
    let may = move || flow.viewer.may(Permission::SessionsRevoke);
    let open = move |_| {
        if may() {
            flow.ask(session.clone());
        }
    };
    let role = Permission::SessionsRevoke.role().code();
    view! {
        <div class="gated">
            <button
                type="button"
                class="button danger"
                aria-disabled=move || (!may()).then_some("true")
                aria-describedby=move || (!may()).then_some("revoke-needs")
                on:click=open
            >
                {icon("ban")} "Revoke session"
            </button>
            <Show when=move || !may()>
                <p id="revoke-needs" class="gated-words small muted">{icon("lock")} <span>"Needs the role " <strong>{role}</strong> "."</span></p>
            </Show>
        </div>
    }
    .into_any()
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
        view! {
            {move || match flow.outcome.get() {
                Some(outcome) => outcome::view(&outcome, &provider, Callback::new(move |()| flow.close())),
                None => question(flow, &target),
            }}
        }
        .into_any()
    })
}

fn question(flow: RevokeFlow, target: &SessionDetail) -> AnyView {
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        flow.send();
    };
    view! {
        <form class="dialog-body" on:submit=submit novalidate>
            <h2 id="revoke-title" class="dialog-title">"Revoke this session?"</h2>
            {consequences(target)}
            {reason_field(flow)}
            {move || flow.failure.get().map(|failure| {
                let words = Notice {
                    tone: Tone::Bad,
                    title: failure.title(),
                    text: format!("{} The session was not ended by this.", failure.advice()),
                    request_id: failure.request_id(),
                };
                notice(words, ())
            })}
            <div class="dialog-actions">
                <button type="button" class="button" on:click=move |_| flow.close()>"Cancel"</button>
                <button type="submit" class="button danger solid" aria-disabled=move || flow.sending.get().then_some("true")>
                    {move || if flow.sending.get() { "Revoking…" } else { "Revoke session" }}
                </button>
            </div>
        </form>
    }
    .into_any()
}

/// What will happen, before it does.
fn consequences(target: &SessionDetail) -> AnyView {
    let session = &target.session;
    let (who, client, device) = (session.display().to_owned(), session.client_name.clone(), device(session));
    let own = session.is_current.then(|| {
        let words = Notice {
            tone: Tone::Warn,
            title: "This is the session that you are using".to_owned(),
            text: "You will have to sign in to the console again.".to_owned(),
            request_id: None,
        };
        notice(words, ())
    });
    let tokens = target.token_set.as_ref().is_some_and(|tokens| tokens.has_refresh_token).then(|| {
        view! { <li>"The refresh token is revoked at the provider " <bdi class="mono">{session.provider_id.clone()}</bdi> "."</li> }
    });
    view! {
        {own}
        <p><bdi><strong>{who}</strong></bdi> " is signed out of " <bdi><strong>{client}</strong></bdi> " on " <bdi>{device}</bdi> "."</p>
        <ul class="consequences muted">
            <li>"The next request that uses this session is refused."</li>
            {tokens}
            <li>"An access token that an upstream already holds works there until it expires."</li>
            <li>"It cannot be undone; the person can sign in again."</li>
        </ul>
    }
    .into_any()
}

fn reason_field(flow: RevokeFlow) -> AnyView {
    let field = NodeRef::<Textarea>::new();
    let error = move || {
        let reason = Revoke { reason: flow.reason.get() };
        flow.complained.get().then(|| reason.checked_reason().err().map(|error| error.to_string())).flatten()
    };
    Effect::new(move |_| {
        if flow.complained.get() {
            field.get_untracked().map(|field| field.focus().ok());
        }
    });
    let suggestions = SUGGESTIONS.map(|words| {
        let choose = move |_| {
            flow.reason.set(words.to_owned());
            field.get_untracked().map(|field| field.focus().ok());
        };
        view! { <button type="button" class="suggestion" on:click=choose>{words}</button> }
    });
    view! {
        <div class="field">
            <label for="revoke-reason">"Reason" <span class="faint">" · goes into the audit log"</span></label>
            <textarea
                id="revoke-reason"
                node_ref=field
                rows="2"
                autofocus
                required
                aria-invalid=move || error().is_some().then_some("true")
                aria-describedby="revoke-error"
                prop:value=move || flow.reason.get()
                on:input=move |event| flow.reason.set(event_target_value(&event))
            ></textarea>
            <div id="revoke-error" class="field-foot small">
                <span class="field-error">{move || error().map(|error| view! { {icon("circle-alert")} {error} })}</span>
                <span class="faint">{move || format!("{} of {REASON_MAX_CHARS}", flow.reason.with(|reason| reason.trim().chars().count()))}</span>
            </div>
            <div class="suggestions" role="group" aria-label="Common reasons">{suggestions.into_iter().collect_view()}</div>
        </div>
    }
    .into_any()
}
