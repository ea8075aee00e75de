//! Leases, attempts, doubt and adoption (T1, T5, T7).

use futures_util::future::join_all;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{BeginRefresh, Doubt, Store};

use super::make::{ABSOLUTE_SECS, NOW, answer, begin, end, grant, id, session, start, told};

async fn in_doubt_since(store: &dyn Store, n: u64, now: UnixMs) -> UnixMs {
    match begin(store, id(n), now, Doubt::Tell).await {
        BeginRefresh::InDoubt { since } => since,
        other => panic!("doubt is expected, not {other:?}"),
    }
}

/// Generation, whether it is in doubt, and the sealed set.
async fn tokens(store: &dyn Store, n: u64) -> (i64, bool, String) {
    let tokens = store.tokens(id(n)).await.expect("read").expect("kept");
    (tokens.generation, tokens.in_doubt, String::from_utf8(tokens.sealed).expect("text"))
}

pub(crate) async fn t01_one_of_many_gets_the_lease(store: &dyn Store) {
    start(store, session(1)).await;
    let begun = join_all((0..20).map(|_| begin(store, id(1), NOW, Doubt::Tell))).await;
    let granted = begun.iter().filter(|begun| matches!(begun, BeginRefresh::Granted(_))).count();
    let held =
        begun.iter().filter(|begun| matches!(begun, BeginRefresh::Held { until } if *until == NOW.plus_secs(60)));
    assert_eq!((granted, held.count()), (1, 19));
    // Not even a caller that would send again.
    assert!(matches!(begin(store, id(1), NOW.plus_secs(59), Doubt::SendAgain).await, BeginRefresh::Held { .. }));
}

pub(crate) async fn an_adopted_answer_is_kept_whole(store: &dyn Store) {
    start(store, session(1)).await;
    let first = grant(store, id(1), NOW, Doubt::Tell).await;
    assert_eq!((first.tokens.generation, first.session.summary.id), (1, id(1)));
    assert!(tokens(store, 1).await.1, "an attempt is under way");
    assert!(store.commit_refresh(answer(&first, NOW.plus_secs(2))).await.expect("answered"));

    let (generation, in_doubt, sealed) = tokens(store, 1).await;
    assert_eq!((generation, in_doubt, sealed), (2, false, format!("tokens 2 by {}", first.fence)));
    let refreshed_at = store.tokens(id(1)).await.expect("read").expect("kept").refreshed_at;
    assert_eq!(refreshed_at, NOW.plus_secs(2));
    let kept = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!((kept.version, &*kept.sealed), (2, &b"sealed, generation 2"[..]));

    // The lease was given back; the next fence is larger.
    let second = grant(store, id(1), NOW.plus_secs(3), Doubt::Tell).await;
    assert!(second.fence > first.fence);
    assert_eq!((second.tokens.generation, &*second.session.sealed), (2, &b"sealed, generation 2"[..]));
    // The first answer is not adopted twice.
    assert!(!store.commit_refresh(answer(&first, NOW.plus_secs(3))).await.expect("answered"));
}

pub(crate) async fn t07_a_crash_leaves_the_generation_in_doubt(store: &dyn Store) {
    start(store, session(1)).await;
    grant(store, id(1), NOW, Doubt::Tell).await;
    assert!(matches!(begin(store, id(1), NOW.plus_secs(59), Doubt::Tell).await, BeginRefresh::Held { .. }));
    for secs in [60, 600] {
        assert_eq!(in_doubt_since(store, 1, NOW.plus_secs(secs)).await, NOW);
    }
    assert!(tokens(store, 1).await.1);
}

pub(crate) async fn t07_an_answer_that_never_came_leaves_doubt_at_once(store: &dyn Store) {
    start(store, session(1)).await;
    let lease = grant(store, id(1), NOW, Doubt::Tell).await;
    store.leave_in_doubt(id(1), lease.fence).await.expect("answered");
    assert_eq!(in_doubt_since(store, 1, NOW.plus_secs(1)).await, NOW);
    let again = grant(store, id(1), NOW.plus_secs(2), Doubt::SendAgain).await;
    assert!(again.fence > lease.fence);
    assert!(store.commit_refresh(answer(&again, NOW.plus_secs(3))).await.expect("answered"));
    assert!(!tokens(store, 1).await.1, "adoption settles every doubt about the generation");
    grant(store, id(1), NOW.plus_secs(4), Doubt::Tell).await;
}

