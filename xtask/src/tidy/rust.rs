//! Just enough of Rust's grammar for tidy: tokens without comments and literals, comments, literals, and paths with
//! `use` groups spelled out. A text search would miss `use crate::{edge, admin}` and trip over comments.

/// A file, taken apart.
#[derive(Default)]
pub(super) struct Rust<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) comments: Vec<Piece<'a>>,
    /// String literals, without their quotes.
    pub(super) strings: Vec<Piece<'a>>,
}

/// A piece of text and the line it begins on.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// An identifier, `::`, `""` for any string literal, or one character.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
    /// No space stands between it and the token before.
    pub(super) glued: bool,
}

/// `a::b::c`, as it stands in the file.
pub(super) struct Path<'a> {
    pub(super) segments: Vec<&'a str>,
    pub(super) line: usize,
    /// How many inline modules (`mod tests { … }`) it stands in.
    pub(super) inline_modules: usize,
}

impl<'a> Rust<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let mut reader = Reader { text, at: 0, line: 1, glued: false, file: Self::default() };
        while reader.step() {}
        reader.file
    }

    pub(super) fn paths(&self) -> Vec<Path<'a>> {
        let mut walk = Walk { tokens: &self.tokens, at: 0, depth: 0, modules: Vec::new(), found: Vec::new() };
        walk.run();
        walk.found
    }

    /// The insides of each `#[…]` and `#![…]`.
    pub(super) fn attributes(&self) -> Vec<&[Token<'a>]> {
        let mut found = Vec::new();
        let mut rest = self.tokens.as_slice();
        while let Some(at) = rest.iter().position(|token| token.text == "#") {
            rest = rest.get(at + 1..).unwrap_or_default();
            let inner = rest.first().is_some_and(|token| token.text == "!");
            let body = rest.get(usize::from(inner)..).unwrap_or_default();
            if body.first().is_some_and(|token| token.text == "[") {
                let end = closing(body);
                found.push(body.get(1..end).unwrap_or_default());
                rest = body.get(end..).unwrap_or_default();
            }
        }
        found
    }
}

/// Where the bracket that opens these tokens is closed.
fn closing(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "[" => depth += 1,
            "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    glued: bool,
    file: Rust<'a>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Moves on by so many bytes, counts the lines, and gives what was passed.
    fn take(&mut self, bytes: usize) -> &'a str {
        let taken = self.rest().get(..bytes).unwrap_or(self.rest());
        self.at += taken.len();
        self.line += taken.matches('\n').count();
        taken
    }

    fn token(&mut self, text: &'a str, line: usize) {
        let glued = std::mem::replace(&mut self.glued, true);
        self.file.tokens.push(Token { text, line, glued });
    }

    /// One token, comment, literal or stretch of space. False at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let line = self.line;
        let Some(first) = rest.chars().next() else { return false };
        if first.is_whitespace() {
            self.take(rest.len() - rest.trim_start().len());
            self.glued = false;
        } else if rest.starts_with("//") {
            let text = self.take(rest.find('\n').unwrap_or(rest.len()));
            self.file.comments.push(Piece { text, line });
        } else if rest.starts_with("/*") {
            let text = self.take(block_comment(rest));
            self.file.comments.push(Piece { text, line });
        } else if let Some((open, body, all)) = string(rest) {
            let text = self.take(all).get(open..open + body).unwrap_or_default();
            self.file.strings.push(Piece { text, line });
            self.token("\"\"", line);
        } else if let Some(length) = char_literal(rest) {
            self.take(length);
            self.token("''", line);
        } else if is_word(first) {
            let text = self.take(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
            self.token(text, line);
        } else {
            let text = self.take(if rest.starts_with("::") { 2 } else { first.len_utf8() });
            self.token(text, line);
        }
        true
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// A string literal at the start: the lengths of its opening, its body and all of it.
fn string(text: &str) -> Option<(usize, usize, usize)> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = text.strip_prefix(prefix).unwrap_or_default();
        after.starts_with('"') || prefix.ends_with('r') && after.trim_start_matches('#').starts_with('"')
    })?;
    let after = text.get(prefix.len()..)?;
    if prefix.ends_with('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        let open = prefix.len() + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        let body = text.get(open..)?;
        let length = body.find(&close).unwrap_or(body.len());
        return Some((open, length, open + length + close.len()));
    }
    let open = prefix.len() + 1;
    let body = text.get(open..)?;
    let mut escaped = false;
    let end = body.find(|c| match c {
        _ if escaped => {
            escaped = false;
            false
        }
        '\\' => {
            escaped = true;
            false
        }
        c => c == '"',
    });
    let length = end.unwrap_or(body.len());
    Some((open, length, open + length + 1))
}

