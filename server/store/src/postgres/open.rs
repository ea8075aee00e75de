//! Connecting: how, and to what; the schema.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use tokio::time::timeout;

use super::hints::Hints;
use super::{Address, Postgres};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How long a caller waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the first connection may take.
const FIRST_PATIENCE: Duration = Duration::from_secs(10);
/// A connection that has rested for longer is tried before it is used.
const TRUSTED: Duration = Duration::from_secs(1);
/// Migrations are tried again where another node's, at the same moment, came first.
const MIGRATION_TRIES: u32 = 5;

/// Each connection's settings. What is committed is on disk, where the server itself does not ask for more; a statement,
/// a wait for a lock, and a transaction that its node has left open (stopped, cut off) are over after a while.
const SETTINGS: &str = "SELECT set_config('statement_timeout', '8s', false), set_config('lock_timeout', '5s', false), \
     set_config('idle_in_transaction_session_timeout', '5s', false), \
     set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' \
     ELSE 'on' END, false)";

/// How the way to the database is kept secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    Off,
    /// The server proves its host name by a certificate of a public authority, or of one in this file.
    Verify {
        /// Certificates of further authorities, in PEM.
        ca: Option<PathBuf>,
    },
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where.
    pub address: Address,
    /// The way there.
    pub tls: Tls,
    /// Connections at most.
    pub pool_size: u32,
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It cannot be reached, or does not let us in.
    #[error("{place}: {source}")]
    Connect {
        /// Host and database.
        place: String,
        /// Why.
        source: sqlx::Error,
    },
    /// It does not answer.
    #[error("{0}: no answer in time")]
    Silent(String),
    /// It takes no writes.
    #[error("{0}: this server takes no writes (a standby?); give the name that leads to the primary")]
    ReadOnly(String),
    /// Its encoding is not UTF-8.
    #[error("{place}: its encoding is {encoding}; make the database with ENCODING 'UTF8'")]
    Encoding {
        /// Host and database.
        place: String,
        /// What it is.
        encoding: String,
    },
    /// It is no database of this program, or of a newer version.
    #[error("{place}: the schema cannot be brought up to date: {source}")]
    Schema {
        /// Host and database.
        place: String,
        /// Why.
        source: MigrateError,
    },
    /// It was opened for reading, and its schema is not this version's.
    #[error("{0}: no store of this version; `cloakroom migrate` brings an older one up to date")]
    OtherVersion(String),
}

impl Postgres {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn open(settings: &Settings) -> Result<Self, ConnectError> {
        let place = settings.address.to_string();
        let mut first = connect(settings, &place).await?;
        let connection = |source| ConnectError::Connect { place: place.clone(), source };
        let (encoding, read_only): (String, String) =
            sqlx::query_as("SELECT current_setting('server_encoding'), current_setting('transaction_read_only')")
                .fetch_one(&mut first)
                .await
                .map_err(connection)?;
        if encoding != "UTF8" {
            return Err(ConnectError::Encoding { place, encoding });
        }
        if read_only == "on" {
            return Err(ConnectError::ReadOnly(place));
        }
        // Asked first: an account that may not alter the schema can use one that is up to date.
        if !is_current(&mut first).await {
            migrate(&mut first).await.map_err(|source| ConnectError::Schema { place: place.clone(), source })?;
        }
        first.close().await.map_err(connection)?;
        Ok(Self::over(settings, place))
    }

    /// Connects to read, whether or not others use it.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn open_read_only(settings: &Settings) -> Result<Self, ConnectError> {
        let place = settings.address.to_string();
        let mut first = connect(settings, &place).await?;
        let current = is_current(&mut first).await;
        first.close().await.map_err(|source| ConnectError::Connect { place: place.clone(), source })?;
        if current { Ok(Self::over(settings, place)) } else { Err(ConnectError::OtherVersion(place)) }
    }

    fn over(settings: &Settings, place: String) -> Self {
        let pool = |size| Self::pool(settings, size);
        Self { pool: pool(settings.pool_size), log: pool(2), hints: Hints::new(pool(1)), place }
    }

    fn pool(settings: &Settings, size: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .before_acquire(|connection, rested| {
                Box::pin(async move {
                    if rested.idle_for < TRUSTED {
                        return Ok(true);
                    }
                    Ok(timeout(TRUSTED, connection.ping()).await.is_ok_and(|alive| alive.is_ok()))
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::query(SETTINGS).fetch_one(connection).await.map(|_| ()) })
            })
            .connect_lazy_with(options(settings))
    }
}

fn options(settings: &Settings) -> PgConnectOptions {
    let options = settings.address.options.as_ref().clone().disable_statement_logging();
    match &settings.tls {
        Tls::Off => options.ssl_mode(PgSslMode::Disable),
        Tls::Verify { ca: None } => options.ssl_mode(PgSslMode::VerifyFull),
        Tls::Verify { ca: Some(path) } => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(path),
    }
}

/// A connection to fill an empty database through, however long that takes.
pub(crate) async fn write_alone(settings: &Settings) -> Result<PgConnection, ConnectError> {
    let place = settings.address.to_string();
    let mut connection = connect(settings, &place).await?;
    match sqlx::query("SET synchronous_commit = on").execute(&mut connection).await {
        Ok(_) => Ok(connection),
        Err(source) => Err(ConnectError::Connect { place, source }),
    }
}

async fn connect(settings: &Settings, place: &str) -> Result<PgConnection, ConnectError> {
    match timeout(FIRST_PATIENCE, options(settings).connect()).await {
        Ok(connected) => connected.map_err(|source| ConnectError::Connect { place: place.to_owned(), source }),
        Err(_) => Err(ConnectError::Silent(place.to_owned())),
    }
}

/// Whether exactly this version's migrations were made.
async fn is_current(connection: &mut PgConnection) -> bool {
    let made: sqlx::Result<Vec<i64>> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(connection)
            .await;
    made.is_ok_and(|made| made.into_iter().eq(MIGRATIONS.iter().map(|migration| migration.version)))
}

/// Without an advisory lock: each migration is a transaction, and of two nodes that make it at once one fails, and then
/// finds it made.
async fn migrate(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut tries = 0;
    loop {
        let made = Migrator { locking: false, migrations: MIGRATIONS.migrations.clone(), ..Migrator::DEFAULT };
        match made.run(&mut *connection).await {
            Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) if tries < MIGRATION_TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            done => return done,
        }
    }
}
