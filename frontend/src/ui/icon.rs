//! Icons, from the sprite in the page.

use super::part::{Part, svg};

/// An icon that stands beside words, which say what it says: hidden from assistive technology.
pub(crate) fn icon(name: &str) -> Part {
    svg("svg").class("icon").attr("aria-hidden", "true").child(svg("use").attr("href", format!("#{name}")))
}
