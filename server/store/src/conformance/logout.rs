//! A provider's logout: once, whole, and not outrun by a login.

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{
    CommitLogin, CommitLogout, EndOutcome, LoginOutcome, LogoutOutcome, Named, NamedBy, SessionRow, Store, Tombstone,
};

use super::make::{NOW, end, ended, event, id, login, session, sid, start, subject};

/// A name that no login has.
const NOBODY: [u8; 32] = [0xff; 32];

/// A session of person `person`, started from the provider's session `upstream`.
fn of(n: u64, person: u64, upstream: Option<u64>) -> SessionRow {
    SessionRow { subject: subject(person), upstream_sid: upstream.map(sid), ..session(n) }
}

fn named(by: NamedBy) -> Named {
    Named { by, client_id: None, alive_after: NOW }
}

/// A logout that came a second after [`NOW`], with the ends of whoever is named now.
async fn logout(store: &dyn Store, token: u64, by: NamedBy, name: [u8; 32]) -> CommitLogout {
    let found = store.named(named(by)).await.expect("read");
    CommitLogout {
        token: sid(1_000 + token),
        token_expires_at: NOW.plus_secs(300),
        now: NOW.plus_secs(1),
        named: named(by),
        ends: found.iter().map(|session| end(session.id, "logged_out_by_provider")).collect(),
        tombstone: Tombstone { name, issued_at: NOW, expires_at: NOW.plus_secs(3_600) },
        event: event("provider.logout", None),
    }
}

async fn running(store: &dyn Store, among: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    let mut running = Vec::new();
    for n in among {
        if store.session(id(n)).await.expect("read").is_some_and(|row| row.summary.ended.is_none()) {
            running.push(n);
        }
    }
    running
}

async fn five(store: &dyn Store) {
    for row in [of(1, 1, Some(1)), of(2, 1, Some(2)), of(3, 1, None), of(4, 2, Some(1)), of(5, 2, None)] {
        start(store, row).await;
    }
}

pub(crate) async fn b02_a_logout_ends_whom_it_names_and_nobody_else(store: &dyn Store) {
    five(store).await;
    let both = |upstream, person| NamedBy::SidOfSubject { sid: sid(upstream), subject: subject(person) };
    for (token, by, left) in [
        (6, both(2, 2), vec![1, 2, 3, 4, 5]),
        (1, both(2, 1), vec![1, 3, 4, 5]),
        (2, NamedBy::Sid(sid(1)), vec![3, 5]),
        (3, NamedBy::Sid(sid(9)), vec![3, 5]),
        (4, NamedBy::Subject(subject(1)), vec![5]),
        (5, NamedBy::Subject(subject(2)), vec![]),
    ] {
        let logout = logout(store, token, by, NOBODY).await;
        let expected = vec![EndOutcome::Ended; logout.ends.len()];
        assert_eq!(store.commit_logout(logout).await.expect("committed"), LogoutOutcome::Done(expected));
        assert_eq!(running(store, 1..=5).await, left, "{by:?}");
    }
    let row = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!(row.summary.ended, Some(ended("logged_out_by_provider")));
    let kinds: Vec<_> = store.events_of_session(id(1)).await.expect("read").into_iter().map(|e| e.row.kind).collect();
    assert_eq!(kinds, ["session.started", "session.ended"]);
    let (_, unchained) = store.unchained(100).await.expect("read");
    assert_eq!(unchained.iter().filter(|event| event.row.kind == "provider.logout").count(), 6);
}

pub(crate) async fn b02_named_sessions_are_those_that_run(store: &dyn Store) {
    five(store).await;
    store.end(vec![end(id(2), "signed_out")]).await.expect("ended");
    let find = async |named: Named| {
        let mut found: Vec<_> = store.named(named).await.expect("read").iter().map(|row| row.id).collect();
        found.sort_by_key(|id| *id.as_bytes());
        found
    };
    let person = named(NamedBy::Subject(subject(1)));
    assert_eq!(find(person.clone()).await, [id(1), id(3)]);
    assert_eq!(find(Named { client_id: Some("app".into()), ..person.clone() }).await, [id(1), id(3)]);
    assert!(find(Named { client_id: Some("other".into()), ..person.clone() }).await.is_empty());
    assert!(find(Named { alive_after: NOW.plus_secs(86_400), ..person }).await.is_empty(), "they expired long ago");
    assert_eq!(find(named(NamedBy::Sid(sid(1)))).await, [id(1), id(4)]);
}

pub(crate) async fn s08_a_logout_token_is_used_once(store: &dyn Store) {
    start(store, of(1, 1, Some(1))).await;
    let by = NamedBy::Sid(sid(1));
    let first = logout(store, 1, by, NOBODY).await;
    assert_eq!(store.commit_logout(first).await.expect("committed"), LogoutOutcome::Done(vec![EndOutcome::Ended]));
    start(store, of(2, 1, Some(1))).await;
    let again = logout(store, 1, by, NOBODY).await;
    assert_eq!(store.commit_logout(again.clone()).await.expect("answered"), LogoutOutcome::Replayed);
    assert_eq!(running(store, 1..=2).await, [2]);
    // Remembered for as long as it would be taken, and no longer than needed.
    let at_the_end = CommitLogout { token: sid(2_000), now: NOW.plus_secs(300), ..logout(store, 2, by, NOBODY).await };
    store.commit_logout(at_the_end).await.expect("committed");
    assert_eq!(store.commit_logout(again.clone()).await.expect("answered"), LogoutOutcome::Replayed);
    let later = CommitLogout { token: sid(2_001), now: NOW.plus_secs(301), ..logout(store, 3, by, NOBODY).await };
    store.commit_logout(later).await.expect("committed");
    let forgotten = CommitLogout { ends: Vec::new(), event: event("provider.logout", None), ..again };
    assert_eq!(store.commit_logout(forgotten).await.expect("committed"), LogoutOutcome::Done(Vec::new()));
}

