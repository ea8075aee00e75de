//! Each file by itself: length, name, suppressions, SQL, unfinished work, and what the console must not contain.

use std::path::Path;

use super::rust::{Rust, Token};
use super::{Finding, Source};

/// A file is one idea.
const LINES: usize = 400;
/// Names that say nothing, of files and folders.
const EMPTY_NAMES: [&str; 10] =
    ["common", "helper", "helpers", "manager", "managers", "misc", "service", "services", "util", "utils"];
/// Rooms that may hold SQL: the store, the tests that edit its file behind the gateway's back, and this rule's samples.
const SQL_ROOMS: [&str; 3] = ["server/store/", "tests/", "xtask/src/tidy/"];
/// Words that mark work left undone.
const MARKS: [&str; 2] = ["TODO", "FIXME"];

/// What holds for every kind of source.
pub(super) fn check(source: &Source, decisions: &[&str], findings: &mut Vec<Finding>) {
    let kind = Path::new(&source.path).extension().and_then(|kind| kind.to_str()).unwrap_or_default();
    if !matches!(kind, "rs" | "mjs" | "js" | "ts" | "css" | "html" | "sql" | "toml") {
        return;
    }
    let lines = source.text.lines().count();
    if lines > LINES && !matches!(kind, "sql" | "toml") {
        let what = format!("{lines} lines: a file is one idea, of at most {LINES}; split it");
        findings.push(Finding::new("file-length", source, 0, what));
    }
    if source.path.ends_with("/mod.rs") {
        findings.push(Finding::new("mod-rs", source, 0, "call it after its folder, beside it: thing.rs and thing/"));
    }
    for name in source.path.split('/').filter_map(|part| part.split('.').next()) {
        if EMPTY_NAMES.contains(&name) {
            let what = format!("the name {name} says nothing: name it after what it holds");
            findings.push(Finding::new("empty-name", source, 0, what));
        }
    }
    if kind == "rs" {
        return;
    }
    for (i, line) in source.text.lines().enumerate() {
        check_mark(line, source, i + 1, decisions, findings);
        if source.path.starts_with("frontend/") {
            check_markup(line, source, i + 1, findings);
        }
        if source.path.starts_with("frontend/styles/") && !source.path.ends_with("/tokens.css") {
            check_colours(line, source, i + 1, findings);
        }
    }
}

/// What holds for Rust.
pub(super) fn check_rust(source: &Source, rust: &Rust, decisions: &[&str], findings: &mut Vec<Finding>) {
    for attribute in rust.attributes() {
        check_attribute(attribute, source, findings);
    }
    for comment in &rust.comments {
        for (i, line) in comment.text.lines().enumerate() {
            check_mark(line, source, comment.line + i, decisions, findings);
        }
    }
    if !SQL_ROOMS.iter().any(|room| source.path.starts_with(room)) {
        for string in rust.strings.iter().filter(|string| is_sql(string.text)) {
            let what = "store alone speaks SQL: add a unit of work to core's store trait";
            findings.push(Finding::new("sql-outside-store", source, string.line, what));
        }
    }
    if source.path.starts_with("frontend/src/") {
        check_views(&rust.tokens, source, findings);
    }
}

/// Suppressions and skipped tests say why.
fn check_attribute(attribute: &[Token], source: &Source, findings: &mut Vec<Finding>) {
    let line = attribute.first().map_or(0, |token| token.line);
    let has = |name: &str, next: &str| {
        let mut pairs = attribute.iter().zip(attribute.iter().skip(1));
        pairs.any(|(token, after)| token.text == name && after.text == next)
    };
    if has("allow", "(") {
        let what = "allow hides more than it must: use #[expect(…, reason = \"…\")]";
        findings.push(Finding::new("suppression", source, line, what));
    }
    if has("expect", "(") && !has("reason", "=") {
        findings.push(Finding::new("suppression", source, line, "say why it is right here: reason = \"…\""));
    }
    if attribute.iter().any(|token| token.text == "ignore") && !has("ignore", "=") {
        let what = "a test that is not run says why: #[ignore = \"…\"]";
        findings.push(Finding::new("ignored-test", source, line, what));
    }
}

