//! Installs what a chore needs, or says exactly what to do.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::run::{is_there, run_with_log};

/// The oldest Node that the console's build, the browser tests and the tests' provider run on.
const NODE: u32 = 20;

/// SQLite and the cryptography library are compiled from C; jemalloc's own build calls make.
const GATEWAY: [Need; 2] =
    [Need { package: "gcc", sign: Sign::Program("cc") }, Need { package: "make", sign: Sign::Program("make") }];
/// For building the console where rustup has no WebAssembly target: a compiler and its library's sources.
const WASM: [Need; 4] = [
    Need { package: "rustc-web", sign: Sign::Package },
    Need { package: "cargo-web", sign: Sign::Package },
    Need { package: "rust-web-src", sign: Sign::Package },
    Need { package: "rust-web-llvm", sign: Sign::Package },
];
/// A browser, and something for it to write with.
const BROWSER: [Need; 2] = [
    Need { package: "chromium", sign: Sign::File("/usr/bin/chromium") },
    Need { package: "fonts-liberation", sign: Sign::File("/usr/share/fonts/truetype") },
];
/// OAuth clients in Python.
const PYTHON: [Need; 1] = [Need { package: "python3-venv", sign: Sign::Package }];
/// What others make of a request.
const PEER: [Need; 1] = [Need { package: "nginx-light", sign: Sign::Program("nginx") }];
/// A clock that can be set.
const CLOCK: [Need; 1] = [Need { package: "faketime", sign: Sign::Program("faketime") }];
/// A database server, which the tests start themselves.
const DATABASE: [Need; 1] = [Need { package: "postgresql", sign: Sign::File("/usr/lib/postgresql") }];
/// The peer, the load and the count of system calls.
const BENCH: [Need; 3] = [
    Need { package: "nginx-light", sign: Sign::Program("nginx") },
    Need { package: "wrk", sign: Sign::Program("wrk") },
    Need { package: "strace", sign: Sign::Program("strace") },
];

/// A Debian package, and how to see that it, or what stands in for it, is there.
struct Need {
    package: &'static str,
    sign: Sign,
}

enum Sign {
    Program(&'static str),
    File(&'static str),
    /// Only the package itself will do.
    Package,
}

impl Need {
    fn is_met(&self) -> bool {
        match self.sign {
            Sign::Program(name) => is_there(name),
            Sign::File(path) => Path::new(path).exists(),
            Sign::Package => {
                let asked = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", self.package]).output();
                asked.is_ok_and(|out| out.stdout == b"installed")
            }
        }
    }
}

/// Everything for demo, build and test.
pub(crate) fn all(root: &Path) -> Result<()> {
    for_gateway(root)?;
    for_console(root)?;
    for_blackbox(root)?;
    for_e2e(root)
}

/// For building the gateway.
pub(crate) fn for_gateway(root: &Path) -> Result<()> {
    packages(root, &GATEWAY)
}

/// For building the console.
pub(crate) fn for_console(root: &Path) -> Result<()> {
    node()?;
    if has_wasm_target() {
        return Ok(());
    }
    if is_there("rustup") {
        // Where rustup cannot download, it may also wait for ever.
        let mut add = Command::new("timeout");
        add.args(["90", "rustup", "target", "add", "wasm32-unknown-unknown"]);
        match run_with_log(root, "asking rustup for the WebAssembly target", &mut add) {
            Ok(()) if has_wasm_target() => return Ok(()),
            _ => eprintln!("  rustup cannot: Debian's compiler will build it from source"),
        }
    }
    packages(root, &WASM)
}

/// For the tests of the crates: the store's run on every kind of store.
pub(crate) fn for_units(root: &Path) -> Result<()> {
    packages(root, &DATABASE)
}

/// For the black-box tests: a certified OpenID provider, nginx, PostgreSQL, a clock to set, and OAuth clients of apps, as they are.
pub(crate) fn for_blackbox(root: &Path) -> Result<()> {
    node()?;
    packages(root, &PEER)?;
    packages(root, &PYTHON)?;
    packages(root, &DATABASE)?;
    packages(root, &CLOCK)?;
    npm(root, "tests/provider")?;
    npm(root, "tests/clients")?;
    pip(root, "tests/clients")
}

/// For the browser tests.
pub(crate) fn for_e2e(root: &Path) -> Result<()> {
    node()?;
    // The same variable tells Playwright's configuration.
    if std::env::var_os("CHROMIUM_BIN").is_none() {
        packages(root, &BROWSER)?;
    }
    npm(root, "e2e")
}

/// For benches.
pub(crate) fn for_bench(root: &Path) -> Result<()> {
    packages(root, &BENCH)
}

fn has_wasm_target() -> bool {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]).output();
    asked.is_ok_and(|out| {
        let folder = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        !folder.is_empty() && Path::new(&folder).is_dir()
    })
}

