//! Figures add up, whoever counted, and are let go of in time.

use cloakroom_core::store::figures::{HOURS_KEPT_MINUTES, MINUTES_KEPT};
use cloakroom_core::store::{Figure, FigureKey, FigureQuery, Measure, Store};

/// A minute that begins an hour.
const NOON: i64 = 30_000_000;

fn figure(minute: i64, measure: Measure, (tenant, client, provider): (&str, &str, &str), n: u64) -> Figure {
    let (tenant, client_id, provider_id) = (tenant.to_owned(), client.to_owned(), provider.to_owned());
    Figure { key: FigureKey { minute, measure, tenant, client_id, provider_id }, n }
}

fn all(step: i64) -> FigureQuery {
    FigureQuery { tenant: None, client_id: None, provider_id: None, step, from: 0 }
}

async fn sums(store: &dyn Store, query: FigureQuery) -> Vec<(i64, Measure, u64)> {
    let mut found: Vec<_> =
        store.figures(query).await.expect("read").into_iter().map(|sum| (sum.minute, sum.measure, sum.n)).collect();
    found.sort_unstable();
    found
}

pub(crate) async fn figures_of_all_nodes_add_up(store: &dyn Store) {
    use Measure::{Login, Refresh};
    let of = ("acme", "app", "main");
    let one = vec![figure(NOON, Login, of, 2), figure(NOON + 1, Login, of, 1), figure(NOON + 61, Refresh, of, 5)];
    store.add_figures(one, NOON + 61).await.expect("kept");
    store.add_figures(vec![figure(NOON, Login, of, 3)], NOON + 61).await.expect("kept");
    assert_eq!(sums(store, all(1)).await, [(NOON, Login, 5), (NOON + 1, Login, 1), (NOON + 61, Refresh, 5)]);
    assert_eq!(sums(store, all(15)).await, [(NOON, Login, 6), (NOON + 60, Refresh, 5)]);
    assert_eq!(sums(store, all(60)).await, [(NOON, Login, 6), (NOON + 60, Refresh, 5)]);
    assert_eq!(sums(store, FigureQuery { from: NOON + 60, ..all(60) }).await, [(NOON + 60, Refresh, 5)]);
    // What is too old goes; the hours stay longer.
    store.add_figures(vec![], NOON + 1 + MINUTES_KEPT).await.expect("kept");
    assert_eq!(sums(store, all(1)).await, [(NOON + 1, Login, 1), (NOON + 61, Refresh, 5)]);
    assert_eq!(sums(store, all(60)).await.len(), 2);
    store.add_figures(vec![], NOON + 60 + HOURS_KEPT_MINUTES).await.expect("kept");
    assert_eq!(sums(store, all(60)).await, [(NOON + 60, Refresh, 5)]);
}

pub(crate) async fn a01_figures_are_of_one_tenant_one_client_one_provider(store: &dyn Store) {
    use Measure::Login;
    for (n, of) in [(1, ("acme", "app", "main")), (2, ("acme", "shop", "main")), (4, ("globex", "app", "other"))] {
        store.add_figures(vec![figure(NOON, Login, of, n)], NOON).await.expect("kept");
    }
    let some = |text: &str| Some(text.to_owned());
    for (query, n) in [
        (all(1), 7),
        (FigureQuery { tenant: some("acme"), ..all(1) }, 3),
        (FigureQuery { tenant: some("acme"), client_id: some("app"), ..all(60) }, 1),
        (FigureQuery { provider_id: some("other"), ..all(60) }, 4),
    ] {
        assert_eq!(sums(store, query.clone()).await, [(NOON, Login, n)], "{query:?}");
    }
    assert_eq!(sums(store, FigureQuery { tenant: some("x"), ..all(1) }).await, []);
}