pub(crate) async fn an_abandoned_attempt_leaves_no_doubt(store: &dyn Store) {
    start(store, session(1)).await;
    let lease = grant(store, id(1), NOW, Doubt::Tell).await;
    store.abandon_refresh(id(1), lease.fence).await.expect("answered");
    assert!(!tokens(store, 1).await.1);
    let next = grant(store, id(1), NOW.plus_secs(1), Doubt::Tell).await;
    assert_eq!(next.tokens.generation, 1);
    // What an older holder says changes nothing for the newer one.
    store.abandon_refresh(id(1), lease.fence).await.expect("answered");
    store.leave_in_doubt(id(1), lease.fence).await.expect("answered");
    assert!(matches!(begin(store, id(1), NOW.plus_secs(2), Doubt::Tell).await, BeginRefresh::Held { .. }));
    assert!(tokens(store, 1).await.1);
}

pub(crate) async fn t07_giving_up_a_second_try_keeps_the_first_in_doubt(store: &dyn Store) {
    start(store, session(1)).await;
    grant(store, id(1), NOW, Doubt::Tell).await;
    let again = grant(store, id(1), NOW.plus_secs(60), Doubt::SendAgain).await;
    store.abandon_refresh(id(1), again.fence).await.expect("answered");
    assert_eq!(in_doubt_since(store, 1, NOW.plus_secs(61)).await, NOW);
}

pub(crate) async fn t07_a_late_answer_is_adopted_while_its_generation_stands(store: &dyn Store) {
    start(store, session(1)).await;
    let late = grant(store, id(1), NOW, Doubt::Tell).await;
    let again = grant(store, id(1), NOW.plus_secs(61), Doubt::SendAgain).await;
    assert!(store.commit_refresh(answer(&late, NOW.plus_secs(62))).await.expect("answered"));
    // The second holder keeps its lease until it answers, too late.
    assert!(matches!(begin(store, id(1), NOW.plus_secs(63), Doubt::Tell).await, BeginRefresh::Held { .. }));
    assert!(!store.commit_refresh(answer(&again, NOW.plus_secs(64))).await.expect("answered"));
    assert_eq!(tokens(store, 1).await, (2, false, format!("tokens 2 by {}", late.fence)));
    grant(store, id(1), NOW.plus_secs(65), Doubt::Tell).await;
}

pub(crate) async fn t05_nothing_is_adopted_once_the_session_is_over(store: &dyn Store) {
    start(store, session(1)).await;
    start(store, session(2)).await;
    let revoked = grant(store, id(1), NOW, Doubt::Tell).await;
    store.end(vec![end(id(1), "revoked")]).await.expect("ended");
    assert!(!store.commit_refresh(answer(&revoked, NOW.plus_secs(2))).await.expect("answered"));
    assert_eq!(tokens(store, 1).await, (1, false, "tokens 1".into()));
    assert_eq!(store.session(id(1)).await.expect("read").expect("kept").sealed, b"sealed, generation 1");

    let expired = grant(store, id(2), NOW, Doubt::Tell).await;
    let too_late = answer(&expired, NOW.plus_secs(ABSOLUTE_SECS));
    assert!(!store.commit_refresh(too_late).await.expect("answered"));
    assert_eq!(tokens(store, 2).await, (1, false, "tokens 1".into()));
}

pub(crate) async fn what_is_over_gets_no_lease(store: &dyn Store) {
    for n in 1..=3 {
        start(store, session(n)).await;
    }
    store.end(vec![end(id(1), "revoked"), end(id(2), "revoked")]).await.expect("ended");
    store.told(told(2)).await.expect("kept");
    for (n, now) in [(1, NOW), (2, NOW), (3, NOW.plus_secs(ABSOLUTE_SECS)), (9, NOW)] {
        assert!(matches!(begin(store, id(n), now, Doubt::SendAgain).await, BeginRefresh::Over), "session {n}");
    }
    grant(store, id(3), NOW.plus_secs(ABSOLUTE_SECS - 1), Doubt::Tell).await;
}
