//! `cloakroom audit verify`: walks the whole chain.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::process::ExitCode;

use cloakroom_core::audit::chain::{self, Verdict};

use crate::app;
use crate::config::Config;

/// Recomputes every link; exit code 1 when the chain does not hold.
///
/// # Errors
/// When the store cannot be read.
pub fn verify(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = app::control_runtime()?;
    runtime.block_on(async {
        let store = app::open_store_for_reading(config).await?;
        match chain::verify(&*store).await? {
            Verdict::Whole { head, waiting } => {
                println!("the audit log is whole: {} events linked, {waiting} waiting to be linked", head.seq);
                Ok(ExitCode::SUCCESS)
            }
            Verdict::Broken { seq, what } => {
                println!("the audit log is BROKEN at event {seq}: {what}");
                Ok(ExitCode::FAILURE)
            }
        }
    })
}