/// The console's policy blocks style attributes and injected markup.
fn check_views(tokens: &[Token], source: &Source, findings: &mut Vec<Finding>) {
    for (at, token) in tokens.iter().enumerate() {
        let next = |ahead: usize| tokens.get(at + ahead).filter(|next| next.glued).map_or("", |next| next.text);
        if token.text == "style" && next(1) == "=" && next(2) != "=" {
            let what = "blocked by the console's policy: use a class, or style:property";
            findings.push(Finding::new("inline-style", source, token.line, what));
        }
        if token.text == "inner_html" {
            let what = "markup from text is how scripts get in: build the view from elements";
            findings.push(Finding::new("inner-html", source, token.line, what));
        }
    }
}

/// The same in the console's HTML and JavaScript.
fn check_markup(line: &str, source: &Source, at: usize, findings: &mut Vec<Finding>) {
    if source.is("html") && line.contains(" style=") {
        let what = "blocked by the console's policy: use a class";
        findings.push(Finding::new("inline-style", source, at, what));
    }
    if ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"].iter().any(|way| line.contains(way)) {
        let what = "markup from text is how scripts get in: use textContent and createElement";
        findings.push(Finding::new("inner-html", source, at, what));
    }
}

/// A theme is one file: what names a colour anywhere else is light or dark in both.
fn check_colours(line: &str, source: &Source, at: usize, findings: &mut Vec<Finding>) {
    let is_hex = |rest: &str| rest.chars().take_while(char::is_ascii_hexdigit).count() >= 3;
    let hex = line.split('#').skip(1).any(is_hex) && line.contains(':');
    let function = ["rgb(", "rgba(", "hsl(", "hsla(", "oklch(", "color("].iter().any(|name| line.contains(name));
    if hex || function {
        let what = "colours stand in styles/tokens.css alone, for both themes: use var(--…)";
        findings.push(Finding::new("colour", source, at, what));
    }
}

/// Work left undone needs a page that decides so: `MARK(docs/decisions/0007-later.md)`.
fn check_mark(line: &str, source: &Source, at: usize, decisions: &[&str], findings: &mut Vec<Finding>) {
    for mark in MARKS {
        let Some((before, after)) = line.split_once(mark) else { continue };
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        if is_word(before.chars().next_back()) || is_word(after.chars().next()) {
            continue;
        }
        let page = after.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(page, _)| page);
        if !page.is_some_and(|page| decisions.contains(&page)) {
            let what = format!("do it, file an issue, or name the page that decides: {mark}(docs/decisions/….md)");
            findings.push(Finding::new("unfinished", source, at, what));
        }
    }
}

