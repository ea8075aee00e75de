//! One session over the list, at an address of its own.

use cloakroom_api::{SessionDetail, SessionState};
use leptos::prelude::*;

use super::{List, detail};
use crate::domain::person::avatar;
use crate::domain::revoke_flow::{RevokeFlow, revoke_button};
use crate::domain::session::{own_mark, second_name, state_badge};
use crate::pages::failure_notice;
use crate::routes;
use crate::state::address::Step;
use crate::state::loaded::Loaded;
use crate::ui::{Layer, Part, button, classed, copy_button, empty, icon, layer, loading, part};

/// From here on there is room for both.
const DOCKS_FROM_PX: u32 = 1600;

/// The drawer.
pub(super) fn drawer(list: List, loaded: Loaded<SessionDetail>, flow: RevokeFlow) -> AnyView {
    let close = Callback::new(move |()| {
        list.address.go(&routes::sessions(&list.query.get_untracked().unwrap_or_default().search()), Step::Within);
    });
    let frame = Layer {
        class: "drawer",
        labelled_by: "drawer-title",
        open: Signal::derive(move || list.open.with(Option::is_some)),
        docks_from_px: Some(DOCKS_FROM_PX),
        on_close: close,
    };
    layer(frame, move || {
        let body = classed("div", "drawer-body")
            .attr("tabindex", "0")
            .attr("role", "region")
            .attr("aria-label", "Details")
            .live(move || body(loaded));
        classed("div", "drawer-layout")
            .child(head(list, loaded, close))
            .child(body)
            .live(move || foot(loaded, flow))
            .any()
    })
}

fn head(list: List, loaded: Loaded<SessionDetail>, close: Callback<()>) -> Part {
    let title =
        move || loaded.map(|detail| detail.session.display().to_owned()).unwrap_or_else(|| "Session".to_owned());
    let second = move || loaded.map(|detail| second_name(&detail.session)).flatten();
    let sign = move || loaded.map(|detail| avatar(detail.session.display()));
    let state = move || {
        loaded.map(|detail| {
            let own = detail.session.is_current.then(own_mark);
            classed("div", "drawer-state").child(state_badge(detail.session.state)).maybe(own)
        })
    };
    let link = move || {
        let origin = window().location().origin().unwrap_or_default();
        list.open
            .get()
            .map(|id| copy_button("the link to this session", format!("{origin}{}", routes::session(&id, "state=all"))))
    };
    let title = part("h2")
        .attr("id", "drawer-title")
        .attr("tabindex", "-1")
        .attr("autofocus", "")
        .child(part("bdi").live(title));
    let who = classed("div", "drawer-who")
        .child(title)
        .child(classed("p", "small muted clip").child(part("bdi").live(second)));
    let close = button("icon-button", move || close.run(())).attr("aria-label", "Close").child(icon("x"));
    classed("header", "drawer-head").live(sign).child(who).live(state).live(link).child(close)
}

fn body(loaded: Loaded<SessionDetail>) -> Part {
    let failure = loaded.failure();
    if let Some(failure) = failure.as_ref().filter(|failure| failure.is_not_found()) {
        return empty("search-x", "There is no such session", failure.advice(), vec![]);
    }
    let is_failed = failure.is_some();
    let failure = failure.map(|failure| failure_notice(&failure, None, move || loaded.again()));
    let content = match loaded.data() {
        Some(detail) => Some(detail::sections(&detail)),
        None if is_failed => None,
        None => Some(loading(9)),
    };
    part("div").maybe(failure).maybe(content)
}

/// Only a live session can be ended.
fn foot(loaded: Loaded<SessionDetail>, flow: RevokeFlow) -> Option<Part> {
    let detail = loaded.data().filter(|detail| detail.session.state == SessionState::Live)?;
    Some(classed("footer", "drawer-foot").child(revoke_button(flow, detail)))
}
