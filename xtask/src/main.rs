//! Every chore: set-up, demo, build, test, bench, tidy. `cargo xtask --help` lists them.
#![expect(clippy::print_stdout, reason = "chores print their results")]
#![expect(clippy::disallowed_types, reason = "chores time themselves")]
#![expect(clippy::disallowed_methods, reason = "a chore has one thread, which may sleep while it waits for a program")]

mod bench;
mod console;
mod demo;
mod release;
mod run;
mod setup;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the Cloakroom project. Each sets up what it needs by itself.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run everything on this machine: gateway, identity provider, sample API, sample app, console.
    ///
    /// Arguments go to `cloakroom demo`, for example: cargo xtask demo --port 9000 --data demo-data
    Demo {
        /// For `cloakroom demo`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run every check and test, as CI does.
    ///
    /// For example: cargo xtask test --stage tidy units
    Test(test::Options),
    /// Make the release binary, console inside. The last line printed is its path.
    ///
    /// For example: install -m 755 "$(cargo xtask build | tail -n 1)" /usr/local/bin/
    Build,
    /// Build the console alone, into frontend/dist/; the gateway takes it in when it is built next.
    ///
    /// For example: cargo xtask console
    Console,
    /// Measure against peers in one run. The last line printed is JSON.
    ///
    /// For example: cargo xtask bench proxy
    Bench {
        /// Which bench.
        name: String,
        /// For the bench.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check what compilers do not: walls between rooms, sizes, names, licences.
    ///
    /// For example: cargo xtask tidy
    Tidy,
    /// Install what the other chores need, as they do by themselves.
    ///
    /// For example, ahead of a journey: cargo xtask setup
    Setup,
}

fn main() -> ExitCode {
    let root = root();
    let done = match Cli::parse().chore {
        Chore::Demo { args } => demo::run(&root, &args),
        Chore::Test(options) => return test::run(&root, &options),
        Chore::Build => release::run(&root).map(|binary| println!("{}", binary.display())),
        Chore::Console => setup::for_console(&root)
            .and_then(|()| console::build(&console::Options { root: root.clone(), dev: false })),
        Chore::Bench { name, args } => bench::run(&root, &name, &args),
        Chore::Tidy => tidy::run(&root),
        Chore::Setup => setup::all(&root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The checkout: asked of cargo at run time, since two checkouts may share one folder of build results.
fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest).parent().unwrap_or(Path::new(".")).to_owned()
}
