//! Takes secrets out of a file's text before any of it is shown: a literal secret is a mistake, and a mistake's line
//! is printed, logged and pasted into tickets.

use std::ops::Range;

use super::tree::{Node, Place, Table, Value};

/// What stands in the place of a secret. Of one length, so that it does not tell the secret's.
const MASK: &str = "***";

/// Keys whose names hold one of these hold secrets, whatever section they stand in.
const SECRETIVE: [&str; 7] = ["secret", "passw", "passphrase", "private_key", "privatekey", "api_key", "apikey"];

/// And those whose names are nearly one of these.
const MISSPELT: [&str; 3] = ["client_secret", "secret", "password"];

/// Nearer than `client_id` is to `client_secret`, and not nearer than `client_secrt`.
const NEAR: f64 = 0.93;

/// A file's text without its secrets; places keep their bytes of the text with them.
#[derive(Debug)]
pub(super) struct Masked {
    text: String,
    /// What was taken out, and where its replacement stands now.
    cuts: Vec<(Range<usize>, Range<usize>)>,
}

impl Masked {
    pub(super) fn new(text: &str, table: &Table) -> Self {
        let mut spans = in_lines(text);
        in_table(table, &mut spans);
        spans.retain(|span| !span.is_empty() && text.get(span.clone()).is_some());
        spans.sort_by_key(|span| (span.start, span.end));
        let mut masked = Self { text: String::with_capacity(text.len()), cuts: Vec::new() };
        let mut done = 0;
        let mut spans = spans.into_iter().peekable();
        while let Some(mut span) = spans.next() {
            while let Some(next) = spans.next_if(|next| next.start <= span.end) {
                span.end = span.end.max(next.end);
            }
            masked.text.push_str(text.get(done..span.start).unwrap_or_default());
            let start = masked.text.len();
            masked.text.push_str(MASK);
            // Lines keep their numbers.
            masked.text.extend(text.get(span.clone()).unwrap_or_default().chars().filter(|c| *c == '\n'));
            done = span.end;
            masked.cuts.push((span, start..masked.text.len()));
        }
        masked.text.push_str(text.get(done..).unwrap_or_default());
        masked
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where a span of the original text stands now.
    pub(super) fn shown(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.at(span.start, |now| now.start);
        start..self.at(span.end, |now| now.end).max(start)
    }

    fn at(&self, offset: usize, inside: impl Fn(&Range<usize>) -> usize) -> usize {
        let last = self.cuts.iter().take_while(|(was, _)| was.start < offset).last();
        let moved = match last {
            None => offset,
            Some((was, now)) if offset < was.end => inside(now),
            Some((was, now)) => now.end + (offset - was.end),
        };
        moved.min(self.text.len())
    }

    /// Line and column, from 1.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..self.at(offset, |now| now.start)).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}

/// Text as messages quote it: without credentials of URLs, without control characters, not too long.
pub(super) fn quoted(text: &str) -> String {
    /// Longer than any sensible value, and still one line of a terminal.
    const MOST: usize = 120;
    let mut shown = String::new();
    let mut rest = text;
    while let Some(span) = credentials(rest) {
        shown.push_str(rest.get(..span.start).unwrap_or_default());
        shown.push_str(MASK);
        rest = rest.get(span.end..).unwrap_or_default();
    }
    shown.push_str(rest);
    let mut shown: String = shown.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if let Some((cut, _)) = shown.char_indices().nth(MOST) {
        shown.truncate(cut);
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// Between `://` and `@`, also where a slash is missing.
fn credentials(text: &str) -> Option<Range<usize>> {
    let start = text.find(":/")? + 2;
    let start = start + usize::from(text.get(start..)?.starts_with('/'));
    let rest = text.get(start..)?;
    let authority = rest.split(['/', '"', '\'', '?', '#']).next()?;
    match authority.rfind('@') {
        Some(end) => Some(start..start + end),
        None => credentials(rest).map(|span| span.start + start..span.end + start),
    }
}

fn is_secretive(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    let near = |name: &&str| strsim::jaro_winkler(name, &key) >= NEAR;
    matches!(key.as_str(), "root" | "key")
        || SECRETIVE.iter().any(|word| key.contains(word))
        || MISSPELT.iter().any(near)
}

fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

/// Secrets by what was parsed.
fn in_table(table: &Table, spans: &mut Vec<Range<usize>>) {
    for (key, (_, node)) in table {
        match &node.value {
            Value::Text(text) if is_reference(text) => {}
            // Under `[keys]` stand secrets only.
            _ if is_secretive(key) || key == "keys" => everything(node, spans),
            Value::Table(inner) => in_table(inner, spans),
            Value::List(list) => {
                for one in list {
                    if let Value::Table(inner) = &one.value {
                        in_table(inner, spans);
                    }
                }
            }
            _ => {}
        }
    }
}

fn everything(node: &Node, spans: &mut Vec<Range<usize>>) {
    match (&node.value, &node.place) {
        (Value::Table(inner), _) => inner.values().for_each(|(_, node)| everything(node, spans)),
        (Value::List(list), _) => list.iter().for_each(|node| everything(node, spans)),
        (Value::Text(text), _) if is_reference(text) => {}
        (_, Place::File(span)) => spans.push(span.clone()),
        (_, Place::Env(_) | Place::Whole) => {}
    }
}

/// Secrets by how lines look: those in comments, and in what the parser could not make sense of.
fn in_lines(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut from = 0;
        while let Some(span) = line.get(from..).and_then(credentials) {
            spans.push(start + from + span.start..start + from + span.end);
            from += span.end;
        }
        let mut from = 0;
        while let Some(equals) = line.get(from..).and_then(|rest| rest.find('=')) {
            let at = from + equals;
            from = at + 1;
            if is_secretive(key_before(line.get(..at).unwrap_or_default()))
                && let Some(value) = value_after(text.get(start + from..).unwrap_or_default())
            {
                spans.push(start + from + value.start..start + from + value.end);
            }
        }
        start += line.len();
    }
    spans
}

fn key_before(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'']);
    text.rsplit(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).next().unwrap_or_default()
}

/// What stands after the equals sign, unless it is a reference: text in quotes, or else the line's rest.
fn value_after(text: &str) -> Option<Range<usize>> {
    let spaces = text.len() - text.trim_start_matches([' ', '\t']).len();
    let value = text.get(spaces..)?;
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| value.starts_with(quotes));
    let body = value.get(quotes.map_or(0, str::len)..)?;
    if is_reference(body) {
        return None;
    }
    let line_end = value.find('\n').unwrap_or(value.len());
    let end = match quotes {
        Some(quotes) if quotes.len() == 3 => body.find(quotes).map_or(value.len(), |end| end + 6),
        // An escaped quote ends nothing: the last quote of the line does, which may hide more than it needs to.
        Some(quotes) => value.get(..line_end)?.rfind(quotes).filter(|end| *end > 0).map_or(line_end, |end| end + 1),
        None => line_end,
    };
    Some(spaces..spaces + value.get(..end)?.trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    fn masked(text: &str) -> Masked {
        Masked::new(text, &tree::parse(text).0)
    }

    #[test]
    fn c08_secrets_leave_the_text_and_references_stay() {
        let cases = [
            "client_secret = \"hunter2\"",
            "client_secret = 'hunter2'",
            "client_secret = \"hun\\\"ter2\"",
            "client_secret = \"\"\"\nhunter2\n\"\"\"",
            "client_secret = \"\"\"\nhunter2\n",
            "client_secret = hunter2",
            "client_secret = \"hunter2",
            "client-secret = \"hunter2\"",
            "clientsecret = [\n\"hunter2\",\n]",
            "\"client_secret\" = \"hunter2\"",
            "web = { client_id = 1, client_secret = \"hunter2\" }",
            "[client_secret]\nvalue = \"hunter2\"",
            "[[client_secret]]\nvalue = \"hunter2\"",
            "# client_secret = \"hunter2\"",
            "[keys]\nroot = \"hunter2\"",
            "[keys]\nrot = \"hunter2\"",
            "password = \"hunter2\"",
            "client_secrt = \"hunter2\"",
            "url = \"https://me:hunter2@example.com/\"",
            "# https://me:hunter2@example.com and https://a:hunter2@b",
        ];
        for text in cases {
            let shown = masked(text);
            assert!(!shown.as_str().contains("ter2"), "{text}: {}", shown.as_str());
            let lines = |text: &str| text.matches('\n').count();
            assert_eq!(lines(shown.as_str()), lines(text), "{text}: {}", shown.as_str());
        }
        let kept =
            "client_secret = \"env:NAME\"\nroot = 'file:root.key'\nurl = \"https://a.example/@x\"\nidle_secs = 7\n";
        assert_eq!(masked(kept).as_str(), kept);
    }

    #[test]
    fn places_move_with_the_text() {
        let text = "client_secret = \"a long literal secret\"\nnext = 1\n";
        let shown = masked(text);
        let next = text.find("next").expect("there");
        let span = shown.shown(&(next..next + 4));
        assert_eq!(shown.as_str().get(span), Some("next"));
        assert_eq!(shown.position(next), (2, 1));
        let secret = text.find("\"a long").expect("there");
        assert_eq!(shown.as_str().get(shown.shown(&(secret..secret + 23))), Some(MASK));
    }

    #[test]
    fn quoted_text_is_short_and_harmless() {
        assert_eq!(quoted("https://me:pw@a.example/x"), "\"https://***@a.example/x\"");
        assert_eq!(quoted("a\u{1b}[31m"), "\"a\u{fffd}[31m\"");
        assert!(quoted(&"é".repeat(500)).chars().count() < 130);
    }
}
