//! Copies a store from a SQLite file into an empty PostgreSQL database. Each table goes over as text, is read back, and
//! compared with the original line by line; nothing of it counts before all of it does.

#![expect(clippy::disallowed_types, reason = "tables and columns are named by the schema, and values never by SQL")]

use std::path::Path;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::postgres::{self, ConnectError, Settings};
use crate::sqlite;

/// What goes over: parents before those that refer to them. The change log and rows to lock are each store's own.
const TABLES: [&str; 22] = [
    "ring_keys",
    "subject_keys",
    "sessions",
    "tokens",
    "refresh_leases",
    "refresh_attempts",
    "mobile_grants",
    "device_grants",
    "successions",
    "used_transactions",
    "used_logout_tokens",
    "logout_tombstones",
    "used_once",
    "revocations",
    "revocation_failures",
    "lockouts",
    "granted_owners",
    "audit_events",
    "audit_addresses",
    "erased_subjects",
    "service_accounts",
    "figures",
];
/// Columns that are a boolean there and a number here.
const BOOLEANS: [(&str, &str); 1] = [("device_grants", "denied")];
/// The one row of it is there already.
const HEAD: &str = "audit_head";
/// Sent together.
const PIECE_BYTES: usize = 64 * 1024;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Rows of sessions, ended ones included.
    pub sessions: u64,
    /// All rows.
    pub rows: u64,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Somebody uses the database.
    #[error("the database holds sessions, keys or events already; copy into an empty one")]
    NotEmpty,
    /// The copy is not the original.
    #[error("{table}: row {row} of the copy is not the original's; nothing was kept")]
    Differs {
        /// Where.
        table: String,
        /// The how manieth, in the order of the table's key.
        row: u64,
    },
    /// The original cannot be read, or the copy not be written.
    #[error("{table}: {source}")]
    Broken {
        /// Where.
        table: String,
        /// Why.
        source: sqlx::Error,
    },
}

/// Copies everything. The file must not be written meanwhile: by a gateway that takes no writes, or by none.
///
/// # Errors
/// [`CopyError`]; the database is then as it was.
pub async fn copy(file: &Path, to: &Settings) -> Result<Copied, CopyError> {
    let broken = |table: &str| {
        let table = table.to_owned();
        move |source| CopyError::Broken { table, source }
    };
    let mut from = sqlite::read_alone(file).await.map_err(broken("the original"))?;
    let mut to = postgres::write_alone(to).await?;
    let mut original = from.begin().await.map_err(broken("the original"))?;
    let mut kept = to.begin().await.map_err(broken("the copy"))?;
    if !is_empty(&mut kept).await.map_err(broken("the copy"))? {
        return Err(CopyError::NotEmpty);
    }
    let mut copied = Copied::default();
    for name in TABLES.into_iter().chain([HEAD]) {
        let table = Table::of(&mut original, name).await.map_err(broken(name))?;
        let rows = table.send(&mut original, &mut kept).await.map_err(broken(name))?;
        table.compare(&mut original, &mut kept).await?;
        copied.rows += rows;
        if name == "sessions" {
            copied.sessions = rows;
        }
    }
    let place =
        "SELECT setval(pg_get_serial_sequence('audit_events', 'place'), greatest(max(place), 1)) FROM audit_events";
    sqlx::query(place).execute(&mut *kept).await.map_err(broken("audit_events"))?;
    kept.commit().await.map_err(broken("the copy"))?;
    // Without it, the first lists go by what an empty database was like.
    sqlx::query("ANALYZE").execute(&mut to).await.map_err(broken("the copy"))?;
    Ok(copied)
}

/// Whether nobody has used the database; keeps everybody else away until the end.
async fn is_empty(to: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query("LOCK TABLE ring_keys, sessions, audit_events, audit_head IN EXCLUSIVE MODE").execute(&mut *to).await?;
    let used = "SELECT EXISTS (SELECT 1 FROM ring_keys) OR EXISTS (SELECT 1 FROM sessions) \
                OR EXISTS (SELECT 1 FROM audit_events)";
    let used: bool = sqlx::query_scalar(used).fetch_one(&mut *to).await?;
    sqlx::query("DELETE FROM audit_head").execute(to).await?;
    Ok(!used)
}

/// A table, as both stores have it.
struct Table {
    name: &'static str,
    columns: String,
    key: String,
    /// Every column as text, or NULL.
    read: String,
    width: usize,
}

