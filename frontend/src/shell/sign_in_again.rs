//! The session ended in the middle of work: sign-in in another tab, and everything here stays as it is.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::BroadcastChannel;

use crate::pages::SIGNED_IN_CHANNEL;
use crate::state::viewer::Viewer;
use crate::ui::{Layer, button, classed, icon, layer, link};

/// The dialog. Closing it leaves the page readable; the next call opens it again.
pub(super) fn sign_in_again() -> AnyView {
    let viewer = Viewer::get();
    listen(viewer);
    let frame = Layer {
        class: "dialog",
        labelled_by: "again-title",
        open: Signal::derive(move || viewer.interrupted()),
        docks_from_px: None,
        on_close: Callback::new(move |()| viewer.leave_interrupted()),
    };
    layer(frame, move || {
        let lead =
            "Nothing on this page is lost. Sign in again in a new tab; this one goes on by itself where it stopped.";
        let check = button("button", move || viewer.ask()).child(icon("refresh-cw")).text("Check again");
        let again = link("/bff/login?return_to=%2Fadmin%2Fsigned-in")
            .class("button primary")
            .attr("target", "_blank")
            .attr("rel", "external noopener")
            .attr("autofocus", "")
            .child(icon("log-in"))
            .text("Sign in again");
        classed("div", "dialog-body")
            .child(classed("h2", "dialog-title").attr("id", "again-title").text("Your session has ended"))
            .child(classed("p", "muted").text(lead))
            .child(classed("div", "dialog-actions").child(check).child(again))
            .any()
    })
}

/// The other tab says when it is done. Where it cannot, coming back to this tab asks too.
fn listen(viewer: Viewer) {
    let Ok(channel) = BroadcastChannel::new(SIGNED_IN_CHANNEL) else { return };
    let heard = Closure::<dyn Fn()>::new(move || viewer.ask());
    channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    let kept = StoredValue::new_local((channel, heard));
    on_cleanup(move || {
        kept.try_with_value(|(channel, _)| channel.close());
    });
}