/// A statement in capitals, as this project writes its SQL.
fn is_sql(text: &str) -> bool {
    const STATEMENTS: [(&str, &str); 10] = [
        ("SELECT", "FROM"),
        ("UPDATE", "SET"),
        ("INSERT", "INTO"),
        ("DELETE", "FROM"),
        ("CREATE", "TABLE"),
        ("CREATE", "INDEX"),
        ("ALTER", "TABLE"),
        ("DROP", "TABLE"),
        ("BEGIN", "IMMEDIATE"),
        ("PRAGMA", ""),
    ];
    let mut words = text.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    STATEMENTS.iter().any(|(verb, with)| first == *verb && !rest.is_empty() && (with.is_empty() || rest.contains(with)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let source = Source { path: path.into(), text: text.into() };
        let mut findings = Vec::new();
        let decisions = ["docs/decisions/0007-later.md"];
        check(&source, &decisions, &mut findings);
        if source.is("rs") {
            check_rust(&source, &Rust::read(text), &decisions, &mut findings);
        }
        findings.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn each_rule_finds_its_breach() {
        let long = "x\n".repeat(401);
        let cases = [
            ("file-length", "server/src/edge/page.rs", long.as_str()),
            ("file-length", "e2e/tests/console.spec.mjs", long.as_str()),
            ("mod-rs", "server/src/edge/mod.rs", ""),
            ("empty-name", "server/src/utils.rs", ""),
            ("empty-name", "e2e/tests/helpers.spec.mjs", ""),
            ("empty-name", "server/src/common/page.rs", ""),
            ("suppression", "server/src/a.rs", "#[allow(dead_code)]\nfn a() {}"),
            ("suppression", "server/src/a.rs", "#![cfg_attr(test, allow(dead_code, reason = \"x\"))]"),
            ("suppression", "server/src/a.rs", "#[expect(dead_code)]\nfn a() {}"),
            ("ignored-test", "tests/tests/a.rs", "#[test]\n#[ignore]\nfn a() {}"),
            ("ignored-test", "tests/tests/a.rs", "#[cfg_attr(unix, ignore)]\nfn a() {}"),
            ("inline-style", "frontend/src/a.rs", "view! { <p style=\"x\"></p> }"),
            ("inline-style", "frontend/src/a.rs", "view! { <p style=move || width()></p> }"),
            ("inline-style", "frontend/index.html", "<p style=\"color: red\">"),
            ("inner-html", "frontend/src/a.rs", "view! { <p inner_html=text></p> }"),
            ("inner-html", "frontend/boot/boot.js", "element.innerHTML = text;"),
            ("colour", "frontend/styles/pages.css", "a { color: #fff; }"),
            ("colour", "frontend/styles/pages.css", "a { color: rgb(1 2 3); }"),
            ("sql-outside-store", "server/src/app.rs", "f(\"SELECT n\\n FROM log_head\")"),
            ("sql-outside-store", "bench/src/main.rs", "f(r#\"UPDATE s SET n = 1\"#)"),
            ("unfinished", "server/src/a.rs", "fn a() {} // TODO: more"),
            ("unfinished", "server/src/a.rs", "/* one\n FIXME(me) */"),
            ("unfinished", "server/src/a.rs", "// TODO(docs/decisions/0008-gone.md)"),
            ("unfinished", "frontend/styles/base.css", "/* TODO */"),
        ];
        for (rule, path, text) in cases {
            assert_eq!(rules(path, text), [rule], "{path}: {text}");
        }
    }

    #[test]
    fn each_rule_lets_the_rest_pass() {
        let long = "x\n".repeat(401);
        let cases = [
            ("server/src/edge/page.rs", "fn page() {}"),
            ("docs/long.md", long.as_str()),
            ("migrations/sqlite/0001_first.sql", "CREATE TABLE sessions (id TEXT);"),
            ("server/src/a.rs", "// #[allow(dead_code)] would hide it"),
            ("server/src/a.rs", "#[expect(dead_code, reason = \"read by the debugger\")]\nfn a() {}"),
            ("server/src/a.rs", "fn a() { b().expect(\"made above\") }"),
            ("tests/tests/a.rs", "#[ignore = \"takes an hour\"]\nfn a() {}"),
            ("frontend/src/a.rs", "view! { <p style:width=w class=style></p> }"),
            ("frontend/src/a.rs", "let style = 1; if style == 1 {}"),
            ("frontend/styles/tokens.css", ":root { --text: #191C24; }"),
            ("frontend/styles/pages.css", "a { color: var(--text); }"),
            ("server/store/src/sqlite.rs", "query(\"SELECT n FROM log_head\")"),
            ("server/src/a.rs", "const NO_SQL: &str = \"SELECT a provider\";"),
            ("server/src/a.rs", "const TODO: &str = \"TODO\"; // METODO"),
            ("server/src/a.rs", "// TODO(docs/decisions/0007-later.md): when there are two"),
        ];
        for (path, text) in cases {
            assert_eq!(rules(path, text), [""; 0], "{path}: {text}");
        }
    }
}
