//! How the chain stands, and walking it.

use cloakroom_api::{AuditChain, VerificationState};
use leptos::prelude::*;

use crate::api;
use crate::state::loaded::{Loaded, OnChange};
use crate::state::spawn::{effect, scoped};
use crate::state::viewer::Viewer;
use crate::ui::{Announcer, Part, badge, button, classed, foreign, grouped, icon, live, part, relative_time};

/// The strip above the list.
pub(super) fn chain() -> AnyView {
    let loaded = Loaded::<AuditChain>::new(OnChange::Keep, || Some(api::audit::chain()));
    let (viewer, announcer) = (Viewer::get(), Announcer::get());
    let sending = RwSignal::new(false);
    // A walk takes a while: until it has ended, its state is asked for each second.
    effect(move || {
        if loaded.map(|chain| chain.verification.state) == Some(VerificationState::Running) {
            set_timeout(move || loaded.again(), std::time::Duration::from_secs(1));
        }
    });
    let verify = move || {
        if sending.get_untracked() {
            return;
        }
        sending.set(true);
        scoped(async move {
            let answer = api::audit::verify().await;
            sending.try_set(false);
            match answer {
                Ok(_) => announcer.say("The chain is being verified."),
                Err(failure) => viewer.notice(&failure),
            }
            loaded.again();
        });
    };
    let words = live(move || loaded.data().map(|chain| words(&chain)));
    let verify = button("button", verify).child(icon("refresh-cw")).text("Verify now");
    classed("section", "strip").attr("aria-label", "Chain").view(words).child(verify).any()
}

fn words(chain: &AuditChain) -> Part {
    let known = &chain.verification;
    let (colour, sign, word) = match known.state {
        VerificationState::Never => ("neutral", "info", "Chain not verified since the start of this node"),
        VerificationState::Running => ("info", "clock", "Chain is being verified"),
        VerificationState::Whole => ("ok", "circle-check", "Chain is whole"),
        VerificationState::Broken => ("bad", "shield-x", "Chain is broken"),
        VerificationState::Failed => ("warn", "triangle-alert", "The store did not answer; verify again"),
    };
    let up_to = known.up_to.map(|seq| part("span").text(format!("every link up to number {} holds", grouped(seq))));
    let when = known.ended_at.as_deref().map(|at| part("span").text("verified ").child(relative_time(at)));
    let head = chain.head.as_ref().map(|head| part("span").text(format!("{} events linked", grouped(head.seq))));
    let what = known.what.as_deref().map(|what| foreign(what).class("strong"));
    let facts = classed("span", "strip-facts small muted").maybe(what).maybe(up_to).maybe(head).maybe(when);
    // The outcome of a walk is news.
    classed("div", "strip-words").attr("role", "status").child(badge(colour, sign, word)).child(facts)
}
