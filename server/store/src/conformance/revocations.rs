//! Revocations of many sessions: over at once, ended in batches, and their providers told.

use cloakroom_core::audit::event::Person;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::policy::Network;
use cloakroom_core::store::{
    BeginRefresh, CommitLogin, Doubt, Due, Filter, LoginOutcome, Place, RevocationId, RevocationRow, SessionRow,
    SessionState, Store, Telling, Told, ToldOutcome, Upstream, User,
};

use super::make::{
    IDLE_SECS, NOW, answer, begin, end, event, everything, grant, id, login, session, session_at, sid, start, subject,
    told,
};

/// A session of person `person`, at a client.
fn of(n: u64, person: u64, client: &str) -> SessionRow {
    let mut row = SessionRow { subject: subject(person), ..session(n) };
    row.summary.sub = format!("sub-{person}");
    row.summary.client_id = client.into();
    row
}

pub(super) fn person(n: u64) -> Filter {
    let user = User { issuer: "https://id.example.com".into(), sub: format!("sub-{n}"), subject: subject(n) };
    Filter { user: Some(user), ..Filter::default() }
}

fn client(id: &str) -> Filter {
    Filter { client_id: Some(id.into()), ..Filter::default() }
}

pub(super) fn job(n: u8) -> RevocationId {
    RevocationId::from_bytes([n; 16])
}

/// A revocation that was decided a second after [`NOW`].
fn decided(n: u8, filter: Filter) -> RevocationRow {
    RevocationRow {
        id: job(n),
        filter,
        actor: Person { issuer: "https://id.example.com".into(), sub: "olga".into(), ..Person::default() },
        reason: "incident".into(),
        decided_at: NOW.plus_secs(1),
        expected: 2,
        ended: 0,
        finished_at: None,
        telling: Telling::default(),
    }
}

pub(super) async fn decide(store: &dyn Store, n: u8, filter: Filter) -> RevocationRow {
    let row = decided(n, filter);
    let (kept, new) = store.begin_revocation(row.clone(), event("revocation.started", None)).await.expect("kept");
    assert!(new);
    assert_eq!(kept, row);
    kept
}

async fn running(store: &dyn Store) -> Vec<u64> {
    let mut running = Vec::new();
    for n in 1..=6 {
        if store.session(id(n)).await.expect("read").is_some_and(|row| row.summary.ended.is_none()) {
            running.push(n);
        }
    }
    running
}

/// Two sessions of person 1, two of person 2, at two clients; one that has ended, one that expired long ago.
async fn six(store: &dyn Store) {
    let old = SessionRow { subject: subject(1), ..session_at(6, NOW.plus_secs(-IDLE_SECS - 3_600)) };
    for row in [of(1, 1, "app"), of(2, 1, "shop"), of(3, 2, "app"), of(4, 2, "shop"), of(5, 1, "app"), old] {
        start(store, row).await;
    }
    store.end(vec![end(id(5), "signed_out")]).await.expect("ended");
}

pub(crate) async fn u15_what_is_covered_is_counted_before_it_ends(store: &dyn Store) {
    six(store).await;
    let mut upstream = of(7, 7, "app");
    upstream.upstream_sid = Some(sid(7));
    upstream.summary.address = Some("2001:db8::7".into());
    upstream.summary.user_agent = Some("Odd_100%".into());
    upstream.summary.created_at = NOW.plus_secs(10);
    start(store, upstream).await;
    let network = |text| Filter { network: Some(Network::parse(text).expect("a network")), ..Filter::default() };
    let agent = |text: &str| Filter { user_agent: Some(text.into()), ..Filter::default() };
    let from = |at| Filter { started_from: Some(at), ..Filter::default() };
    let before = |at| Filter { started_before: Some(at), ..Filter::default() };
    let hash = |n| Upstream { issuer: "https://id.example.com".into(), sid: "s".into(), hash: sid(n) };
    let upstream = |n| Filter { upstream: Some(hash(n)), ..Filter::default() };
    let cases: [(Filter, &[(&str, u64)]); 15] = [
        (Filter::default(), &[("app", 3), ("shop", 2)]),
        (person(1), &[("app", 1), ("shop", 1)]),
        (Filter { client_id: Some("shop".into()), ..person(2) }, &[("shop", 1)]),
        (client("nowhere"), &[]),
        (Filter { tenant: Some("other".into()), ..Filter::default() }, &[]),
        (Filter { provider_id: Some("main".into()), ..client("app") }, &[("app", 3)]),
        (upstream(7), &[("app", 1)]),
        (upstream(8), &[]),
        (network("2001:db8::/32"), &[("app", 1)]),
        (network("192.0.2.0/29"), &[("app", 2), ("shop", 2)]),
        (agent("odd_"), &[("app", 1)]),
        (agent("rowser/%"), &[]),
        (from(NOW.plus_secs(10)), &[("app", 1)]),
        (before(NOW.plus_secs(10)), &[("app", 2), ("shop", 2)]),
        (Filter { ids: Some(vec![id(1), id(5), id(9)]), ..Filter::default() }, &[("app", 1)]),
    ];
    for (filter, by_client) in cases {
        let found = store.covered(filter.clone(), NOW, 2).await.expect("counted");
        let got: Vec<_> = found.by_client.iter().map(|(client, n)| (client.as_str(), *n)).collect();
        assert_eq!(got, by_client, "{filter:?}");
        assert_eq!(found.count, by_client.iter().map(|(_, n)| n).sum::<u64>());
        assert_eq!(found.sample.len() as u64, found.count.min(2));
    }
    let spared = Filter { spares: Some(id(1)), ..person(1) };
    assert_eq!(store.covered(spared, NOW, 0).await.expect("counted").count, 1);
    let newest = store.covered(Filter::default(), NOW, 1).await.expect("counted").sample;
    assert_eq!(newest.iter().map(|row| row.id).collect::<Vec<_>>(), [id(7)]);
}

