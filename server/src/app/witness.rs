//! How far the store had come when it was last seen, kept outside of it. A store that has fallen behind that, or gone
//! another way since, is a restored backup: in it sessions live that were ended. It does not serve (F10).

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use cloakroom_core::audit::ChainHead;
use cloakroom_core::audit::chain::START;
use cloakroom_core::store::{Store, StoreResult};

const AFTER_RESTORE: &str = "`cloakroom sessions after-restore` ends all sessions in it, and then it serves";

/// The witness.
#[derive(Debug)]
pub struct Witness {
    path: PathBuf,
    seen: ChainHead,
}

/// Its file: the last event of the audit chain that was seen.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    seq: i64,
    /// In base64.
    hash: String,
}

impl Witness {
    /// Compares the store with what was seen of it.
    ///
    /// # Errors
    /// When it has fallen behind, or it or the file cannot be read.
    pub async fn meet(path: &Path, store: &dyn Store) -> anyhow::Result<Self> {
        let written = read(path).with_context(|| format!("{}: what was last seen of the store", path.display()))?;
        let (head, waiting) = store.unchained(1).await?;
        // Nothing was ever done in a new one.
        let is_new = head == START && waiting.is_empty();
        if let Some(seen) = written
            && !is_new
            && !holds(store, seen).await?
        {
            anyhow::bail!(
                "the store is not what was last seen of it: event {} of its audit log is missing or another. It is a \
                 backup that was restored, or another store; {AFTER_RESTORE}",
                seen.seq
            );
        }
        if head != START && written != Some(head) {
            write(path, head).with_context(|| path.display().to_string())?;
        }
        Ok(Self { path: path.to_owned(), seen: head })
    }

    /// Sees how far the store is, and writes it down; answers whether it still holds what it held.
    ///
    /// # Errors
    /// As the store's.
    pub async fn look(&mut self, store: &dyn Store) -> StoreResult<bool> {
        let (head, _) = store.unchained(1).await?;
        if head == self.seen {
            return Ok(true);
        }
        if !holds(store, self.seen).await? {
            return Ok(false);
        }
        self.seen = head;
        if let Err(error) = write(&self.path, head) {
            tracing::warn!(path = %self.path.display(), %error, "what was seen of the store is not written down");
        }
        Ok(true)
    }
}

/// Takes the store as it is for what was last seen.
///
/// # Errors
/// When it cannot be read, or the file not be written.
pub async fn accept(path: &Path, store: &dyn Store) -> anyhow::Result<()> {
    let (head, _) = store.unchained(1).await?;
    write(path, head).with_context(|| path.display().to_string())
}

async fn holds(store: &dyn Store, seen: ChainHead) -> StoreResult<bool> {
    if seen == START {
        return Ok(true);
    }
    let events = store.chained(seen.seq.saturating_sub(1), 1).await?;
    let link = events.first().and_then(|event| event.link.as_ref());
    Ok(link.is_some_and(|link| link.seq == seen.seq && link.hash == seen.hash))
}

fn read(path: &Path) -> anyhow::Result<Option<ChainHead>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let written: Written = serde_json::from_slice(&text)?;
    let hash = STANDARD.decode(written.hash)?.try_into().map_err(|_| anyhow::anyhow!("no hash"))?;
    Ok(Some(ChainHead { seq: written.seq, hash }))
}

/// Under another name first: half a file would stop the next start.
fn write(path: &Path, head: ChainHead) -> std::io::Result<()> {
    let mut name = path.to_owned().into_os_string();
    name.push(".new");
    let text = serde_json::to_vec(&Written { seq: head.seq, hash: STANDARD.encode(head.hash) })?;
    let mut file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&name)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(name, path)
}

/// Says of a SQLite file that its sessions live elsewhere now.
///
/// # Errors
/// When it cannot be written beside the file.
pub fn mark_moved(file: &Path, to: &str) -> anyhow::Result<()> {
    let mark = moved(file);
    fs::write(&mark, to).with_context(|| mark.display().to_string())
}

/// Takes that back.
///
/// # Errors
/// When the mark cannot be removed.
pub fn unmark_moved(file: &Path) -> anyhow::Result<()> {
    let mark = moved(file);
    match fs::remove_file(&mark) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| mark.display().to_string()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Refuses a SQLite file whose sessions were copied to a database: there they went on.
///
/// # Errors
/// When they were.
pub fn refuse_moved(file: &Path) -> anyhow::Result<()> {
    match fs::read_to_string(moved(file)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        to => anyhow::bail!(
            "{}: its sessions were copied to {}, and go on there. To serve from this file all the same: {AFTER_RESTORE}",
            file.display(),
            to?
        ),
    }
}

fn moved(file: &Path) -> PathBuf {
    let mut name = file.canonicalize().unwrap_or_else(|_| file.to_owned()).into_os_string();
    name.push(".moved");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_read_back_and_half_a_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("witness");
        assert_eq!(read(&path).expect("none yet"), None);
        let head = ChainHead { seq: 7, hash: [9; 32] };
        write(&path, head).expect("written");
        assert_eq!(read(&path).expect("read"), Some(head));
        fs::write(&path, "{\"seq\":7").expect("written");
        assert!(read(&path).is_err());
    }
}
