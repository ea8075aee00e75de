//! Service accounts.

use async_trait::async_trait;
use sqlx::{QueryBuilder, SqliteConnection};

use cloakroom_core::audit::AuditRow;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{Account, AccountId, AccountStore, Rights, StoreResult};

use super::rows::Columns;
use super::{Db, Row, Sqlite, audit, store_error};

/// The most accounts of a list.
const LISTED: i64 = 500;

#[async_trait]
impl AccountStore for Sqlite {
    async fn add_account(&self, account: Account, event: AuditRow) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(add(c, account, event))).await
    }

    async fn change_account(&self, account: Account, event: AuditRow) -> StoreResult<bool> {
        self.writer()?.run(move |c| Box::pin(change(c, account, event))).await
    }

    async fn account(&self, id: AccountId) -> StoreResult<Option<Account>> {
        let row = sqlx::query("SELECT * FROM service_accounts WHERE id = ?").bind(id.as_bytes().as_slice());
        let row = row.fetch_optional(&self.readers).await.map_err(store_error)?;
        row.as_ref().map(account).transpose().map_err(store_error)
    }

    async fn accounts(&self, tenant: Option<&str>) -> StoreResult<Vec<Account>> {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM service_accounts WHERE TRUE");
        if let Some(tenant) = tenant {
            query.push(" AND tenant = ").push_bind(tenant.to_owned());
        }
        query.push(" ORDER BY created_at DESC, id DESC LIMIT ").push_bind(LISTED);
        let rows = query.build().fetch_all(&self.readers).await.map_err(store_error)?;
        rows.iter().map(account).collect::<sqlx::Result<_>>().map_err(store_error)
    }

    async fn used_account(&self, id: AccountId, at: UnixMs) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(used(c, id, at))).await
    }
}

fn account(row: &Row) -> sqlx::Result<Account> {
    let row = Columns::of("service_accounts", row);
    let previous = match (row.optional_bytes("previous")?, row.get::<Option<i64>>("previous_until")?) {
        (Some(hash), Some(until)) => Some((hash, UnixMs(until))),
        _ => None,
    };
    let moment = |column| Ok::<_, sqlx::Error>(row.get::<Option<i64>>(column)?.map(UnixMs));
    Ok(Account {
        rights: Rights {
            id: AccountId::from_bytes(row.bytes("id")?),
            version: row.get("version")?,
            tenant: row.get("tenant")?,
            scopes: row.get::<String>("scopes")?.split_ascii_whitespace().map(str::to_owned).collect(),
            secret: row.bytes("secret")?,
            previous,
            expires_at: moment("expires_at")?,
            disabled_at: moment("disabled_at")?,
        },
        mark: row.bytes("mark")?,
        name: row.get("name")?,
        created_at: row.moment("created_at")?,
        created_by: row.get("created_by")?,
        disabled_by: row.get("disabled_by")?,
        used_at: moment("used_at")?,
    })
}

async fn add(connection: &mut SqliteConnection, account: Account, event: AuditRow) -> sqlx::Result<()> {
    let Account { rights, mark, name, created_at, created_by, .. } = account;
    sqlx::query(
        "INSERT INTO service_accounts (id, version, tenant, scopes, secret, expires_at, mark, name, created_at, created_by) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(rights.id.as_bytes().as_slice())
    .bind(rights.version)
    .bind(rights.tenant)
    .bind(rights.scopes.join(" "))
    .bind(rights.secret.as_slice())
    .bind(rights.expires_at.map(|at| at.0))
    .bind(mark.as_slice())
    .bind(name)
    .bind(created_at.0)
    .bind(created_by)
    .execute(&mut *connection)
    .await?;
    audit::append(connection, &event).await
}

async fn change(connection: &mut SqliteConnection, account: Account, event: AuditRow) -> sqlx::Result<bool> {
    let Account { rights, mark, disabled_by, .. } = account;
    let (previous, until) = rights.previous.unzip();
    let changed = sqlx::query(
        "UPDATE service_accounts SET version = ?1, secret = ?2, previous = ?3, previous_until = ?4, disabled_at = ?5, \
         disabled_by = ?6, mark = ?7 WHERE id = ?8 AND version = ?1 - 1",
    )
    .bind(rights.version)
    .bind(rights.secret.as_slice())
    .bind(previous.as_ref().map(<[u8; 32]>::as_slice))
    .bind(until.map(|at| at.0))
    .bind(rights.disabled_at.map(|at| at.0))
    .bind(disabled_by)
    .bind(mark.as_slice())
    .bind(rights.id.as_bytes().as_slice())
    .execute(&mut *connection)
    .await?
    .rows_affected()
        == 1;
    if changed {
        audit::append(connection, &event).await?;
    }
    Ok(changed)
}

async fn used(connection: &mut SqliteConnection, id: AccountId, at: UnixMs) -> sqlx::Result<()> {
    sqlx::query("UPDATE service_accounts SET used_at = ?1 WHERE id = ?2 AND (used_at IS NULL OR used_at < ?1)")
        .bind(at.0)
        .bind(id.as_bytes().as_slice())
        .execute(connection)
        .await
        .map(|_| ())
}
