//! What the test runners say of themselves at their end.

/// Counts, and the lines that they were read from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    pub(super) lines: Vec<String>,
}

impl Tally {
    /// Takes a line of output in; all but summary lines are left alone.
    pub(super) fn read(&mut self, line: &str) {
        let line = without_colours(line);
        let Some(Counts { passed, failed, skipped }) = libtest(&line).or_else(|| playwright(&line)) else { return };
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
        if passed + failed + skipped > 0 {
            self.lines.push(line);
        }
    }

    pub(super) fn ran(&self) -> u64 {
        self.passed + self.failed
    }

    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.lines.extend(other.lines);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
fn libtest(line: &str) -> Option<Counts> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut found = Counts::default();
    for part in counts.split("; ") {
        match part.split_once(' ')? {
            (n, "passed") => found.passed = n.parse().ok()?,
            (n, "failed") => found.failed = n.parse().ok()?,
            (n, "ignored") => found.skipped = n.parse().ok()?,
            _ => {}
        }
    }
    Some(found)
}

/// `  5 passed (1.2s)`, `  1 failed`, `  2 skipped`, `  1 flaky`, `  3 did not run`, `  1 interrupted`. A flaky test
/// failed once: here that counts as a failure.
fn playwright(line: &str) -> Option<Counts> {
    let (n, what) = line.strip_prefix("  ")?.split_once(' ')?;
    let n: u64 = n.parse().ok()?;
    let what = what.split_once(" (").map_or(what, |(what, _)| what);
    match what {
        "passed" => Some(Counts { passed: n, ..Counts::default() }),
        "failed" | "flaky" | "interrupted" => Some(Counts { failed: n, ..Counts::default() }),
        "skipped" | "did not run" => Some(Counts { skipped: n, ..Counts::default() }),
        _ => None,
    }
}

/// Takes terminal colours out: `ESC [ … m`.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_read() {
        let cases = [
            ("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0s", (12, 0, 1)),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 9 filtered out", (3, 2, 0)),
            ("  17 passed (30.1s)", (17, 0, 0)),
            ("\u{1b}[32m  17 passed\u{1b}[39m\u{1b}[2m (30.1s)\u{1b}[22m", (17, 0, 0)),
            ("  2 failed", (0, 2, 0)),
            ("  1 flaky", (0, 1, 0)),
            ("  4 skipped", (0, 0, 4)),
            ("  3 did not run", (0, 0, 3)),
        ];
        for (line, (passed, failed, skipped)) in cases {
            let mut tally = Tally::default();
            tally.read(line);
            assert_eq!((tally.passed, tally.failed, tally.skipped), (passed, failed, skipped), "{line}");
            assert_eq!(tally.lines.len(), 1, "{line}");
        }
    }

    #[test]
    fn other_lines_are_left_alone() {
        let lines = [
            "5 passed, 0 failed",
            "a story in which 5 passed (by)",
            "    1) a failed test",
            "  2 passed away",
            "test session::two_failed ... ok",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "",
        ];
        for line in lines {
            let mut tally = Tally::default();
            tally.read(line);
            assert_eq!(tally, Tally::default(), "{line}");
        }
    }

    #[test]
    fn the_closing_line_is_plain() {
        let mut tally = Tally { passed: 5, ..Tally::default() };
        assert_eq!(tally.to_string(), "5 passed, 0 failed");
        tally.add(Tally { failed: 1, skipped: 2, ..Tally::default() });
        assert_eq!(tally.to_string(), "5 passed, 1 failed, 2 skipped");
    }
}