pub(crate) async fn u14_covered_sessions_are_over_before_their_rows_are(store: &dyn Store) {
    six(store).await;
    let mut later = of(7, 1, "app");
    later.summary.created_at = NOW.plus_secs(2);
    start(store, later).await;
    let row = decide(store, 1, person(1)).await;
    assert_eq!(running(store).await, [3, 4, 6]);
    let kept = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!(kept.summary.ended, Some(row.ended()));
    assert_eq!(store.session(id(7)).await.expect("read").expect("kept").summary.ended, None, "began afterwards");
    let own = store.sessions_of(subject(1), "app", NOW).await.expect("read");
    assert_eq!(own.iter().map(|row| row.id).collect::<Vec<_>>(), [id(7)]);
    let list = store.list(everything()).await.expect("listed");
    for one in list.rows {
        assert_eq!(one.ended.is_some(), [id(1), id(2), id(5)].contains(&one.id), "{one:?}");
    }
    let live = cloakroom_core::store::ListQuery { state: SessionState::Live, ..everything() };
    assert!(!store.list(live).await.expect("listed").count.exact, "rows wait to be ended");
}

pub(crate) async fn t05_nothing_is_refreshed_that_is_covered(store: &dyn Store) {
    six(store).await;
    let lease = grant(store, id(1), NOW, Doubt::Tell).await;
    let of_other = grant(store, id(3), NOW, Doubt::Tell).await;
    decide(store, 1, person(1)).await;
    assert!(!store.commit_refresh(answer(&lease, NOW.plus_secs(2))).await.expect("answered"));
    assert_eq!(store.tokens(id(1)).await.expect("read").expect("kept").generation, 1);
    assert!(store.commit_refresh(answer(&of_other, NOW.plus_secs(2))).await.expect("answered"));
    assert!(matches!(begin(store, id(2), NOW.plus_secs(2), Doubt::Tell).await, BeginRefresh::Over));
}

pub(crate) async fn t05_no_login_that_began_before_is_kept(store: &dyn Store) {
    decide(store, 1, person(1)).await;
    let began = |n: u64, person: u64, secs: i64| {
        let mut login = login(of(n, person, "app"));
        login.proven.begun_at = NOW.plus_secs(secs);
        login.session.summary.created_at = NOW.plus_secs(60);
        login
    };
    let outcome = async |login: CommitLogin| store.commit_login(login).await.expect("answered");
    let started = LoginOutcome::Started { replaced: None };
    assert_eq!(outcome(began(1, 1, 1)).await, LoginOutcome::Revoked, "in the same moment");
    assert_eq!(outcome(began(2, 2, 0)).await, started);
    assert_eq!(outcome(began(3, 1, 2)).await, started);
    // Also once its rows are ended.
    store.finish_revocation(job(1), NOW.plus_secs(2), event("revocation.finished", None)).await.expect("kept");
    assert_eq!(outcome(began(4, 1, 0)).await, LoginOutcome::Revoked);
    assert_eq!(outcome(began(1, 1, 5)).await, LoginOutcome::Replayed, "the transaction was used up");
    assert_eq!(running(store).await, [2, 3]);
}

