//! How SQLite means to run what must stay quick at a million rows.

use sqlx::{Execute as _, Row as _};

use cloakroom_core::store::{ListQuery, SessionState, Sort};

use super::super::list;
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

async fn plan(store: &crate::Sqlite, query: sqlx::QueryBuilder<sqlx::Sqlite>) -> String {
    let mut query = query;
    let text = query.build().sql().as_str().to_owned();
    let mut explained = sqlx::QueryBuilder::<sqlx::Sqlite>::new("EXPLAIN QUERY PLAN ");
    explained.push(text);
    let rows = explained.build().fetch_all(&store.readers).await.expect("planned");
    rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("; ")
}
