//! A process that goes away without closing the store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};

use cloakroom_core::store::{Doubt, Store as _};

use super::path_in;
use crate::Sqlite;
use crate::conformance::make::{NOW, grant, id, login, session, start};

/// What was answered before everything stopped: sessions 1 to the number given.
fn stop_in_the_middle(path: &Path) -> u64 {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let answered = runtime.block_on(async {
        let store = Arc::new(Sqlite::open(path, &Handle::current()).await.expect("opened"));
        for n in 1..=5 {
            start(&*store, session(n)).await;
        }
        grant(&*store, id(1), NOW, Doubt::Tell).await;
        for n in 6..=200 {
            let store = Arc::clone(&store);
            drop(Handle::current().spawn(async move { store.commit_login(login(session(n))).await }));
        }
        5
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    answered
}

#[test]
fn f01_what_was_answered_survives_a_stop_in_the_middle() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    let answered = stop_in_the_middle(&path);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Sqlite::open(&path, &Handle::current()).await.expect("opened again");
        for n in 1..=answered {
            assert!(store.session(id(n)).await.expect("read").is_some(), "session {n}");
        }
        // Of the rest, each is there whole or not at all.
        for n in answered + 1..=200 {
            let there = store.session(id(n)).await.expect("read").is_some();
            assert_eq!(store.tokens(id(n)).await.expect("read").is_some(), there);
            assert_eq!(store.events_of_session(id(n)).await.expect("read").len(), usize::from(there));
        }
        let tokens = store.tokens(id(1)).await.expect("read").expect("kept");
        assert!(tokens.in_doubt, "the attempt was on disk before it was granted");
        store.close().await;
    });
}
