//! `cargo xtask bench NAME`: peers installed, release binary built, rig run.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::run::{binary, cargo, run as run_program};
use crate::setup;

pub(crate) fn run(root: &Path, name: &str, args: &[String]) -> Result<()> {
    setup::for_gateway(root)?;
    setup::for_bench(root)?;
    run_program(
        "building the release binary (fat LTO: minutes)",
        &mut cargo(root, &["build", "--release", "-p", "cloakroom", "-p", "cloakroom-bench"]),
    )?;
    let mut rig = std::process::Command::new(binary(root, "release").with_file_name("cloakroom-bench"));
    let status = rig.arg(name).args(args).env("CLOAKROOM_BIN", binary(root, "release")).current_dir(root).status()?;
    ensure!(status.success(), "bench {name}: a target was missed, or the rig failed");
    Ok(())
}
