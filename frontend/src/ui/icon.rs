//! Icons, from the sprite in the page.

use leptos::prelude::*;

/// An icon that stands beside words, which say what it says: hidden from assistive technology.
pub(crate) fn icon(name: &'static str) -> AnyView {
    let href = format!("#{name}");
    view! { <svg class="icon" aria-hidden="true"><use href=href></use></svg> }.into_any()
}
