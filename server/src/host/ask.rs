//! The command's side.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::runtime::Handle;

use cloakroom_core::session::Sessions;
use cloakroom_store::OpenError;

use super::act::{act, by};
use super::{Answer, Ask, socket_of};
use crate::app::{self, Ambient};
use crate::config::Config;

/// Values moved in one step while no gateway runs.
const STEP: u32 = 500;

/// Whoever does what is asked: the running gateway that has the store's file to itself, or this process.
pub enum Host {
    /// A gateway holds the file, and answers at this socket.
    Up(PathBuf),
    /// None does; or the store is a database, which many use.
    Down(Arc<Sessions>),
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
        let file = config.store.file();
        if let Some(path) = file {
            anyhow::ensure!(path.exists(), "{}: there is no store yet; `cloakroom serve` makes it", path.display());
        }
        match app::open_store(&config, background).await {
            Ok(store) => {
                let sessions = app::sessions(&config, &Ambient::system()?, store, background).await?;
                Ok(Self::Down(sessions))
            }
            Err(error) => match (error.downcast_ref(), file) {
                (Some(OpenError::InUse(_)), Some(path)) => Ok(Self::Up(socket_of(path))),
                _ => Err(error),
            },
        }
    }

    /// Asks.
    ///
    /// # Errors
    /// When the gateway does not answer, or refuses.
    pub async fn ask(&self, ask: &Ask) -> anyhow::Result<Answer> {
        let answer = match self {
            Self::Up(socket) => through_socket(socket, ask).await?,
            Self::Down(sessions) => {
                if let Ask::RetireKey { .. } = ask {
                    while sessions.keys().move_some(STEP).await? > 0 {}
                }
                act(sessions, ask, &by(rustix::process::geteuid().as_raw())).await
            }
        };
        match answer {
            Answer::Refused(why) => Err(anyhow::anyhow!(why)),
            answer => Ok(answer),
        }
    }

    /// Gives the store back.
    pub async fn leave(self) {
        if let Self::Down(sessions) = self {
            sessions.store().close().await;
        }
    }
}

async fn through_socket(path: &Path, ask: &Ask) -> anyhow::Result<Answer> {
    let unheard = || format!("{}: the gateway that uses this store cannot be asked there", path.display());
    let mut stream = UnixStream::connect(path).await.with_context(unheard)?;
    let mut text = serde_json::to_vec(ask)?;
    text.push(b'\n');
    stream.write_all(&text).await.with_context(unheard)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.with_context(unheard)?;
    serde_json::from_slice(&answer).with_context(unheard)
}
