//! The audit chain: it holds, and says when somebody touched it.

use cloakroom_tests::Gateway;
use cloakroom_tests::store::Database;

/// The kinds of all events, oldest first.
pub(crate) async fn kinds(database: &mut Database) -> Vec<String> {
    database.texts("SELECT kind FROM audit_events ORDER BY rowid").await
}

async fn with_history() -> Gateway {
    let mut gateway = Gateway::start().await;
    let mut alice = gateway.signed_in("alice").await;
    gateway.signed_in("bob").await;
    let operator = gateway.administrator("oscar").await;
    let id = super::admin::session_of(&gateway, &operator, "bob").await;
    super::admin::revoke(&gateway, &operator, &id).await;
    alice.sign_out(&gateway.app("")).await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    gateway.stop().await;
    gateway
}

#[tokio::test]
async fn a07_untouched_chain_verifies_and_knows_what_happened() {
    let gateway = with_history().await;
    let verify = gateway.run(&["audit", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
    let mut database = gateway.database().await;
    let kinds = kinds(&mut database).await;
    assert!(kinds.len() >= 5, "three logins, a revocation and a logout: {kinds:?}");
}

#[tokio::test]
async fn a07_edits_deletions_and_reordering_are_found() {
    let gateway = with_history().await;
    let mut edits = vec!["DELETE FROM audit_events WHERE rowid = (SELECT MIN(rowid) + 1 FROM audit_events)".to_owned()];
    let columns = "SELECT name || ' ' || type FROM pragma_table_info('audit_events') WHERE name <> 'place'";
    for column in gateway.database().await.texts(columns).await {
        let (name, kind) = column.split_once(' ').unwrap();
        let other = match kind {
            "INTEGER" => format!("COALESCE({name}, 0) + 1000000"),
            "TEXT" => format!("COALESCE({name}, '') || 'x'"),
            _ => {
                format!("CASE WHEN COALESCE(length({name}), 0) = 0 THEN zeroblob(32) ELSE zeroblob(length({name})) END")
            }
        };
        let third = "rowid = (SELECT MIN(rowid) + 2 FROM audit_events)";
        edits.push(format!("UPDATE audit_events SET {name} = {other} WHERE {third}"));
    }
    let original = std::fs::read(gateway.folder().join("cloakroom.db")).unwrap();
    for edit in edits {
        std::fs::write(gateway.folder().join("cloakroom.db"), &original).unwrap();
        for rest in ["cloakroom.db-wal", "cloakroom.db-shm"] {
            drop(std::fs::remove_file(gateway.folder().join(rest)));
        }
        assert!(gateway.run(&["audit", "verify"]).status.success(), "the copy does not verify");
        assert_eq!(gateway.database().await.execute(&edit).await, 1, "{edit}");
        let verify = gateway.run(&["audit", "verify"]);
        assert!(!verify.status.success(), "not found: {edit}\n{verify:?}");
        assert!(!verify.stdout.is_empty() || !verify.stderr.is_empty(), "{edit}: nothing is said");
    }
}

#[tokio::test]
async fn a07_personal_fields_do_not_lie_open_in_the_log() {
    let gateway = with_history().await;
    let mut database = gateway.database().await;
    let mut dump = String::new();
    for column in database.texts("SELECT name FROM pragma_table_info('audit_events')").await {
        let cells = database.texts(&format!("SELECT hex(CAST({column} AS BLOB)) FROM audit_events")).await;
        dump.extend(cells);
    }
    assert!(!dump.is_empty());
    for open in ["alice@example.com", "Alice Example", "Mozilla/5.0", "127.0.0.1"] {
        let hex = open.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
        assert!(!dump.contains(&hex), "{open} lies open in the audit log");
    }
}