pub(crate) async fn f01_a_revocation_goes_on_where_it_was_left(store: &dyn Store) {
    six(store).await;
    decide(store, 1, Filter { network: Network::parse("192.0.2.0/24").ok(), ..Filter::default() }).await;
    assert_eq!(store.unfinished_revocations().await.expect("read").len(), 1);
    let now = NOW.plus_secs(2);
    let first = store.to_end(job(1), None, 2, now).await.expect("read");
    assert_eq!(first.sessions.iter().map(|row| row.id).collect::<Vec<_>>(), [id(1), id(2)]);
    assert_eq!(first.next, Some(id(2)));
    let ends = vec![end(id(1), "revoked"), end(id(2), "revoked"), end(id(5), "revoked")];
    assert_eq!(store.end_for(job(1), ends).await.expect("ended"), 2);
    // After a restart, from the beginning.
    let rest = store.to_end(job(1), None, 10, now).await.expect("read");
    assert_eq!(rest.sessions.iter().map(|row| row.id).collect::<Vec<_>>(), [id(3), id(4)]);
    assert_eq!(rest.next, None);
    store.end_for(job(1), vec![end(id(3), "revoked"), end(id(4), "revoked")]).await.expect("ended");
    for _ in 0..2 {
        store.finish_revocation(job(1), now, event("revocation.finished", None)).await.expect("kept");
    }
    let row = store.revocation(job(1)).await.expect("read").expect("kept");
    assert_eq!((row.ended, row.finished_at, row.telling.queued), (4, Some(now), 4));
    assert!(store.unfinished_revocations().await.expect("read").is_empty());
    let (_, events) = store.unchained(100).await.expect("read");
    assert_eq!(events.iter().filter(|event| event.row.kind == "revocation.finished").count(), 1);
}

pub(crate) async fn s13_the_same_revocation_twice_is_one(store: &dyn Store) {
    six(store).await;
    let first = decide(store, 1, person(1)).await;
    let other = decided(1, Filter::default());
    let (kept, new) = store.begin_revocation(other, event("revocation.started", None)).await.expect("answered");
    assert_eq!((kept, new), (first, false));
    assert_eq!(running(store).await, [3, 4, 6]);
    let (_, events) = store.unchained(100).await.expect("read");
    assert_eq!(events.iter().filter(|event| event.row.kind == "revocation.started").count(), 1);
}

pub(crate) async fn providers_are_told_until_they_answer(store: &dyn Store) {
    six(store).await;
    let due = async |secs: i64| {
        let now = NOW.plus_secs(secs);
        let mut due = store.due(now, now.plus_secs(60), 10).await.expect("answered");
        due.sort_by_key(|due| due.id);
        due
    };
    store.told(told(5)).await.expect("kept");
    assert_eq!(due(1).await, [], "nobody ended whose provider does not know");
    decide(store, 1, person(1)).await;
    store.end_for(job(1), vec![end(id(1), "revoked"), end(id(2), "revoked")]).await.expect("ended");
    let first = |n| Due { id: id(n), tries: 1 };
    assert_eq!(due(2).await, [first(1), first(2)]);
    assert_eq!(due(3).await, [], "somebody else tells");
    store.tell_again(id(1), NOW.plus_secs(10)).await.expect("kept");
    assert_eq!(due(9).await, []);
    assert_eq!(due(10).await, [Due { id: id(1), tries: 2 }]);
    // Whoever took the other one is gone: it comes back when its lease is over.
    assert_eq!(due(63).await, [Due { id: id(2), tries: 2 }]);
    let until = NOW.plus_secs(300);
    let failed = Told { outcome: ToldOutcome::Failed("refused".into()), access_until: Some(until), ..told(1) };
    store.told(failed).await.expect("kept");
    store.told(told(2)).await.expect("kept");
    store.told(told(2)).await.expect("once only");
    let telling = store.revocation(job(1)).await.expect("read").expect("kept").telling;
    let expected = Telling { queued: 0, told: 1, untold: 1, not_supported: 0, access_until: Some(until) };
    assert_eq!(telling, expected);
    assert_eq!(store.revocation_failures(job(1), 10).await.expect("read"), [(id(1), "refused".to_owned())]);
    assert_eq!(due(10_000).await, []);
    assert_eq!(store.tokens(id(3)).await.expect("read").map(|tokens| tokens.generation), Some(1));
}

pub(crate) async fn revocations_are_listed_within_their_fence(store: &dyn Store) {
    let fenced = |tenant: &str| Filter { tenant: Some(tenant.into()), ..Filter::default() };
    for (n, filter) in [(1, fenced("acme")), (2, Filter::default()), (3, fenced("acme")), (4, fenced("globex"))] {
        decide(store, n, filter).await;
    }
    let list = async |tenant: Option<&str>, place: Option<Place>, limit: u32| {
        let rows = store.revocations(tenant, place, limit).await.expect("listed");
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, 10).await, [job(4), job(3), job(2), job(1)]);
    assert_eq!(list(Some("acme"), None, 10).await, [job(3), job(1)]);
    assert_eq!(list(Some("none"), None, 10).await, []);
    let at: UnixMs = NOW.plus_secs(1);
    let place = |n: u8, backwards| {
        let id = cloakroom_core::session::id::SessionId::from_bytes([n; 16]);
        Some(Place { at, id, backwards })
    };
    assert_eq!(list(None, place(3, false), 10).await, [job(2), job(1)]);
    assert_eq!(list(None, place(1, true), 2).await, [job(3), job(2)]);
}
