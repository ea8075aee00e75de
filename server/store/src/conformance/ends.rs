//! Ends, forgetting, last use.

use futures_util::future::join;

use cloakroom_core::store::{Doubt, EndOutcome, ListQuery, SessionState, Store};

use super::make::{ABSOLUTE_SECS, IDLE_SECS, NOW, answer, end, ended, everything, grant, id, session, start, told};

pub(crate) async fn an_end_is_kept_once_with_its_event(store: &dyn Store) {
    start(store, session(1)).await;
    let mut first = end(id(1), "revoked");
    first.ended.text = Some("lost laptop".into());
    first.ended.by = Some("Olga".into());
    let how = first.ended.clone();
    assert_eq!(store.end(vec![first]).await.expect("ended"), [EndOutcome::Ended]);
    let again = store.end(vec![end(id(1), "signed_out")]).await.expect("answered");
    assert_eq!(again, [EndOutcome::AlreadyEnded(how.clone())]);

    let kept = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!(kept.summary.ended, Some(how));
    assert!(kept.version > 1);
    let events = store.events_of_session(id(1)).await.expect("read");
    assert_eq!(events.iter().map(|event| &*event.row.kind).collect::<Vec<_>>(), ["session.started", "session.ended"]);
    // Its tokens stay until the provider was told.
    assert!(store.tokens(id(1)).await.expect("read").is_some());
}

pub(crate) async fn ends_are_answered_in_order(store: &dyn Store) {
    start(store, session(1)).await;
    start(store, session(2)).await;
    let asked = [2, 9, 1, 2].map(|n| end(id(n), "revoked")).to_vec();
    let outcomes = store.end(asked).await.expect("answered");
    let again = EndOutcome::AlreadyEnded(ended("revoked"));
    assert_eq!(outcomes, [EndOutcome::Ended, EndOutcome::NotFound, EndOutcome::Ended, again]);
    assert_eq!(store.events_of_session(id(9)).await.expect("read"), []);
    assert_eq!(store.end(Vec::new()).await.expect("answered"), []);
}

pub(crate) async fn t05_an_end_wins_against_a_racing_refresh(store: &dyn Store) {
    for n in 1..=20 {
        start(store, session(n)).await;
        let lease = grant(store, id(n), NOW, Doubt::Tell).await;
        let end = store.end(vec![end(id(n), "revoked")]);
        let commit = store.commit_refresh(answer(&lease, NOW.plus_secs(1)));
        let (outcomes, adopted) = if n % 2 == 0 {
            join(end, commit).await
        } else {
            let (adopted, outcomes) = join(commit, end).await;
            (outcomes, adopted)
        };
        assert_eq!(outcomes.expect("ended"), [EndOutcome::Ended]);
        let kept = store.session(id(n)).await.expect("read").expect("kept");
        assert_eq!(kept.summary.ended, Some(ended("revoked")));
        let tokens = store.tokens(id(n)).await.expect("read").expect("kept");
        assert_eq!(tokens.generation, if adopted.expect("answered") { 2 } else { 1 });
    }
}

pub(crate) async fn tokens_are_forgotten_after_the_end_only(store: &dyn Store) {
    start(store, session(1)).await;
    grant(store, id(1), NOW, Doubt::Tell).await;
    store.told(told(1)).await.expect("answered");
    assert!(store.tokens(id(1)).await.expect("read").is_some());
    store.end(vec![end(id(1), "signed_out")]).await.expect("ended");
    for _ in 0..2 {
        store.told(told(1)).await.expect("answered");
        assert_eq!(store.tokens(id(1)).await.expect("read"), None);
    }
    assert!(store.session(id(1)).await.expect("read").is_some());
    store.told(told(9)).await.expect("answered");
    let kinds = store.events_of_session(id(1)).await.expect("read").into_iter().map(|event| event.row.kind);
    assert_eq!(kinds.collect::<Vec<_>>(), ["session.started", "session.ended", "provider.revoked"]);
}

pub(crate) async fn last_seen_moves_forward_only(store: &dyn Store) {
    start(store, session(1)).await;
    start(store, session(2)).await;
    let seen = |n, secs| (id(n), NOW.plus_secs(secs));
    store.touch(vec![seen(1, 100), seen(9, 100), seen(1, 50)]).await.expect("answered");
    store.touch(vec![seen(1, 70)]).await.expect("answered");
    let kept = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!(kept.summary.last_seen_at, NOW.plus_secs(100));
    assert_eq!(kept.summary.idle_expires_at, NOW.plus_secs(100 + IDLE_SECS));
    assert_eq!(kept.version, 1);
    assert!(store.session(id(9)).await.expect("read").is_none());

    store.end(vec![end(id(2), "revoked")]).await.expect("ended");
    store.touch(vec![seen(2, 100)]).await.expect("answered");
    assert_eq!(store.session(id(2)).await.expect("read").expect("kept").summary.last_seen_at, NOW);
}

pub(crate) async fn last_seen_never_outlives_the_session(store: &dyn Store) {
    start(store, session(1)).await;
    let live_at = |secs| ListQuery { state: SessionState::Live, now: NOW.plus_secs(secs), ..everything() };
    store.touch(vec![(id(1), NOW.plus_secs(600))]).await.expect("answered");
    for (secs, live) in [(IDLE_SECS, 1), (IDLE_SECS + 599, 1), (IDLE_SECS + 600, 0)] {
        assert_eq!(store.list(live_at(secs)).await.expect("listed").rows.len(), live, "{secs} s");
    }
    store.touch(vec![(id(1), NOW.plus_secs(ABSOLUTE_SECS - 1))]).await.expect("answered");
    for (secs, live) in [(ABSOLUTE_SECS - 1, 1), (ABSOLUTE_SECS, 0), (ABSOLUTE_SECS + 1, 0)] {
        assert_eq!(store.list(live_at(secs)).await.expect("listed").rows.len(), live, "{secs} s");
    }
}
