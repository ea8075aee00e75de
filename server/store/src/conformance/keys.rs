//! The ring's first key, and persons' keys.

use futures_util::future::join_all;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{
    AddKey, Begun, KeyUse, RetireKey, RetireOutcome, Rewrap, Store, SubjectKeyRow, Wrapped, WrappedKeyRow, WrappedOwner,
};

use super::make::{NOW, ended, event, id, session, session_at, start, subject};

pub(crate) async fn the_first_key_wins_and_all_agree(store: &dyn Store) {
    assert_eq!(store.keys().await.expect("read"), []);
    let key = |n: u8| WrappedKeyRow { id: format!("0000000{n}"), wrapped: vec![n; 60], created_at: NOW };
    let rings = join_all((0..8).map(|n| store.add_first_key(key(n)))).await;
    let kept = store.keys().await.expect("read");
    assert_eq!(kept.len(), 1);
    for ring in rings {
        assert_eq!(ring.expect("answered"), kept);
    }
}

pub(crate) async fn a_persons_key_is_made_once(store: &dyn Store) {
    assert_eq!(store.find_subject_key(subject(1)).await.expect("read"), None);
    let key = |n: u8| SubjectKeyRow { subject: subject(1), key_id: "0a1b2c3d".into(), wrapped: vec![n; 60] };
    let keys = join_all((0..8).map(|n| store.subject_key(key(n)))).await;
    let kept = store.find_subject_key(subject(1)).await.expect("read").expect("kept");
    for key in keys {
        assert_eq!(key.expect("answered"), kept);
    }
    assert_eq!(store.find_subject_key(subject(2)).await.expect("read"), None);
}

/// What [`super::make::session`]s are wrapped by.
const OLD: &str = "0a1b2c3d";
const NEW: &str = "11111111";

fn key(id: &str, created_at: UnixMs) -> WrappedKeyRow {
    WrappedKeyRow { id: id.into(), wrapped: vec![1; 60], created_at }
}

/// A ring of two keys, the second made at `at`.
async fn rotated(store: &dyn Store, at: UnixMs) {
    store.add_first_key(key(OLD, NOW.plus_secs(-1000))).await.expect("added");
    store.keep_index_key(key("index", UnixMs(0))).await.expect("kept");
    let add = AddKey { key: key(NEW, at), after: OLD.into(), event: event("key.rotated", None) };
    assert!(store.add_key(add).await.expect("answered"));
}

fn retire(id: &str) -> RetireKey {
    RetireKey { id: id.into(), end_begun_before: None, event: event("key.retired", None) }
}

pub(crate) async fn c06_of_many_rotations_at_once_one_counts(store: &dyn Store) {
    store.add_first_key(key(OLD, NOW)).await.expect("added");
    let index = key("index", UnixMs(0));
    store.keep_index_key(index.clone()).await.expect("kept");
    store.keep_index_key(WrappedKeyRow { wrapped: vec![2; 60], ..index.clone() }).await.expect("the first stays");
    let adds = join_all((0..8).map(|n| {
        let key = key(&format!("2000000{n}"), NOW.plus_secs(n + 1));
        store.add_key(AddKey { key, after: OLD.into(), event: event("key.rotated", None) })
    }))
    .await;
    assert_eq!(adds.into_iter().filter(|added| *added.as_ref().expect("answered")).count(), 1);
    let kept = store.keys().await.expect("read");
    assert_eq!((kept.len(), &kept[0]), (3, &index));
    assert_eq!(store.latest_events(None, 10).await.expect("read").len(), 1);
}

pub(crate) async fn c06_wrapped_keys_are_found_and_replaced_as_they_were_read(store: &dyn Store) {
    for n in 1..=5 {
        start(store, session(n)).await;
    }
    let person = SubjectKeyRow { subject: subject(1), key_id: OLD.into(), wrapped: vec![3; 60] };
    store.subject_key(person).await.expect("kept");
    let uses = |key_id: &str, sessions, subjects| KeyUse { key_id: key_id.into(), sessions, subjects };
    assert_eq!(store.key_uses().await.expect("read"), [uses(OLD, 5, 1)]);
    assert_eq!(store.wrapped_by(OLD, 3).await.expect("read").len(), 3);
    let found = store.wrapped_by(OLD, 100).await.expect("read");
    assert_eq!(found.len(), 6);
    assert_eq!(store.wrapped_by(NEW, 100).await.expect("read"), []);
    let anew = |from: &Wrapped| Rewrap { from: from.clone(), key_id: NEW.into(), wrapped: vec![9; 60] };
    let altered = Wrapped { owner: WrappedOwner::Session(id(1)), wrapped: vec![0; 60] };
    assert_eq!(store.rewrap(vec![anew(&altered)]).await.expect("answered"), 0, "it changed since it was read");
    assert_eq!(store.rewrap(found.iter().map(anew).collect()).await.expect("answered"), 6);
    assert_eq!(store.key_uses().await.expect("read"), [uses(NEW, 5, 1)]);
    let row = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!((row.key_id.as_str(), row.wrapped_key), (NEW, vec![9; 60]));
}

pub(crate) async fn u13_a_key_in_use_is_not_retired(store: &dyn Store) {
    rotated(store, NOW).await;
    start(store, session(1)).await;
    let in_use = RetireOutcome::InUse { sessions: 1, subjects: 0 };
    assert_eq!(store.retire_key(retire(OLD)).await.expect("answered"), in_use);
    for other in [NEW, "99999999"] {
        assert_eq!(store.retire_key(retire(other)).await.expect("answered"), RetireOutcome::NotOld, "{other}");
    }
    assert_eq!(store.keys().await.expect("read").len(), 3);
    let from = store.wrapped_by(OLD, 1).await.expect("read").remove(0);
    store.rewrap(vec![Rewrap { from, key_id: NEW.into(), wrapped: vec![9; 60] }]).await.expect("answered");
    assert_eq!(store.retire_key(retire(OLD)).await.expect("answered"), RetireOutcome::Retired { ended: 0 });
    assert_eq!(store.keys().await.expect("read").len(), 2);
}

pub(crate) async fn u13_burning_ends_the_sessions_of_its_time(store: &dyn Store) {
    rotated(store, NOW.plus_secs(10)).await;
    start(store, session(1)).await;
    start(store, session(2)).await;
    store.touch(vec![(id(2), NOW.plus_secs(11))]).await.expect("touched");
    let mut young = session_at(3, NOW.plus_secs(10));
    young.key_id = NEW.into();
    start(store, young).await;
    let begun = store.begun_before(NOW.plus_secs(10), NOW.plus_secs(12)).await.expect("read");
    assert_eq!(begun, Begun { live: 2, unseen: 1 });
    let burn = RetireKey { end_begun_before: Some((NOW.plus_secs(10), ended("key_burned"))), ..retire(OLD) };
    assert_eq!(store.retire_key(burn).await.expect("answered"), RetireOutcome::Retired { ended: 2 });
    for (n, over) in [(1, true), (2, true), (3, false)] {
        let row = store.session(id(n)).await.expect("read").expect("kept");
        assert_eq!(row.summary.ended.is_some(), over, "{n}");
    }
}
