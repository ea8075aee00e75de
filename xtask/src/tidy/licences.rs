//! Where every dependency comes from, and under which licence.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Finding;
use crate::run::cargo;

/// Licences that ask no more than to be named.
const FINE: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
/// What Cargo calls crates.io, mirrors of it too. No git repository, no other registry.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// What we build for. Crates for other systems never reach anybody, nor need they be downloaded to be read.
const PLATFORMS: [&str; 3] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "wasm32-unknown-unknown"];

pub(super) fn check(root: &Path, findings: &mut Vec<Finding>) -> Result<()> {
    let mut metadata = cargo(root, &["metadata", "--format-version", "1", "--locked"]);
    metadata.args(PLATFORMS.iter().flat_map(|platform| ["--filter-platform", *platform]));
    let out = metadata.output()?;
    ensure!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout)?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("cargo metadata has no packages")?;
    for package in packages {
        let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
        findings.extend(judge(text("name"), text("source"), text("license")));
    }
    Ok(())
}

/// What is wrong with a package. Our own have no source.
fn judge(name: &str, source: &str, licence: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if !source.is_empty() && source != SOURCE {
        let what = format!("{name} comes from {source}: depend on a release on crates.io");
        found.push(Finding::at("source", "Cargo.lock", 0, what));
    }
    if !is_fine(licence) {
        let what =
            format!("{name} is under \"{licence}\": read it, then list it in xtask's licences.rs or leave the crate");
        found.push(Finding::at("licence", "Cargo.lock", 0, what));
    }
    found
}

/// Whether an SPDX expression can be met by licences of the list alone.
fn is_fine(expression: &str) -> bool {
    // `/` is the old spelling of OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_ascii_whitespace().collect();
    let mut words = words.as_slice();
    either(&mut words) == Some(true) && words.is_empty()
}

/// `a OR b`. None: not an expression.
fn either(words: &mut &[&str]) -> Option<bool> {
    let mut fine = both(words)?;
    while let Some(("OR", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        fine |= both(words)?;
    }
    Some(fine)
}

/// `a AND b`, which binds tighter.
fn both(words: &mut &[&str]) -> Option<bool> {
    let mut fine = one(words)?;
    while let Some(("AND", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        fine &= one(words)?;
    }
    Some(fine)
}

/// A licence, perhaps with an exception, or an expression in brackets.
fn one(words: &mut &[&str]) -> Option<bool> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    if *first == "(" {
        let fine = either(words)?;
        *words = words.split_first().filter(|(word, _)| **word == ")")?.1;
        return Some(fine);
    }
    if let ["WITH", exception, rest @ ..] = rest {
        *words = rest;
        return Some(FINE.contains(&format!("{first} WITH {exception}").as_str()));
    }
    Some(FINE.contains(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        for fine in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "ISC AND (Apache-2.0 OR ISC)",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "GPL-3.0 OR MIT",
        ] {
            assert!(is_fine(fine), "{fine}");
        }
        for other in [
            "",
            "GPL-3.0",
            "AGPL-3.0 AND MIT",
            "(MIT OR Apache-2.0) AND GPL-3.0",
            "GPL-2.0 WITH LLVM-exception",
            "MIT Apache-2.0",
            "(MIT",
            "proprietary",
        ] {
            assert!(!is_fine(other), "{other}");
        }
    }

    #[test]
    fn packages_come_from_one_place_under_known_licences() {
        let rules = |source: &str, licence: &str| -> Vec<&str> {
            judge("a", source, licence).iter().map(|finding| finding.rule).collect()
        };
        assert_eq!(rules("", "Apache-2.0"), [""; 0]);
        assert_eq!(rules(SOURCE, "MIT"), [""; 0]);
        assert_eq!(rules("git+https://example.com/a", "MIT"), ["source"]);
        assert_eq!(rules("registry+https://example.com/index", "GPL-3.0"), ["source", "licence"]);
    }
}
