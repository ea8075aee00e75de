//! Text for machines, as it is pasted.

use super::copy::copy_button;
use super::part::{Part, classed, part};

/// A block of code with its copy button. `what` says what is copied; it is reached and scrolled by keyboard.
pub(crate) fn code(what: &'static str, text: &str) -> Part {
    let block = classed("pre", "code mono")
        .attr("tabindex", "0")
        .attr("role", "region")
        .attr("aria-label", what)
        .child(part("code").text(text));
    classed("div", "code-frame").child(block).child(copy_button(what, text.to_owned()))
}
