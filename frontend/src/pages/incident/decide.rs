//! What would end, and the decision that is bound to it.

use cloakroom_api::{Named, OwnSession, Permission, RevocationPreview, Session};
use leptos::prelude::*;

use crate::api::{self, Failure};
use crate::domain::facts::{fact, facts};
use crate::domain::field::{Field, text_field};
use crate::domain::gate::gated;
use crate::domain::listing::{cell, row_head, table};
use crate::domain::reason::Reason;
use crate::domain::session::device;
use crate::domain::step_up::failed;
use crate::routes;
use crate::state::address::{Address, Step};
use crate::state::filters::Filters;
use crate::state::spawn::{effect, scoped};
use crate::state::viewer::Viewer;
use crate::ui::{
    Announcer, Notice, Part, Row, Tone, classed, empty, foreign, grouped, icon, live, loading, notice, part,
    stacked_time,
};

/// The second half of the guide.
#[derive(Clone, Copy)]
struct Decision {
    preview: RwSignal<Option<Result<RevocationPreview, Failure>>>,
    asking: RwSignal<bool>,
    include_own: RwSignal<bool>,
    reason: Reason,
    confirm: RwSignal<String>,
    /// Whether the words to be typed are missing.
    unconfirmed: RwSignal<bool>,
    sending: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    viewer: Viewer,
    address: Address,
}

/// Asks what would end whenever the address says which sessions.
pub(super) fn decide(filters: Memo<Result<Filters, String>>) -> AnyView {
    let this = Decision {
        preview: RwSignal::new(None),
        asking: RwSignal::new(false),
        include_own: RwSignal::new(false),
        reason: Reason::new("incident-reason"),
        confirm: RwSignal::new(String::new()),
        unconfirmed: RwSignal::new(false),
        sending: RwSignal::new(false),
        failure: RwSignal::new(None),
        viewer: Viewer::get(),
        address: Address::get(),
    };
    let announcer = Announcer::get();
    effect(move || {
        // Who has signed in again asks anew: a preview is one session's.
        this.viewer.track();
        let include_own = this.include_own.get();
        let filters = filters.get().ok().map(|filters| filters.with("cursor", "")).unwrap_or_default();
        this.preview.set(None);
        if filters.set().next().is_none() {
            return;
        }
        this.asking.set(true);
        scoped(async move {
            let preview = api::revocations::preview(&filters, include_own).await;
            match &preview {
                Ok(preview) => announcer.say(title(preview)),
                Err(failure) => this.viewer.notice(failure),
            }
            this.asking.try_set(false);
            this.preview.try_set(Some(preview));
        });
    });
    live(move || match this.preview.get() {
        Some(Ok(preview)) => this.panel(&preview),
        Some(Err(failure)) => failed(&failure, "Nothing was ended."),
        None if this.asking.get() => classed("section", "panel").child(loading(4)),
        None => part("div"),
    })
}

fn title(preview: &RevocationPreview) -> String {
    match preview.count {
        1 => "1 session would end".to_owned(),
        n => format!("{} sessions would end", grouped(n)),
    }
}

impl Decision {
    fn panel(self, preview: &RevocationPreview) -> Part {
        let panel = classed("section", "panel decide").attr("aria-labelledby", "what-title");
        if preview.count == 0 {
            let text = "No live session matches. Look at the fields above, or at the ended sessions.";
            return panel
                .child(classed("h2", "sr-only").attr("id", "what-title").text("Nothing would end"))
                .child(empty("search-x", "Nothing would end", text, vec![]))
                .maybe(self.own(preview));
        }
        let warnings = preview.warnings.iter().map(|warning| {
            let words = Notice { tone: Tone::Warn, title: warning.clone(), text: String::new(), request_id: None };
            notice(words, None)
        });
        panel
            .child(classed("h2", "count").attr("id", "what-title").text(title(preview)))
            .all(warnings)
            .child(by_client(&preview.by_client))
            .child(sample(preview))
            .maybe(self.own(preview))
            .child(self.form(preview))
    }

