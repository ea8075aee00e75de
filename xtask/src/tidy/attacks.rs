//! docs/attacks.md maps rules to the tests that hold them. Each test that it names exists, and each test named after a
//! rule stands there. What docs/security-model.md promises by a rule has a row there too.

use super::rust::Rust;
use super::{Finding, Source};

const PAGE: &str = "docs/attacks.md";
/// What rests on those rules.
const MODEL: &str = "docs/security-model.md";
const RULE: &str = "attacks-page";

pub(super) fn check(sources: &[Source], findings: &mut Vec<Finding>) {
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else { return };
    let claimed = claims(&page.text);
    if let Some(model) = sources.iter().find(|source| source.path == MODEL) {
        check_model(model, &page.text, findings);
    }
    let tests: Vec<(&Source, Test)> =
        sources.iter().flat_map(|source| tests_of(source).into_iter().map(move |test| (source, test))).collect();
    let browser_tests: Vec<&Source> = sources.iter().filter(|s| s.path.starts_with("e2e/") && s.is("mjs")).collect();

    for (name, line) in &claimed {
        let exists = tests.iter().any(|(_, test)| test.name == *name)
            || browser_tests.iter().any(|source| source.text.contains(name));
        if !exists {
            findings.push(Finding::at(
                RULE,
                PAGE,
                *line,
                format!("no test is called {name}: write it, or mend the page"),
            ));
        }
    }
    // The rules are promises of the black-box tests; units elsewhere may carry their ids without a row.
    for (source, test) in tests.iter().filter(|(source, _)| source.path.starts_with("tests/")) {
        if is_rule_name(&test.name) && !claimed.iter().any(|(name, _)| *name == test.name) {
            let what = format!("{} holds a rule, but {PAGE} does not name it: add it to its row", test.name);
            findings.push(Finding::new(RULE, source, test.line, what));
        }
    }
}

/// Each rule in the last column of the model's tables has a row, and so a test.
fn check_model(model: &Source, page: &str, findings: &mut Vec<Finding>) {
    let held: Vec<&str> = page.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim).collect();
    for (i, line) in model.text.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        let last = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let rules = last.split_whitespace().filter(|word| is_rule_id(word));
        for rule in rules.filter(|rule| !held.contains(rule)) {
            findings.push(Finding::at(RULE, MODEL, i + 1, format!("{rule} has no row in {PAGE}: no test holds it")));
        }
    }
}

/// `L4`, `X10`.
fn is_rule_id(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_uppercase())
        && !chars.as_str().is_empty()
        && chars.as_str().len() <= 2
        && chars.as_str().bytes().all(|byte| byte.is_ascii_digit())
}

/// The tests that the page's tables name, without their modules.
fn claims(page: &str) -> Vec<(&str, usize)> {
    let rows = page.lines().enumerate().filter(|(_, line)| line.starts_with('|'));
    let names = rows.flat_map(|(i, line)| line.split('`').skip(1).step_by(2).map(move |name| (name, i + 1)));
    names
        .map(|(name, line)| (name.rsplit("::").next().unwrap_or(name), line))
        .filter(|(name, _)| is_rule_name(name))
        .collect()
}

struct Test {
    name: String,
    line: usize,
}

/// Functions under an attribute that ends in `test`: `#[test]`, `#[tokio::test(…)]`.
fn tests_of(source: &Source) -> Vec<Test> {
    if !source.is("rs") {
        return Vec::new();
    }
    let rust = Rust::read(&source.text);
    let mut found = Vec::new();
    let mut is_test = false;
    for (token, next) in rust.tokens.iter().zip(rust.tokens.iter().skip(1)) {
        match (token.text, next.text) {
            ("test", "]" | "(") => is_test = true,
            ("fn", name) if std::mem::take(&mut is_test) => {
                found.push(Test { name: name.to_owned(), line: token.line });
            }
            _ => {}
        }
    }
    found
}

/// `l04_pkce_always_sent`: a letter, two digits, a name.
fn is_rule_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.next().is_some_and(|c| c.is_ascii_digit())
        && chars.next().is_some_and(|c| c.is_ascii_digit())
        && chars.next() == Some('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str, tests: &str) -> Vec<(String, usize)> {
        let page = Source { path: PAGE.into(), text: page.into() };
        let tests = Source { path: "tests/tests/login.rs".into(), text: tests.into() };
        let browser = Source { path: "e2e/tests/a.spec.mjs".into(), text: "test('x06_no_frame', () => {})".into() };
        let mut findings = Vec::new();
        check(&[page, tests, browser], &mut findings);
        findings.into_iter().map(|finding| (finding.path, finding.line)).collect()
    }

    #[test]
    fn page_and_tests_name_each_other() {
        let page = "| L4 | `login::l04_pkce` |\n| X6 | `x06_no_frame`, `X-CSRF` |\n`l05_outside_a_table`\n";
        assert_eq!(findings(page, "#[tokio::test]\nasync fn l04_pkce() {}"), []);
    }

    #[test]
    fn a_named_test_must_exist() {
        let page = "| L4 | `l04_pkce` |\n| L5 | `l05_gone` |\n";
        let tests = "#[test]\nfn l04_pkce() {}\nfn l05_gone() {}";
        assert_eq!(findings(page, tests), [(PAGE.to_owned(), 2)]);
    }

    #[test]
    fn a_promise_of_the_model_needs_a_rule_that_is_held() {
        let page = Source { path: PAGE.into(), text: "| L4 | x | `l04_pkce` |".into() };
        let model = Source { path: MODEL.into(), text: "| demand | how | L4 X99 |\n| a | b | - |\nX98 |".into() };
        let tests = Source { path: "tests/tests/login.rs".into(), text: "#[test]\nfn l04_pkce() {}".into() };
        let mut findings = Vec::new();
        check(&[page, model, tests], &mut findings);
        let found: Vec<_> = findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect();
        assert_eq!(found, [(MODEL, 1)]);
    }

    #[test]
    fn a_rules_test_must_be_named() {
        let tests = "#[test]\nfn l04_pkce() {}\n#[test]\nfn harness_works() {}";
        assert_eq!(findings("| rule | tests |", tests), [("tests/tests/login.rs".to_owned(), 2)]);
    }
}
