//! What goes on in the background as long as the gateway runs, in small batches, so that no request waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use cloakroom_core::session::Sessions;
use cloakroom_core::session::sweep::Sweeper;
use cloakroom_core::store::StoreResult;

use crate::config::Config;
use crate::host::{desk, socket_of};

/// Values moved to the newest key in one unit of work.
const MOVED_AT_ONCE: u32 = 100;
/// Between two batches.
const BREATH: Duration = Duration::from_millis(20);
/// How often tokens that wait for their next try are looked at.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// From one full turn to the next: a hundred sessions a second at most.
const TURN_EVERY: Duration = Duration::from_millis(500);
/// How often there may be something to sweep.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How often the stored ring is looked at: another node may have added or retired a key.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Starts it, and gives back how to stop following the other nodes. A store in a file is this process's alone, which
/// therefore answers for it at a socket.
///
/// # Errors
/// As the store's.
pub(super) async fn start(sessions: &Arc<Sessions>, config: &Config, background: &Handle) -> StoreResult<AbortHandle> {
    let following = background.spawn(sessions.follow().await?).abort_handle();
    if let Some(socket) = config.store.file().map(socket_of) {
        match desk::open(&socket) {
            Ok(listener) => drop(background.spawn(desk::serve(listener, Arc::clone(sessions)))),
            Err(error) => tracing::warn!(
                socket = %socket.display(), %error,
                "`cloakroom keys` reaches this gateway only while it is stopped"
            ),
        }
    }
    drop(background.spawn(tend_keys(Arc::clone(sessions))));
    drop(background.spawn(tell_providers(Arc::clone(sessions))));
    drop(background.spawn(sweep(sessions.sweeper(config.keep_ended_days))));
    let resuming = Arc::clone(sessions);
    drop(background.spawn(async move { resuming.resume_revocations().await }));
    Ok(following)
}

/// Tells providers of ended sessions: at once, and again where it has to be.
async fn tell_providers(sessions: Arc<Sessions>) {
    loop {
        match sessions.tell_providers().await {
            // Bounded in rate: a provider answers people too.
            Ok(true) => tokio::time::sleep(TURN_EVERY).await,
            Ok(false) => {
                let waited = tokio::time::timeout(TELL_EVERY, sessions.something_to_tell()).await;
                tracing::trace!(by_the_clock = waited.is_err(), "looks whom to tell");
            }
            Err(error) => {
                tracing::warn!(%error, "providers wait to be told of ended sessions");
                tokio::time::sleep(TELL_EVERY).await;
            }
        }
    }
}

/// Follows the stored key ring, and moves what is sealed under old keys to the newest.
async fn tend_keys(sessions: Arc<Sessions>) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        sessions.reload_keys().await;
        loop {
            match sessions.keys().move_some(MOVED_AT_ONCE).await {
                Ok(0) => break,
                Ok(_) => tokio::time::sleep(BREATH).await,
                Err(error) => {
                    tracing::warn!(%error, "values wait to be moved to the newest key");
                    break;
                }
            }
        }
    }
}

/// Sweeps, a batch at a time. Between two batches it waits twice as long as one took, so that it never has more than a
/// third of the store's time.
async fn sweep(sweeper: Sweeper) {
    let (mut expired, mut deleted) = (0_u64, 0_u64);
    loop {
        let begun = tokio::time::Instant::now();
        match sweeper.turn().await {
            Ok(swept) => {
                expired += u64::from(swept.expired);
                deleted += u64::from(swept.deleted);
                if swept.more {
                    tokio::time::sleep(BREATH.max(begun.elapsed() * 2)).await;
                    continue;
                }
                if expired + deleted > 0 {
                    tracing::info!(expired, deleted, "swept sessions");
                }
                (expired, deleted) = (0, 0);
            }
            Err(error) => tracing::warn!(%error, "old sessions wait to be swept"),
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
