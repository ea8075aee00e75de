//! The audit log: order, chain, head (A7).

use cloakroom_core::audit::chain::{START, Verdict, head_of, link, link_pending, verify};
use cloakroom_core::audit::{AuditRow, ChainLink};
use cloakroom_core::store::{Store, StoreError};

use super::make::{end, event, id, session, start};

fn kinds(events: &[AuditRow]) -> Vec<&str> {
    events.iter().map(|event| &*event.kind).collect()
}

pub(crate) async fn a07_events_are_linked_in_the_order_they_came(store: &dyn Store) {
    let numbers: Vec<String> = (0..25).map(|n| format!("test.{n}")).collect();
    for kinds in numbers.chunks(5) {
        store.append(kinds.iter().map(|kind| event(kind, None)).collect()).await.expect("appended");
    }
    let (head, waiting) = store.unchained(10).await.expect("read");
    assert_eq!((head, waiting.len()), (START, 10));
    assert!(waiting.iter().all(|event| event.link.is_none()));

    assert_eq!(link_pending(store).await.expect("linked"), 25);
    assert_eq!(link_pending(store).await.expect("linked"), 0);
    let chained = store.chained(0, 100).await.expect("read");
    let rows: Vec<AuditRow> = chained.iter().map(|event| event.row.clone()).collect();
    assert_eq!(kinds(&rows), numbers);
    let numbered: Vec<i64> = chained.iter().filter_map(|event| event.link.map(|link| link.seq)).collect();
    assert_eq!(numbered, (1..=25).collect::<Vec<_>>());
    let rest = store.chained(20, 3).await.expect("read");
    assert_eq!(rest.iter().filter_map(|event| event.link.map(|link| link.seq)).collect::<Vec<_>>(), [21, 22, 23]);

    store.append(vec![event("test.late", None)]).await.expect("appended");
    let (head, waiting) = store.unchained(10).await.expect("read");
    assert_eq!((head.seq, waiting.len()), (25, 1));
    assert_eq!(verify(store).await.expect("walked"), Verdict::Whole { head, waiting: 1 });
}

pub(crate) async fn a07_one_of_two_sequencers_moves_the_head(store: &dyn Store) {
    store.append(vec![event("test.1", None), event("test.2", None)]).await.expect("appended");
    let (head, waiting) = store.unchained(10).await.expect("read");
    let first = link(head, &waiting[0].row);
    let second = link(head_of(&first), &waiting[1].row);
    // One was slower, and has seen less.
    let (one, other) = tokio::join!(store.chain(head, vec![first, second]), store.chain(head, vec![first]));
    let (one, other) = (one.expect("answered"), other.expect("answered"));
    assert!(one != other, "exactly one is first");
    assert!(!store.chain(head, vec![first]).await.expect("answered"));
    assert!(store.chain(head, vec![]).await.is_ok());
    link_pending(store).await.expect("linked");
    assert_eq!(verify(store).await.expect("walked"), Verdict::Whole { head: head_of(&second), waiting: 0 });
}

pub(crate) async fn a07_a_link_to_nothing_is_refused(store: &dyn Store) {
    let row = event("test", None);
    store.append(vec![row.clone()]).await.expect("appended");
    let good = link(START, &row);
    let missing = ChainLink { event: [0; 16], seq: 2, hash: [1; 32] };
    let refused = store.chain(START, vec![good, missing]).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    let (head, waiting) = store.unchained(10).await.expect("read");
    assert_eq!((head, waiting.len()), (START, 1));
}

pub(crate) async fn events_are_read_back_by_session_and_by_age(store: &dyn Store) {
    let mut whole = event("test.whole", Some(id(1)));
    whole.actor = Some([5; 32]);
    whole.actor_sealed = vec![0, 1, 2];
    whole.provider_id = Some("main".into());
    whole.facts = r#"{"text":"\u0000 🦀"}"#.into();
    store.append(vec![whole.clone()]).await.expect("appended");
    assert_eq!(store.events_of_session(id(1)).await.expect("read")[0].row, whole);

    start(store, session(2)).await;
    store.append((0..250).map(|_| event("test.many", Some(id(2)))).collect()).await.expect("appended");
    store.end(vec![end(id(2), "revoked")]).await.expect("ended");
    let of_session = store.events_of_session(id(2)).await.expect("read");
    assert_eq!((of_session.len(), &*of_session[0].row.kind), (200, "session.started"));
    let latest = store.latest_events(None, 2).await.expect("read");
    assert_eq!(latest.iter().map(|event| &*event.row.kind).collect::<Vec<_>>(), ["session.ended", "test.many"]);
    assert_eq!(store.events_of_session(id(9)).await.expect("read"), []);
}