/// The length of a character literal; none for a lifetime.
fn char_literal(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let mut chars = body.chars();
    match chars.next()? {
        '\\' => {
            let escaped = chars.next()?.len_utf8();
            // Quote, backslash, what it escapes, the rest of a `\u{…}`, quote.
            Some(2 + escaped + body.get(1 + escaped..)?.find('\'')? + 1)
        }
        c => (chars.next()? == '\'').then_some(2 + c.len_utf8()),
    }
}

/// Collects paths.
struct Walk<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    /// Open curly brackets.
    depth: usize,
    /// The depths inside inline modules.
    modules: Vec<usize>,
    found: Vec<Path<'a>>,
}

impl<'a> Walk<'_, 'a> {
    fn peek(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    fn run(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            match token.text {
                "{" => self.depth += 1,
                "}" => {
                    self.depth = self.depth.saturating_sub(1);
                    self.modules.retain(|depth| *depth <= self.depth);
                }
                "mod" if self.peek(2) == "{" => self.modules.push(self.depth + 1),
                "use" if self.peek(1) != "<" => {
                    self.at += 1;
                    self.tree(&[]);
                    continue;
                }
                text if is_name(text) => {
                    self.plain();
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn keep(&mut self, segments: Vec<&'a str>, line: usize) {
        self.found.push(Path { segments, line, inline_modules: self.modules.len() });
    }

    /// A path in the code.
    fn plain(&mut self) {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut segments = vec![self.peek(0)];
        self.at += 1;
        while self.peek(0) == "::" && is_name(self.peek(1)) {
            segments.push(self.peek(1));
            self.at += 2;
        }
        self.keep(segments, line);
    }

    /// One branch of a `use`.
    fn tree(&mut self, before: &[&'a str]) {
        let mut segments = before.to_vec();
        while let Some(token) = self.tokens.get(self.at) {
            match token.text {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while !matches!(self.peek(0), "}" | ";" | "") {
                        self.tree(&segments);
                        self.at += usize::from(self.peek(0) == ",");
                    }
                    self.at += usize::from(self.peek(0) == "}");
                    return;
                }
                text if is_name(text) || text == "*" => {
                    segments.push(text);
                    self.at += 1;
                    if self.peek(0) == "as" {
                        self.at += 2;
                    }
                    if self.peek(0) != "::" {
                        self.keep(segments, token.line);
                        return;
                    }
                }
                _ => {
                    // Not a `use` after all: leave it to the walk, but always move on.
                    self.at += usize::from(!matches!(token.text, "}" | "," | ";"));
                    return;
                }
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        Rust::read(text).paths().iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn groups_are_spelled_out() {
        let expected = ["crate::edge", "crate::admin::roles::Role", "crate::admin::*", "std::fmt"];
        assert_eq!(paths("use crate::{edge, admin::{roles::Role as R, *}}; use ::std::fmt;"), expected);
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let text =
            "// crate::a\n/* crate::b /* c */ d */ let x = \"crate::e\\\"\"; r#\"crate::\"f\"#; 'g'; '\\''; h::i";
        assert_eq!(paths(text), ["let", "x", "h::i"]);
        let file = Rust::read(text);
        assert_eq!(file.comments.len(), 2);
        let strings: Vec<_> = file.strings.iter().map(|piece| piece.text).collect();
        assert_eq!(strings, ["crate::e\\\"", "crate::\"f"]);
    }

    #[test]
    fn lifetimes_are_no_characters() {
        assert_eq!(paths("fn a<'b>(c: &'b str) -> d::E<'b> {}"), ["fn", "a", "b", "c", "b", "str", "d::E", "b"]);
    }

    #[test]
    fn lines_and_inline_modules_are_counted() {
        let file = Rust::read("use a::b;\nmod tests {\n    use super::c;\n}\nd::e();");
        let found: Vec<_> = file.paths().iter().map(|path| (path.line, path.inline_modules)).collect();
        assert_eq!(found, [(1, 0), (2, 1), (3, 1), (5, 0)]);
    }

    #[test]
    fn attributes_end_at_their_own_bracket() {
        let file = Rust::read("#![a(b = [1])]\n#[cfg_attr(x, ignore)] fn c() { d[#[e] 0] }");
        let first: Vec<_> = file.attributes().iter().filter_map(|tokens| tokens.first()).map(|t| t.text).collect();
        assert_eq!(first, ["a", "cfg_attr", "e"]);
    }
}
