//! `/admin/api/v1/figures`: what happens by the minute.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;

use cloakroom_api::{Figures, Permission};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::figures::MINUTE_MS;
use cloakroom_core::store::{FigureQuery, Measure, Sum};

use super::Administrator;
use crate::edge::own::json;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// The longest value of a parameter.
const TEXT_BYTES: usize = 200;

/// Logins, refreshes, revocations and failures over an hour, a day or a week.
#[utoipa::path(
    get, path = "/admin/api/v1/figures", tag = "figures",
    extensions(("x-least-role" = json!("viewer"))),
    params(
        ("range" = Option<String>, Query, description = "`1h` (default) by the minute, `24h` by the quarter of an hour, `7d` by the hour"),
        ("client" = Option<String>, Query, description = "Only this client's"),
        ("provider" = Option<String>, Query, description = "Only this provider's"),
    ),
    responses(
        (status = 200, body = Figures),
        (status = 400, description = "A parameter is wrong; the problem names it", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    let params = Params::parse(raw.as_deref().unwrap_or_default())?.only(&["range", "client", "provider"])?;
    // Minutes of a step, and how many.
    let (step, steps) = match params.get("range") {
        None | Some("1h") => (1, 60),
        Some("24h") => (15, 96),
        Some("7d") => (60, 168),
        Some(_) => return Err(Refusal::parameter("range", "must be 1h, 24h or 7d")),
    };
    let text = |name: &str| match params.get(name) {
        Some(text) if text.len() > TEXT_BYTES => Err(Refusal::parameter(name, "is longer than 200 bytes")),
        other => Ok(other.map(str::to_owned)),
    };
    let (client_id, provider_id, now) = (text("client")?, text("provider")?, gateway.now());
    let minute = now.0.div_euclid(MINUTE_MS);
    let from = minute - minute.rem_euclid(step) - step * (steps - 1);
    let tenant = admin.fence.tenant().map(str::to_owned);
    let live_sessions = live(&gateway, &admin, client_id.as_deref(), provider_id.as_deref(), now).await?;
    let query = FigureQuery { tenant, client_id, provider_id, step, from };
    let sums = gateway.sessions.store().figures(query).await?;
    let of = |measure| by_step(&sums, measure, from, step, steps);
    Ok(json(&Figures {
        live_sessions,
        from: UnixMs(from * MINUTE_MS).rfc3339(),
        step_secs: u64::try_from(step * 60).unwrap_or_default(),
        logins: of(Measure::Login),
        login_failures: of(Measure::LoginFailed),
        refreshes: of(Measure::Refresh),
        refresh_failures: of(Measure::RefreshFailed),
        revocations: of(Measure::Revocation),
        as_of: now.rfc3339(),
    }))
}

fn by_step(sums: &[Sum], measure: Measure, from: i64, step: i64, steps: i64) -> Vec<u64> {
    let n = |at: i64| sums.iter().filter(|sum| sum.measure == measure && sum.minute == at).map(|sum| sum.n).sum();
    (0..steps).map(|i| n(from + i * step)).collect()
}

async fn live(
    gateway: &Gateway,
    admin: &Administrator,
    client: Option<&str>,
    provider: Option<&str>,
    now: UnixMs,
) -> Result<Option<u64>, Refusal> {
    if client.is_some() && provider.is_some() {
        return Ok(None);
    }
    let totals = gateway.sessions.store().totals(admin.fence.tenant(), now, now).await?;
    let of = |list: &[(String, u64)], id: &str| list.iter().find(|(known, _)| known == id).map_or(0, |(_, n)| *n);
    Ok(match (client, provider) {
        (None, None) => Some(totals.live),
        (Some(client), None) => Some(of(&totals.by_client, client)),
        (None, Some(provider)) => Some(of(&totals.by_provider, provider)),
        (Some(_), Some(_)) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_without_anything_are_nought() {
        let sum = |minute, n| Sum { minute, measure: Measure::Login, n };
        assert_eq!(by_step(&[sum(30, 2), sum(60, 3)], Measure::Login, 15, 15, 4), [0, 2, 0, 3]);
        assert_eq!(by_step(&[sum(30, 2)], Measure::Refresh, 15, 15, 2), [0, 0]);
    }
}