pub(crate) async fn s08_of_many_uses_at_once_one_counts(store: &dyn Store) {
    start(store, of(1, 1, Some(1))).await;
    let mut logouts = Vec::new();
    for _ in 0..16 {
        logouts.push(logout(store, 1, NamedBy::Sid(sid(1)), NOBODY).await);
    }
    let done = logouts.into_iter().map(|logout| store.commit_logout(logout));
    let mut outcomes = Vec::new();
    for outcome in futures_util::future::join_all(done).await {
        outcomes.push(outcome.expect("answered"));
    }
    let counted = outcomes.iter().filter(|outcome| **outcome == LogoutOutcome::Done(vec![EndOutcome::Ended])).count();
    assert_eq!(counted, 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == LogoutOutcome::Replayed).count(), 15, "{outcomes:?}");
}

pub(crate) async fn b04_a_session_that_started_meanwhile_is_noticed(store: &dyn Store) {
    start(store, of(1, 1, Some(1))).await;
    let early = logout(store, 1, NamedBy::Subject(subject(1)), subject(1)).await;
    start(store, of(2, 1, Some(2))).await;
    assert_eq!(store.commit_logout(early.clone()).await.expect("answered"), LogoutOutcome::Changed);
    assert_eq!(running(store, 1..=2).await, [1, 2], "nothing is kept of it");
    let again = logout(store, 1, NamedBy::Subject(subject(1)), subject(1)).await;
    store.commit_logout(again).await.expect("committed");
    assert!(running(store, 1..=2).await.is_empty());
    // What ended by itself meanwhile is no obstacle.
    let late = CommitLogout { token: sid(3_000), event: event("provider.logout", None), ..early };
    let outcome = store.commit_logout(late).await.expect("committed");
    assert_eq!(outcome, LogoutOutcome::Done(vec![EndOutcome::AlreadyEnded(ended("logged_out_by_provider"))]));
}

/// A login of person 1 from the provider's session 1.
fn attempt(n: u64, issued_at: UnixMs, begun_at: UnixMs, auth_time: UnixMs) -> CommitLogin {
    let mut attempt = login(of(n, 1, Some(1)));
    attempt.proven.issued_at = issued_at;
    attempt.proven.begun_at = begun_at;
    attempt.proven.auth_time = auth_time;
    attempt
}

pub(crate) async fn b04_a_login_that_a_logout_outran_starts_nothing(store: &dyn Store) {
    let (before, after) = (NOW.plus_secs(-5), NOW.plus_secs(5));
    let unsaid = UnixMs(0);
    // The logout was issued at NOW by the provider's clock, and came a second later by ours.
    let cases = [
        ("an ID token from before it", before, after, unsaid, false),
        ("of the same second", NOW, after, unsaid, false),
        ("from after it, of a login begun after it", after, after, unsaid, true),
        ("from after it, of a login begun before it", after, before, unsaid, false),
        ("and proved before it", after, before, before, false),
        ("and proved after it", after, before, after, true),
        ("proved long ago, begun after it", after, after, before, true),
    ];
    for (number, stone) in (0_u64..).zip([sid(1), subject(1)]) {
        let told = logout(store, number, NamedBy::Sid(sid(9)), stone).await;
        store.commit_logout(told).await.expect("committed");
        for (case, (what, issued_at, begun_at, auth_time, starts)) in (0..).zip(cases) {
            let n = 10 + number * 100 + case;
            let outcome = store.commit_login(attempt(n, issued_at, begun_at, auth_time)).await.expect("answered");
            let expected = if starts { LoginOutcome::Started { replaced: None } } else { LoginOutcome::LoggedOut };
            assert_eq!(outcome, expected, "{what}");
            assert_eq!(store.session(id(n)).await.expect("read").is_some(), starts, "{what}");
            assert_eq!(store.tokens(id(n)).await.expect("read").is_some(), starts, "{what}");
            let again = store.commit_login(attempt(n, issued_at, begun_at, auth_time)).await.expect("answered");
            assert_eq!(again, LoginOutcome::Replayed, "{what}: its transaction is used up");
        }
    }
    start(store, of(500, 2, Some(2))).await;
}

pub(crate) async fn b04_the_later_of_two_logouts_counts(store: &dyn Store) {
    for (token, issued_at) in [(1, NOW), (2, NOW.plus_secs(-100))] {
        let mut told = logout(store, token, NamedBy::Sid(sid(9)), subject(1)).await;
        told.tombstone.issued_at = issued_at;
        store.commit_logout(told).await.expect("committed");
    }
    let attempt = attempt(1, NOW, NOW.plus_secs(5), UnixMs(0));
    assert_eq!(store.commit_login(attempt).await.expect("answered"), LoginOutcome::LoggedOut);
}

pub(crate) async fn a_failed_logout_keeps_nothing(store: &dyn Store) {
    start(store, of(1, 1, Some(1))).await;
    // The event's id is taken.
    let taken = event("test", None);
    store.append(vec![taken.clone()]).await.expect("appended");
    let mut bad = logout(store, 1, NamedBy::Sid(sid(1)), sid(1)).await;
    bad.ends[0].event = taken;
    store.commit_logout(bad).await.expect_err("an event's id is used once");
    assert_eq!(running(store, 1..=1).await, [1]);
    let good = logout(store, 1, NamedBy::Sid(sid(1)), NOBODY).await;
    assert_eq!(store.commit_logout(good).await.expect("committed"), LogoutOutcome::Done(vec![EndOutcome::Ended]));
}
