//! The shape of what is being loaded.

use leptos::prelude::*;

/// Grey lines where text will be. The page's own status says that it loads.
pub(crate) fn skeleton_lines(count: usize) -> AnyView {
    let lines = (0..count).map(|_| view! { <span class="skeleton"></span> }).collect_view();
    view! { <div class="skeletons" aria-hidden="true">{lines}</div> }.into_any()
}
