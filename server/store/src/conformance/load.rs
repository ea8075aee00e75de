//! Many units of work at once.

use futures_util::future::join_all;

use cloakroom_core::store::{EndOutcome, LoginOutcome, Store};

use super::make::{NOW, end, event, id, login, session, start};

const AT_ONCE: u64 = 50;

pub(crate) async fn many_at_once_are_all_answered(store: &dyn Store) {
    let logins = join_all((1..=AT_ONCE).map(|n| store.commit_login(login(session(n))))).await;
    for outcome in logins {
        assert_eq!(outcome.expect("answered"), LoginOutcome::Started { replaced: None });
    }
    // Each session is ended twice, seen, and read meanwhile.
    let done = join_all((1..=AT_ONCE).map(|n| async move {
        let seen = vec![(id(n), NOW.plus_secs(1))];
        let (one, other, touched, read) = tokio::join!(
            store.end(vec![end(id(n), "revoked")]),
            store.end(vec![end(id(n), "signed_out")]),
            store.touch(seen),
            store.session(id(n)),
        );
        touched.expect("answered");
        assert!(read.expect("read").is_some());
        [one, other].into_iter().filter(|ends| ends.as_ref().is_ok_and(|ends| *ends == [EndOutcome::Ended])).count()
    }));
    assert_eq!(done.await, vec![1; 50]);
    assert_eq!(store.totals(None, NOW, NOW).await.expect("read").live, 0);
}

pub(crate) async fn a_unit_that_fails_takes_no_other_with_it(store: &dyn Store) {
    let taken = event("test", None);
    store.append(vec![taken.clone()]).await.expect("appended");
    start(store, session(1_000)).await;
    let outcomes = join_all((1..=AT_ONCE).map(|n| {
        let mut login = login(session(n));
        if n % 5 == 0 {
            login.event = taken.clone();
        }
        store.commit_login(login)
    }))
    .await;
    for (n, outcome) in (1..).zip(outcomes) {
        assert_eq!(outcome.is_ok(), n % 5 != 0, "{outcome:?}");
        assert_eq!(store.session(id(n)).await.expect("read").is_some(), n % 5 != 0);
    }
}
