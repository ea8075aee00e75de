//! Filters, counts and totals.

use cloakroom_core::audit::AuditRow;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{Count, ListPage, ListQuery, SessionState, Sort, Store};

use super::make::{IDLE_SECS, NOW, end, event, everything, id, session, session_at, start, subject};

/// The numbers of the sessions that a query finds, and that its count says so too.
async fn found(store: &dyn Store, query: ListQuery) -> Vec<u64> {
    let page = store.list(query).await.expect("listed");
    assert_eq!(page.count, Count { n: page.rows.len() as u64, exact: true });
    numbers(page.rows.iter().map(|row| row.id))
}

fn numbers(ids: impl Iterator<Item = SessionId>) -> Vec<u64> {
    ids.map(|id| u64::from_be_bytes(id.as_bytes()[8..].try_into().expect("8 bytes"))).collect()
}

/// Six sessions: 1 and 2 of Ann at two clients, 3 of another tenant, 4 ended, 5 expired, 6 seen last.
async fn six(store: &dyn Store) {
    for n in 1..=6 {
        let mut row = session_at(n, NOW.plus_secs(i64::try_from(n).expect("small")));
        match n {
            1 => row.summary.sub = "ann".into(),
            2 => (row.summary.sub, row.summary.client_id) = ("ann".into(), "shop".into()),
            3 => row.summary.tenant = "other".into(),
            5 => row = session_at(5, UnixMs(NOW.0 - 1000 * IDLE_SECS)),
            _ => {}
        }
        start(store, row).await;
    }
    store.end(vec![end(id(4), "revoked")]).await.expect("ended");
    store.touch(vec![(id(1), NOW.plus_secs(100))]).await.expect("touched");
}

pub(crate) async fn each_filter_keeps_what_it_should(store: &dyn Store) {
    six(store).await;
    let ask = || ListQuery { now: NOW.plus_secs(10), ..everything() };
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (ListQuery { tenant: None, ..ask() }, vec![6, 4, 3, 2, 1, 5]),
        (ask(), vec![6, 4, 2, 1, 5]),
        (ListQuery { tenant: text("other"), ..ask() }, vec![3]),
        (ListQuery { tenant: text("none"), ..ask() }, vec![]),
        (ListQuery { state: SessionState::Live, ..ask() }, vec![6, 2, 1]),
        (ListQuery { state: SessionState::Live, tenant: None, ..ask() }, vec![6, 3, 2, 1]),
        (ListQuery { state: SessionState::Over, ..ask() }, vec![4, 5]),
        (ListQuery { sort: Sort::LastSeen, ..ask() }, vec![1, 6, 4, 2, 5]),
        (ListQuery { sort: Sort::LastSeen, state: SessionState::Live, ..ask() }, vec![1, 6, 2]),
        (ListQuery { client_id: text("shop"), ..ask() }, vec![2]),
        (ListQuery { client_id: text("app"), state: SessionState::Over, ..ask() }, vec![4, 5]),
        (ListQuery { client_id: text("app"), sort: Sort::LastSeen, ..ask() }, vec![1, 6, 4, 5]),
        (ListQuery { sub: text("ann"), ..ask() }, vec![2, 1]),
        (ListQuery { sub: text("ann"), sort: Sort::LastSeen, ..ask() }, vec![1, 2]),
        (ListQuery { sub: text("ann"), client_id: text("app"), ..ask() }, vec![1]),
        (ListQuery { sub: text("an"), ..ask() }, vec![]),
        (ListQuery { sub: text("Ann"), ..ask() }, vec![]),
        (ListQuery { text: Some(id(4).to_string()), ..ask() }, vec![4]),
        (ListQuery { text: Some(id(4).to_string()), state: SessionState::Live, ..ask() }, vec![]),
        (ListQuery { text: Some(id(3).to_string()), ..ask() }, vec![]),
        (ListQuery { text: text("sub-"), state: SessionState::Live, ..ask() }, vec![6]),
    ];
    for (query, expected) in cases {
        let name = format!("{query:?}");
        assert_eq!(found(store, query).await, expected, "{name}");
    }
}

pub(crate) async fn text_is_looked_for_literally(store: &dyn Store) {
    for (n, email) in (1..).zip(["100%@x.example", "a_b@x.example", "axb@x.example", "c\\d@x.example", "ÅSA@x.example"])
    {
        let mut row = session(n);
        row.summary.email = Some(email.into());
        row.summary.name = (n == 1).then(|| "Zoë Quick".into());
        row.summary.user_agent = (n == 2).then(|| "Mozilla/5.0 (X11)".into());
        row.summary.address = Some(format!("2001:db8::{n}"));
        start(store, row).await;
    }
    let cases: [(&str, &[u64]); 14] = [
        ("%", &[1]),
        ("a_b", &[2]),
        ("A_B@X", &[2]),
        ("\\", &[4]),
        ("c\\D", &[4]),
        ("zoë q", &[1]),
        ("QUICK", &[1]),
        ("mozilla", &[2]),
        ("DB8::3", &[3]),
        ("sub-5", &[5]),
        ("Åsa", &[5]),
        ("", &[5, 4, 3, 2, 1]),
        ("@x.example", &[5, 4, 3, 2, 1]),
        ("' OR 1=1 --", &[]),
    ];
    for (text, expected) in cases {
        let query = ListQuery { text: Some(text.into()), ..everything() };
        assert_eq!(found(store, query).await, expected, "{text}");
    }
}

