//! Devices' sign-ins: bounded in number, decided once, asked about no faster than said.

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{DeviceGrant, Store};

use super::make::NOW;

fn grant(n: u8) -> DeviceGrant {
    DeviceGrant {
        device: [n; 32],
        user_code: [n + 100; 32],
        client_id: "tv".into(),
        scopes: "openid".into(),
        address: "192.0.2.7".into(),
        user_agent: Some("a television".into()),
        created_at: NOW,
        expires_at: NOW.plus_secs(600),
        interval_ms: 5_000,
    }
}

async fn begin(store: &dyn Store, grant: DeviceGrant, most: i64) -> bool {
    store.begin_device(grant, most).await.expect("answered")
}

pub(crate) async fn devices_wait_in_bounded_number_and_for_a_while(store: &dyn Store) {
    assert!(begin(store, grant(1), 2).await);
    let same_code = DeviceGrant { user_code: grant(1).user_code, ..grant(2) };
    assert!(!begin(store, same_code, 2).await, "two devices with one user code");
    assert!(begin(store, grant(2), 2).await);
    assert!(!begin(store, grant(3), 2).await, "more than may wait");
    let found = async |at: UnixMs| store.waiting_device(grant(1).user_code, at).await.expect("read");
    assert_eq!(found(NOW.plus_secs(599)).await, Some(grant(1)));
    assert_eq!(found(NOW.plus_secs(600)).await, None);
    let later = DeviceGrant { created_at: NOW.plus_secs(600), expires_at: NOW.plus_secs(1200), ..grant(3) };
    assert!(begin(store, later, 2).await, "those that are over make room");
    assert_eq!(store.poll_device([1; 32], NOW).await.expect("answered"), None);
}

pub(crate) async fn m03_a_device_is_decided_once_in_a_race(store: &dyn Store) {
    assert!(begin(store, grant(1), 9).await);
    let tries = (0..8).map(|n: u8| store.decide_device([1; 32], (n > 0).then(|| vec![n]), NOW.plus_secs(9)));
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|done| *done.as_ref().expect("answered")).count(), 1);
    let poll = store.poll_device([1; 32], NOW.plus_secs(9)).await.expect("answered").expect("kept");
    assert_ne!(poll.denied, poll.code.is_some());
    assert_eq!(store.waiting_device(grant(1).user_code, NOW.plus_secs(9)).await.expect("read"), None);
    assert!(begin(store, grant(2), 9).await);
    assert!(!store.decide_device([2; 32], None, NOW.plus_secs(600)).await.expect("answered"), "too late");
    assert!(!store.decide_device([9; 32], None, NOW).await.expect("answered"));
}

pub(crate) async fn a_device_that_asks_too_often_must_wait_longer(store: &dyn Store) {
    assert!(begin(store, grant(1), 9).await);
    for (secs, too_soon) in [(0, false), (4, true), (13, true), (28, false), (43, false)] {
        let poll = store.poll_device([1; 32], NOW.plus_secs(secs)).await.expect("answered").expect("kept");
        assert_eq!((poll.too_soon, &*poll.client_id), (too_soon, "tv"), "after {secs} s");
        assert_eq!((poll.denied, poll.code), (false, None));
    }
}
