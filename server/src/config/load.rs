//! From a file and the environment to a configuration, or to every mistake in them. The environment is read here alone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use cloakroom_api::Configuration;

use super::mask::Masked;
use super::model::Config;
use super::preset;
use super::read;
use super::reader::{Notes, Reader};
use super::report::{Mistake, Nature, Report};
use super::syntax;
use super::tree::{self, Place, Table};

/// Variables by name: overrides, and what `env:` references name.
pub type Environment = BTreeMap<String, OsString>;

/// A configuration and where it came from.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file, as it was named.
    pub path: String,
    /// What presets set.
    pub(super) presets: Vec<preset::Applied>,
    /// What works, and is worth a look.
    pub warnings: Report,
}

/// Loads a file with the process' own environment.
///
/// # Errors
/// [`Report`] with every mistake.
pub fn load_from_process(path: &Path) -> Result<Loaded, Report> {
    // A name that is not UTF-8 is none of ours.
    load(path, &std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect())
}

/// Whether the person at the terminal asks for no colours (<https://no-color.org>).
#[must_use]
pub fn no_colours() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Loads a file.
///
/// # Errors
/// [`Report`] with every mistake.
pub fn load(path: &Path, env: &Environment) -> Result<Loaded, Report> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!("the configuration file cannot be read: {error}");
        let mistake = Mistake::new(Place::Whole, what, "name it with --config FILE");
        Report::new(Nature::Mistakes, shown.clone(), Masked::new("", &Table::new()), vec![mistake])
    })?;
    let (mut table, errors) = tree::parse(&text);
    let masked = Masked::new(&text, &table);
    let syntax = syntax::check(&text, &table, &errors);
    let mut overrides = tree::override_by(&mut table, env);
    let presets = preset::apply(&mut table);
    let notes = Notes::default();
    let folder = path.parent().unwrap_or(Path::new("."));
    let config = read::config(&Reader::new("", Place::Whole, &table, &notes), &read::Outside { folder, env });
    let (mut found, warnings) = notes.into_parts();
    found.retain(|mistake| syntax.allows(&text, mistake));
    let mut mistakes = syntax.mistakes;
    mistakes.append(&mut overrides);
    mistakes.append(&mut found);
    match config {
        Some(mut config) if mistakes.is_empty() => {
            let overrides = env.keys().filter(|name| name.starts_with(tree::ENV_PREFIX)).cloned().collect();
            config.shown = Configuration { file: shown.clone(), text: masked.as_str().to_owned(), overrides };
            let warnings = Report::new(Nature::Warnings, shown.clone(), masked, warnings);
            Ok(Loaded { config, path: shown, presets, warnings })
        }
        _ => Err(Report::new(Nature::Mistakes, shown, masked, mistakes)),
    }
}
