//! Where the sessions are, as configured.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `[store]`
#[derive(Debug)]
pub enum Store {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// How to connect.
        settings: cloakroom_store::Settings,
        /// For how long a session is served from memory after its row was read.
        reread: Duration,
    },
}

impl Store {
    /// The SQLite file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres { .. } => None,
        }
    }

    /// For how long a session is served from memory after its row was read, where other nodes may change it.
    #[must_use]
    pub const fn reread(&self) -> Option<Duration> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres { reread, .. } => Some(*reread),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres { settings, .. } => write!(f, "{}, {} connections", settings.address, settings.pool_size),
        }
    }
}
