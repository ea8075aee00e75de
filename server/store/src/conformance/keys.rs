//! The ring's first key, and persons' keys.

use futures_util::future::join_all;

use cloakroom_core::store::{Store, SubjectKeyRow, WrappedKeyRow};

use super::make::{NOW, subject};

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
