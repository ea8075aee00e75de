//! Who is at the console, from sign-in to sign-out.

use cloakroom_api::{Me, Permission, Problem};
use leptos::prelude::*;

use super::spawn::scoped;
use crate::api::{self, Failure};

/// Where the person stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not known yet.
    Asking,
    /// Signed in, with a role.
    In(Me),
    /// Not signed in.
    Out,
    /// Signed in without a role that may be here.
    Refused(Problem),
    /// The gateway could not say.
    Failed(Failure),
}

/// The person at the console.
#[derive(Clone, Copy)]
pub(crate) struct Viewer {
    standing: RwSignal<Standing>,
    /// The session ended in the middle of work: the page stays, and sign-in is offered in place.
    interrupted: RwSignal<bool>,
    /// Goes up when a new sign-in makes what failed worth another try.
    epoch: RwSignal<u32>,
}

impl Viewer {
    /// Asks the gateway who this is.
    pub(crate) fn provide() -> Self {
        let viewer = Self {
            standing: RwSignal::new(Standing::Asking),
            interrupted: RwSignal::new(false),
            epoch: RwSignal::new(0),
        };
        provide_context(viewer);
        viewer.ask();
        viewer
    }

    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Where the person stands.
    pub(crate) fn standing(self) -> Standing {
        self.standing.get()
    }

    /// The signed-in administrator.
    pub(crate) fn me(self) -> Option<Me> {
        self.standing.with(|standing| if let Standing::In(me) = standing { Some(me.clone()) } else { None })
    }

    /// Whether they may do it.
    pub(crate) fn may(self, permission: Permission) -> bool {
        self.standing.with(|standing| matches!(standing, Standing::In(me) if me.may(permission)))
    }

    /// The same, for a listener.
    pub(crate) fn may_untracked(self, permission: Permission) -> bool {
        untrack(|| self.may(permission))
    }

    /// Whether the session ended in the middle of work.
    pub(crate) fn interrupted(self) -> bool {
        self.interrupted.get()
    }

    /// The same, without being told of changes.
    pub(crate) fn interrupted_untracked(self) -> bool {
        self.interrupted.get_untracked()
    }

    /// Looks at the page as it is, signed out.
    pub(crate) fn leave_interrupted(self) {
        self.interrupted.set(false);
    }

    /// Makes the reader read again after a new sign-in.
    pub(crate) fn track(self) {
        self.epoch.track();
    }

    /// To be told of every failure: a 401 is the viewer's matter.
    pub(crate) fn notice(self, failure: &Failure) {
        if *failure == Failure::SignedOut {
            self.interrupted.set(true);
        }
    }

    /// Asks the gateway again.
    pub(crate) fn ask(self) {
        scoped(async move {
            let answer = api::me::get().await;
            self.learn(answer);
        });
    }

    fn learn(self, answer: Result<Me, Failure>) {
        let was = self.standing.get_untracked();
        let in_work = matches!(was, Standing::In(_));
        match answer {
            Ok(me) => {
                // Somebody else: nothing on this page is theirs.
                if matches!(&was, Standing::In(before) if (&before.sub, &before.issuer) != (&me.sub, &me.issuer)) {
                    window().location().reload().ok();
                    return;
                }
                self.standing.set(Standing::In(me));
                self.interrupted.set(false);
                if in_work {
                    self.epoch.update(|epoch| *epoch += 1);
                }
            }
            Err(Failure::SignedOut) if in_work => self.interrupted.set(true),
            Err(_) if in_work => {}
            Err(Failure::SignedOut) => self.standing.set(Standing::Out),
            Err(Failure::Refused(problem)) if problem.status == 403 => self.standing.set(Standing::Refused(problem)),
            Err(failure) => self.standing.set(Standing::Failed(failure)),
        }
    }
}
