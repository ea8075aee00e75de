//! The unit of work that ends a login.

use cloakroom_core::store::{EndOutcome, LoginOutcome, Store};

use super::make::{NOW, end, ended, event, everything, id, login, session, session_at, start};

async fn kinds(store: &dyn Store, n: u64) -> Vec<String> {
    let events = store.events_of_session(id(n)).await.expect("read");
    events.into_iter().map(|event| event.row.kind).collect()
}

pub(crate) async fn a_login_is_kept_whole(store: &dyn Store) {
    let mut row = session(1);
    row.upstream_sid = Some([9; 32]);
    let login = login(row.clone());
    let (tokens, event) = (login.tokens.clone(), login.event.clone());
    assert_eq!(store.commit_login(login).await.expect("committed"), LoginOutcome::Started { replaced: None });

    let kept = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!(kept.summary, row.summary);
    assert!(kept.secret_hash.matches(&row.secret_hash));
    let rest = |row: &cloakroom_core::store::SessionRow| {
        let row = row.clone();
        (row.subject, row.upstream_sid, row.registration_id, row.version, row.key_id, row.wrapped_key, row.sealed)
    };
    assert_eq!(rest(&kept), rest(&row));
    assert_eq!(store.tokens(id(1)).await.expect("read"), Some(tokens));
    let events = store.events_of_session(id(1)).await.expect("read");
    assert_eq!(events.iter().map(|event| &event.row).collect::<Vec<_>>(), [&event]);
    assert!(store.session(id(2)).await.expect("read").is_none());
    assert_eq!(store.tokens(id(2)).await.expect("read"), None);
}

pub(crate) async fn s08_a_replayed_login_keeps_nothing(store: &dyn Store) {
    start(store, session(1)).await;
    start(store, session(2)).await;
    let mut replay = login(session(3));
    replay.transaction = login(session(1)).transaction;
    replay.replaces = Some(end(id(2), "replaced"));
    assert_eq!(store.commit_login(replay).await.expect("answered"), LoginOutcome::Replayed);
    assert!(store.session(id(3)).await.expect("read").is_none());
    assert_eq!(store.tokens(id(3)).await.expect("read"), None);
    assert_eq!(kinds(store, 3).await, [""; 0]);
    assert_eq!(store.session(id(2)).await.expect("read").expect("kept").summary.ended, None);
}

pub(crate) async fn s08_a_used_transaction_is_remembered_until_it_expires(store: &dyn Store) {
    let first = login(session(1));
    let (transaction, until) = (first.transaction, first.transaction_expires_at);
    store.commit_login(first).await.expect("committed");
    start(store, session_at(2, until)).await;
    let mut last = login(session_at(3, until));
    last.transaction = transaction;
    assert_eq!(store.commit_login(last).await.expect("answered"), LoginOutcome::Replayed);
}

pub(crate) async fn a_login_ends_the_session_it_replaces(store: &dyn Store) {
    start(store, session(1)).await;
    let mut next = login(session(2));
    next.replaces = Some(end(id(1), "replaced"));
    let outcome = store.commit_login(next).await.expect("committed");
    assert_eq!(outcome, LoginOutcome::Started { replaced: Some(EndOutcome::Ended) });
    let old = store.session(id(1)).await.expect("read").expect("kept");
    assert_eq!(old.summary.ended, Some(ended("replaced")));
    assert_eq!(kinds(store, 1).await, ["session.started", "session.ended"]);
    assert_eq!(kinds(store, 2).await, ["session.started"]);
}

pub(crate) async fn a_login_does_not_need_the_session_it_replaces(store: &dyn Store) {
    start(store, session(1)).await;
    store.end(vec![end(id(1), "signed_out")]).await.expect("ended");
    for (n, replaced, expected) in
        [(2, id(1), EndOutcome::AlreadyEnded(ended("signed_out"))), (3, id(99), EndOutcome::NotFound)]
    {
        let mut next = login(session(n));
        next.replaces = Some(end(replaced, "replaced"));
        let outcome = store.commit_login(next).await.expect("committed");
        assert_eq!(outcome, LoginOutcome::Started { replaced: Some(expected) });
        assert!(store.session(id(n)).await.expect("read").is_some());
    }
    assert_eq!(kinds(store, 1).await, ["session.started", "session.ended"]);
}

pub(crate) async fn a_failed_login_keeps_nothing(store: &dyn Store) {
    start(store, session(1)).await;
    // The event's id is taken: the last step but one fails.
    let taken = event("test", None);
    store.append(vec![taken.clone()]).await.expect("appended");
    let mut bad = login(session(2));
    bad.event = taken;
    bad.replaces = Some(end(id(1), "replaced"));
    store.commit_login(bad).await.expect_err("an event's id is used once");
    assert!(store.session(id(2)).await.expect("read").is_none());
    assert_eq!(store.tokens(id(2)).await.expect("read"), None);
    assert_eq!(store.session(id(1)).await.expect("read").expect("kept").summary.ended, None);
    // Not even the transaction is used up.
    start(store, session(2)).await;
}

pub(crate) async fn a03_text_comes_back_as_it_was(store: &dyn Store) {
    let long = "ä".repeat(5_000);
    let odd = [
        "",
        " ",
        "<script>'\"; DROP TABLE sessions; --",
        "\u{202e}evil\u{2066}",
        "a\u{301}\u{fffd}🦀\r\n\t\u{7f}",
        &long,
    ];
    for (n, text) in (1..).zip(odd) {
        let mut row = session(n);
        let summary = &mut row.summary;
        for column in [&mut summary.name, &mut summary.email, &mut summary.address, &mut summary.user_agent] {
            *column = Some(text.to_owned());
        }
        for column in [&mut summary.sub, &mut summary.issuer, &mut summary.client_id, &mut summary.provider_id] {
            text.clone_into(column);
        }
        start(store, row.clone()).await;
        let kept = store.session(id(n)).await.expect("read").expect("kept");
        assert_eq!(kept.summary, row.summary);
        let mut end = end(id(n), text);
        end.ended.text = Some(text.to_owned());
        end.ended.by = Some(text.to_owned());
        let expected = Some(end.ended.clone());
        assert_eq!(store.end(vec![end]).await.expect("ended"), [EndOutcome::Ended]);
        assert_eq!(store.session(id(n)).await.expect("read").expect("kept").summary.ended, expected);
    }
    let page = store.list(everything()).await.expect("listed");
    assert_eq!(page.rows.len(), odd.len());
    assert!(page.rows.iter().all(|row| row.created_at == NOW));
}
