//! The native dialog, which keeps focus in, gives it back, and closes by Escape.

use std::sync::Arc;
use std::time::Duration;

use crate::state::spawn::effect;
use leptos::ev;
use leptos::html::Dialog;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement};

/// A layer over the page.
#[derive(Clone, Copy)]
pub(crate) struct Layer {
    /// Class: `dialog`, `drawer`, `palette`, `menu`.
    pub(crate) class: &'static str,
    /// The id of the element that names it.
    pub(crate) labelled_by: &'static str,
    /// Whether it is open.
    pub(crate) open: Signal<bool>,
    /// Where the page is this wide or wider, it stands beside the page instead of over it.
    pub(crate) docks_from_px: Option<u32>,
    /// Called when the person closes it: by Escape, or by a click beside it.
    pub(crate) on_close: Callback<()>,
}

/// Draws a layer. Its content exists only while it is open.
pub(crate) fn layer(layer: Layer, content: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
    drawn(layer, Arc::new(content))
}

fn drawn(layer: Layer, content: Arc<dyn Fn() -> AnyView + Send + Sync>) -> AnyView {
    let Layer { class, labelled_by, open, docks_from_px, on_close } = layer;
    let node = NodeRef::<Dialog>::new();
    let is_open = Memo::new(move |_| open.get());
    effect(move || {
        let wanted = is_open.get();
        let Some(dialog) = node.get() else { return };
        if wanted && !dialog.open() {
            // After the content is there: showing gives the focus to the part of it that asks for it.
            set_timeout(move || show(&dialog, docks_from_px.is_some_and(is_wide)), Duration::ZERO);
        } else if !wanted && dialog.open() {
            dialog.close();
        }
    });
    let close = move || {
        if is_open.get_untracked() {
            on_close.run(());
        }
    };
    // The owner of `open` closes, not the browser; where the browser insists (a second Escape), it is followed.
    let cancel = move |event: ev::Event| {
        if event.target() == event.current_target() {
            event.prevent_default();
            close();
        }
    };
    let closed = move |event: ev::Event| {
        if event.target() == event.current_target() {
            close();
        }
    };
    let beside = move |event: ev::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if target.is_some_and(|target| target.tag_name().eq_ignore_ascii_case("dialog")) {
            close();
        }
    };
    // A docked layer is not modal, so the browser sends it no `cancel`.
    let key = move |event: ev::KeyboardEvent| {
        let docked = node.get_untracked().is_some_and(|dialog| !dialog.matches(":modal").unwrap_or(true));
        if docked && event.key() == "Escape" {
            close();
        }
    };
    view! {
        <dialog
            node_ref=node
            class=class
            aria-labelledby=labelled_by
            on:cancel=cancel
            on:close=closed
            on:mousedown=beside
            on:keydown=key
        >
            <div class="layer">{move || is_open.get().then(|| content())}</div>
        </dialog>
    }
    .into_any()
}

fn show(dialog: &HtmlDialogElement, docked: bool) {
    if dialog.open() || !dialog.is_connected() {
        return;
    }
    if docked {
        dialog.show();
    } else {
        // Refused only where the dialog is open already or out of the page: both were asked.
        dialog.show_modal().ok();
    }
}

fn is_wide(px: u32) -> bool {
    window().match_media(&format!("(min-width: {px}px)")).ok().flatten().is_some_and(|media| media.matches())
}