    /// What becomes of one's own session: it stays unless one says otherwise.
    fn own(self, preview: &RevocationPreview) -> Option<Part> {
        (preview.own_session != OwnSession::NotCovered).then(|| {
            let tick = part("input")
                .attr("type", "checkbox")
                .live_checked(move || self.include_own.get())
                .on("change", move |_| self.include_own.update(|own| *own = !*own));
            part("label").class("check").child(tick).child(part("span").text("End the session that I am using, too"))
        })
    }

    fn form(self, preview: &RevocationPreview) -> Part {
        let submit = |event: web_sys::Event| event.prevent_default();
        let typed = preview.confirm_with.as_deref().map(|words| {
            let field = Field { id: "incident-confirm", label: "Confirm", value: self.confirm, hint: None };
            let error = live(move || {
                self.unconfirmed.get().then(|| {
                    classed("p", "field-error small")
                        .attr("role", "alert")
                        .child(icon("circle-alert"))
                        .text("Type exactly the words above.")
                })
            });
            classed("div", "confirm")
                .child(part("p").text("To confirm, type ").child(classed("strong", "mono").text(words)).text("."))
                .child(text_field(field, "text", None))
                .view(error)
        });
        let failure = live(move || self.failure.get().map(|failure| failed(&failure, "Nothing was ended by this.")));
        let (token, confirm_with) = (preview.token.clone(), preview.confirm_with.clone());
        let permission = if preview.mass { Permission::SessionsRevokeMass } else { Permission::SessionsRevoke };
        let act = move || self.send(&token, confirm_with.as_deref());
        let words =
            format!("End {} {}", grouped(preview.count), if preview.count == 1 { "session" } else { "sessions" });
        let end = gated(permission, "incident-needs", "button danger solid", act, |button| {
            button
                .child(icon("ban"))
                .live(move || if self.sending.get() { "Ending…".to_owned() } else { words.clone() })
        });
        classed("form", "decide-form")
            .attr("novalidate", "")
            .on("submit", submit)
            .child(self.reason.view(false))
            .maybe(typed)
            .view(failure)
            .child(end)
    }

    fn send(self, token: &str, confirm_with: Option<&str>) {
        let Some(reason) = self.reason.checked() else { return };
        let typed = self.confirm.get_untracked();
        self.unconfirmed.set(confirm_with.is_some_and(|words| typed.trim() != words));
        if self.unconfirmed.get_untracked() || self.sending.get_untracked() {
            return;
        }
        self.sending.set(true);
        self.failure.set(None);
        let (token, confirm) = (token.to_owned(), confirm_with.map(|_| typed.trim().to_owned()));
        scoped(async move {
            let answer = api::revocations::decide(&token, &reason, confirm.as_deref()).await;
            self.sending.try_set(false);
            match answer {
                Ok(report) => self.address.go(&routes::revocation(&report.id), Step::Page),
                Err(failure) => {
                    self.viewer.notice(&failure);
                    self.failure.try_set(Some(failure));
                }
            }
        });
    }
}

fn by_client(named: &[Named]) -> Part {
    facts().all(named.iter().map(|one| fact(&one.name, part("span").text(grouped(one.n)))))
}

/// The newest of them.
fn sample(preview: &RevocationPreview) -> Part {
    let shown = preview.sample.len();
    let items = preview.sample.clone();
    let drawn =
        move || items.iter().cloned().map(|session| Row::new(session.id.clone(), move || row(&session))).collect();
    let words = if preview.count > shown as u64 { format!("The newest {shown} of them.") } else { String::new() };
    part("div")
        .child(table("sample", "Sessions that would end.", &["User", "Client", "Device", "Signed in"], drawn))
        .child(classed("p", "small muted after").text(words))
}

fn row(session: &Session) -> Part {
    let second = session.address.as_deref().map(|address| foreign(address).class("small faint"));
    part("tr")
        .attr("role", "row")
        .child(row_head(foreign(session.display())))
        .child(cell("Client", foreign(session.client_name.as_str())))
        .child(cell("Device", classed("span", "stacked").child(foreign(device(session))).maybe(second)))
        .child(cell("Signed in", stacked_time(&session.created_at)))
}
