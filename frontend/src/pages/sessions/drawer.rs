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
use crate::ui::{Layer, copy_button, empty, icon, layer, skeleton_lines};

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
        view! {
            {head(list, loaded, close)}
            <div class="drawer-body" tabindex="0" role="region" aria-label="Details">
                {move || body(loaded)}
            </div>
            {move || foot(loaded, flow)}
        }
        .into_any()
    })
}

fn head(list: List, loaded: Loaded<SessionDetail>, close: Callback<()>) -> AnyView {
    let title =
        move || loaded.map(|detail| detail.session.display().to_owned()).unwrap_or_else(|| "Session".to_owned());
    let second = move || loaded.map(|detail| second_name(&detail.session)).flatten();
    let sign = move || loaded.map(|detail| avatar(detail.session.display()));
    let state = move || {
        loaded.map(|detail| view! { {state_badge(detail.session.state)} {detail.session.is_current.then(own_mark)} })
    };
    let link = move || {
        let origin = window().location().origin().unwrap_or_default();
        list.open
            .get()
            .map(|id| copy_button("the link to this session", format!("{origin}{}", routes::session(&id, "state=all"))))
    };
    view! {
        <header class="drawer-head">
            {sign}
            <div class="drawer-who">
                <h2 id="drawer-title" tabindex="-1" autofocus><bdi>{title}</bdi></h2>
                <p class="small muted clip"><bdi>{second}</bdi></p>
            </div>
            <div class="drawer-state">{state}</div>
            {link}
            <button type="button" class="icon-button" aria-label="Close" on:click=move |_| close.run(())>{icon("x")}</button>
        </header>
    }
    .into_any()
}

fn body(loaded: Loaded<SessionDetail>) -> AnyView {
    let failure = loaded.failure();
    if let Some(failure) = failure.as_ref().filter(|failure| failure.is_not_found()) {
        return empty("search-x", "There is no such session", failure.advice(), ());
    }
    let failure = failure.map(|failure| failure_notice(&failure, None, move || loaded.again()));
    let content = match loaded.data() {
        Some(detail) => detail::sections(&detail),
        None if failure.is_some() => ().into_any(),
        None => view! { <p class="sr-only" role="status">"Loading"</p> {skeleton_lines(9)} }.into_any(),
    };
    view! { {failure} {content} }.into_any()
}

/// Only a live session can be ended.
fn foot(loaded: Loaded<SessionDetail>, flow: RevokeFlow) -> Option<AnyView> {
    let detail = loaded.data().filter(|detail| detail.session.state == SessionState::Live)?;
    Some(view! { <footer class="drawer-foot">{revoke_button(flow, detail)}</footer> }.into_any())
}
