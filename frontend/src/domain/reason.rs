//! The reason of a deed: asked for once, in the same way everywhere.

use cloakroom_api::{REASON_MAX_CHARS, Revoke};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::ui::{Part, button, classed, icon, live, part, value_of};

/// What administrators write most.
const SUGGESTIONS: [&str; 4] =
    ["Lost or stolen device", "Asked for by the user", "Left the company", "Suspicious activity"];

/// A reason as it is written.
#[derive(Clone, Copy)]
pub(crate) struct Reason {
    /// What is written.
    pub(crate) text: RwSignal<String>,
    /// Whether sending was tried with a reason that is none.
    complained: RwSignal<bool>,
    id: &'static str,
}

impl Reason {
    /// An empty one.
    pub(crate) fn new(id: &'static str) -> Self {
        Self { text: RwSignal::new(String::new()), complained: RwSignal::new(false), id }
    }

    /// Forgets the complaint, and the words too.
    pub(crate) fn reset(self, words_too: bool) {
        self.complained.set(false);
        if words_too {
            self.text.set(String::new());
        }
    }

    /// The reason, if it is one; else the field says what is wrong, and has the focus.
    pub(crate) fn checked(self) -> Option<String> {
        let revoke = Revoke { reason: self.text.get_untracked() };
        if revoke.checked_reason().is_ok() {
            return Some(revoke.reason);
        }
        self.complained.set(true);
        self.focus();
        None
    }

    fn focus(self) {
        let field = document().get_element_by_id(self.id).and_then(|field| field.dyn_into::<HtmlElement>().ok());
        field.and_then(|field| field.focus().ok());
    }

    fn error(self) -> Option<String> {
        let reason = Revoke { reason: self.text.get() };
        self.complained.get().then(|| reason.checked_reason().err().map(|error| error.to_string())).flatten()
    }

    /// The field.
    pub(crate) fn view(self, autofocus: bool) -> Part {
        let foot_id = format!("{}-error", self.id);
        let area = part("textarea")
            .attr("id", self.id)
            .attr("rows", "2")
            .attr("required", "")
            .attr("aria-describedby", foot_id.as_str())
            .live_attr("aria-invalid", move || self.error().map(|_| "true".to_owned()))
            .live_value(move || self.text.get())
            .on("input", move |event| self.text.set(value_of(&event)));
        let area = if autofocus { area.attr("autofocus", "") } else { area };
        let error = classed("span", "field-error")
            .live(move || self.error().map(|error| part("span").child(icon("circle-alert")).text(error)));
        let count = live(move || {
            let chars = self.text.with(|reason| reason.trim().chars().count());
            classed("span", "faint").text(format!("{chars} of {REASON_MAX_CHARS}"))
        });
        let suggestions = SUGGESTIONS.map(|words| {
            let choose = move || {
                self.text.set(words.to_owned());
                self.focus();
            };
            button("suggestion", choose).text(words)
        });
        let label = part("label").attr("for", self.id).text("Reason");
        classed("div", "field")
            .child(label.child(classed("span", "faint").text(" · goes into the audit log")))
            .child(area)
            .child(classed("div", "field-foot small").attr("id", foot_id).child(error).view(count))
            .child(
                classed("div", "suggestions")
                    .attr("role", "group")
                    .attr("aria-label", "Common reasons")
                    .all(suggestions),
            )
    }
}
