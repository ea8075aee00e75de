//! Names with their values, in sections.

use crate::ui::{Part, classed, foreign, part};

/// A section under a heading.
pub(crate) fn section(title: &str, body: Part) -> Part {
    classed("section", "section").child(part("h3").text(title)).child(body)
}

/// A list of facts.
pub(crate) fn facts() -> Part {
    classed("dl", "facts")
}

/// One of them.
pub(crate) fn fact(name: &str, value: Part) -> Part {
    classed("div", "fact").child(part("dt").text(name)).child(part("dd").child(value))
}

/// Text from outside.
pub(crate) fn words(text: &str) -> Part {
    foreign(text)
}

/// A value with what is to be known of it.
pub(crate) fn pair(value: &str, about: impl Into<String>) -> Part {
    classed("span", "pair").child(foreign(value)).child(classed("span", "faint").text(about))
}

/// Words side by side.
pub(crate) fn tags(words: &[String], none: &str) -> Part {
    if words.is_empty() {
        return classed("span", "faint").text(none);
    }
    classed("ul", "tags").all(words.iter().map(|word| classed("li", "tag mono").child(foreign(word.as_str()))))
}
