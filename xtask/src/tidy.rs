//! What compilers do not check: walls between rooms, sizes, names, suppressions, SQL outside the store, licences, and
//! that docs/attacks.md and the tests, docs/troubleshooting.md and the codes of refusals name each other.

mod attacks;
mod codes;
mod licences;
mod rust;
mod sources;
mod walls;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};

use rust::Rust;
use walls::Walls;

/// One thing to mend.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    rule: &'static str,
    /// What is wrong and what to do.
    what: String,
}

impl Finding {
    fn new(rule: &'static str, source: &Source, line: usize, what: impl Into<String>) -> Self {
        Self::at(rule, &source.path, line, what)
    }

    fn at(rule: &'static str, path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, what: what.into() }
    }
}

/// A file of the checkout.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == extension)
    }
}

pub(crate) fn run(root: &Path) -> Result<()> {
    let started = Instant::now();
    let sources = read(root)?;
    let mut findings = Vec::new();
    let mut walls = Walls::around(&sources);
    let decisions: Vec<&str> =
        sources.iter().map(|s| s.path.as_str()).filter(|path| path.starts_with("docs/decisions/")).collect();
    for source in &sources {
        sources::check(source, &decisions, &mut findings);
        if source.is("rs") {
            let rust = Rust::read(&source.text);
            sources::check_rust(source, &rust, &decisions, &mut findings);
            walls.check_rust(source, &rust, &mut findings);
        } else if source.path.ends_with("Cargo.toml") {
            walls.check_manifest(source, &mut findings);
        }
    }
    walls.check_doors(&mut findings);
    attacks::check(&sources, &mut findings);
    codes::check(&sources, &mut findings);
    licences::check(root, &mut findings)?;

    findings.sort();
    for Finding { path, line, rule, what } in &findings {
        println!("{path}:{line}: {rule}: {what}");
    }
    ensure!(findings.is_empty(), "{} thing(s) to tidy up", findings.len());
    println!("tidy: {} files in {:.1} s", sources.len(), started.elapsed().as_secs_f64());
    Ok(())
}

/// Every text file that git knows or would take.
fn read(root: &Path) -> Result<Vec<Source>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()?;
    ensure!(listed.status.success(), "git ls-files failed; tidy needs a git checkout");
    let paths = String::from_utf8(listed.stdout)?;
    let sources = paths.split_terminator('\0').filter_map(|path| {
        // Pictures are no text; a file deleted but not yet staged is gone.
        let text = std::fs::read_to_string(root.join(path)).ok()?;
        Some(Source { path: path.to_owned(), text })
    });
    Ok(sources.collect())
}
