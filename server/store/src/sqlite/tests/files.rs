//! Opening, sharing and closing the file.

use std::os::unix::fs::PermissionsExt as _;

use tokio::runtime::Handle;

use cloakroom_core::audit::chain::{Verdict, link_pending, verify};
use cloakroom_core::store::{Doubt, EndOutcome, Store as _, StoreError};

use super::{Fresh, fresh, path_in};
use crate::conformance::make::{NOW, end, grant, id, session, start};
use crate::{OpenError, Sqlite};

#[tokio::test]
async fn a_file_keeps_all_when_it_is_closed_and_opened_again() {
    let first = fresh().await;
    start(first.store(), session(1)).await;
    start(first.store(), session(2)).await;
    assert_eq!(first.store().end(vec![end(id(2), "revoked")]).await.expect("ended"), [EndOutcome::Ended]);
    grant(first.store(), id(1), NOW, Doubt::Tell).await;
    link_pending(first.store()).await.expect("linked");
    let (before, verdict) = (first.store().session(id(1)).await, verify(first.store()).await);
    let Fresh { sqlite, folder } = first;
    sqlite.close().await;
    sqlite.close().await;
    assert!(matches!(sqlite.session(id(1)).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(sqlite.ready().await, Err(StoreError::Unavailable(_))));
    assert!(!folder.path().join("cloakroom.db-wal").exists(), "the log was folded into the file");

    let second = Sqlite::open(&path_in(&folder), &Handle::current()).await.expect("opened");
    let (before, after) = (before.expect("read").expect("kept"), second.session(id(1)).await);
    assert_eq!(after.expect("read").expect("kept").summary, before.summary);
    assert!(second.session(id(2)).await.expect("read").expect("kept").summary.ended.is_some());
    let verdict = verdict.expect("walked");
    assert!(matches!(verdict, Verdict::Whole { waiting: 0, .. }), "{verdict:?}");
    assert_eq!(verify(&second).await.expect("walked"), verdict);
    // Who held the lease is gone with its process: nobody waits for it, and the doubt is told at once.
    let begun = second.begin_refresh(id(1), "node", NOW, NOW.plus_secs(60), Doubt::Tell).await.expect("answered");
    assert!(matches!(begun, cloakroom_core::store::BeginRefresh::InDoubt { since: NOW }), "{begun:?}");
}

#[tokio::test]
async fn a_file_is_opened_for_one_process() {
    let first = fresh().await;
    let link = first.path().with_file_name("link.db");
    std::os::unix::fs::symlink(first.path(), &link).expect("linked");
    for path in [first.path(), link] {
        let second = Sqlite::open(&path, &Handle::current()).await.expect_err("in use");
        assert!(matches!(second, OpenError::InUse(_)), "{second}");
        assert!(second.to_string().contains("another process uses this store"), "{second}");
    }
    start(first.store(), session(1)).await;
    first.store().close().await;
    Sqlite::open(&first.path(), &Handle::current()).await.expect("free again").close().await;
}

#[tokio::test]
async fn a_file_is_read_beside_a_running_store_and_after_it() {
    let first = fresh().await;
    start(first.store(), session(1)).await;
    let reader = Sqlite::open_read_only(&first.path()).await.expect("opened");
    assert!(reader.session(id(1)).await.expect("read").is_some());
    start(first.store(), session(2)).await;
    assert!(reader.session(id(2)).await.expect("read").is_some());
    let refused = reader.end(vec![end(id(1), "revoked")]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(reader.ready().await.is_err());
    reader.close().await;
    first.store().close().await;
    let after = Sqlite::open_read_only(&first.path()).await.expect("opened");
    assert!(matches!(verify(&after).await.expect("walked"), Verdict::Whole { waiting: 2, .. }));
}

#[tokio::test]
async fn what_is_no_store_is_refused_with_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    let missing = Sqlite::open_read_only(&path).await.expect_err("not there");
    assert!(matches!(missing, OpenError::File { .. }), "{missing}");
    assert!(!path.exists(), "reading makes no file");

    std::fs::write(&path, "not a database, but long enough to be looked at as one".repeat(20)).expect("written");
    let (read, written) = (Sqlite::open_read_only(&path).await, Sqlite::open(&path, &Handle::current()).await);
    for refused in [read.expect_err("no store"), written.expect_err("no store")] {
        assert!(refused.to_string().contains("cloakroom.db"), "{refused}");
    }

    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").expect("written");
    let refused = Sqlite::open_read_only(&empty).await.expect_err("no schema");
    assert!(matches!(refused, OpenError::OtherVersion(_)), "{refused}");
    let nowhere = folder.path().join("no/such/folder.db");
    let refused = Sqlite::open(&nowhere, &Handle::current()).await.expect_err("nowhere");
    assert!(matches!(refused, OpenError::File { .. }), "{refused}");
}

#[tokio::test]
async fn only_the_owner_reads_the_file() {
    let store = fresh().await;
    start(store.store(), session(1)).await;
    for name in ["cloakroom.db", "cloakroom.db-wal", "cloakroom.db-shm", "cloakroom.db.lock"] {
        let mode = store.path().with_file_name(name).metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
