//! How SQLite means to run what must stay quick at a million rows.

use sqlx::{Execute as _, Row as _};

use cloakroom_core::store::{AuditQuery, ListQuery, SessionState, Sort};

use super::super::{audit_search, list, sweep};
use super::fresh;
use crate::conformance::make::{NOW, everything, id};

/// Lists as administrators ask for them: the order's index serves the page, and an index alone the count.
#[tokio::test]
async fn f07_pages_and_counts_use_their_indexes() {
    let store = fresh().await;
    let text = |text: &str| Some(text.to_owned());
    let narrowed: [(ListQuery, [&str; 2]); 2] = [
        (everything(), ["sessions_by_created", "sessions_by_last_seen"]),
        (
            ListQuery { client_id: text("app"), ..everything() },
            ["sessions_of_client_by_created", "sessions_of_client_by_last_seen"],
        ),
    ];
    for (query, indexes) in narrowed {
        for (sort, index) in [Sort::Created, Sort::LastSeen].into_iter().zip(indexes) {
            for state in [SessionState::Live, SessionState::Over, SessionState::All] {
                let query = ListQuery { sort, state, ..query.clone() };
                for from in [None, Some((NOW, id(1)))] {
                    let plan =
                        plan(&store.sqlite, list::page_query(&query, "*", list::Walk { backwards: false, from }, 51))
                            .await;
                    assert!(plan.contains(&format!("USING INDEX {index} (")), "{query:?}: {plan}");
                    assert!(!plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
                }
                let plan = plan(&store.sqlite, list::count_query(&query)).await;
                assert!(plan.contains("SEARCH sessions USING COVERING INDEX"), "{query:?}: {plan}");
            }
        }
    }
    for sort in [Sort::Created, Sort::LastSeen] {
        let query = ListQuery { sub: text("ann"), sort, state: SessionState::Live, ..everything() };
        let walk = list::Walk { backwards: true, from: Some((NOW, id(1))) };
        for query in [list::page_query(&query, "*", walk, 51), list::count_query(&query)] {
            let plan = plan(&store.sqlite, query).await;
            assert!(plan.contains("USING INDEX sessions_of_sub (tenant=? AND sub=?"), "{plan}");
        }
    }
}

/// A million rows that are over, or none: the sweep finds its next hundred without looking at the others.
#[tokio::test]
async fn u18_sweep_uses_indexes() {
    let store = fresh().await;
    let plans = [
        (
            sweep::expired_query(NOW, 100),
            "SEARCH sessions USING INDEX sessions_by_life (tenant=? AND live_until>? AND live_until<?)",
        ),
        (sweep::ended_query(NOW, 100), "SEARCH sessions USING INDEX sessions_by_end (ended_at<?)"),
    ];
    for (query, index) in plans {
        let plan = plan(&store.sqlite, query).await;
        assert!(plan.contains(index) && !plan.contains("SCAN sessions") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

async fn plan(store: &crate::Sqlite, query: sqlx::QueryBuilder<sqlx::Sqlite>) -> String {
    let mut query = query;
    let text = query.build().sql().as_str().to_owned();
    let mut explained = sqlx::QueryBuilder::<sqlx::Sqlite>::new("EXPLAIN QUERY PLAN ");
    explained.push(text);
    let rows = explained.build().fetch_all(&store.readers).await.expect("planned");
    rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("; ")
}

/// Searches of the audit log as administrators make them: the index that leads also orders, and where nothing but the
/// leading values is asked, an index alone counts.
#[tokio::test]
async fn u17_searches_of_the_audit_log_use_their_indexes() {
    let store = fresh().await;
    let all = AuditQuery::default();
    let some = AuditQuery { from: Some(NOW), until: Some(NOW.plus_secs(9)), ..all.clone() };
    let leads: [(AuditQuery, &str, &str); 7] = [
        (all.clone(), "audit_events_by_time", "audit_events_of_tenant_by_time"),
        (some, "audit_events_by_time", "audit_events_of_tenant_by_time"),
        (AuditQuery { subjects: vec![[1; 32]], ..all.clone() }, "audit_events_of_subject", "audit_events_of_subject"),
        (AuditQuery { actors: vec![[1; 32]], ..all.clone() }, "audit_events_of_actor", "audit_events_of_actor"),
        (AuditQuery { kinds: vec!["a".into()], ..all.clone() }, "audit_events_of_kind", "audit_events_of_tenant_kind"),
        (
            AuditQuery { kinds: vec!["a".into(), "b".into()], ..all.clone() },
            "audit_events_of_kind",
            "audit_events_of_tenant_kind",
        ),
        (AuditQuery { address: Some([1; 32]), ..all }, "audit_addresses_of_address", "audit_addresses_of_address"),
    ];
    for (query, index, fenced) in leads {
        for (tenant, index) in [(None, index), (Some("acme".to_owned()), fenced)] {
            let query = AuditQuery { tenant: tenant.clone(), ..query.clone() };
            for from in [None, Some((NOW.0, 7))] {
                let walk = audit_search::Walk { backwards: false, from };
                let plan = plan(&store.sqlite, audit_search::page_query(&query, walk, 51)).await;
                assert!(plan.contains(&format!("INDEX {index}")), "{query:?}: {plan}");
                // Events of one moment are put in order among themselves; nothing else is sorted, but for pages that are
                // merged.
                let sorted = plan.contains("USE TEMP B-TREE FOR ORDER BY");
                assert_eq!(sorted, query.kinds.len() > 1, "{query:?}: {plan}");
            }
            let plan = plan(&store.sqlite, audit_search::count_query(&query)).await;
            assert!(plan.contains(&format!("INDEX {index}")), "{query:?}: {plan}");
            assert!(query.address.is_some() || plan.contains("COVERING INDEX"), "{query:?}: {plan}");
        }
    }
}