fn node() -> Result<()> {
    let needed = format!(
        "Node {NODE} or newer is needed, with npm. Debian 13 has it (apt-get install nodejs npm); \
         for older ones see https://nodejs.org"
    );
    let version = Command::new("node").arg("--version").output().with_context(|| needed.clone())?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    ensure!(major(&version).is_some_and(|major| major >= NODE), "{needed}. Found here: {version}");
    ensure!(is_there("npm"), "{needed}. Found here: Node {version} without npm");
    Ok(())
}

/// 20 of `v20.19.2`.
fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

fn packages(root: &Path, needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> = needs.iter().filter(|need| !need.is_met()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    ensure!(
        is_there("apt-get"),
        "this machine has no apt-get. Install what these Debian packages hold, then try again: {names}"
    );
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    if !is_root {
        bail!(
            "Debian packages are missing. Install them, then try again:\n  \
             sudo apt-get update && sudo apt-get install -y --no-install-recommends {names}"
        );
    }
    run_with_log(root, "updating Debian's package lists", Command::new("apt-get").args(["update", "-qq"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "--no-install-recommends"]).args(&missing);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run_with_log(root, &format!("installing {}", missing.join(", ")), &mut install)
}

/// `npm ci` in a folder, unless its lock file is the one installed last.
fn npm(root: &Path, folder: &str) -> Result<()> {
    let home = root.join(folder);
    let lock = fs::read(home.join("package-lock.json")).with_context(|| format!("{folder}/package-lock.json"))?;
    // Inside what it vouches for: `npm ci` begins by removing it.
    let stamp = home.join("node_modules/.installed-lock");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut install = Command::new("npm");
    // None of these packages needs a script of its own at installation; Debian's Chromium is used.
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&home);
    run_with_log(root, &format!("installing npm packages of {folder}"), &mut install)?;
    fs::write(stamp, lock)?;
    Ok(())
}

/// A virtual environment with the packages that a folder's `requirements.txt` names, unless it has them.
fn pip(root: &Path, folder: &str) -> Result<()> {
    let home = root.join(folder);
    let wanted = fs::read(home.join("requirements.txt")).with_context(|| format!("{folder}/requirements.txt"))?;
    let stamp = home.join(".venv/.installed-requirements");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear", ".venv"]).current_dir(&home);
    run_with_log(root, &format!("making a Python environment for {folder}"), &mut make)?;
    let mut install = Command::new(home.join(".venv/bin/pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]);
    install.args(["--requirement", "requirements.txt"]).current_dir(&home);
    run_with_log(root, &format!("installing Python packages of {folder}"), &mut install)?;
    fs::write(stamp, wanted)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_version_is_read() {
        assert_eq!(major("v20.19.2"), Some(20));
        assert_eq!(major("v9.0.0"), Some(9));
        assert_eq!(major(""), None);
    }

    #[test]
    fn needs_are_met_by_what_is_there() {
        assert!(Need { package: "dash", sign: Sign::Program("sh") }.is_met());
        assert!(!Need { package: "no-such-package", sign: Sign::Program("no-such-program") }.is_met());
        assert!(!Need { package: "no-such-package", sign: Sign::File("/no/such/file") }.is_met());
        assert!(!Need { package: "no-such-package", sign: Sign::Package }.is_met());
    }
}
