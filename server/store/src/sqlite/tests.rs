//! What SQLite alone promises, and the suite of every store.

mod crash;
mod files;
mod plans;
mod writing;

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::runtime::Handle;

use super::Sqlite;
use crate::conformance::conformance;

/// A store in a folder of its own, which goes with it.
pub(super) struct Fresh {
    pub(super) sqlite: Sqlite,
    folder: TempDir,
}

impl Fresh {
    pub(super) fn store(&self) -> &Sqlite {
        &self.sqlite
    }

    pub(super) fn path(&self) -> PathBuf {
        path_in(&self.folder)
    }
}

pub(super) fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("cloakroom.db")
}

pub(super) async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = Sqlite::open(&path_in(&folder), &Handle::current()).await.expect("opened");
    Fresh { sqlite, folder }
}

mod suite {
    use cloakroom_core::store::Store as _;

    super::conformance!(super::fresh);
}
