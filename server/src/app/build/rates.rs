//! Rate limits with their counters.

use cloakroom_core::rate::Rate;

use crate::config::Config;
use crate::edge::rates::{Counts, Limit, Per, Rates, RouteLimit};
use crate::telemetry::metrics::Metrics;

/// Where the numbers of clients' limits begin.
const CLIENTS: u32 = 0x0100_0000;
/// Where those of mobile apps begin.
const APPS: u32 = 0x0200_0000;
/// Where those of routes begin.
const ROUTES: u32 = 0x0300_0000;

/// The limits of `[limits]`.
pub(super) fn rates(config: &Config, metrics: &Metrics) -> Rates {
    let asked = &config.rates;
    let named = |name, number, rate: Option<Rate>| rate.map(|rate| limit(name, number, rate, metrics));
    Rates {
        address: named("address", 1, asked.address),
        session: named("session", 2, asked.session),
        machine: named("machine", 3, asked.machine),
        login: named("login", 4, asked.login),
        refused: named("refused", 5, asked.refused),
        counts: Counts::default(),
    }
}

/// A client's; `at` tells clients apart.
pub(super) fn of_client(at: usize, rate: Option<Rate>, metrics: &Metrics) -> Option<Limit> {
    Some(limit("client", CLIENTS + u32::try_from(at).ok()?, rate?, metrics))
}

/// A mobile app's; `at` tells apps apart.
pub(super) fn of_app(at: usize, rate: Option<Rate>, metrics: &Metrics) -> Option<Limit> {
    Some(limit("client", APPS + u32::try_from(at).ok()?, rate?, metrics))
}

/// A route's; `at` tells routes apart.
pub(super) fn of_route(at: usize, wanted: Option<(Rate, Per)>, metrics: &Metrics) -> Option<RouteLimit> {
    let (rate, per) = wanted?;
    Some(RouteLimit { limit: limit("route", ROUTES + u32::try_from(at).ok()?, rate, metrics), per })
}

fn limit(name: &'static str, number: u32, rate: Rate, metrics: &Metrics) -> Limit {
    Limit::new(name, number, rate, metrics.limited(name))
}
