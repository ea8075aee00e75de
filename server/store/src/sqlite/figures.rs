//! Figures by the minute and by the hour.

use async_trait::async_trait;
use sqlx::{QueryBuilder, SqliteConnection};

use cloakroom_core::store::figures::{HOURS_KEPT_MINUTES, MINUTES_KEPT};
use cloakroom_core::store::{Figure, FigureQuery, FigureStore, Measure, StoreResult, Sum};

use super::rows::Columns;
use super::{Db, Row, Sqlite, store_error};

#[async_trait]
impl FigureStore for Sqlite {
    async fn add_figures(&self, figures: Vec<Figure>, minute: i64) -> StoreResult<()> {
        self.writer()?.run(move |c| Box::pin(add(c, figures, minute))).await
    }

    async fn figures(&self, query: FigureQuery) -> StoreResult<Vec<Sum>> {
        let rows = sums(&query).build().fetch_all(&self.readers).await.map_err(store_error)?;
        let found: sqlx::Result<Vec<Option<Sum>>> = rows.iter().map(sum).collect();
        Ok(found.map_err(store_error)?.into_iter().flatten().collect())
    }
}

async fn add(connection: &mut SqliteConnection, figures: Vec<Figure>, minute: i64) -> sqlx::Result<()> {
    for Figure { key, n } in figures {
        for width in [1_i64, 60] {
            sqlx::query(
                "INSERT INTO figures (width, minute, tenant, measure, client_id, provider_id, n) VALUES (?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT DO UPDATE SET n = n + excluded.n",
            )
            .bind(width)
            .bind(key.minute - key.minute.rem_euclid(width))
            .bind(&key.tenant)
            .bind(key.measure.name())
            .bind(&key.client_id)
            .bind(&key.provider_id)
            .bind(i64::try_from(n).unwrap_or(i64::MAX))
            .execute(&mut *connection)
            .await?;
        }
    }
    for (width, kept) in [(1_i64, MINUTES_KEPT), (60, HOURS_KEPT_MINUTES)] {
        sqlx::query("DELETE FROM figures WHERE width = ? AND minute < ?")
            .bind(width)
            .bind(minute - kept)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn sums(asked: &FigureQuery) -> QueryBuilder<Db> {
    let width = if asked.step % 60 == 0 { 60_i64 } else { 1 };
    let mut query = QueryBuilder::<Db>::new("SELECT minute - minute % ");
    query.push_bind(asked.step).push(" AS step, measure, sum(n) AS n FROM figures WHERE width = ").push_bind(width);
    query.push(" AND minute >= ").push_bind(asked.from);
    let texts = [("tenant", &asked.tenant), ("client_id", &asked.client_id), ("provider_id", &asked.provider_id)];
    for (column, wanted) in texts {
        if let Some(wanted) = wanted {
            query.push(" AND ").push(column).push(" = ").push_bind(wanted.clone());
        }
    }
    query.push(" GROUP BY 1, 2");
    query
}

/// `None` for what a later version counts.
fn sum(row: &Row) -> sqlx::Result<Option<Sum>> {
    let row = Columns::of("figures", row);
    let Some(measure) = Measure::named(row.get("measure")?) else { return Ok(None) };
    let n = u64::try_from(row.get::<i64>("n")?).unwrap_or_default();
    Ok(Some(Sum { minute: row.get("step")?, measure, n }))
}
