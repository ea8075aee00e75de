// Rows as values. A column that does not read is an error with its name, never a panic. Included by each kind of
// database, with its own `Row`.

use sqlx::{Decode, Row as _, Type};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::{SecretHash, SessionId};
use cloakroom_core::store::{Ended, SessionRow, SessionSummary};

use super::{Db, Row};

/// A row and the table it is from, for the error's sake.
#[derive(Clone, Copy)]
pub(super) struct Columns<'r> {
    row: &'r Row,
    table: &'static str,
}

impl<'r> Columns<'r> {
    pub(super) const fn of(table: &'static str, row: &'r Row) -> Self {
        Self { row, table }
    }

    pub(super) fn get<T: Decode<'r, Db> + Type<Db>>(self, column: &str) -> sqlx::Result<T> {
        self.row.try_get(column).map_err(|error| self.unreadable(column, &error.to_string()))
    }

    pub(super) fn moment(self, column: &str) -> sqlx::Result<UnixMs> {
        self.get(column).map(UnixMs)
    }

    /// A blob of a fixed length.
    pub(super) fn bytes<const N: usize>(self, column: &str) -> sqlx::Result<[u8; N]> {
        self.get::<&[u8]>(column)?.try_into().map_err(|_| self.wrong_length(column, N))
    }

    /// A blob of a fixed length, or NULL.
    pub(super) fn optional_bytes<const N: usize>(self, column: &str) -> sqlx::Result<Option<[u8; N]>> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| self.wrong_length(column, N))).transpose()
    }

    fn wrong_length(self, column: &str, len: usize) -> sqlx::Error {
        self.unreadable(column, &format!("{len} bytes are expected"))
    }

    fn unreadable(self, column: &str, why: &str) -> sqlx::Error {
        sqlx::Error::Decode(format!("{}.{column}: {why}", self.table).into())
    }
}

/// The columns of a list.
pub(super) const SUMMARY: &str = "id, tenant, client_id, provider_id, kind, issuer, sub, name, email, address, user_agent, \
     device_name, created_at, last_seen_at, idle_ms, expires_at, ended_at, ended_reason, ended_text, ended_by";

pub(super) fn summary(row: &Row) -> sqlx::Result<SessionSummary> {
    let row = Columns::of("sessions", row);
    let last_seen_at = row.moment("last_seen_at")?;
    let idle_ms: i64 = row.get("idle_ms")?;
    Ok(SessionSummary {
        id: SessionId::from_bytes(row.bytes("id")?),
        tenant: row.get("tenant")?,
        client_id: row.get("client_id")?,
        provider_id: row.get("provider_id")?,
        kind: row.get("kind")?,
        issuer: row.get("issuer")?,
        sub: row.get("sub")?,
        name: row.get("name")?,
        email: row.get("email")?,
        device_name: row.get("device_name")?,
        address: row.get("address")?,
        user_agent: row.get("user_agent")?,
        created_at: row.moment("created_at")?,
        last_seen_at,
        idle_expires_at: UnixMs(last_seen_at.0.saturating_add(idle_ms)),
        expires_at: row.moment("expires_at")?,
        ended: ended(row)?,
    })
}

/// How a session ended, if it did.
pub(super) fn ended(row: Columns<'_>) -> sqlx::Result<Option<Ended>> {
    let Some(at) = row.get::<Option<i64>>("ended_at")? else { return Ok(None) };
    let (reason, text, by) = (row.get("ended_reason")?, row.get("ended_text")?, row.get("ended_by")?);
    Ok(Some(Ended { at: UnixMs(at), reason, text, by }))
}

pub(super) fn session(row: &Row) -> sqlx::Result<SessionRow> {
    let columns = Columns::of("sessions", row);
    Ok(SessionRow {
        summary: summary(row)?,
        secret_hash: SecretHash(columns.bytes("secret_hash")?),
        subject: columns.bytes("subject")?,
        upstream_sid: columns.optional_bytes("upstream_sid")?,
        registration_id: columns.get("registration_id")?,
        version: columns.get("version")?,
        key_id: columns.get("key_id")?,
        wrapped_key: columns.get("wrapped_key")?,
        sealed: columns.get("sealed")?,
    })
}
