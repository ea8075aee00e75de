//! Units of two nodes that meet.

use futures_util::future::{join, join_all};

use cloakroom_core::store::{
    CommitLogout, EndOutcome, LoginOutcome, LogoutOutcome, Named, NamedBy, SessionRow, Store as _, StoreError,
    SweepStore as _, Tombstone,
};

use super::fresh;
use crate::Postgres;
use crate::conformance::make::{NOW, end, event, id, login, session, sid, start, subject};

/// A logout of person `n`, of whose sessions nothing is known yet.
fn logout_of(n: u64) -> CommitLogout {
    CommitLogout {
        token: sid(1_000 + n),
        token_expires_at: NOW.plus_secs(300),
        now: NOW.plus_secs(1),
        named: Named { by: NamedBy::Subject(subject(n)), client_id: None, alive_after: NOW },
        ends: Vec::new(),
        tombstone: Tombstone { name: subject(n), issued_at: NOW, expires_at: NOW.plus_secs(3_600) },
        event: event("provider.logout", None),
    }
}

/// Whichever comes first: the logout ends the login's session, or the login is told of the logout. Many at once, by two
/// nodes, so that the two meet in every order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b04_no_login_slips_past_a_logout_of_another_node() {
    let first = fresh().await;
    let second = Postgres::open(&first.settings()).await.expect("opened");
    for n in 1..=40 {
        let row = SessionRow { subject: subject(n), ..session(n) };
        let (login, logout) = (login(row), logout_of(n));
        let (started, told) = join(first.store().commit_login(login), second.commit_logout(logout)).await;
        let (started, told) = (started.expect("answered"), told.expect("answered"));
        let runs = first.store().session(id(n)).await.expect("read").is_some_and(|row| row.summary.ended.is_none());
        match (&started, &told) {
            // The logout's caller prepares an end for the session that it had not seen, and asks again.
            (LoginOutcome::Started { .. }, LogoutOutcome::Changed) => assert!(runs),
            (LoginOutcome::LoggedOut, LogoutOutcome::Done(_)) => assert!(!runs),
            other => panic!("round {n}: {other:?}, and the session runs: {runs}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_and_last_use_in_every_order_wait_for_one_another() {
    let first = fresh().await;
    let second = Postgres::open(&first.settings()).await.expect("opened");
    for n in 1..=50 {
        start(first.store(), session(n)).await;
    }
    let upwards: Vec<_> = (1..=50).map(|n| end(id(n), "revoked")).collect();
    let downwards: Vec<_> = (1..=50).rev().map(|n| end(id(n), "revoked")).collect();
    let seen: Vec<_> = (1..=50).rev().map(|n| (id(n), NOW.plus_secs(5))).collect();
    let (one, other, touched) = tokio::join!(first.store().end(upwards), second.end(downwards), second.touch(seen));
    touched.expect("touched");
    let ended = [one.expect("ended"), other.expect("ended")].concat();
    assert_eq!(ended.iter().filter(|outcome| **outcome == EndOutcome::Ended).count(), 50);
}

/// Numbers without gaps, in the order of the commits, whatever is taken back in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_change_log_has_no_gaps() {
    let store = fresh().await;
    for n in 1..=30 {
        start(store.store(), session(n)).await;
    }
    let taken = end(id(1), "revoked").event;
    store.store().append(vec![taken.clone()]).await.expect("appended");
    let ends = join_all((1..=30).map(|n| {
        let mut end = end(id(n), "revoked");
        if n % 3 == 0 {
            end.event = taken.clone();
        }
        store.store().end(vec![end])
    }));
    assert_eq!(ends.await.into_iter().flatten().count(), 20);
    let log = store.psql("SELECT min(n), max(n), count(*), sum(cardinality(sessions)) FROM change_log");
    assert_eq!(log, "1|20|20|20");
    assert_eq!(store.psql("SELECT n FROM log_head"), "20");
}

/// The pool gets over connections that the server has cut, without a failed unit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_cut_connections_are_replaced_without_a_word() {
    let store = fresh().await;
    for n in 1..=5 {
        join_all((0..8).map(|i| start(store.store(), session(n * 10 + i)))).await;
        store.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        start(store.store(), session(n * 10 + 9)).await;
    }
}

/// A node that stops in the middle of a unit holds nothing up for longer than the server lets it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_a_lock_that_somebody_sits_on_is_told_in_time() {
    let store = fresh().await;
    start(store.store(), session(1)).await;
    let holder = Postgres::open(&store.settings()).await.expect("opened");
    let mut sitting = holder.pool.begin().await.expect("begun");
    sqlx::query("SELECT id FROM sessions FOR UPDATE").fetch_all(&mut *sitting).await.expect("locked");
    let began = tokio::time::Instant::now();
    let waited = store.store().end(vec![end(id(1), "revoked")]).await;
    assert!(began.elapsed().as_secs() < 7, "{:?}", began.elapsed());
    match waited {
        // The server gave up on the sitter first, or on the one who waited.
        Ok(ended) => assert_eq!(ended, [EndOutcome::Ended]),
        Err(told) => {
            assert!(matches!(told, StoreError::Unavailable(_)), "{told}");
            assert_eq!(store.store().end(vec![end(id(1), "revoked")]).await.expect("ended"), [EndOutcome::Ended]);
        }
    }
}

/// Of two nodes that sweep, one does, until it lets go or is gone for its lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u18_one_node_sweeps_at_a_time() {
    let first = fresh().await;
    let second = Postgres::open(&first.settings()).await.expect("opened");
    let until = NOW.plus_secs(60);
    let (one, other) = join(first.store().take_sweep("one", NOW, until), second.take_sweep("other", NOW, until)).await;
    let (one, other) = (one.expect("answered"), other.expect("answered"));
    assert!(one != other, "{one} {other}");
    let (winner, loser) = if one { ("one", "other") } else { ("other", "one") };
    let take = async |owner: &str, secs: i64| {
        first.store().take_sweep(owner, NOW.plus_secs(secs), NOW.plus_secs(secs + 60)).await.expect("answered")
    };
    assert!(take(winner, 30).await, "it goes on");
    assert!(!take(loser, 89).await);
    assert!(take(loser, 90).await, "the other one is gone");
    assert!(!take(winner, 91).await);
}
