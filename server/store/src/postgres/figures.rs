//! Figures by the minute and by the hour.

use async_trait::async_trait;
use sqlx::{PgConnection, QueryBuilder};

use cloakroom_core::store::figures::{HOURS_KEPT_MINUTES, MINUTES_KEPT};
use cloakroom_core::store::{Figure, FigureQuery, FigureStore, Measure, StoreResult, Sum};

use super::rows::Columns;
use super::unit::Mode::{Read, Write};
use super::{Db, Postgres, Row};

#[async_trait]
impl FigureStore for Postgres {
    async fn add_figures(&self, mut figures: Vec<Figure>, minute: i64) -> StoreResult<()> {
        // In one order on every node, so that none waits for another that waits for it.
        figures.sort_by_cached_key(|Figure { key, .. }| {
            (key.minute, key.tenant.clone(), key.measure, key.client_id.clone(), key.provider_id.clone())
        });
        self.unit(Write, (figures, minute), |c, (figures, minute)| Box::pin(add(c, figures, *minute))).await
    }

    async fn figures(&self, query: FigureQuery) -> StoreResult<Vec<Sum>> {
        self.unit(Read, query, |c, query| Box::pin(read(c, query))).await
    }
}

async fn add(connection: &mut PgConnection, figures: &[Figure], minute: i64) -> sqlx::Result<()> {
    for width in [1_i64, 60] {
        for Figure { key, n } in figures {
            sqlx::query(
                "INSERT INTO figures (width, minute, tenant, measure, client_id, provider_id, n) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (width, minute, tenant, measure, client_id, provider_id) DO UPDATE SET n = figures.n + excluded.n",
            )
            .bind(width)
            .bind(key.minute - key.minute.rem_euclid(width))
            .bind(&key.tenant)
            .bind(key.measure.name())
            .bind(&key.client_id)
            .bind(&key.provider_id)
            .bind(i64::try_from(*n).unwrap_or(i64::MAX))
            .execute(&mut *connection)
            .await?;
        }
    }
    for (width, kept) in [(1_i64, MINUTES_KEPT), (60, HOURS_KEPT_MINUTES)] {
        sqlx::query(
            "DELETE FROM figures WHERE (width, minute, tenant, measure, client_id, provider_id) IN \
             (SELECT width, minute, tenant, measure, client_id, provider_id FROM figures WHERE width = $1 AND minute < $2 \
              LIMIT 1000 FOR UPDATE SKIP LOCKED)",
        )
        .bind(width)
        .bind(minute - kept)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn read(connection: &mut PgConnection, asked: &FigureQuery) -> sqlx::Result<Vec<Sum>> {
    let width = if asked.step % 60 == 0 { 60_i64 } else { 1 };
    let mut query = QueryBuilder::<Db>::new("SELECT minute - minute % ");
    query.push_bind(asked.step).push(" AS step, measure, sum(n)::bigint AS n FROM figures WHERE width = ");
    query.push_bind(width).push(" AND minute >= ").push_bind(asked.from);
    let texts = [("tenant", &asked.tenant), ("client_id", &asked.client_id), ("provider_id", &asked.provider_id)];
    for (column, wanted) in texts {
        if let Some(wanted) = wanted {
            query.push(" AND ").push(column).push(" = ").push_bind(super::text(wanted).into_owned());
        }
    }
    query.push(" GROUP BY 1, 2");
    let rows = query.build().fetch_all(connection).await?;
    let found: sqlx::Result<Vec<Option<Sum>>> = rows.iter().map(sum).collect();
    Ok(found?.into_iter().flatten().collect())
}

/// `None` for what a later version counts.
fn sum(row: &Row) -> sqlx::Result<Option<Sum>> {
    let row = Columns::of("figures", row);
    let Some(measure) = Measure::named(row.get("measure")?) else { return Ok(None) };
    let n = u64::try_from(row.get::<i64>("n")?).unwrap_or_default();
    Ok(Some(Sum { minute: row.get("step")?, measure, n }))
}
