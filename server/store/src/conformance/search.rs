//! Searches of the audit log.

use cloakroom_core::audit::AuditRow;
use cloakroom_core::store::{AuditPlace, AuditQuery, Store};

use super::make::{NOW, event, id, subject};

/// Event `n`: of person `n % 3`, by administrator `n % 2`, of the kind `n % 4`, from the address `n % 5`, two a second.
fn numbered(n: u64) -> AuditRow {
    AuditRow {
        tenant: if n.is_multiple_of(2) { "acme".into() } else { "globex".into() },
        at: NOW.plus_secs(i64::try_from(n / 2).expect("small")),
        subject: Some(subject(n % 3)),
        actor: Some([u8::try_from(n % 2).expect("small"); 32]),
        address: (!n.is_multiple_of(5)).then(|| [u8::try_from(n % 5).expect("small"); 32]),
        facts: format!("{{\"n\":{n}}}"),
        ..event(&format!("kind.{}", n % 4), n.is_multiple_of(7).then(|| id(7)))
    }
}

const EVENTS: u64 = 60;

/// Whether a filter keeps event `n`.
type Keeps = fn(u64) -> bool;

async fn fill(store: &dyn Store) {
    store.append((0..EVENTS).map(numbered).collect()).await.expect("appended");
}

async fn found(store: &dyn Store, query: &AuditQuery) -> Vec<u64> {
    let page = store.search_events(query, None, 500).await.expect("searched");
    assert_eq!((page.count.n, page.count.exact), (page.rows.len() as u64, true));
    assert!(!page.more_after && !page.more_before);
    page.rows.iter().map(|event| number(&event.row)).collect()
}

fn number(row: &AuditRow) -> u64 {
    row.facts.trim_start_matches("{\"n\":").trim_end_matches('}').parse().expect("a number")
}

pub(crate) async fn u17_each_filter_keeps_what_it_should(store: &dyn Store) {
    fill(store).await;
    let all = AuditQuery::default;
    let kinds = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
    let cases: Vec<(AuditQuery, Keeps)> = vec![
        (all(), |_| true),
        (AuditQuery { subjects: vec![subject(1)], ..all() }, |n| n % 3 == 1),
        (AuditQuery { subjects: vec![subject(2), subject(0), subject(9)], ..all() }, |n| n % 3 != 1),
        (AuditQuery { actors: vec![[1; 32]], ..all() }, |n| n % 2 == 1),
        (AuditQuery { kinds: kinds(&["kind.3"]), ..all() }, |n| n % 4 == 3),
        (AuditQuery { kinds: kinds(&["kind.3", "kind.0", "none"]), ..all() }, |n| n % 4 == 3 || n % 4 == 0),
        (AuditQuery { address: Some([4; 32]), ..all() }, |n| n % 5 == 4),
        (AuditQuery { session: Some(id(7)), ..all() }, |n| n % 7 == 0),
        (AuditQuery { from: Some(NOW.plus_secs(3)), until: Some(NOW.plus_secs(9)), ..all() }, |n| (6..18).contains(&n)),
        (AuditQuery { subjects: vec![subject(1)], actors: vec![[0; 32]], kinds: kinds(&["kind.0"]), ..all() }, |n| {
            n % 3 == 1 && n % 4 == 0
        }),
        (
            AuditQuery { address: Some([1; 32]), subjects: vec![subject(1)], from: Some(NOW.plus_secs(5)), ..all() },
            |n| n % 5 == 1 && n % 3 == 1 && n >= 10,
        ),
        (AuditQuery { session: Some(id(7)), address: Some([1; 32]), ..all() }, |n| n % 7 == 0 && n % 5 == 1),
        (AuditQuery { subjects: vec![subject(9)], ..all() }, |_| false),
    ];
    for (query, keeps) in cases {
        let expected: Vec<u64> = (0..EVENTS).rev().filter(|n| keeps(*n)).collect();
        assert_eq!(found(store, &query).await, expected, "{query:?}");
        let fenced = AuditQuery { tenant: Some("acme".into()), ..query };
        let expected: Vec<u64> = expected.into_iter().filter(|n| n % 2 == 0).collect();
        assert_eq!(found(store, &fenced).await, expected, "{fenced:?}");
    }
}

pub(crate) async fn u17_every_event_is_walked_over_once_both_ways(store: &dyn Store) {
    fill(store).await;
    let queries = [
        AuditQuery::default(),
        AuditQuery { tenant: Some("acme".into()), ..AuditQuery::default() },
        AuditQuery { kinds: vec!["kind.1".into(), "kind.2".into()], ..AuditQuery::default() },
        AuditQuery { address: Some([2; 32]), ..AuditQuery::default() },
        AuditQuery { session: Some(id(7)), ..AuditQuery::default() },
    ];
    for query in queries {
        let expected = found(store, &query).await;
        let mut seen = Vec::new();
        let mut place = None;
        loop {
            let page = store.search_events(&query, place, 4).await.expect("searched");
            assert_eq!((page.count.n, page.more_before), (expected.len() as u64, place.is_some()));
            seen.extend(page.rows.iter().map(|event| number(&event.row)));
            let Some(last) = page.rows.last().filter(|_| page.more_after) else { break };
            place = Some(AuditPlace { at: last.row.at, place: last.place, backwards: false });
        }
        assert_eq!(seen, expected, "forwards, {query:?}");
        let mut seen = Vec::new();
        let mut place = Some(AuditPlace { at: NOW.plus_secs(-1), place: 0, backwards: true });
        while let Some(from) = place {
            let page = store.search_events(&query, Some(from), 7).await.expect("searched");
            seen.extend(page.rows.iter().rev().map(|event| number(&event.row)));
            let first = page.rows.first().filter(|_| page.more_before);
            place = first.map(|first| AuditPlace { at: first.row.at, place: first.place, backwards: true });
        }
        seen.reverse();
        assert_eq!(seen, expected, "backwards, {query:?}");
    }
}

pub(crate) async fn events_are_followed_in_the_order_they_came(store: &dyn Store) {
    fill(store).await;
    let first = store.events_after(None, 0, 10).await.expect("read");
    assert_eq!(first.iter().map(|event| number(&event.row)).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    let place = first.last().expect("events").place;
    let next = store.events_after(Some("globex"), place, 2).await.expect("read");
    assert_eq!(next.iter().map(|event| number(&event.row)).collect::<Vec<_>>(), [11, 13]);
    let one = &next[0];
    assert_eq!(store.event(one.row.id).await.expect("read").as_ref(), Some(one));
    assert_eq!(store.event([0; 16]).await.expect("read"), None);
    let newest = store.latest_events(None, 1).await.expect("read");
    assert_eq!(store.events_after(None, newest[0].place, 10).await.expect("read"), []);
}
