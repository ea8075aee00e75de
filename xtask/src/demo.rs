//! `cargo xtask demo`: from a fresh machine to a running demo.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::run::{binary, cargo, run as run_program};
use crate::{console, setup};

pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    setup::for_gateway(root)?;
    setup::for_console(root)?;
    console::build(&console::Options { root: root.to_owned(), dev: true })?;
    run_build(root)?;
    // In our place, so that Ctrl-C and SIGTERM reach it.
    let gateway = binary(root, "ci");
    let error = Command::new(&gateway).arg("demo").args(args).exec();
    Err(error).with_context(|| format!("{} did not start", gateway.display()))
}

fn run_build(root: &Path) -> Result<()> {
    run_program(
        "building the gateway (minutes at first, seconds later)",
        &mut cargo(root, &["build", "--profile", "ci", "-p", "cloakroom"]),
    )
}
