//! docs/troubleshooting.md explains each code that a refusal can carry, and no other.

use super::{Finding, Source};

const PAGE: &str = "docs/troubleshooting.md";
const RULE: &str = "problem-codes";

pub(super) fn check(sources: &[Source], findings: &mut Vec<Finding>) {
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else { return };
    let explained: Vec<(&str, usize)> = page
        .text
        .lines()
        .enumerate()
        .filter_map(|(i, line)| Some((line.strip_prefix("| `")?.split('`').next()?, i + 1)))
        .collect();
    let mut given = Vec::new();
    for source in sources.iter().filter(|s| s.path.starts_with("server/") && s.is("rs")) {
        for (i, line) in source.text.lines().enumerate() {
            given.extend(codes(source, i, line).map(|code| (code, source, i + 1)));
        }
    }
    for (code, source, line) in &given {
        if !explained.iter().any(|(known, _)| known == code) {
            let what = format!("the code {code} is not explained: give it a row in {PAGE}");
            findings.push(Finding::new(RULE, source, *line, what));
        }
    }
    for (code, line) in explained {
        if !given.iter().any(|(known, ..)| *known == code) {
            findings.push(Finding::at(RULE, PAGE, line, format!("no refusal carries the code {code}")));
        }
    }
}

/// The codes that a line gives: literals in the body of a function `code`, and a sign-in's codes wherever they stand.
fn codes<'a>(source: &Source, at: usize, line: &'a str) -> impl Iterator<Item = &'a str> {
    let chosen = line.contains("=> \"") && in_code(source, at);
    let literals = line.split('"').skip(1).step_by(2);
    literals.filter(move |text| is_code(text) && (chosen || text.starts_with("login-")))
}

/// Whether the nearest function above is called `code`.
fn in_code(source: &Source, at: usize) -> bool {
    let above: Vec<&str> = source.text.lines().take(at).collect();
    above.iter().rev().find(|line| line.contains("fn ")).is_some_and(|line| line.contains("fn code("))
}

/// Words in lower case with hyphens between.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str, code: &str) -> Vec<String> {
        let page = Source { path: PAGE.into(), text: page.into() };
        let code = Source { path: "server/src/edge/problem.rs".into(), text: code.into() };
        let mut findings = Vec::new();
        check(&[page, code], &mut findings);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn page_and_code_know_the_same_codes() {
        let code = "    fn code(&self) -> &'static str {\n        match self {\n            A => \"not-found\",\n    }\n\n    \
                    fn title(&self) {\n            A => \"no-code\",\n        refused(\"login-bad\")\n";
        let good = "| `not-found` | 404 |\n| `login-bad` | 400 |\n";
        assert_eq!(findings(good, code), Vec::<String>::new());
        assert_eq!(findings("| `not-found` | 404 |\n", code).len(), 1);
        assert_eq!(findings(&format!("{good}| `gone` | 410 |\n"), code), ["no refusal carries the code gone"]);
    }
}
