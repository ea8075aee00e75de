//! `cargo xtask build`: the release binary, console inside.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::run::{binary, cargo, run as run_program};
use crate::{console, setup};

pub(crate) fn run(root: &Path) -> Result<PathBuf> {
    setup::for_gateway(root)?;
    setup::for_console(root)?;
    console::build(&console::Options { root: root.to_owned(), dev: false })?;
    run_program(
        "building the release binary (fat LTO: minutes)",
        &mut cargo(root, &["build", "--release", "-p", "cloakroom"]),
    )?;
    Ok(binary(root, "release"))
}
