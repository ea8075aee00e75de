//! People are found by their newest sessions, and forgotten whole.

use cloakroom_core::audit::AuditRow;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{
    Erase, EraseOutcome, Lock, LockId, Locked, Place, SessionRow, Store, SubjectKeyRow, User, UserQuery, UserRow,
};

use super::make::{NOW, end, event, id, session_at, start, subject, told};

/// Session `n` of person `who`, begun `secs` after [`NOW`].
fn of(n: u64, who: u64, secs: i64, tenant: &str) -> SessionRow {
    let mut row = session_at(n, NOW.plus_secs(secs));
    row.subject = subject(who);
    row.summary.sub = format!("sub-{who}");
    row.summary.name = Some(format!("Person {who}"));
    row.summary.tenant = tenant.into();
    row
}

fn everybody() -> UserQuery {
    UserQuery { tenant: None, live: false, sub: None, text: None, place: None, limit: 100, now: NOW.plus_secs(60) }
}

async fn found(store: &dyn Store, query: UserQuery) -> Vec<UserRow> {
    store.users(query).await.expect("listed")
}

async fn names(store: &dyn Store, query: UserQuery) -> Vec<(String, u64)> {
    found(store, query).await.into_iter().map(|row| (row.newest.sub, row.live)).collect()
}

fn names_are(wanted: &[(&str, u64)]) -> Vec<(String, u64)> {
    wanted.iter().map(|(sub, live)| ((*sub).to_owned(), *live)).collect()
}

pub(crate) async fn people_stand_by_their_newest_session(store: &dyn Store) {
    for (n, who, secs) in [(1, 1, 0), (2, 2, 1), (3, 1, 2), (4, 3, 3), (5, 3, 4)] {
        start(store, of(n, who, secs, "default")).await;
    }
    store.end(vec![end(id(3), "signed_out"), end(id(5), "signed_out")]).await.expect("ended");
    assert_eq!(names(store, everybody()).await, names_are(&[("sub-3", 1), ("sub-1", 1), ("sub-2", 1)]));
    let live = UserQuery { live: true, ..everybody() };
    assert_eq!(names(store, live.clone()).await, names_are(&[("sub-3", 1), ("sub-2", 1), ("sub-1", 1)]));
    store.end(vec![end(id(2), "signed_out")]).await.expect("ended");
    assert_eq!(names(store, live).await, names_are(&[("sub-3", 1), ("sub-1", 1)]));
    for (text, wanted) in [("SON 2", vec![("sub-2", 0)]), ("%", vec![]), ("\0", vec![]), ("Browser", vec![])] {
        let asked = UserQuery { text: Some(text.into()), ..everybody() };
        assert_eq!(names(store, asked).await, names_are(&wanted), "{text:?}");
    }
    let by_sub = UserQuery { sub: Some("sub-1".into()), ..everybody() };
    assert_eq!(names(store, by_sub).await, names_are(&[("sub-1", 1)]));
    add_lock(store, 1, None, Some(NOW)).await;
    assert!(!found(store, everybody()).await[1].locked, "a lock that is over");
    add_lock(store, 2, None, None).await;
    let locked: Vec<_> = found(store, everybody()).await.iter().map(|row| row.locked).collect();
    assert_eq!(locked, [false, true, false]);
    // Page by page, there and back.
    let at = |row: &UserRow, backwards| Place { at: row.newest.created_at, id: row.newest.id, backwards };
    let first = found(store, UserQuery { limit: 2, ..everybody() }).await;
    let second = UserQuery { place: Some(at(&first[1], false)), ..everybody() };
    assert_eq!(names(store, second).await, names_are(&[("sub-2", 0)]));
    let back = UserQuery { place: Some(at(&first[1], true)), ..everybody() };
    assert_eq!(names(store, back).await, names_are(&[("sub-3", 1)]));
    let sessions = store.sessions_of_user(subject(1), None, None, 10).await.expect("read");
    let ids: Vec<_> = sessions.iter().map(|row| row.id).collect();
    assert_eq!(ids, [id(3), id(1)]);
    let rest = Place { at: sessions[0].created_at, id: sessions[0].id, backwards: false };
    let rest = store.sessions_of_user(subject(1), None, Some(rest), 10).await.expect("read");
    assert_eq!(rest.iter().map(|row| row.id).collect::<Vec<_>>(), [id(1)]);
}

