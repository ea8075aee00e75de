//! What is not TOML: the parser's errors, one a line, each with what to write instead.

use std::ops::Range;

use toml::de::Error;

use super::mask::quoted;
use super::report::Mistake;
use super::tree::{Node, Place, Table, Value};

/// Syntax errors, and which parts of the file they make unreadable.
#[derive(Debug)]
pub(super) struct Syntax {
    pub(super) mistakes: Vec<Mistake>,
    holes: Vec<Range<usize>>,
}

/// Syntax errors as mistakes: the first of each line, and one for a list or table that is never closed, which makes
/// errors of all that follows.
pub(super) fn check(text: &str, table: &Table, errors: &[Error]) -> Syntax {
    let mut found: Vec<(Range<usize>, &str)> =
        errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    found.sort_by_key(|(span, _)| span.start);
    let mut mistakes = Vec::new();
    let mut unclosed: Vec<Range<usize>> = Vec::new();
    for (span, message) in &found {
        if message.starts_with("unclosed")
            && let Some(whole) = outermost(table, span.start).filter(|whole| !is_header(text, whole))
            && !unclosed.contains(&whole)
        {
            let opening = whole.start..whole.start + 1;
            let (what, end) = if text.get(opening.clone()) == Some("[") { ("list", ']') } else { ("table", '}') };
            mistakes.push(Mistake::new(
                Place::File(opening),
                format!("not TOML: this {what} is never closed"),
                format!("end it with {end}"),
            ));
            unclosed.push(whole);
        }
    }
    let mut holes = unclosed.clone();
    let mut last_line = None;
    for (span, message) in found {
        let line = line_around(text, span.start);
        if unclosed.iter().any(|whole| whole.start <= span.start && span.start <= whole.end)
            || last_line == Some(line.start)
        {
            continue;
        }
        last_line = Some(line.start);
        holes.push(span.clone());
        let help = help(text.get(line.clone()).unwrap_or_default(), span.start.saturating_sub(line.start));
        mistakes.push(Mistake::new(Place::File(span), format!("not TOML: {message}"), help));
    }
    Syntax { mistakes, holes }
}

impl Syntax {
    /// Whether a mistake may be told although some of the file could not be read: not if a hole explains it.
    pub(super) fn allows(&self, text: &str, mistake: &Mistake) -> bool {
        if self.holes.is_empty() {
            return true;
        }
        let touched = match &mistake.place {
            Place::File(span) => {
                let line = line_around(text, span.start);
                self.holes.iter().any(|hole| line.start <= hole.end && hole.start <= line.end.max(span.end))
            }
            Place::Env(_) | Place::Whole => false,
        };
        !mistake.follows && !touched
    }
}

/// The line's bytes, without its end.
fn line_around(text: &str, offset: usize) -> Range<usize> {
    let before = text.get(..offset).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| start + at);
    start..end
}

/// Whether a place is a section's header: a list or table that is a value follows its key.
fn is_header(text: &str, place: &Range<usize>) -> bool {
    let line = line_around(text, place.start);
    text.get(line.start..place.start).is_some_and(|before| before.trim().is_empty())
}

/// The outermost list or table around an offset; a section's own place is its header.
fn outermost(table: &Table, offset: usize) -> Option<Range<usize>> {
    table.values().find_map(|(_, node)| around(node, offset))
}

fn around(node: &Node, offset: usize) -> Option<Range<usize>> {
    let whole = match &node.place {
        Place::File(span) if span.start < offset && offset <= span.end => Some(span.clone()),
        _ => None,
    };
    match &node.value {
        Value::Table(inner) => whole.or_else(|| outermost(inner, offset)),
        Value::List(list) => whole.or_else(|| list.iter().find_map(|node| around(node, offset))),
        _ => None,
    }
}

/// What to write instead, by how the line looks. It shows nothing of the line but its key.
fn help(line: &str, at: usize) -> String {
    let trimmed = line.trim();
    if trimmed.starts_with('[') {
        let (open, close) = if trimmed.starts_with("[[") { ("[[routes]]", "]]") } else { ("[server]", "]") };
        return if trimmed.ends_with(close) {
            "each section stands once; put all its keys under one header".into()
        } else {
            format!("write a section's header like {open}")
        };
    }
    let Some((key, value)) = line.split_once('=') else { return "write key = value".into() };
    let (name, value) = (key.trim(), value.trim());
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if at < key.len() {
        return if bare {
            "each key stands once in its section; leave one of them out".into()
        } else {
            "write key = value; a key has letters, digits, - and _".into()
        };
    }
    let shown = if bare { name } else { "key" };
    match value.chars().next() {
        None | Some('#') => format!("write a value: {shown} = \"text\", 10, true or [\"a\", \"list\"]"),
        Some('"' | '\'') => {
            "write text in one pair of quotes, on one line; in \"…\" a backslash is written \\\\".into()
        }
        Some('[') => "separate a list's entries with commas, and end it with ]".into(),
        Some('{') => "separate a table's entries with commas, and end it with }".into(),
        Some(_) if matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off") => {
            format!("write {shown} = true or {shown} = false")
        }
        Some(_) => format!("write text in quotes: {shown} = {}; numbers have digits only", quoted("…")),
    }
}
