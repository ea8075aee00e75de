//! People, as the provider calls them.

use crate::ui::{Part, classed};

/// A round sign with a person's initials. Decoration: the name stands beside it.
pub(crate) fn avatar(name: &str) -> Part {
    classed("span", "avatar").attr("aria-hidden", "true").text(initials(name))
}

/// The first letters of the first and the last word; of a mail address, of the part before `@`.
fn initials(name: &str) -> String {
    let name = name.split('@').next().unwrap_or(name);
    let words: Vec<_> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let first = words.first().and_then(|word| word.chars().next());
    let last = if words.len() > 1 { words.last().and_then(|word| word.chars().next()) } else { None };
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_one_or_two_letters() {
        for (name, letters) in [
            ("Anna Berg", "AB"),
            ("anna", "A"),
            ("Anna Maria van den Berg", "AB"),
            ("anna.berg@example.com", "AB"),
            ("李小龍", "李"),
            ("", ""),
            ("|--", ""),
        ] {
            assert_eq!(initials(name), letters);
        }
    }
}