impl Table {
    async fn of(original: &mut SqliteConnection, name: &'static str) -> sqlx::Result<Self> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT name, pk FROM pragma_table_info($1) ORDER BY cid")
            .bind(name)
            .fetch_all(original)
            .await?;
        let columns: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
        let mut key: Vec<(i64, &str)> =
            rows.iter().filter(|row| row.1 > 0).map(|row| (row.1, row.0.as_str())).collect();
        key.sort_unstable();
        let key: Vec<&str> = key.into_iter().map(|(_, name)| name).collect();
        let text = |column: &&str| {
            if BOOLEANS.contains(&(name, *column)) {
                return format!("CASE {column} WHEN 0 THEN 'f' ELSE 't' END");
            }
            format!(
                "CASE typeof({column}) WHEN 'null' THEN NULL WHEN 'blob' THEN '\\x' || lower(hex({column})) \
                 ELSE CAST({column} AS TEXT) END"
            )
        };
        let texts: Vec<String> = columns.iter().map(text).collect();
        let read = format!("SELECT {} FROM {name} ORDER BY {}", texts.join(", "), key.join(", "));
        Ok(Self { name, columns: columns.join(", "), key: key.join(", "), read, width: columns.len() })
    }

    /// Sends every row; answers how many.
    async fn send(&self, original: &mut SqliteConnection, kept: &mut PgConnection) -> sqlx::Result<u64> {
        let mut rows = sqlx::query(AssertSqlSafe(self.read.clone())).fetch(original);
        let mut copy = kept.copy_in_raw(&format!("COPY {} ({}) FROM STDIN", self.name, self.columns)).await?;
        let mut piece = Vec::with_capacity(PIECE_BYTES * 2);
        let sent = async {
            while let Some(row) = rows.try_next().await? {
                self.line(&row, &mut piece)?;
                if piece.len() >= PIECE_BYTES {
                    copy.send(piece.as_slice()).await?;
                    piece.clear();
                }
            }
            copy.send(piece.as_slice()).await.map(drop)
        };
        match sent.await {
            Ok(()) => copy.finish().await,
            Err(error) => {
                copy.abort("the original cannot be read").await?;
                Err(error)
            }
        }
    }

    /// Reads the copy back, and the original once more.
    async fn compare(&self, original: &mut SqliteConnection, kept: &mut PgConnection) -> Result<(), CopyError> {
        let broken = |source| CopyError::Broken { table: self.name.to_owned(), source };
        let (columns, name, key) = (&self.columns, self.name, &self.key);
        let back = format!("COPY (SELECT {columns} FROM {name} ORDER BY {key}) TO STDOUT");
        let mut back = kept.copy_out_raw(&back).await.map_err(broken)?;
        let mut rows = sqlx::query(AssertSqlSafe(self.read.clone())).fetch(original);
        let (mut line, mut came, mut at) = (Vec::new(), Vec::new(), 0);
        let differs = |row| CopyError::Differs { table: name.to_owned(), row };
        while let Some(row) = rows.try_next().await.map_err(broken)? {
            at += 1;
            line.clear();
            self.line(&row, &mut line).map_err(broken)?;
            while came.len() < line.len() {
                let more = back.try_next().await.map_err(broken)?.ok_or_else(|| differs(at))?;
                came.extend_from_slice(&more);
            }
            if !came.starts_with(&line) {
                return Err(differs(at));
            }
            came.drain(..line.len());
        }
        let more = back.try_next().await.map_err(broken)?;
        if came.is_empty() && more.is_none() { Ok(()) } else { Err(differs(at + 1)) }
    }

    /// A row as COPY reads and writes it (PostgreSQL's text format).
    fn line(&self, row: &sqlx::sqlite::SqliteRow, line: &mut Vec<u8>) -> sqlx::Result<()> {
        for column in 0..self.width {
            if column > 0 {
                line.push(b'\t');
            }
            match row.try_get::<Option<&str>, _>(column)? {
                None => line.extend_from_slice(b"\\N"),
                Some(text) => escape(text, line),
            }
        }
        line.push(b'\n');
        Ok(())
    }
}

fn escape(text: &str, line: &mut Vec<u8>) {
    for byte in text.bytes() {
        let letter = match byte {
            b'\\' => b'\\',
            8 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            11 => b'v',
            12 => b'f',
            b'\r' => b'r',
            // PostgreSQL takes NUL for no text at all (see `postgres::text`).
            0 => {
                line.extend_from_slice("\u{fffd}".as_bytes());
                continue;
            }
            _ => {
                line.push(byte);
                continue;
            }
        };
        line.extend_from_slice(&[b'\\', letter]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_as_copy_reads_it() {
        let mut line = Vec::new();
        escape("a\\b\tc\nd\re\u{8}\u{b}\u{c}\0é", &mut line);
        assert_eq!(line, "a\\\\b\\tc\\nd\\re\\b\\v\\f\u{fffd}é".as_bytes());
    }

    /// A table that is made later is not left behind.
    #[tokio::test]
    async fn every_table_goes_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("store.db");
        let store = crate::Sqlite::open(&file, &tokio::runtime::Handle::current()).await.expect("opens");
        cloakroom_core::store::Store::close(&store).await;
        let mut from = sqlite::read_alone(&file).await.expect("opens");
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' \
                     AND name NOT LIKE '!_sqlx%' ESCAPE '!' ORDER BY name";
        let found: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut from).await.expect("read");
        let mut listed: Vec<&str> = TABLES.into_iter().chain([HEAD]).collect();
        listed.sort_unstable();
        assert_eq!(found, listed);
    }
}
