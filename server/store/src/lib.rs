//! Storage: the only room that speaks SQL. Embedded SQLite behind [`cloakroom_core::store::Store`].

#[cfg(test)]
mod conformance;
mod sqlite;

pub use sqlite::{OpenError, Sqlite, Writes};
