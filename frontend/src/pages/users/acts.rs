//! What can be done about a person: end their sessions, keep them out or let them in, take out what is kept of them,
//! forget them.

use cloakroom_api::{Lock, Permission, User, UserDetail};
use leptos::prelude::*;

use crate::api;
use crate::domain::deed::{Deed, Said};
use crate::domain::field::{Field, choice, text_field};
use crate::domain::gate::gated;
use crate::routes::{self, Page};
use crate::state::address::{Address, Step};
use crate::state::clock::utc_in;
use crate::state::loaded::Loaded;
use crate::state::spawn::scoped;
use crate::state::viewer::Viewer;
use crate::ui::{Announcer, Part, classed, icon, link, live, part};

const LOCK: Said = Said {
    id: "lock-title",
    title: "Lock this person?",
    consequences: &[
        "Their sessions serve nobody while it holds, on every node, and no new one starts.",
        "They are told so, with the reason.",
        "It can be lifted at any time; the sessions then go on.",
    ],
    act: "Lock",
    is_destructive: true,
};
const UNLOCK: Said = Said {
    id: "unlock-title",
    title: "Unlock this person?",
    consequences: &["Their sessions that have not ended go on, and they can sign in again."],
    act: "Unlock",
    is_destructive: false,
};
const ERASE: Said = Said {
    id: "erase-title",
    title: "Erase this person?",
    consequences: &[
        "Their sessions end, and what is kept of them is deleted.",
        "The audit log keeps that something happened, and cannot tell any more to whom.",
        "It cannot be undone. The reason stays: do not name the person in it.",
    ],
    act: "Erase",
    is_destructive: true,
};

/// How long a lock may hold: seconds, or until it is lifted.
const UNTIL: [(&str, &str); 5] = [
    ("", "Until it is lifted"),
    ("3600", "One hour"),
    ("86400", "One day"),
    ("604800", "Seven days"),
    ("2592000", "Thirty days"),
];

/// The deeds, each with its dialog.
#[derive(Clone, Copy)]
pub(super) struct Acts {
    loaded: Loaded<UserDetail>,
    lock: Deed,
    unlock: Deed,
    erase: Deed,
    until: RwSignal<String>,
    confirm: RwSignal<String>,
    unconfirmed: RwSignal<bool>,
    viewer: Viewer,
    announcer: Announcer,
}

impl Acts {
    pub(super) fn new(loaded: Loaded<UserDetail>) -> Self {
        let address = Address::get();
        let done = Callback::new(move |()| loaded.again());
        Self {
            loaded,
            lock: Deed::new("lock-reason", done),
            unlock: Deed::new("unlock-reason", done),
            // Nothing is left to show here.
            erase: Deed::new("erase-reason", Callback::new(move |()| address.go(Page::Users.path(), Step::Page))),
            until: RwSignal::new(String::new()),
            confirm: RwSignal::new(String::new()),
            unconfirmed: RwSignal::new(false),
            viewer: Viewer::get(),
            announcer: Announcer::get(),
        }
    }

    /// The buttons. Unlock stands where Lock was.
    pub(super) fn buttons(self, detail: &UserDetail) -> Part {
        let user = &detail.user;
        let end = link(routes::incident(&[("issuer", &user.issuer), ("sub", &user.sub)])).class("button");
        let lock = if user.locked {
            gated(
                Permission::SessionsRevoke,
                "unlock-needs",
                "button",
                move || self.unlock.ask(),
                |button| button.child(icon("lock")).text("Unlock…"),
            )
        } else {
            gated(
                Permission::SessionsRevoke,
                "lock-needs",
                "button danger",
                move || self.lock.ask(),
                |button| button.child(icon("lock")).text("Lock…"),
            )
        };
        let id = user.id.clone();
        let take = move || self.take(id.clone());
        let export = gated(Permission::UsersExport, "export-needs", "button", take, |button| {
            button.child(icon("arrow-down")).text("Export")
        });
        let erase = gated(
            Permission::UsersErase,
            "erase-needs",
            "button danger",
            move || self.erase.ask(),
            |button| button.child(icon("x")).text("Erase…"),
        );
        classed("div", "panel-acts")
            .child(end.child(icon("ban")).text("End their sessions…"))
            .child(lock)
            .child(export)
            .child(erase)
    }

    /// All that is kept, as a file.
    fn take(self, id: String) {
        scoped(async move {
            match api::users::export(&id).await {
                Ok(ticket) => {
                    self.announcer.say("The download begins.");
                    window().location().set_href(&ticket.path).ok();
                }
                Err(failure) => {
                    self.viewer.notice(&failure);
                    self.announcer.say(format!("{}. {}", failure.title(), failure.advice()));
                }
            }
        });
    }

    fn user(self) -> Option<User> {
        untrack(|| self.loaded.map(|detail| detail.user.clone()))
    }

    fn holding(self) -> Option<Lock> {
        untrack(|| self.loaded.map(|detail| detail.locks.iter().find(|lock| lock.holds).cloned()).flatten())
    }

    /// The dialogs, closed until they are asked for.
    pub(super) fn dialogs(self) -> AnyView {
        let options = || UNTIL.map(|(secs, words)| (secs.to_owned(), words.to_owned())).into();
        let lock = self.lock.view(
            LOCK,
            move || choice("lock-until", "Holds", self.until, options()),
            move |reason| {
                let user = self.user()?;
                let until = self.until.get_untracked().parse().ok().map(utc_in);
                Some(async move {
                    let lock = api::users::lock(&user, &reason, until.as_deref()).await?;
                    Ok(format!("{} is locked. They read: {}", user.display(), lock.told))
                })
            },
        );
        let unlock = self.unlock.view(
            UNLOCK,
            || part("div"),
            move |reason| {
                let lock = self.holding()?;
                Some(async move { api::users::lift(&lock.id, &reason).await.map(|_| "Unlocked.".to_owned()) })
            },
        );
        let erase = self.erase.view(
            ERASE,
            move || self.confirmation(),
            move |reason| {
                let user = self.user()?;
                self.unconfirmed.set(self.confirm.get_untracked().trim() != user.sub);
                if self.unconfirmed.get_untracked() {
                    return None;
                }
                Some(async move {
                    let erased = api::users::erase(&user.id, &reason, &user.sub).await?;
                    Ok(format!("Erased. {} sessions ended.", erased.sessions_ended))
                })
            },
        );
        part("div").view(lock).view(unlock).view(erase).any()
    }

    fn confirmation(self) -> Part {
        let sub = self.user().map(|user| user.sub).unwrap_or_default();
        let field = Field { id: "erase-confirm", label: "Confirm", value: self.confirm, hint: None };
        let error = live(move || {
            self.unconfirmed.get().then(|| {
                classed("p", "field-error small")
                    .attr("role", "alert")
                    .child(icon("circle-alert"))
                    .text("Type exactly the id above.")
            })
        });
        classed("div", "confirm")
            .child(part("p").text("To confirm, type their id ").child(classed("strong", "mono").text(sub)).text("."))
            .child(text_field(field, "text", None))
            .view(error)
    }
}
