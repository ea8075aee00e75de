//! `cloakroom break-glass revoke | block-provider | unblock-provider | grant-owner`: with a shell on the host, the store
//! and its keys, the gateway up or down, without any provider.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::process::ExitCode;

use crate::app;
use crate::config::Config;
use crate::host::ask::Host;
use crate::host::{Answer, Ask, Emergency};

/// Does it.
///
/// # Errors
/// When it is refused, or the store or the gateway is not to be had.
pub fn run(config: Config, act: &Emergency, reason: &str) -> anyhow::Result<ExitCode> {
    let reason = reason.trim();
    anyhow::ensure!(
        (1..=cloakroom_api::REASON_MAX_CHARS).contains(&reason.chars().count()),
        "--reason must have 1 to {} characters: it goes into the audit log",
        cloakroom_api::REASON_MAX_CHARS
    );
    let runtime = app::control_runtime()?;
    runtime.block_on(async {
        let host = Host::find(config, runtime.handle()).await?;
        let answer = host.ask(&Ask::BreakGlass { act: act.clone(), reason: reason.to_owned() }).await;
        host.leave().await;
        println!("{}", said(act, &answer?));
        Ok(ExitCode::SUCCESS)
    })
}

fn said(act: &Emergency, answer: &Answer) -> String {
    match (act, answer) {
        (_, Answer::Revoked { id, ended, more: false }) => format!("{ended} sessions ended (revocation {id})"),
        (_, Answer::Revoked { id, ended, more: true }) => {
            format!("every session it covers is over; {ended} rows are ended, the rest follows (revocation {id})")
        }
        (Emergency::BlockProvider { provider }, Answer::Done(true)) => {
            format!("{provider} is blocked: nobody whom it signs in is served, until unblock-provider")
        }
        (Emergency::BlockProvider { provider }, _) => format!("{provider} was blocked already"),
        (Emergency::UnblockProvider { provider }, Answer::Done(true)) => format!("{provider} is unblocked"),
        (Emergency::UnblockProvider { provider }, _) => format!("{provider} was not blocked"),
        (Emergency::GrantOwner { issuer, sub }, Answer::Done(true)) => format!("{sub} of {issuer} is an owner"),
        (Emergency::GrantOwner { issuer, sub }, _) => format!("{sub} of {issuer} was an owner already"),
        (Emergency::Revoke { .. }, _) => "done".to_owned(),
    }
}
