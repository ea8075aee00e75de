//! The store's file, read and edited behind the gateway's back, as a thief or a clumsy operator would.

#![expect(clippy::disallowed_types, reason = "a test writes its SQL itself, and finds the tables by asking the file")]

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use std::path::Path;

/// The SQLite database of a stopped gateway.
pub struct Database {
    connection: SqliteConnection,
}

impl Database {
    /// Opens the file.
    pub async fn open(path: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path);
        Self { connection: SqliteConnection::connect_with(&options).await.expect("the store opens") }
    }

    /// The tables' names.
    pub async fn tables(&mut self) -> Vec<String> {
        self.texts("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
            .await
    }

    /// The first column of a query, as text.
    pub async fn texts(&mut self, sql: &str) -> Vec<String> {
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.connection).await;
        rows.expect("the query runs").iter().map(|row| row.get(0)).collect()
    }

    /// A query that counts.
    pub async fn number(&mut self, sql: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.connection).await;
        row.expect("the query runs").get(0)
    }

    /// Runs a statement and gives back how many rows it changed.
    pub async fn execute(&mut self, sql: &str) -> u64 {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection).await;
        done.expect("the statement runs").rows_affected()
    }

    /// Rows of every table, by name.
    pub async fn counts(&mut self) -> Vec<(String, i64)> {
        let mut counts = Vec::new();
        for table in self.tables().await {
            let count = self.number(&format!("SELECT COUNT(*) FROM \"{table}\"")).await;
            counts.push((table, count));
        }
        counts
    }
}
