//! Units of work: each on one connection, repeated where the server surely kept nothing of it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::time::timeout;

use cloakroom_core::store::{StoreError, StoreResult};

use super::{Db, Postgres};

/// How long one unit may take. Statements and locks give up earlier, by the server's own clock (see `open`).
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a unit is tried that the server takes back because of another.
const TRIES: u32 = 6;
/// The wait before the second try; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(2);

/// What a unit needs of its transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    /// One statement that reads.
    Read,
    /// Several that read the same moment.
    Snapshot,
    /// Whatever writes.
    Write,
}

impl Mode {
    const fn begin(self) -> Option<&'static str> {
        match self {
            Self::Read => None,
            Self::Snapshot => Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Self::Write => Some("BEGIN ISOLATION LEVEL READ COMMITTED"),
        }
    }
}

/// What is done, on a connection with an input; it may be done more than once.
type Work<I, T> = for<'c> fn(&'c mut PgConnection, &'c I) -> BoxFuture<'c, sqlx::Result<T>>;

/// Why a unit was not done.
struct Failed {
    error: sqlx::Error,
    /// Whether COMMIT was sent: then nobody knows what was kept, unless the server has said so.
    committing: bool,
}

impl Failed {
    fn before_commit(error: sqlx::Error) -> Self {
        Self { error, committing: false }
    }

    /// The server took it back because of another unit (`serialization_failure`, `deadlock_detected`).
    fn raced(&self) -> bool {
        self.code().is_some_and(|code| matches!(&*code, "40001" | "40P01"))
    }

    /// The connection is gone, as after a restart of the server (class 57: it shuts down, or starts).
    fn cut_off(&self) -> bool {
        matches!(self.error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_))
            || self.code().is_some_and(|code| matches!(&*code, "57P01" | "57P02" | "57P03" | "25P03"))
    }

    fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.error.as_database_error().and_then(sqlx::error::DatabaseError::code)
    }
}

impl Postgres {
    /// Does a unit of work; answers once it is committed.
    pub(super) async fn unit<I: Send + Sync, T: Send>(&self, mode: Mode, input: I, work: Work<I, T>) -> StoreResult<T> {
        self.through(&self.pool, mode, input, work).await
    }

    /// The same through other connections than the usual.
    pub(super) async fn through<I: Send + Sync, T: Send>(
        &self,
        pool: &PgPool,
        mode: Mode,
        input: I,
        work: Work<I, T>,
    ) -> StoreResult<T> {
        let (mut raced, mut cut_off) = (0, 0);
        loop {
            let failed = match once(pool, mode, &input, work).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            if failed.raced() && raced + 1 < TRIES {
                tokio::time::sleep(PAUSE * 2_u32.pow(raced)).await;
                raced += 1;
            } else if failed.cut_off() && !failed.committing && cut_off < pool.options().get_max_connections() {
                // Each connection of before a restart fails once, and is not used again.
                cut_off += 1;
            } else {
                return Err(self.told(failed.error));
            }
        }
    }

    /// What the server says, as callers act on it; with its place, and never its password.
    fn told(&self, error: sqlx::Error) -> StoreError {
        match error {
            sqlx::Error::Decode(what) => StoreError::Corrupt(what.to_string()),
            // Class XX: the server found its own files damaged.
            sqlx::Error::Database(error) if error.code().is_some_and(|code| code.starts_with("XX")) => {
                StoreError::Corrupt(format!("{}: {error}", self.place))
            }
            sqlx::Error::PoolTimedOut => StoreError::Unavailable(format!("{}: no connection in time", self.place)),
            error => StoreError::Unavailable(format!("{}: {error}", self.place)),
        }
    }
}

async fn once<I: Sync, T>(pool: &PgPool, mode: Mode, input: &I, work: Work<I, T>) -> Result<T, Failed> {
    let mut connection = pool.acquire().await.map_err(|error| Failed { error, committing: true })?;
    match timeout(PATIENCE, run(&mut connection, mode, input, work)).await {
        Ok(Err(failed)) => {
            if failed.cut_off() {
                connection.close_on_drop();
            }
            Err(failed)
        }
        Ok(done) => done,
        Err(_) => {
            connection.close_on_drop();
            Err(Failed { error: std::io::Error::from(std::io::ErrorKind::TimedOut).into(), committing: true })
        }
    }
}

async fn run<I, T>(connection: &mut PoolConnection<Db>, mode: Mode, input: &I, work: Work<I, T>) -> Result<T, Failed> {
    let Some(begin) = mode.begin() else { return work(connection, input).await.map_err(Failed::before_commit) };
    let mut transaction = connection.begin_with(begin).await.map_err(Failed::before_commit)?;
    match work(&mut transaction, input).await {
        Ok(value) => {
            transaction.commit().await.map_err(|error| Failed { error, committing: true })?;
            Ok(value)
        }
        Err(error) => {
            if let Err(error) = transaction.rollback().await {
                tracing::debug!(%error, "a transaction ends with its connection");
            }
            Err(Failed::before_commit(error))
        }
    }
}
