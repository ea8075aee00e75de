//! The console as a whole: what every view can count on, then the page that fits who is there.

use leptos::prelude::*;

use crate::pages;
use crate::shell::{Overlays, frame};
use crate::state::address::Address;
use crate::state::clock::Now;
use crate::state::prefs::Prefs;
use crate::state::viewer::{Standing, Viewer};
use crate::ui::{Announcer, live_region};

/// Everything.
pub(crate) fn app() -> impl IntoView {
    Address::provide();
    Announcer::provide();
    Prefs::provide();
    Now::provide();
    Overlays::provide();
    Viewer::provide();
    view! {
        {standing()}
        {live_region()}
    }
}

/// How a person stands, without the parts that change while they work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asking,
    In,
    Out,
    Refused,
    Failed,
}

fn standing() -> AnyView {
    let viewer = Viewer::get();
    let stage = Memo::new(move |_| match viewer.standing() {
        Standing::Asking => Stage::Asking,
        Standing::In(_) => Stage::In,
        Standing::Out => Stage::Out,
        Standing::Refused(_) => Stage::Refused,
        Standing::Failed(_) => Stage::Failed,
    });
    (move || match stage.get() {
        Stage::Asking => pages::asking(),
        Stage::In => frame(),
        Stage::Out => pages::signed_out(),
        Stage::Refused => pages::refused(),
        Stage::Failed => pages::failed(),
    })
    .into_any()
}
