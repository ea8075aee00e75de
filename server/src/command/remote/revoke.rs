//! `cloakroom revoke`: shows what would end, asks, ends it, and says what became of it.
#![expect(clippy::print_stderr, reason = "what is asked of a person stands beside the results")]

use std::io::BufRead as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use cloakroom_api::{RevocationPreview, RevocationReport, RevocationState};

use super::sessions::rows;
use super::table::{facts, moment, plain, table};
use super::{Api, Server, part};

/// How often a revocation is looked at that goes on.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Which sessions to end: those that all of it covers.
#[derive(clap::Args, Debug)]
#[group(id = "which", required = true, multiple = true)]
struct Which {
    /// A person: the provider's issuer, and their id there.
    #[arg(long, num_args = 2, value_names = ["ISSUER", "SUB"])]
    user: Option<Vec<String>>,
    /// An app.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// A provider.
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Those whose sign-in came from this network.
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    /// Those that began before this moment (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    started_before: Option<String>,
    /// Those that began at this moment or later.
    #[arg(long, value_name = "MOMENT")]
    started_from: Option<String>,
    /// Those whose user agent contains this.
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
    /// Every session there is.
    #[arg(long)]
    all: bool,
}

/// What to end, and why.
#[derive(clap::Args, Debug)]
pub struct Revoke {
    #[command(flatten)]
    which: Which,
    /// Why, for the audit log.
    #[arg(long)]
    reason: String,
    /// Only show what would end.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    server: Server,
}

impl Which {
    fn filter(self) -> anyhow::Result<Value> {
        let mut filter = serde_json::Map::new();
        if let Some(both) = self.user {
            let [issuer, sub] = <[String; 2]>::try_from(both).ok().context("--user takes an issuer and a sub")?;
            filter.insert("user".into(), json!({ "issuer": issuer, "sub": sub }));
        }
        let texts = [
            ("client", self.client),
            ("provider", self.provider),
            ("network", self.network),
            ("started_before", self.started_before),
            ("started_from", self.started_from),
            ("user_agent", self.user_agent),
        ];
        filter.extend(texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
        if self.all {
            filter.insert("all".into(), json!(true));
        }
        Ok(filter.into())
    }
}

pub(super) async fn run(command: Revoke) -> anyhow::Result<ExitCode> {
    let Revoke { which, reason, dry_run, yes, server } = command;
    let api = Api::open(&server)?;
    let answer = api.post("revocations/preview", &json!({ "filter": which.filter()? })).await?;
    if dry_run {
        return api.print(answer, in_words);
    }
    let preview: RevocationPreview = serde_json::from_value(answer)?;
    if !yes {
        eprint!("{}", in_words(&preview));
        if !confirmed(preview.confirm_with.as_deref().unwrap_or("yes"))? {
            eprintln!("nothing was done");
            return Ok(ExitCode::FAILURE);
        }
    }
    let mut decision = json!({ "token": preview.token, "reason": reason });
    if let (Some(words), Some(decision)) = (&preview.confirm_with, decision.as_object_mut()) {
        decision.insert("confirm".into(), json!(words));
    }
    let mut answer = api.post("revocations", &decision).await?;
    loop {
        let report: RevocationReport = serde_json::from_value(answer.clone())?;
        if report.state == RevocationState::Finished {
            return api.print(answer, told);
        }
        tokio::time::sleep(LOOK_EVERY).await;
        answer = api.get(&format!("revocations/{}", part(&report.id))).await.with_context(|| {
            format!("revocation {} was decided and goes on; how far it is could not be read", report.id)
        })?;
    }
}

fn in_words(preview: &RevocationPreview) -> String {
    let mut text = format!("{} sessions would end\n", preview.count);
    let row = |named: &cloakroom_api::Named| [named.id.clone(), named.n.to_string()];
    text += &table(["client", "sessions"], preview.by_client.iter().map(row).collect());
    if !preview.sample.is_empty() {
        text.push_str("\nthe newest of them\n");
        text += &rows(&preview.sample);
    }
    for warning in &preview.warnings {
        text.extend(["\n", &plain(warning), "\n"]);
    }
    text
}

fn confirmed(words: &str) -> anyhow::Result<bool> {
    eprint!("\ntype \"{words}\" to end them: ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == words)
}

fn told(report: &RevocationReport) -> String {
    facts(&[
        ("revocation", report.id.clone()),
        ("sessions ended", report.ended.to_string()),
        ("decided", moment(&report.decided_at)),
        ("by", report.by.clone()),
        ("reason", report.reason.clone()),
        ("providers told", report.provider.done.to_string()),
        ("providers still to be told", report.provider.queued.to_string()),
        ("providers that were not told", report.provider.failed.to_string()),
    ])
}
