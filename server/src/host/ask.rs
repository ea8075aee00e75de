//! The command's side.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::runtime::Handle;

use cloakroom_core::keys::Keys;
use cloakroom_core::store::Store;
use cloakroom_store::OpenError;

use super::act::{act, by};
use super::{Answer, Ask, socket_of};
use crate::app::{self, Ambient};
use crate::config::Config;

/// Values moved in one step while no gateway runs.
const STEP: u32 = 500;

/// Whoever does what is asked: the running gateway, or this process with the store to itself.
pub enum Host {
    /// The gateway runs.
    Up(Box<Config>),
    /// It does not.
    Down {
        /// The store, ours alone.
        store: Arc<dyn Store>,
        /// The ring's keeper.
        keys: Arc<Keys>,
    },
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Up(_)) { "Up" } else { "Down" })
    }
}

impl Host {
    /// Finds out which it is.
    ///
    /// # Errors
    /// When the store is not there or does not open.
    pub async fn find(config: Config, background: &Handle) -> anyhow::Result<Self> {
        let path = &config.store.path;
        anyhow::ensure!(path.exists(), "{}: there is no store yet; `cloakroom serve` makes it", path.display());
        match app::open_store(&config, background).await {
            Ok(store) => {
                let keys = app::keys(&config, &Ambient::system()?, &store).await?;
                Ok(Self::Down { store, keys })
            }
            Err(error) if matches!(error.downcast_ref(), Some(OpenError::InUse(_))) => Ok(Self::Up(Box::new(config))),
            Err(error) => Err(error),
        }
    }

    /// Asks.
    ///
    /// # Errors
    /// When the gateway does not answer, or refuses.
    pub async fn ask(&self, ask: &Ask) -> anyhow::Result<Answer> {
        let answer = match self {
            Self::Up(config) => through_socket(config, ask).await?,
            Self::Down { keys, .. } => {
                if let Ask::RetireKey { .. } = ask {
                    while keys.move_some(STEP).await? > 0 {}
                }
                act(keys, ask, &by(rustix::process::geteuid().as_raw())).await
            }
        };
        match answer {
            Answer::Refused(why) => Err(anyhow::anyhow!(why)),
            answer => Ok(answer),
        }
    }

    /// Gives the store back.
    pub async fn leave(self) {
        if let Self::Down { store, .. } = self {
            store.close().await;
        }
    }
}

async fn through_socket(config: &Config, ask: &Ask) -> anyhow::Result<Answer> {
    let path = socket_of(&config.store.path);
    let unheard = || format!("{}: the gateway that uses this store cannot be asked there", path.display());
    let mut stream = UnixStream::connect(&path).await.with_context(unheard)?;
    let mut text = serde_json::to_vec(ask)?;
    text.push(b'\n');
    stream.write_all(&text).await.with_context(unheard)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.with_context(unheard)?;
    serde_json::from_slice(&answer).with_context(unheard)
}
