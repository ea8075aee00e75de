//! The tools a build calls, and what to say when one is missing.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The target that browsers run.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler with the standard library's sources: the way where rustup cannot download a target.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: &str = "rustc-web cargo-web rust-web-src rust-web-llvm";

/// Measures a build.
#[expect(clippy::disallowed_types, reason = "a chore's duration for people: no runtime whose clock could be paused")]
pub(super) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_types, reason = "see the type")]
    pub(super) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How cargo gets a standard library for the target.
pub(super) enum Toolchain {
    /// It is installed.
    Installed,
    /// It is compiled from Debian's sources by Debian's compiler, linked by `linker`.
    FromSource {
        /// The toolchain's own `rust-lld`.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// Finds out which way this machine needs.
    pub(super) fn find() -> Result<Self> {
        let libraries = PathBuf::from(rustc(&["--print", "target-libdir", "--target", TARGET])?);
        if has_std(&libraries) {
            return Ok(Self::Installed);
        }
        let sysroot =
            PathBuf::from(output(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"])).unwrap_or_default());
        let sources = sysroot.join("lib/rustlib/src/rust/library/std");
        let linker = find_linker()?;
        match linker {
            Some(linker) if sources.is_dir() => Ok(Self::FromSource { linker }),
            _ => bail!(
                "no standard library for {TARGET}. Either `rustup target add {TARGET}`, or, where rustup cannot \
                 download it, `apt-get install --no-install-recommends {DEBIAN_PACKAGES}`"
            ),
        }
    }
}

fn has_std(libraries: &Path) -> bool {
    let Ok(entries) = fs::read_dir(libraries) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// `rust-lld` stands in the host's part of a rustup toolchain.
fn find_linker() -> Result<Option<PathBuf>> {
    let host = rustc(&["--print", "host-tuple"])?;
    let linker = PathBuf::from(rustc(&["--print", "sysroot"])?).join("lib/rustlib").join(host).join("bin/rust-lld");
    Ok(Some(linker).filter(|linker| linker.is_file()))
}

/// A cargo command that finds the target's standard library.
pub(super) fn cargo(toolchain: &Toolchain) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    if let Toolchain::FromSource { linker } = toolchain {
        cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    cargo
}

/// The version of the compiler that builds.
pub(super) fn rustc_version() -> Result<String> {
    rustc(&["--version"])
}

fn rustc(arguments: &[&str]) -> Result<String> {
    output(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).args(arguments))
}

/// Refuses early, with the way out, where Node is missing or old.
pub(super) fn check_node() -> Result<()> {
    const OLDEST: u32 = 20;
    let missing = || format!("Node {OLDEST} or newer is needed (Debian: nodejs and npm)");
    let version = output(Command::new("node").arg("--version")).with_context(missing)?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        bail!("{}: here is {version}", missing());
    }
    Ok(())
}

/// The folder with the npm packages of `frontend/tools`, installed anew when the lock file changed. It lies under the
/// target folder, so that no build writes into the checkout.
pub(super) fn npm_folder(root: &Path, work: &Path) -> Result<PathBuf> {
    let (from, to) = (root.join("frontend/tools"), work.join("npm"));
    let lock = fs::read(from.join("package-lock.json")).context("cannot read frontend/tools/package-lock.json")?;
    let stamp = to.join("installed.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(to);
    }
    eprintln!("console: npm packages (wasm-opt, typeface)");
    fs::create_dir_all(&to)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(from.join(file), to.join(file))?;
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&to))?;
    fs::write(stamp, lock)?;
    Ok(to)
}

/// Runs a command that speaks for itself, on standard error: a chore's standard output may be for a program.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .with_context(|| format!("cannot start {}", name(command.get_program())))?;
    if !status.success() {
        bail!("{} failed ({status})", name(command.get_program()));
    }
    Ok(())
}

/// Runs a command and gives what it wrote, trimmed.
pub(super) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", name(command.get_program())))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("{} failed ({}): {errors}", name(command.get_program()), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn name(program: &OsStr) -> String {
    Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned()
}
