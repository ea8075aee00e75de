//! Locks keep out whom they name, as long as they hold; the host's owners.

use cloakroom_core::store::{Lock, LockId, Locked, LoginOutcome, Store, User};

use super::make::{NOW, event, login, session, start, subject};

fn id(n: u8) -> LockId {
    LockId::from_bytes([n; 16])
}

/// A lock since [`NOW`], for good.
fn lock(n: u8, whom: Locked) -> Lock {
    let (reason, by) = ("incident".into(), "Olga".into());
    Lock { id: id(n), tenant: None, whom, reason, by, since: NOW, until: None, lifted: None }
}

fn user(n: u64) -> Locked {
    Locked::User(User { issuer: "https://id.example.com".into(), sub: format!("sub-{n}"), subject: subject(n) })
}

async fn add(store: &dyn Store, lock: Lock) {
    store.add_lock(lock, event("lock.set", None)).await.expect("kept");
}

pub(crate) async fn s14_a_lock_keeps_out_whom_it_names_as_long_as_it_holds(store: &dyn Store) {
    let of = |n| session(n);
    let on =
        async |n: u64, secs: i64| store.lock_on(&of(n), NOW.plus_secs(secs)).await.expect("read").map(|lock| lock.id);
    assert_eq!(on(1, 0).await, None);
    add(store, Lock { until: Some(NOW.plus_secs(60)), ..lock(1, user(1)) }).await;
    add(store, Lock { tenant: Some("other".into()), ..lock(2, user(2)) }).await;
    assert_eq!((on(1, 59).await, on(1, 60).await, on(2, 0).await, on(3, 0).await), (Some(id(1)), None, None, None));
    add(store, Lock { since: NOW.plus_secs(1), ..lock(3, Locked::Client("app".into())) }).await;
    assert_eq!((on(1, 2).await, on(3, 2).await), (Some(id(3)), Some(id(3))), "the newest of several is told");
    assert!(store.lift_lock(id(3), NOW.plus_secs(3), "Otto".into(), event("lock.lifted", None)).await.expect("kept"));
    assert!(!store.lift_lock(id(3), NOW.plus_secs(4), "Eve".into(), event("lock.lifted", None)).await.expect("kept"));
    assert_eq!((on(1, 4).await, on(3, 4).await), (Some(id(1)), None));
    add(store, lock(4, Locked::Provider("main".into()))).await;
    assert_eq!(on(3, 4).await, Some(id(4)));
    let lifted = store.lock(id(3)).await.expect("read").expect("kept");
    assert_eq!(lifted.lifted, Some((NOW.plus_secs(3), "Otto".into())));
    let ids = async |tenant: Option<&str>, held: Option<_>| {
        let found = store.locks(tenant, held, None, 10).await.expect("listed");
        found.iter().map(|lock| lock.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None).await, [id(3), id(4), id(2), id(1)]);
    assert_eq!(ids(None, Some(NOW.plus_secs(70))).await, [id(4), id(2)]);
    assert_eq!(ids(Some("other"), None).await, [id(2)]);
    let (_, events) = store.unchained(100).await.expect("read");
    assert_eq!(events.iter().filter(|event| event.row.kind == "lock.lifted").count(), 1);
}

pub(crate) async fn s14_no_login_of_a_locked_person_is_kept(store: &dyn Store) {
    let held = lock(1, user(1));
    add(store, held.clone()).await;
    let outcome = store.commit_login(login(session(1))).await.expect("answered");
    assert_eq!(outcome, LoginOutcome::Locked(Box::new(held)));
    assert!(store.session(session(1).summary.id).await.expect("read").is_none());
    start(store, session(2)).await;
}

pub(crate) async fn owners_of_the_host_are_known(store: &dyn Store) {
    assert!(!store.is_granted_owner(subject(1)).await.expect("read"));
    for _ in 0..2 {
        store.grant_owner(subject(1), NOW, event("owner.granted", None)).await.expect("kept");
    }
    assert!(store.is_granted_owner(subject(1)).await.expect("read"));
    assert!(!store.is_granted_owner(subject(2)).await.expect("read"));
}
