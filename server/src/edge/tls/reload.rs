//! New certificates without a new process: on SIGHUP, and when a file looks different. What cannot be used is told, and
//! the old ones stay (S17, F6).

use std::sync::Arc;

use tokio::signal::unix::Signal;

use super::Tls;
use super::certificate::{Certificate, Files, Stamp, Trouble};
use super::policies::Policies;

/// Looks after the files until the runtime ends. Without TLS a SIGHUP is heard all the same, so that it ends no process.
pub async fn keep_fresh(tls: Option<Arc<Tls>>, mut hangup: Signal) {
    let Some(tls) = tls else {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: there are no certificates to read anew");
        }
        return;
    };
    let mut watch = Watch::new(Arc::clone(&tls)).await;
    let mut tick = tokio::time::interval(tls.settings.reload_every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => watch.look(false).await,
            Some(()) = hangup.recv() => watch.look(true).await,
        }
    }
}

/// The files as they were last.
struct Watch {
    tls: Arc<Tls>,
    seen: Vec<Stamp>,
    /// What was told last, so that it is not told at every look.
    told: Option<String>,
}

/// The files' state, and with it the policies where they were to be read.
type Look = (Vec<Stamp>, Option<Result<Policies, Trouble>>);

impl Watch {
    async fn new(tls: Arc<Tls>) -> Self {
        let mut watch = Self { tls, seen: Vec::new(), told: None };
        // What was read at the start may be older than the files are by now.
        watch.look(true).await;
        watch
    }

    async fn look(&mut self, asked: bool) {
        let (tls, seen) = (Arc::clone(&self.tls), self.seen.clone());
        let again = asked || self.told.is_some();
        let (stamps, read) = match tokio::task::spawn_blocking(move || look(&tls, &seen, again)).await {
            Ok(look) => look,
            Err(error) => return tracing::error!(%error, "the certificates could not be looked at"),
        };
        let first = self.seen.is_empty();
        self.seen = stamps;
        match read {
            None => {}
            Some(Ok(policies)) => {
                self.tls.current.store(Arc::new(policies));
                self.told = None;
                if !first {
                    tracing::info!("the certificates were read anew");
                }
            }
            Some(Err(trouble)) => {
                let text = trouble.to_string();
                if asked || self.told.as_ref() != Some(&text) {
                    tracing::error!(error = %text, help = trouble.help(), "the old certificates stay in use");
                }
                self.told = Some(text);
            }
        }
    }
}

fn look(tls: &Tls, seen: &[Stamp], again: bool) -> Look {
    let files: Vec<Files> = tls.current().certificates().map(|one| one.files().clone()).collect();
    // Before they are read: a file that is written meanwhile is seen as another one at the next look.
    let stamps: Vec<Stamp> = files.iter().map(Files::stamp).collect();
    if !again && stamps == seen {
        return (stamps, None);
    }
    let read = files.into_iter().map(Certificate::read).collect::<Result<Vec<_>, _>>();
    let policies = read.and_then(|certificates| Policies::new(certificates, &tls.hosts, tls.settings.min_version));
    (stamps, Some(policies))
}
