//! `cloakroom sessions copy | after-restore`: a store that becomes another, and one that was one before.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use cloakroom_core::audit::chain;
use cloakroom_core::store::Store as _;
use cloakroom_store::{Postgres, Sqlite};

use crate::app::{self, Ambient, witness};
use crate::config::{self, Config};
use crate::host::ask::Host;
use crate::host::{Answer, Ask, Emergency};

const RESTORED: &str = "the store was restored from a backup";

/// Copies the store of `from`, a SQLite file, into that of `to`, an empty PostgreSQL database. A gateway that serves the
/// file takes no writes from then on.
///
/// # Errors
/// When something is not as it must be; the file is then served as before.
pub fn copy(from: Config, to: &Config) -> anyhow::Result<ExitCode> {
    let file = from.store.file().context("--config: its store must be a SQLite file")?.to_owned();
    let config::Store::Postgres { settings, .. } = &to.store else {
        anyhow::bail!("--to: its store must be a PostgreSQL database");
    };
    let runtime = app::control_runtime()?;
    runtime.block_on(async {
        witness::refuse_moved(&file)?;
        let host = Host::find(from, runtime.handle()).await?;
        let original: Arc<dyn cloakroom_core::store::Store> = Arc::new(Sqlite::open_read_only(&file).await?);
        let known = app::key_ring(to, &Ambient::system()?, &original).await;
        original.close().await;
        known.context("--to: keys.root must be that of --config")?;
        Postgres::open(settings).await?.close().await;
        host.ask(&Ask::Freeze { frozen: true }).await?;
        let copied = match cloakroom_store::copy(&file, settings).await {
            Ok(copied) => copied,
            Err(error) => {
                return Err(match host.ask(&Ask::Freeze { frozen: false }).await {
                    Ok(_) => error.into(),
                    Err(thaw) => anyhow::Error::from(error)
                        .context(format!("and the gateway still takes no writes ({thaw:#}): restart it")),
                });
            }
        };
        witness::mark_moved(&file, &to.store.to_string())?;
        println!(
            "{} sessions copied, {} rows in all; each was read back and compared. {}",
            copied.sessions,
            copied.rows,
            match host {
                Host::Up(_) =>
                    "The running gateway takes no writes any more: stop it, and start the new configuration.",
                Host::Down(_) => "Start the new configuration; this file is not served any more.",
            }
        );
        host.leave().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Ends every session of a restored store, which may then serve.
///
/// # Errors
/// When the store is not to be had, or is being served.
pub fn after_restore(config: Config) -> anyhow::Result<ExitCode> {
    let (file, seen) = (config.store.file().map(std::path::Path::to_owned), config.witness.clone());
    let runtime = app::control_runtime()?;
    runtime.block_on(async {
        let host = Host::find(config, runtime.handle()).await?;
        let Host::Down(sessions) = &host else {
            anyhow::bail!(
                "a gateway serves this store already; `cloakroom break-glass revoke --all` ends its sessions"
            );
        };
        let act = Emergency::Revoke { user: None, client: None, provider: None };
        let answer = host.ask(&Ask::BreakGlass { act, reason: RESTORED.into() }).await?;
        chain::link_pending(&**sessions.store()).await?;
        if let Some(path) = seen {
            witness::accept(&path, &**sessions.store()).await?;
        }
        if let Some(file) = file {
            witness::unmark_moved(&file)?;
        }
        host.leave().await;
        if let Answer::Revoked { ended, more, .. } = answer {
            let rest = if more { ", the rest as soon as it serves" } else { "" };
            println!("{ended} sessions ended{rest}; the store may serve");
        }
        Ok(ExitCode::SUCCESS)
    })
}
