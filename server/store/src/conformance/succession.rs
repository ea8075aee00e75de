//! Sessions whose place another took by a step-up.

use futures_util::future::join_all;

use cloakroom_core::store::{NoteReuse, Store, Succession};

use super::make::{NOW, end, event, id, login, session, start};

pub(crate) async fn c14_a_stepped_up_session_is_kept_in_mind_with_its_successor(store: &dyn Store) {
    start(store, session(1)).await;
    let until = NOW.plus_secs(30);
    // Session 9 does not exist, 3 is replaced without a step-up.
    for (n, replaced, good_until) in [(2, 1, Some(until)), (3, 9, Some(until)), (4, 3, None)] {
        let mut next = login(session(n));
        next.replaces = Some(end(id(replaced), "replaced"));
        next.good_until = good_until;
        store.commit_login(next).await.expect("committed");
    }
    let expected = Succession { successor: id(2), good_until: until, reused_at: None };
    assert_eq!(store.succession(id(1)).await.expect("read"), Some(expected));
    for none in [2, 3, 4, 9] {
        assert_eq!(store.succession(id(none)).await.expect("read"), None, "{none}");
    }
    // One that had ended before keeps its end: nothing takes its place.
    store.end(vec![end(id(2), "signed_out")]).await.expect("ended");
    let mut late = login(session(5));
    late.replaces = Some(end(id(2), "replaced"));
    late.good_until = Some(until);
    store.commit_login(late).await.expect("committed");
    assert_eq!(store.succession(id(2)).await.expect("read"), None);
}

pub(crate) async fn c14_the_first_late_use_is_noted_once_in_a_race(store: &dyn Store) {
    start(store, session(1)).await;
    let mut next = login(session(2));
    next.replaces = Some(end(id(1), "replaced"));
    next.good_until = Some(NOW.plus_secs(30));
    store.commit_login(next).await.expect("committed");
    let uses = join_all((0..20).map(|n| {
        let event = event("session.old_cookie_used", Some(id(1)));
        store.note_reuse(NoteReuse { id: id(1), at: NOW.plus_secs(31 + n), event })
    }))
    .await;
    assert_eq!(uses.into_iter().filter(|first| *first.as_ref().expect("answered")).count(), 1);
    let kinds: Vec<_> = store.events_of_session(id(1)).await.expect("read").into_iter().map(|e| e.row.kind).collect();
    assert_eq!(kinds, ["session.started", "session.ended", "session.old_cookie_used"]);
    assert!(store.succession(id(1)).await.expect("read").expect("kept").reused_at.is_some());
    let nobodys = NoteReuse { id: id(2), at: NOW, event: event("session.old_cookie_used", Some(id(2))) };
    assert!(!store.note_reuse(nobodys).await.expect("answered"), "nothing took its place");
}
