//! Walking through pages, forwards and backwards.

use futures_util::future::join_all;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{ListPage, ListQuery, Place, SessionState, SessionSummary, Sort, Store};

use super::make::{NOW, end, everything, id, session_at, start};

const ROWS: u64 = 250;

/// Signed in three at a time.
fn moment(n: u64) -> UnixMs {
    NOW.plus_secs(i64::try_from(n / 3).expect("small"))
}

fn place_of(sort: Sort, row: &SessionSummary, backwards: bool) -> Place {
    let at = match sort {
        Sort::Created => row.created_at,
        Sort::LastSeen => row.last_seen_at,
    };
    Place { at, id: row.id, backwards }
}

async fn page(store: &dyn Store, sort: Sort, limit: u32, place: Option<Place>) -> ListPage {
    store.list(ListQuery { sort, limit, place, state: SessionState::Live, ..everything() }).await.expect("listed")
}

pub(crate) async fn every_row_is_walked_over_once_while_others_come(store: &dyn Store) {
    join_all((1..=ROWS).map(|n| start(store, session_at(n, moment(n))))).await;
    let all: Vec<SessionId> = (1..=ROWS).rev().map(id).collect();
    let mut others = 1_000;
    for (sort, limit) in [(Sort::Created, 7), (Sort::LastSeen, 100)] {
        let mut seen = Vec::new();
        let mut place = None;
        loop {
            let page = page(store, sort, limit, place).await;
            seen.extend(page.rows.iter().map(|row| row.id));
            let Some(last) = page.rows.last().filter(|_| page.more_after) else { break };
            place = Some(place_of(sort, last, false));
            // Newer than all, and in the middle of what is behind or before.
            start(store, session_at(others, NOW.plus_secs(9_000))).await;
            start(store, session_at(others + 1, moment(ROWS / 2))).await;
            others += 2;
        }
        seen.retain(|seen| all.contains(seen));
        assert_eq!(seen, all, "forwards, {sort:?}");

        let mut seen = Vec::new();
        let mut place = Some(Place { at: UnixMs(0), id: id(0), backwards: true });
        while let Some(from) = place {
            let page = page(store, sort, limit, Some(from)).await;
            seen.extend(page.rows.iter().rev().map(|row| row.id));
            place = page.rows.first().filter(|_| page.more_before).map(|first| place_of(sort, first, true));
            start(store, session_at(others, moment(ROWS / 2))).await;
            others += 1;
        }
        seen.retain(|seen| all.contains(seen));
        seen.reverse();
        assert_eq!(seen, all, "backwards, {sort:?}");
    }
}

pub(crate) async fn rows_of_one_moment_have_an_order(store: &dyn Store) {
    for n in [3, 1, 5, 2, 4] {
        start(store, session_at(n, NOW)).await;
    }
    for sort in [Sort::Created, Sort::LastSeen] {
        let first = page(store, sort, 2, None).await;
        let second = page(store, sort, 2, Some(place_of(sort, &first.rows[1], false))).await;
        let third = page(store, sort, 2, Some(place_of(sort, &second.rows[1], false))).await;
        let rows = [first.rows, second.rows.clone(), third.rows].concat();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [5, 4, 3, 2, 1].map(id));
        let back = page(store, sort, 2, Some(place_of(sort, &rows[4], true))).await;
        assert_eq!(back.rows, second.rows);
    }
}

pub(crate) async fn a_page_knows_its_neighbours(store: &dyn Store) {
    for n in 1..=4 {
        start(store, session_at(n, moment(3 * n))).await;
    }
    let sort = Sort::Created;
    let row = |n| Place { at: moment(3 * n), id: id(n), backwards: false };
    let back = |n| Place { backwards: true, ..row(n) };
    let cases: [(Option<Place>, &[u64], bool, bool); 8] = [
        (None, &[4, 3], false, true),
        (Some(row(3)), &[2, 1], true, false),
        (Some(row(2)), &[1], true, false),
        (Some(row(1)), &[], true, false),
        (Some(back(1)), &[3, 2], true, true),
        (Some(back(2)), &[4, 3], false, true),
        (Some(back(3)), &[4], false, true),
        (Some(back(4)), &[], false, true),
    ];
    for (place, rows, more_before, more_after) in cases {
        let page = page(store, sort, 2, place).await;
        let found = page.rows.iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(found, rows.iter().copied().map(id).collect::<Vec<_>>(), "{place:?}");
        assert_eq!((page.more_before, page.more_after), (more_before, more_after), "{place:?}");
        assert_eq!((page.count.n, page.count.exact), (4, true));
    }
    // The row at the place need not match any more, and then there may be nothing before it.
    store.end(vec![end(id(4), "revoked"), end(id(3), "revoked")]).await.expect("ended");
    let page = page(store, sort, 2, Some(row(3))).await;
    assert!(!page.more_before && !page.more_after);
}
