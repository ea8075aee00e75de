//! `cloakroom check`: every mistake of a configuration at once, or what it means.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command prints its results")]

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use crate::config::{self, Config, Loaded, Report};

/// The exit code for a configuration with mistakes, as `sysexits` names it (`EX_CONFIG`).
const BAD_CONFIG: u8 = 78;

/// Checks a configuration and says what it means.
///
/// # Errors
/// The exit code, after every mistake was shown on standard error.
pub fn run(path: &Path) -> Result<Config, ExitCode> {
    let loaded = load(path)?;
    print!("{}", config::summary(&loaded));
    if !loaded.warnings.is_empty() {
        println!();
        show(&loaded.warnings);
    }
    Ok(loaded.config)
}

/// Loads a configuration.
///
/// # Errors
/// The exit code, after every mistake was shown on standard error.
pub fn load(path: &Path) -> Result<Loaded, ExitCode> {
    config::load_from_process(path).map_err(|report| {
        show(&report);
        ExitCode::from(BAD_CONFIG)
    })
}

/// Shows a report on standard error, in colours where a person reads it.
fn show(report: &Report) {
    if std::io::stderr().is_terminal() && !config::no_colours() {
        eprint!("{}", report.coloured());
    } else {
        eprint!("{report}");
    }
}
