//! What is of no use any more goes, a little at a time, and nothing else.

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::sweep::EXPIRED;
use cloakroom_core::store::{BeginRefresh, Doubt, Ended, Store, Told, ToldOutcome};

use super::make::{IDLE_SECS, NOW, begin, end, event, grant, id, login, session, session_at, start, told};
use super::revocations::{decide, job, person};

const DAY: i64 = 86_400;

pub(crate) async fn u18_what_expired_loses_its_token_set_and_nothing_else_does(store: &dyn Store) {
    let over = |secs: i64| NOW.plus_secs(-DAY - IDLE_SECS + secs);
    start(store, session(1)).await;
    // To the millisecond, and in whatever tenant.
    start(store, session_at(2, over(0))).await;
    start(store, session_at(3, UnixMs(over(0).0 + 1))).await;
    let mut other = session_at(4, over(-90));
    other.summary.tenant = "acme".into();
    start(store, other).await;
    start(store, session_at(5, over(-90))).await;
    store.end(vec![end(id(5), "revoked")]).await.expect("ended");
    grant(store, id(4), over(-80), Doubt::Tell).await;

    let before = NOW.plus_secs(-DAY);
    assert_eq!(store.end_expired(before, 100).await.expect("swept"), 2);
    for n in [2, 4] {
        let row = store.session(id(n)).await.expect("read").expect("kept");
        let at = row.summary.idle_expires_at;
        assert_eq!(row.summary.ended, Some(Ended { at, reason: EXPIRED.into(), text: None, by: None }), "{n}");
        assert_eq!(store.tokens(id(n)).await.expect("read"), None, "{n}");
        assert!(matches!(begin(store, id(n), NOW, Doubt::Tell).await, BeginRefresh::Over), "{n}");
        assert_eq!(store.events_of_session(id(n)).await.expect("read").len(), 1, "the log tells of no end");
    }
    assert!(store.due(NOW, NOW.plus_secs(60), 10).await.expect("answered").iter().all(|due| due.id == id(5)));
    for n in [1, 3] {
        assert_eq!(store.session(id(n)).await.expect("read").expect("kept").summary.ended, None, "{n}");
        assert!(store.tokens(id(n)).await.expect("read").is_some(), "{n}");
    }
    assert_eq!(
        store.session(id(5)).await.expect("read").expect("kept").summary.ended.map(|e| e.reason),
        Some("revoked".into())
    );
    store.touch(vec![(id(2), NOW)]).await.expect("touched");
    assert!(store.session(id(2)).await.expect("read").expect("kept").summary.ended.is_some(), "no use brings it back");
    assert_eq!(store.end_expired(before, 100).await.expect("swept"), 0);
}

pub(crate) async fn u18_ended_sessions_go_whole_once_their_provider_was_told(store: &dyn Store) {
    // 1 is an app's whose place 2 took by a step-up; 3 runs.
    let mut app = login(session(1));
    app.code_expires_at = Some(NOW.plus_secs(60));
    store.commit_login(app).await.expect("committed");
    let mut next = login(session(2));
    next.replaces = Some(end(id(1), "replaced"));
    next.good_until = Some(NOW.plus_secs(1));
    store.commit_login(next).await.expect("committed");
    start(store, session(3)).await;
    store.end(vec![end(id(2), "signed_out")]).await.expect("ended");
    let ended_at = NOW.plus_secs(1);

    assert_eq!(store.delete_ended(ended_at, 100).await.expect("swept"), 0, "their provider waits to be told");
    for n in [1, 2] {
        store.told(told(n)).await.expect("kept");
    }
    assert_eq!(store.delete_ended(UnixMs(ended_at.0 - 1), 100).await.expect("swept"), 0, "their time has not come");
    assert!(store.succession(id(1)).await.expect("read").is_some());
    assert_eq!(store.delete_ended(ended_at, 100).await.expect("swept"), 2);
    for n in [1, 2] {
        assert!(store.session(id(n)).await.expect("read").is_none(), "{n}");
        assert!(!store.events_of_session(id(n)).await.expect("read").is_empty(), "the audit log stays");
    }
    assert_eq!(store.mobile_grant(id(1)).await.expect("read"), None);
    assert_eq!(store.succession(id(1)).await.expect("read"), None);
    assert_eq!(store.session(id(3)).await.expect("read").expect("kept").summary.ended, None);
}

pub(crate) async fn u18_a_batch_is_no_larger_than_asked(store: &dyn Store) {
    for n in 1..=25 {
        start(store, session_at(n, NOW.plus_secs(-9 * DAY))).await;
    }
    let now = NOW.plus_secs(-DAY);
    for found in [10, 10, 5, 0] {
        assert_eq!(store.end_expired(now, 10).await.expect("swept"), found);
    }
    for found in [10, 10, 5, 0] {
        assert_eq!(store.delete_ended(now, 10).await.expect("swept"), found);
    }
}

pub(crate) async fn u18_reports_of_revocations_go_when_they_are_old_and_done(store: &dyn Store) {
    for n in [1, 2] {
        start(store, session(n)).await;
        let n_job = u8::try_from(n).expect("small");
        decide(store, n_job, person(n)).await;
        store.end_for(job(n_job), vec![end(id(n), "revoked")]).await.expect("ended");
    }
    store.finish_revocation(job(1), NOW.plus_secs(2), event("revocation.finished", None)).await.expect("kept");
    let before = NOW.plus_secs(2);
    assert_eq!(store.delete_revocations(before, 100).await.expect("swept"), 0, "its provider waits to be told");
    let failed = Told { outcome: ToldOutcome::Failed("refused".into()), ..told(1) };
    store.told(failed).await.expect("kept");
    assert_eq!(store.delete_revocations(NOW.plus_secs(1), 100).await.expect("swept"), 0, "it is not old");
    assert_eq!(store.delete_revocations(before, 100).await.expect("swept"), 1);
    assert_eq!(store.revocation(job(1)).await.expect("read"), None);
    assert_eq!(store.revocation_failures(job(1), 10).await.expect("read"), []);
    assert!(store.revocation(job(2)).await.expect("read").is_some(), "it is not finished");
}

pub(crate) async fn u18_what_is_remembered_goes_by_hundreds(store: &dyn Store) {
    for n in 0..150_u8 {
        assert!(store.use_once([n; 32], NOW.plus_secs(1), NOW).await.expect("answered"));
    }
    assert!(store.use_once([200; 32], NOW.plus_secs(9), NOW).await.expect("answered"));
    let now = NOW.plus_secs(2);
    for found in [100, 50, 0] {
        assert_eq!(store.forget_remembered(now).await.expect("swept"), found);
    }
    assert!(!store.use_once([200; 32], NOW.plus_secs(9), now).await.expect("answered"), "S8");
}
