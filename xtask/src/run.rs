//! Running other programs, with a word on what is waited for.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Runs a program that shows its own progress; its standard output goes to ours' standard error, so that a chore's
/// own stays clean.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    let started = Instant::now();
    eprintln!("… {what}");
    let status = command
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .with_context(|| format!("{what}: {} did not start", command.get_program().display()))?;
    if !status.success() {
        bail!("{what} failed ({status}). By hand: {}", by_hand(command));
    }
    eprintln!("  done in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a program that says little or far too much: its output goes to a log, shown only when it fails, and every ten
/// seconds a line says that it is still waited for.
pub(crate) fn run_with_log(root: &Path, what: &str, command: &mut Command) -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(10);
    const TAIL_LINES: usize = 40;
    let log = target(root).join("xtask.log");
    std::fs::create_dir_all(target(root))?;
    let out = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let (started, mut said) = (Instant::now(), Instant::now());
    eprintln!("… {what}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .spawn()
        .with_context(|| format!("{what}: {} did not start", command.get_program().display()))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(50));
        if said.elapsed() >= PATIENCE {
            eprintln!("  still at it, {:.0} s", started.elapsed().as_secs_f64());
            said = Instant::now();
        }
    };
    if !status.success() {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(TAIL_LINES)) {
            eprintln!("  | {line}");
        }
        bail!("{what} failed ({status}). By hand: {}", by_hand(command));
    }
    eprintln!("  done in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// The command as a person would type it.
pub(crate) fn by_hand(command: &Command) -> String {
    let mut words = Vec::new();
    if let Some(dir) = command.get_current_dir() {
        words.push(format!("cd {} &&", quoted(&dir.display().to_string())));
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.display(), quoted(&value.display().to_string())));
        }
    }
    let program = Path::new(command.get_program());
    // Cargo hands us its full path; a person has it by name.
    let program = if program.ends_with("cargo") { "cargo".into() } else { program.display().to_string() };
    words.push(quoted(&program));
    words.extend(command.get_args().map(|arg| quoted(&arg.display().to_string())));
    words.join(" ")
}

/// In quotes where a shell would need them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A cargo command in the checkout, by the cargo that runs us.
pub(crate) fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(args);
    // What `cargo run` tells us about this package is no business of the next cargo: build scripts that watch these
    // variables would run again each time somebody changes between `cargo xtask` and plain cargo.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_about_us(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}

fn is_about_us(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| variable.starts_with(prefix))
        || variable == "OUT_DIR"
}

/// Where cargo puts what it makes.
pub(crate) fn target(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root.join(dir),
        None => root.join("target"),
    }
}

/// The gateway's binary of a profile.
pub(crate) fn binary(root: &Path, profile: &str) -> PathBuf {
    target(root).join(profile).join("cloakroom")
}

/// Whether a program is there. Programs for administrators may be missing from a user's path and run all the same.
pub(crate) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_shell_takes_it() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.current_dir("/a b").env("CLOAKROOM_BIN", "/t/ci/cloakroom").env_remove("CARGO_PKG_NAME");
        command.args(["test", "-p", "it's"]);
        assert_eq!(by_hand(&command), r"cd '/a b' && CLOAKROOM_BIN=/t/ci/cloakroom cargo test -p 'it'\''s'");
    }

    #[test]
    fn programs_are_found_by_name() {
        assert!(is_there("sh"));
        assert!(!is_there("no-such-program"));
    }
}