pub(crate) async fn s13_odd_text_finds_nothing_and_breaks_nothing(store: &dyn Store) {
    start(store, session(1)).await;
    let long = "x".repeat(10_000);
    let longer = "%".repeat(1_000_000);
    for text in ["\u{0}", "Person\u{0}", "\u{fffd}\u{202e}", &long, &longer] {
        let query = ListQuery { text: Some(text.into()), ..everything() };
        assert_eq!(found(store, query).await, [0; 0], "{text:.20}");
        let query = ListQuery { sub: Some(text.into()), client_id: Some(text.into()), ..everything() };
        assert_eq!(found(store, query).await, [0; 0], "{text:.20}");
    }
}

pub(crate) async fn life_ends_exactly_at_its_end(store: &dyn Store) {
    start(store, session(1)).await;
    for (ms, live) in [(IDLE_SECS * 1000 - 1, true), (IDLE_SECS * 1000, false)] {
        let now = UnixMs(NOW.0 + ms);
        let in_state = |state| ListQuery { state, now, ..everything() };
        assert_eq!(found(store, in_state(SessionState::Live)).await.len(), usize::from(live));
        assert_eq!(found(store, in_state(SessionState::Over)).await.len(), usize::from(!live));
        assert_eq!(store.sessions_of(subject(1), "app", now).await.expect("read").len(), usize::from(live));
        assert_eq!(store.totals(None, now, NOW).await.expect("read").live, u64::from(live));
    }
}

pub(crate) async fn an_empty_store_has_an_empty_page(store: &dyn Store) {
    let nothing = ListPage { rows: vec![], more_after: false, more_before: false, count: Count { n: 0, exact: true } };
    assert_eq!(store.list(everything()).await.expect("listed"), nothing);
    assert_eq!(store.list(ListQuery { tenant: None, ..everything() }).await.expect("listed"), nothing);
    assert_eq!(store.totals(None, NOW, NOW).await.expect("read"), cloakroom_core::store::Totals::default());
    assert_eq!(store.sessions_of(subject(1), "app", NOW).await.expect("read"), []);
}

pub(crate) async fn one_persons_sessions_newest_first(store: &dyn Store) {
    for n in 1..=6 {
        let mut row = session_at(n, NOW.plus_secs(i64::try_from(n / 2).expect("small")));
        row.subject = subject(if n == 5 { 2 } else { 1 });
        if n == 4 {
            row.summary.client_id = "shop".into();
        }
        start(store, row).await;
    }
    store.end(vec![end(id(2), "signed_out")]).await.expect("ended");
    let rows = store.sessions_of(subject(1), "app", NOW.plus_secs(10)).await.expect("read");
    assert_eq!(numbers(rows.iter().map(|row| row.id)), [6, 3, 1]);
}

pub(crate) async fn totals_count_what_lives(store: &dyn Store) {
    six(store).await;
    let mut old = event("session.revoked", None);
    old.at = UnixMs(NOW.0 - 1);
    store.append(vec![old]).await.expect("appended");
    let totals = store.totals(None, NOW.plus_secs(10), NOW).await.expect("read");
    assert_eq!(totals.live, 4);
    assert_eq!(totals.by_client, [("app".into(), 3), ("shop".into(), 1)]);
    assert_eq!(totals.by_provider, [("main".into(), 4)]);
    assert_eq!(totals.events, [("session.ended".into(), 1), ("session.started".into(), 6)]);
}

pub(crate) async fn a01_figures_of_one_tenant_tell_nothing_of_another(store: &dyn Store) {
    for (n, tenant) in [(1, "acme"), (2, "acme"), (3, "globex")] {
        let mut row = session(n);
        row.summary.tenant = tenant.into();
        start(store, row).await;
        store.append(vec![AuditRow { tenant: tenant.into(), ..event("test.deed", None) }]).await.expect("appended");
    }
    for (tenant, live, deeds) in [(Some("acme"), 2, 2), (Some("globex"), 1, 1), (Some("nobody"), 0, 0), (None, 3, 3)] {
        let totals = store.totals(tenant, NOW, NOW).await.expect("read");
        assert_eq!((totals.live, totals.by_provider.iter().map(|(_, n)| n).sum::<u64>()), (live, live), "{tenant:?}");
        let counted = totals.events.iter().find(|(kind, _)| kind == "test.deed").map_or(0, |(_, n)| *n);
        assert_eq!(counted, deeds, "{tenant:?}");
        let latest = store.latest_events(tenant, 100).await.expect("read");
        let fenced = latest.iter().filter(|event| event.row.kind == "test.deed");
        assert_eq!(fenced.count() as u64, deeds, "{tenant:?}");
    }
}
