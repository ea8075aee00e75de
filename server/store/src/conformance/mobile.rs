//! Mobile apps' sessions: codes are redeemed once, refresh tokens rotate once, and what is used once stays used.

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{RedeemCode, RotateRefresh, SessionRow, Store};

use super::make::{IDLE_SECS, NOW, end, id, login, session};

async fn start(store: &dyn Store, row: SessionRow) {
    let mut login = login(row);
    login.code_expires_at = Some(NOW.plus_secs(60));
    store.commit_login(login).await.expect("committed");
}

fn redeem(id: SessionId, now: UnixMs, refresh: u8) -> RedeemCode {
    let sealed = b"sealed for life".to_vec();
    RedeemCode { id, now, sealed, idle_ms: IDLE_SECS * 2_000, refresh: [refresh; 32] }
}

fn rotate(id: SessionId, from: u8, to: u8) -> RotateRefresh {
    let now = NOW.plus_secs(9);
    RotateRefresh { id, now, from: [from; 32], to: [to; 32], answer: vec![to], answer_until: now.plus_secs(60) }
}

pub(crate) async fn m03_a_code_is_redeemed_once_in_a_race(store: &dyn Store) {
    start(store, session(1)).await;
    let tries = (1..=8).map(|n| store.redeem_code(redeem(id(1), NOW.plus_secs(5), n)));
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|done| *done.as_ref().expect("answered")).count(), 1);
    let grant = store.mobile_grant(id(1)).await.expect("read").expect("kept");
    assert_eq!(grant.redeemed_at, Some(NOW.plus_secs(5)));
    assert!(grant.refresh.is_some() && grant.previous.is_none() && grant.answer.is_none());
    let kept = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!(kept.sealed, b"sealed for life");
    assert_eq!(kept.summary.idle_expires_at, NOW.plus_secs(5 + 2 * IDLE_SECS));
}

pub(crate) async fn an_old_code_or_an_ended_sessions_is_not_redeemed(store: &dyn Store) {
    start(store, session(1)).await;
    start(store, session(2)).await;
    assert!(!store.redeem_code(redeem(id(1), NOW.plus_secs(60), 1)).await.expect("answered"));
    store.end(vec![end(id(2), "revoked")]).await.expect("ended");
    assert!(!store.redeem_code(redeem(id(2), NOW.plus_secs(5), 1)).await.expect("answered"));
    assert!(!store.redeem_code(redeem(id(9), NOW, 1)).await.expect("answered"));
    assert_eq!(store.mobile_grant(id(9)).await.expect("read"), None);
}

pub(crate) async fn m05_a_refresh_token_rotates_once_in_a_race(store: &dyn Store) {
    start(store, session(1)).await;
    assert!(store.redeem_code(redeem(id(1), NOW, 1)).await.expect("answered"));
    let tries = (2..=9).map(|to| store.rotate_refresh(rotate(id(1), 1, to)));
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|done| *done.as_ref().expect("answered")).count(), 1);
    let grant = store.mobile_grant(id(1)).await.expect("read").expect("kept");
    assert_eq!((grant.previous, grant.answer_until), (Some([1; 32]), Some(NOW.plus_secs(69))));
    let present = grant.refresh.expect("a successor")[0];
    assert_eq!(grant.answer, Some(vec![present]));
    store.end(vec![end(id(1), "revoked")]).await.expect("ended");
    assert!(!store.rotate_refresh(rotate(id(1), present, 10)).await.expect("answered"));
}

pub(crate) async fn m13_a_kept_answer_goes_when_its_time_is_over(store: &dyn Store) {
    for (n, refresh) in [(1, 1), (2, 2)] {
        start(store, session(n)).await;
        assert!(store.redeem_code(redeem(id(n), NOW, refresh)).await.expect("answered"));
    }
    assert!(store.rotate_refresh(rotate(id(1), 1, 11)).await.expect("answered"));
    for (after_secs, kept) in [(59, true), (60, false)] {
        let other = RotateRefresh { now: NOW.plus_secs(9 + after_secs), ..rotate(id(2), 9, 10) };
        assert!(!store.rotate_refresh(other).await.expect("answered"));
        let grant = store.mobile_grant(id(1)).await.expect("read").expect("kept");
        assert_eq!((grant.answer.is_some(), grant.answer_until.is_some()), (kept, kept), "{after_secs} s");
        assert_eq!((grant.refresh, grant.previous), (Some([11; 32]), Some([1; 32])));
    }
}

pub(crate) async fn s08_what_is_used_once_stays_used_until_it_expires(store: &dyn Store) {
    let until = NOW.plus_secs(60);
    assert!(store.use_once([1; 32], until, NOW).await.expect("answered"));
    assert!(!store.use_once([1; 32], until, NOW.plus_secs(60)).await.expect("answered"));
    assert!(store.use_once([2; 32], until, NOW).await.expect("answered"));
    assert!(store.use_once([1; 32], NOW.plus_secs(200), NOW.plus_secs(61)).await.expect("answered"));
}

pub(crate) async fn a_device_has_the_name_that_it_was_given(store: &dyn Store) {
    start(store, session(1)).await;
    let named = async || store.session(id(1)).await.expect("read").expect("kept").summary.device_name;
    assert_eq!(named().await, None);
    for name in [Some("Ann's <phone>".to_owned()), None] {
        assert!(store.name_device(id(1), name.clone()).await.expect("answered"));
        assert_eq!(named().await, name);
    }
    assert!(!store.name_device(id(9), None).await.expect("answered"));
}