pub(crate) async fn a01_people_of_one_tenant_tell_nothing_of_another(store: &dyn Store) {
    start(store, of(1, 1, 0, "acme")).await;
    start(store, of(2, 1, 1, "globex")).await;
    start(store, of(3, 2, 2, "globex")).await;
    let fenced = |tenant: &str| UserQuery { tenant: Some(tenant.into()), ..everybody() };
    let acme = found(store, fenced("acme")).await;
    assert_eq!(acme.iter().map(|row| (row.newest.id, row.live)).collect::<Vec<_>>(), [(id(1), 1)]);
    assert_eq!(names(store, fenced("globex")).await, names_are(&[("sub-2", 1), ("sub-1", 1)]));
    assert_eq!(names(store, everybody()).await, names_are(&[("sub-2", 1), ("sub-1", 2)]));
    let own = store.sessions_of_user(subject(1), Some("acme"), None, 10).await.expect("read");
    assert_eq!(own.iter().map(|row| row.id).collect::<Vec<_>>(), [id(1)]);
    for (n, tenant) in [(1, None), (2, Some("acme")), (3, Some("globex"))] {
        add_lock(store, n, tenant, None).await;
    }
    let ids = async |tenant| store.locks_of_user(subject(1), tenant).await.expect("read").len();
    assert_eq!((ids(None).await, ids(Some("acme")).await, ids(Some("initech")).await), (3, 1, 0));
}

fn user(n: u64) -> User {
    User { issuer: "https://id.example.com".into(), sub: format!("sub-{n}"), subject: subject(n) }
}

async fn add_lock(store: &dyn Store, n: u8, tenant: Option<&str>, until: Option<UnixMs>) {
    let (reason, by) = ("incident".into(), "Olga".into());
    let (id, tenant) = (LockId::from_bytes([n; 16]), tenant.map(str::to_owned));
    let lock = Lock { id, tenant, whom: Locked::User(user(1)), reason, by, since: NOW, until, lifted: None };
    store.add_lock(lock, event("lock.set", None)).await.expect("kept");
}

fn erase(n: u64) -> Erase {
    let event = AuditRow { at: NOW.plus_secs(10), subject: Some(subject(n)), ..event("user.erased", None) };
    Erase { user: user(n), event }
}

pub(crate) async fn a10_an_erased_person_is_nowhere(store: &dyn Store) {
    for (n, who) in [(1, 1), (2, 1), (3, 2)] {
        start(store, of(n, who, 0, "default")).await;
    }
    for n in [1, 2] {
        let key = SubjectKeyRow { subject: subject(n), key_id: "0a1b2c3d".into(), wrapped: vec![1; 60] };
        store.subject_key(key).await.expect("kept");
    }
    store.grant_owner(subject(1), NOW, event("owner.granted", None)).await.expect("kept");
    add_lock(store, 1, None, Some(NOW.plus_secs(1))).await;
    add_lock(store, 2, None, None).await;
    assert_eq!(store.erase(erase(1)).await.expect("answered"), EraseOutcome::Runs);
    assert!(store.find_subject_key(subject(1)).await.expect("read").is_some(), "nothing was done");
    store.end(vec![end(id(1), "signed_out"), end(id(2), "erased")]).await.expect("ended");
    store.forget_tokens(id(1)).await.expect("forgotten");
    store.forget_tokens(id(2)).await.expect("forgotten");
    let before = store.unchained(100).await.expect("read").1.len();
    assert!(matches!(store.erase(erase(1)).await.expect("answered"), EraseOutcome::Done { waiting: 0, .. }));
    assert!(store.find_subject_key(subject(1)).await.expect("read").is_none());
    let erased = async |n| store.erased_at(subject(n)).await.expect("read");
    assert_eq!((erased(1).await, erased(2).await), (Some(NOW.plus_secs(10)), None));
    assert!(store.find_subject_key(subject(2)).await.expect("read").is_some());
    assert!(!store.is_granted_owner(subject(1)).await.expect("read"));
    for n in [1, 2] {
        assert!(store.session(id(n)).await.expect("read").is_none(), "session {n}");
    }
    assert_eq!(names(store, everybody()).await, names_are(&[("sub-2", 1)]));
    // What keeps them out goes on; what did so once is gone.
    let locks = store.locks_of_user(subject(1), None).await.expect("read");
    assert_eq!(locks.iter().map(|lock| lock.id).collect::<Vec<_>>(), [LockId::from_bytes([2; 16])]);
    let (_, events) = store.unchained(100).await.expect("read");
    assert_eq!(events.len(), before + 1, "no event is gone");
    assert_eq!(events.last().map(|event| &*event.row.kind), Some("user.erased"));
}

pub(crate) async fn a10_what_their_provider_is_to_be_told_goes_once_it_was(store: &dyn Store) {
    start(store, of(1, 1, 0, "default")).await;
    store.end(vec![end(id(1), "signed_out")]).await.expect("ended");
    assert_eq!(store.erase(erase(1)).await.expect("answered"), EraseOutcome::Done { deleted: 0, waiting: 1 });
    let row = store.session(id(1)).await.expect("read").expect("waits");
    assert!(row.sealed.is_empty(), "the claims stay");
    let row = row.summary;
    assert_eq!((row.name, row.email, row.address, row.user_agent, row.device_name), (None, None, None, None, None));
    assert_eq!(row.ended.map(|ended| ended.reason), Some("erased".into()));
    let due = store.due(NOW.plus_secs(20), NOW.plus_secs(80), 10).await.expect("read");
    assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), [id(1)], "the provider is told all the same");
    store.told(told(1)).await.expect("kept");
    assert!(store.session(id(1)).await.expect("read").is_none());
}
