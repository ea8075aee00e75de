//! The shape of what is being loaded.

use super::part::{Part, classed};

/// Grey lines where text will be. The page's own status says that it loads.
pub(crate) fn skeleton_lines(count: usize) -> Part {
    classed("div", "skeletons").attr("aria-hidden", "true").all((0..count).map(|_| classed("span", "skeleton")))
}

/// The same, said to those who do not see it.
pub(crate) fn loading(lines: usize) -> Part {
    let said = classed("p", "sr-only").attr("role", "status").text("Loading");
    classed("div", "loading").child(said).child(skeleton_lines(lines))
}
