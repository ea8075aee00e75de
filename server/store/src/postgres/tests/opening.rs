//! Connecting, the schema, and what connections are set to.

use cloakroom_core::audit::chain::{Verdict, verify};
use cloakroom_core::store::{Store as _, StoreError};

use super::server::{PASSWORD, Server};
use super::{fresh, settings};
use crate::conformance::make::{NOW, id, session, start};
use crate::{Address, ConnectError, Postgres, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_agree_on_the_schema() {
    let database = Server::shared().database();
    let settings = settings(&database);
    let opened = futures_util::future::join_all((0..4).map(|_| Postgres::open(&settings))).await;
    for opened in opened {
        opened.expect("opened").ready().await.expect("ready");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_reads_and_writes_beside_the_first() {
    let first = fresh().await;
    start(first.store(), session(1)).await;
    let second = Postgres::open(&first.settings()).await.expect("opened");
    start(&second, session(2)).await;
    for store in [first.store(), &second] {
        for n in [1, 2] {
            assert!(store.session(id(n)).await.expect("read").is_some());
        }
    }
    second.close().await;
    assert!(matches!(second.session(id(1)).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(verify(first.store()).await.expect("walked"), Verdict::Whole { waiting: 2, .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_every_commit_is_on_disk_but_last_seen() {
    let store = fresh().await;
    Server::shared().psql(&store.database, &format!("ALTER DATABASE {} SET synchronous_commit = off", store.database));
    let store = Postgres::open(&store.settings()).await.expect("opened");
    let set = store
        .unit(super::super::unit::Mode::Read, (), |c, ()| {
            Box::pin(async move { sqlx::query_scalar::<_, String>("SHOW synchronous_commit").fetch_one(c).await })
        })
        .await;
    assert_eq!(set.expect("asked"), "on", "whatever the server's own default");
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_nul_becomes_a_sign_that_stands_for_it() {
    let store = fresh().await;
    let mut row = session(1);
    row.summary.name = Some("a\u{0}b".into());
    start(store.store(), row).await;
    let kept = store.store().session(id(1)).await.expect("read").expect("kept");
    assert_eq!(kept.summary.name.as_deref(), Some("a\u{fffd}b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_named() {
    let store = fresh().await;
    start(store.store(), session(1)).await;
    store.psql(
        "ALTER TABLE sessions DROP CONSTRAINT sessions_secret_hash_check; UPDATE sessions SET secret_hash = '\\x00'",
    );
    let told = store.store().session(id(1)).await.expect_err("unreadable");
    assert!(matches!(&told, StoreError::Corrupt(what) if what.contains("sessions.secret_hash")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_store_is_refused_with_its_place_and_without_its_password() {
    let server = Server::shared();
    let at = |url: String| {
        let address = Address::parse(&url).expect("an address");
        Settings { address, ..settings("postgres") }
    };
    let shown = |told: ConnectError| {
        let shown = format!("{told} {told:?}");
        assert!(!shown.contains(PASSWORD), "{shown}");
        shown
    };
    let empty = server.database();
    let told = shown(Postgres::open_read_only(&settings(&empty)).await.expect_err("no schema"));
    assert!(told.contains(&empty) && told.contains("cloakroom migrate"), "{told}");

    let told = shown(Postgres::open(&settings("nowhere")).await.expect_err("no database"));
    assert!(told.contains("database nowhere") && told.contains("does not exist"), "{told}");

    let wrong = server.url(&empty).replace(PASSWORD, "another-password");
    let told = shown(Postgres::open(&at(wrong)).await.expect_err("refused"));
    assert!(told.contains("password authentication failed") && !told.contains("another-password"), "{told}");

    server.psql("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    let told = shown(Postgres::open(&settings("latin")).await.expect_err("refused"));
    assert!(told.contains("LATIN1"), "{told}");

    server.psql("postgres", &format!("ALTER DATABASE {empty} SET default_transaction_read_only = on"));
    let told = shown(Postgres::open(&settings(&empty)).await.expect_err("refused"));
    assert!(told.contains("takes no writes"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_not_alter_the_schema_runs_a_store() {
    let store = fresh().await;
    let runner = format!("runner_{}", store.database);
    store.psql(&format!(
        "CREATE ROLE {runner} LOGIN PASSWORD 'p'; REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {runner}"
    ));
    let url = Server::shared().url(&store.database).replace("cloakroom", &runner).replace(PASSWORD, "p");
    let settings = Settings { address: Address::parse(&url).expect("an address"), ..store.settings() };
    let running = Postgres::open(&settings).await.expect("opened");
    start(&running, session(1)).await;
    running.touch(vec![(id(1), NOW)]).await.expect("touched");
}
