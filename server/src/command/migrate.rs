//! `cloakroom migrate`: brings the store's schema up to date.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::process::ExitCode;

use crate::app;
use crate::config::Config;

/// Opens the store, which brings it up to date, and closes it.
///
/// # Errors
/// When the store cannot be opened, or is in use by a running gateway.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = app::control_runtime()?;
    runtime.block_on(async {
        let store = app::open_store(config, runtime.handle()).await?;
        store.close().await;
        println!("the store is up to date");
        Ok(ExitCode::SUCCESS)
    })
}
