//! `cloakroom healthcheck`: asks a running gateway's management listener whether it is ready.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::process::ExitCode;

use cloakroom_core::http::HttpClient as _;

use crate::app;
use crate::config::Config;
use crate::outbound::{Egress, Outbound};

/// Exit code 0 when ready, 1 when not or not reached.
///
/// # Errors
/// When the request cannot be made.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = app::control_runtime()?;
    let url = format!("http://{}/readyz", config.server.management);
    let request = http::Request::get(&url).body(Vec::new())?;
    let answer =
        runtime.block_on(async { Outbound::new(&Egress::default())?.send(request).await.map_err(anyhow::Error::from) });
    match answer {
        Ok(answer) => {
            print!("{}", String::from_utf8_lossy(answer.body()));
            Ok(if answer.status().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) => {
            println!("not reached at {url}: {error}");
            Ok(ExitCode::FAILURE)
        }
    }
}
