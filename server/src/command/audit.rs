//! `cloakroom audit verify | checkpoint`: walks the whole chain; says where it stands, for keeping elsewhere.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use cloakroom_core::audit::chain::{self, Verdict};
use cloakroom_core::audit::checkpoint::{Checkpoint, verify_against};

use crate::app::{self, Ambient};
use crate::config::Config;

/// Recomputes every link, and compares with a checkpoint where one is given; exit code 1 when the chain does not hold.
///
/// # Errors
/// When the store or the checkpoint cannot be read, or the checkpoint is not of this store.
pub fn verify(config: &Config, checkpoint: Option<&Path>) -> anyhow::Result<ExitCode> {
    let runtime = app::control_runtime()?;
    runtime.block_on(async {
        let store = app::open_store_for_reading(config).await?;
        let verdict = match checkpoint {
            None => chain::verify(&*store).await?,
            Some(file) => {
                let shown = file.display();
                let text = std::fs::read_to_string(file).with_context(|| format!("{shown}: cannot be read"))?;
                let checkpoint: Checkpoint =
                    serde_json::from_str(&text).with_context(|| format!("{shown}: is no checkpoint"))?;
                let ring = app::key_ring(config, &Ambient::system()?, &store).await?;
                anyhow::ensure!(
                    checkpoint.is_ours(&ring.current()),
                    "{shown}: was altered, or made by another store: it proves nothing"
                );
                verify_against(&*store, &checkpoint).await?
            }
        };
        match verdict {
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

/// Prints where the chain stands, as one line of JSON.
///
/// # Errors
/// When the store cannot be read.
pub fn checkpoint(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = app::control_runtime()?;
    runtime.block_on(async {
        let store = app::open_store_for_reading(config).await?;
        let ambient = Ambient::system()?;
        let ring = app::key_ring(config, &ambient, &store).await?;
        let (head, _) = store.unchained(1).await?;
        println!("{}", serde_json::to_string(&Checkpoint::new(&ring.current(), head, ambient.clock.now()))?);
        Ok(ExitCode::SUCCESS)
    })
}
