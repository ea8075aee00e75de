//! Storage: the only room that speaks SQL. Embedded SQLite and PostgreSQL behind [`cloakroom_core::store::Store`].

#[cfg(test)]
mod conformance;
mod copy;
mod postgres;
mod sqlite;

pub use copy::{Copied, CopyError, copy};
pub use postgres::{Address, ConnectError, Postgres, Settings, Tls};
pub use sqlite::{OpenError, Sqlite, Writes};
