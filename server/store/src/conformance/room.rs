//! How many sessions a person may have at a client at once.

use futures_util::future::join_all;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{CommitLogin, LoginOutcome, Room, Store, WhenFull};

use super::make::{IDLE_SECS, NOW, end, ended, id, login, session_at, subject};
use super::revocations::{decide, person};

const STARTED: LoginOutcome = LoginOutcome::Started { replaced: None };

/// A login of person 1 whose session has the number `n`, and began `n` seconds after [`NOW`].
fn by_one(n: u64, room: Option<Room>) -> CommitLogin {
    let mut row = session_at(n, at(n));
    (row.subject, row.summary.sub) = (subject(1), "sub-1".into());
    CommitLogin { room, ..login(row) }
}

fn at(n: u64) -> UnixMs {
    NOW.plus_secs(i64::try_from(n).expect("a small number"))
}

fn evicting(most: u32, oldest: &[u64]) -> Room {
    Room { most, when_full: WhenFull::EndOldest(oldest.iter().map(|n| end(id(*n), "evicted")).collect()) }
}

/// The numbers of person 1's sessions that run, oldest first.
async fn running(store: &dyn Store, now: UnixMs) -> Vec<u64> {
    let found = store.sessions_of(subject(1), "app", now).await.expect("read");
    found.iter().rev().map(|row| u64::from_be_bytes(row.id.as_bytes()[8..].try_into().expect("8 bytes"))).collect()
}

pub(crate) async fn c09_the_oldest_make_room_and_nobody_else(store: &dyn Store) {
    // Another person's, another client's, an ended and an expired session take no place.
    let mut elsewhere = session_at(1, at(1));
    (elsewhere.subject, elsewhere.summary.client_id) = (subject(1), "console".into());
    for row in [elsewhere, session_at(2, at(2))] {
        store.commit_login(login(row)).await.expect("committed");
    }
    let mut expired = session_at(3, NOW.plus_secs(-IDLE_SECS));
    expired.subject = subject(1);
    store.commit_login(login(expired)).await.expect("committed");
    store.commit_login(by_one(4, None)).await.expect("committed");
    store.end(vec![end(id(4), "signed_out")]).await.expect("ended");

    for (n, oldest) in [(11, &[][..]), (12, &[]), (13, &[11]), (14, &[12])] {
        let outcome = store.commit_login(by_one(n, Some(evicting(2, oldest)))).await.expect("committed");
        assert_eq!(outcome, STARTED, "{n}");
    }
    assert_eq!(running(store, at(14)).await, [13, 14]);
    let row = store.session(id(11)).await.expect("read").expect("kept");
    assert_eq!(row.summary.ended, Some(ended("evicted")));
    assert_eq!(store.events_of_session(id(11)).await.expect("read").len(), 2, "its end has an event");
    // A lower limit than before: several make room at once.
    assert_eq!(store.commit_login(by_one(15, Some(evicting(1, &[13, 14])))).await.expect("committed"), STARTED);
    assert_eq!(running(store, at(15)).await, [15]);
    // The one that is replaced is not counted.
    let mut replacing = by_one(16, Some(evicting(1, &[])));
    replacing.replaces = Some(end(id(15), "replaced"));
    let outcome = store.commit_login(replacing).await.expect("committed");
    assert!(matches!(outcome, LoginOutcome::Started { replaced: Some(_) }), "{outcome:?}");
    assert_eq!(running(store, at(16)).await, [16]);
}

pub(crate) async fn c09_a_login_beyond_the_limit_is_refused_and_keeps_nothing(store: &dyn Store) {
    let refusing = || Some(Room { most: 2, when_full: WhenFull::Refuse });
    for n in [1, 2] {
        assert_eq!(store.commit_login(by_one(n, refusing())).await.expect("committed"), STARTED);
    }
    assert_eq!(store.commit_login(by_one(3, refusing())).await.expect("answered"), LoginOutcome::Full);
    assert!(store.session(id(3)).await.expect("read").is_none());
    assert_eq!(store.commit_login(by_one(3, refusing())).await.expect("answered"), LoginOutcome::Replayed, "S8");
    let mut replacing = by_one(4, refusing());
    replacing.replaces = Some(end(id(1), "replaced"));
    assert!(matches!(store.commit_login(replacing).await.expect("answered"), LoginOutcome::Started { .. }));
    assert_eq!(running(store, at(4)).await, [2, 4]);
}

pub(crate) async fn c09_whoever_thought_of_others_keeps_nothing(store: &dyn Store) {
    for n in [1, 2] {
        store.commit_login(by_one(n, None)).await.expect("committed");
    }
    for wrong in [&[][..], &[2], &[1, 2], &[2, 1], &[9]] {
        let outcome = store.commit_login(by_one(3, Some(evicting(2, wrong)))).await.expect("answered");
        assert_eq!(outcome, LoginOutcome::Changed, "{wrong:?}");
        assert_eq!(running(store, at(3)).await, [1, 2], "{wrong:?}");
    }
    // Not even the transaction is used up.
    assert_eq!(store.commit_login(by_one(3, Some(evicting(2, &[1])))).await.expect("committed"), STARTED);
}

pub(crate) async fn c09_no_race_exceeds_the_limit(store: &dyn Store) {
    let refusing = || Some(Room { most: 3, when_full: WhenFull::Refuse });
    let outcomes = join_all((1..=50).map(|n| store.commit_login(by_one(n, refusing())))).await;
    let started = outcomes.into_iter().filter(|outcome| *outcome.as_ref().expect("answered") == STARTED).count();
    assert_eq!((started, running(store, at(50)).await.len()), (3, 3));
}

pub(crate) async fn c09_sessions_of_an_unfinished_revocation_take_no_place(store: &dyn Store) {
    store.commit_login(by_one(0, None)).await.expect("committed");
    decide(store, 1, person(1)).await;
    let room = Room { most: 1, when_full: WhenFull::Refuse };
    let mut later = by_one(700, Some(room));
    later.proven.begun_at = at(699);
    assert_eq!(store.commit_login(later).await.expect("committed"), STARTED);
    assert_eq!(running(store, at(700)).await, [700]);
}
