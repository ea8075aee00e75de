//! `cloakroom explain`: what becomes of a call, and why. Calls nobody.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use cloakroom_api::Explanation;
use cloakroom_core::clock::Clock as _;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::explain::{Explain, Explainer};

/// What to explain.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The method, such as GET.
    method: String,
    /// The whole address.
    url: String,
    /// The caller's claims as a JSON object; `scope` holds the granted scopes, between spaces.
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// Who calls: anonymous, session or machine. With claims, a session where nothing is said.
    #[arg(long)]
    caller: Option<String>,
    /// The network address that the call comes from.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Explains, and prints it. The exit code is 0 where the call would go up, else 1.
///
/// # Errors
/// When the claims cannot be read, or there is nothing to explain.
pub fn run(config: &Config, options: Options) -> anyhow::Result<ExitCode> {
    let claims = options.claims.as_deref().map(read).transpose()?;
    let caller = options.caller.or_else(|| claims.as_ref().map(|_| "session".to_owned()));
    let ask = Explain { method: options.method, url: options.url, caller, claims, address: options.address };
    let told = Explainer::new(config).explain(&ask, SystemClock::new().now(), |_| true)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        print!("{}", in_words(&told));
    }
    Ok(if told.allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(path: &Path) -> anyhow::Result<serde_json::Map<String, serde_json::Value>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no JSON object", path.display()))
}

fn in_words(told: &Explanation) -> String {
    let verdict = if told.allowed { "allowed".to_owned() } else { format!("refused with {}", told.status) };
    let mut lines = vec![format!("{verdict}: {}", told.why)];
    for (name, value) in [
        ("site", &told.site),
        ("route", &told.route),
        ("to", &told.to),
        ("token", &told.token),
        ("policy", &told.policy),
    ] {
        lines.extend(value.as_ref().map(|value| format!("  {name:7} {value}")));
    }
    lines.extend(told.tests.iter().map(|test| format!("  [{}] {}", if test.holds { "x" } else { " " }, test.asks)));
    lines.extend(told.helps.iter().map(|help| format!("  = {help}")));
    lines.join("\n") + "\n"
}
