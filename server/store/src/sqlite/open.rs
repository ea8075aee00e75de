//! Opening a database file: for this process alone, or for reading beside another.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection, SqlitePool};
use tokio::runtime::Handle;

use super::writer::{Hands, Writer};
use super::{Sqlite, refresh, telling};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

const READERS: u32 = 3;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// What a page cache may take, in KiB (a negative number, as SQLite wants it): enough for the upper levels of every
/// index at a million sessions.
const CACHE_KIB: &str = "-16384";
/// Only the account that runs the gateway reads names and addresses of people.
const OWNER_ONLY: u32 = 0o600;

/// Why a database file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error("{}: another process uses this store (it holds {}.lock); one process per file", .0.display(), .0.display())]
    InUse(PathBuf),
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no database of this program, or of a newer version.
    #[error("{}: the schema cannot be brought up to date: {source}", path.display())]
    Schema {
        /// Which.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// It was opened for reading, and its schema is not this version's.
    #[error("{}: no store of this version; `cloakroom migrate` brings an older one up to date", .0.display())]
    OtherVersion(PathBuf),
    /// SQLite does not open it.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// Which.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
}

impl Sqlite {
    /// Opens a file for this process alone, creates it if need be, and brings its schema up to date. The writing task
    /// runs on `background`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(path: &Path, background: &Handle) -> Result<Self, OpenError> {
        let (path, lock) = claim(path).map_err(|refused| match refused {
            TryLockError::WouldBlock => OpenError::InUse(path.to_owned()),
            TryLockError::Error(source) => OpenError::File { path: path.to_owned(), source },
        })?;
        let sqlite = |source| OpenError::Sqlite { path: path.clone(), source };
        let options =
            options(&path).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).foreign_keys(true);
        let mut connection = options.connect().await.map_err(sqlite)?;
        MIGRATIONS.run(&mut connection).await.map_err(|source| OpenError::Schema { path: path.clone(), source })?;
        refresh::give_back_all(&mut connection).await.map_err(sqlite)?;
        telling::give_back_all(&mut connection).await.map_err(sqlite)?;
        let readers = readers(&path).await.map_err(sqlite)?;
        let (writer, ending) = Writer::start(Hands { connection, lock }, background);
        Ok(Self { writer: Some(writer), readers, ending: Mutex::new(Some(ending)) })
    }

    /// Opens a file for reading, beside a process that may be writing.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        fs::metadata(path).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
        let readers = readers(path).await.map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
        let newest = MIGRATIONS.iter().map(|migration| migration.version).max();
        let found: sqlx::Result<Option<i64>> =
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success").fetch_one(&readers).await;
        match found {
            Ok(found) if found == newest => Ok(Self { writer: None, readers, ending: Mutex::new(None) }),
            _ => Err(OpenError::OtherVersion(path.to_owned())),
        }
    }
}

/// Takes the file for this process. The lock is a file beside it, whatever links lead there. An existing database is
/// not opened here: closing it again would drop the locks that SQLite holds on it in this process.
fn claim(path: &Path) -> Result<(PathBuf, File), TryLockError> {
    let options = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(OWNER_ONLY);
        options
    };
    match options().create_new(true).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(TryLockError::Error(error)),
        Ok(_) | Err(_) => {}
    }
    let path = path.canonicalize().map_err(TryLockError::Error)?;
    let mut name = path.clone().into_os_string();
    name.push(".lock");
    let lock = options().create(true).truncate(false).open(&name).map_err(TryLockError::Error)?;
    lock.try_lock()?;
    Ok((path, lock))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", CACHE_KIB)
        .disable_statement_logging()
}

/// A connection to read the whole file through.
pub(crate) async fn read_alone(path: &Path) -> sqlx::Result<SqliteConnection> {
    options(path).read_only(true).connect().await
}

async fn readers(path: &Path) -> sqlx::Result<SqlitePool> {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(BUSY_TIMEOUT)
        .test_before_acquire(false)
        .connect_with(options(path).read_only(true))
        .await
}
