//! The running gateway's side: a Unix-domain socket beside the store. The file's mode shuts others out, and who is at
//! the other end is asked of the kernel besides.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use cloakroom_core::session::Sessions;

use super::act::{act, by};
use super::{Answer, Ask};

/// The longest question.
const QUESTION_BYTES: u64 = 4_096;
/// How long the other end may take to ask.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the socket. Whoever holds the store's lock may remove what an earlier process left behind.
///
/// # Errors
/// When it cannot be had, as where the path is longer than the kernel takes.
pub fn open(path: &Path) -> std::io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers, one after the other.
pub async fn serve(listener: UnixListener, sessions: Arc<Sessions>) {
    loop {
        let answered = match listener.accept().await {
            Ok((stream, _)) => answer(stream, &sessions).await,
            Err(error) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Err(error)
            }
        };
        if let Err(error) = answered {
            tracing::warn!(%error, "a question at the host's socket was not answered");
        }
    }
}

async fn answer(stream: UnixStream, sessions: &Arc<Sessions>) -> std::io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    if uid != 0 && uid != rustix::process::geteuid().as_raw() {
        return Err(std::io::Error::other(format!("user {uid} is neither root nor the gateway's own")));
    }
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    let mut reading = BufReader::new(reading.take(QUESTION_BYTES));
    tokio::time::timeout(PATIENCE, reading.read_line(&mut line)).await??;
    let answer = match serde_json::from_str::<Ask>(&line) {
        Ok(ask) => {
            let answer = act(sessions, &ask, &by(uid)).await;
            if matches!(answer, Answer::Burned(_)) {
                sessions.forget_all();
            }
            answer
        }
        Err(error) => Answer::Refused(format!("this gateway does not understand the question: {error}")),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    writing.write_all(&text).await
}
