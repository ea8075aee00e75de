//! A deed that needs a reason: a dialog that says what will happen, asks why, and says what became of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use leptos::prelude::*;

use crate::api::Failure;
use crate::domain::reason::Reason;
use crate::domain::step_up::failed;
use crate::state::spawn::scoped;
use crate::state::viewer::Viewer;
use crate::ui::{Announcer, Layer, Part, button, classed, layer, live, part};

/// What comes of it: words for people.
type Outcome = Pin<Box<dyn Future<Output = Result<String, Failure>>>>;
type Act = Arc<dyn Fn(String) -> Option<Outcome> + Send + Sync>;

/// The dialog of one deed.
#[derive(Clone, Copy)]
pub(crate) struct Deed {
    open: RwSignal<bool>,
    reason: Reason,
    sending: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    on_done: Callback<()>,
    viewer: Viewer,
    announcer: Announcer,
}

/// What a deed is called, and what it will do.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    /// The id of the dialog's title.
    pub(crate) id: &'static str,
    /// The question.
    pub(crate) title: &'static str,
    /// What will happen, a sentence each.
    pub(crate) consequences: &'static [&'static str],
    /// The button.
    pub(crate) act: &'static str,
    /// Whether it ends something.
    pub(crate) is_destructive: bool,
}

impl Deed {
    /// A deed that calls `on_done` when it was done; `id` is that of the reason's field.
    pub(crate) fn new(id: &'static str, on_done: Callback<()>) -> Self {
        Self {
            open: RwSignal::new(false),
            reason: Reason::new(id),
            sending: RwSignal::new(false),
            failure: RwSignal::new(None),
            on_done,
            viewer: Viewer::get(),
            announcer: Announcer::get(),
        }
    }

    /// Opens the dialog. A reason that was begun is still there.
    pub(crate) fn ask(self) {
        self.reason.reset(false);
        self.failure.set(None);
        self.open.set(true);
    }

    /// The dialog. `send` gets the reason, and gives nothing where something else is missing; `more` is what else is asked.
    pub(crate) fn view<F: Future<Output = Result<String, Failure>> + 'static>(
        self,
        said: Said,
        more: impl Fn() -> Part + Send + Sync + 'static,
        send: impl Fn(String) -> Option<F> + Send + Sync + 'static,
    ) -> AnyView {
        let act: Act = Arc::new(move |reason| send(reason).map(|outcome| Box::pin(outcome) as Outcome));
        let frame = Layer {
            class: "dialog",
            labelled_by: said.id,
            open: self.open.into(),
            docks_from_px: None,
            on_close: Callback::new(move |()| self.open.set(false)),
        };
        layer(frame, move || self.form(said, more(), Arc::clone(&act)).any())
    }

    fn form(self, said: Said, more: Part, act: Act) -> Part {
        let submit = move |event: web_sys::Event| {
            event.prevent_default();
            self.send(&act);
        };
        let failure = live(move || self.failure.get().map(|failure| failed(&failure, "Nothing was changed.")));
        let class = if said.is_destructive { "button danger solid" } else { "button primary" };
        let submit_button = classed("button", class)
            .attr("type", "submit")
            .live_attr("aria-disabled", move || self.sending.get().then(|| "true".to_owned()))
            .text(said.act);
        let list = said.consequences.iter().map(|words| part("li").text(*words));
        classed("form", "dialog-body")
            .attr("novalidate", "")
            .on("submit", submit)
            .child(classed("h2", "dialog-title").attr("id", said.id).text(said.title))
            .child(classed("ul", "consequences muted").all(list))
            .child(self.reason.view(true))
            .child(more)
            .view(failure)
            .child(
                classed("div", "dialog-actions")
                    .child(button("button", move || self.open.set(false)).text("Cancel"))
                    .child(submit_button),
            )
    }

    fn send(self, act: &Act) {
        let Some(reason) = self.reason.checked() else { return };
        if self.sending.get_untracked() {
            return;
        }
        let Some(outcome) = act(reason) else { return };
        self.sending.set(true);
        self.failure.set(None);
        scoped(async move {
            let outcome = outcome.await;
            self.sending.try_set(false);
            match outcome {
                Ok(words) => {
                    self.announcer.say(words);
                    self.reason.reset(true);
                    self.open.try_set(false);
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
