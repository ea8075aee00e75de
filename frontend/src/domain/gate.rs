//! Deeds that a role allows. Who may not do one sees it, can reach it, and reads which role it needs.

use cloakroom_api::Permission;

use crate::state::viewer::Viewer;
use crate::ui::{Part, button, classed, icon, live, part};

/// A button for a deed; `id` is that of the words beside it.
pub(crate) fn gated(
    permission: Permission,
    id: &'static str,
    class: &str,
    act: impl Fn() + Send + 'static,
    face: impl FnOnce(Part) -> Part,
) -> Part {
    let viewer = Viewer::get();
    let may = move || viewer.may(permission);
    let press = move || {
        if viewer.may_untracked(permission) {
            act();
        }
    };
    let button = button(class, press)
        .live_attr("aria-disabled", move || (!may()).then(|| "true".to_owned()))
        .live_attr("aria-describedby", move || (!may()).then(|| id.to_owned()));
    let words = live(move || {
        (!may()).then(|| {
            let needs =
                part("span").text("Needs the role ").child(part("strong").text(permission.role().code())).text(".");
            classed("p", "gated-words small muted").attr("id", id).child(icon("lock")).child(needs)
        })
    });
    classed("div", "gated").child(face(button)).view(words)
}
