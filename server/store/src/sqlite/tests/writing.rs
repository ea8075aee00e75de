//! The writing task: group commit, durability, a full disk, damage.

use futures_util::future::join_all;
use sqlx::Row as _;

use cloakroom_core::store::{Count, SessionState, Store as _, StoreError};

use super::fresh;
use crate::Sqlite;
use crate::conformance::make::{NOW, event, everything, id, login, session, start};

/// What a pragma of the writing connection answers.
async fn pragma(store: &Sqlite, text: &'static str) -> i64 {
    let writer = store.writer().expect("a writer");
    let answer = writer.run(move |c| Box::pin(async move { sqlx::query(text).fetch_one(c).await?.try_get(0) }));
    answer.await.expect("answered")
}

/// Runs a statement in a unit of work.
async fn execute(store: &Sqlite, text: &'static str) {
    let writer = store.writer().expect("a writer");
    writer
        .run(move |c| Box::pin(async move { sqlx::query(text).execute(c).await.map(|_| ()) }))
        .await
        .expect("executed");
}

#[tokio::test]
async fn f10_every_commit_is_synced() {
    let store = fresh().await;
    assert_eq!(pragma(store.store(), "PRAGMA synchronous").await, 2, "FULL");
    assert_eq!(pragma(store.store(), "PRAGMA foreign_keys").await, 1);
    let journal = sqlx::query_scalar::<_, String>("PRAGMA journal_mode").fetch_one(&store.sqlite.readers).await;
    assert_eq!(journal.expect("read"), "wal");
}

#[tokio::test(flavor = "multi_thread")]
async fn units_that_come_together_share_a_commit() {
    let store = fresh().await;
    let before = store.store().writes();
    join_all((1..=200).map(|n| store.store().commit_login(login(session(n))))).await;
    let after = store.store().writes();
    assert_eq!(after.units - before.units, 200);
    let commits = after.commits - before.commits;
    assert!((1..100).contains(&commits), "{commits} commits for 200 units");
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_a_full_disk_is_told_and_got_over() {
    let store = fresh().await;
    start(store.store(), session(1)).await;
    let most = pragma(store.store(), "PRAGMA max_page_count").await;
    let pages = pragma(store.store(), "PRAGMA max_page_count = 1").await;
    assert!(pages < most, "the file may not grow beyond its {pages} pages");

    let mut refused = 0;
    for n in (2..).take(200) {
        // One alone, then several together.
        let outcomes = join_all((0..=n % 3).map(|part| store.store().commit_login(login(session(n * 10 + part)))));
        for (part, outcome) in (0..).zip(outcomes.await) {
            let there = store.store().session(id(n * 10 + part)).await.expect("read").is_some();
            assert_eq!(there, outcome.is_ok(), "kept exactly if it was said so");
            if let Err(error) = outcome {
                assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("full")), "{error}");
                refused += 1;
            }
        }
        if refused > 20 {
            break;
        }
    }
    assert!(refused > 20, "the disk was full");

    let lifted = pragma(store.store(), "PRAGMA max_page_count = 1000000").await;
    assert_eq!(lifted, 1_000_000);
    start(store.store(), session(100_000)).await;
    store.store().ready().await.expect("ready again");
    let whole = sqlx::query_scalar::<_, String>("PRAGMA integrity_check").fetch_one(&store.sqlite.readers).await;
    assert_eq!(whole.expect("checked"), "ok");
}

#[tokio::test]
async fn a_frozen_store_keeps_what_came_before_and_nothing_after() {
    let store = fresh().await;
    let (before, _) = tokio::join!(store.store().commit_login(login(session(1))), store.store().freeze(true));
    let kept = store.store().session(id(1)).await.expect("read").is_some();
    assert_eq!(kept, before.is_ok());
    let refused = store.store().commit_login(login(session(2))).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("no writes")), "{refused:?}");
    assert!(store.store().ready().await.is_err());
    store.store().freeze(false).await.expect("taken again");
    start(store.store(), session(2)).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let store = fresh().await;
    start(store.store(), session(1)).await;
    store.store().append(vec![event("test", Some(id(2)))]).await.expect("appended");
    execute(store.store(), "PRAGMA ignore_check_constraints = ON").await;
    execute(store.store(), "UPDATE sessions SET secret_hash = x'00'").await;
    execute(store.store(), "UPDATE audit_events SET subject = x'00'").await;
    execute(store.store(), "UPDATE audit_head SET hash = x'00'").await;
    let corrupt = |error: StoreError| match error {
        StoreError::Corrupt(what) => what,
        StoreError::Unavailable(what) => panic!("not told as damage: {what}"),
    };
    let told = [
        corrupt(store.store().session(id(1)).await.expect_err("unreadable")),
        corrupt(store.store().events_of_session(id(2)).await.expect_err("unreadable")),
        corrupt(store.store().unchained(1).await.expect_err("unreadable")),
    ];
    for (what, column) in told.iter().zip(["sessions.secret_hash", "audit_events.subject", "audit_head.hash"]) {
        assert!(what.contains(column), "{what}");
    }
}

#[tokio::test]
async fn s13_nul_is_kept() {
    let store = fresh().await;
    let mut row = session(1);
    row.summary.name = Some("a\u{0}b".into());
    start(store.store(), row).await;
    assert_eq!(
        store.store().session(id(1)).await.expect("read").expect("kept").summary.name.as_deref(),
        Some("a\u{0}b")
    );
}

#[tokio::test]
async fn counting_stops() {
    let store = fresh().await;
    start(store.store(), session(1)).await;
    execute(
        store.store(),
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) \
         INSERT INTO sessions (id, tenant, client_id, provider_id, registration_id, kind, issuer, sub, subject, \
         created_at, last_seen_at, idle_ms, expires_at, live_until, version, secret_hash, key_id, wrapped_key, sealed) \
         SELECT randomblob(16), tenant, client_id, provider_id, registration_id, kind, issuer, sub, subject, \
         created_at, last_seen_at, idle_ms, expires_at, live_until, version, secret_hash, key_id, wrapped_key, sealed \
         FROM n, sessions WHERE sessions.version = 1 AND sessions.name IS NOT NULL",
    )
    .await;
    let live = || cloakroom_core::store::ListQuery { state: SessionState::Live, ..everything() };
    assert_eq!(store.store().list(live()).await.expect("listed").count, Count { n: 10_000, exact: true });
    start(store.store(), session(2)).await;
    assert_eq!(store.store().list(live()).await.expect("listed").count, Count { n: 10_000, exact: false });
    assert_eq!(store.store().totals(None, NOW, NOW).await.expect("read").live, 10_001);
}
