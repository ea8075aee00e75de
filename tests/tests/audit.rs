//! The audit chain: it holds, and says when somebody touched it.

use cloakroom_tests::store::Database;
use cloakroom_tests::wire::Conn;
use cloakroom_tests::{Gateway, Setup};
use serde_json::Value;

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

#[tokio::test]
async fn a09_flood_of_refusals_is_counted_and_holds_no_write_up() {
    let server = "trusted_proxies = [\"127.0.0.1\"]";
    let mut gateway = Setup::default().server(server).section("[limits]\nrefused = \"off\"").start().await;
    let size = |gateway: &Gateway| gateway.store_bytes().len();
    let before = size(&gateway);
    let flood = async {
        let mut sent = Vec::new();
        for number in 0..8_u8 {
            let odd =
                gateway.request("GET", "/public/../api/x").header("X-Forwarded-For", &format!("192.0.{number}.9"));
            let foreign = gateway.request("GET", "/api/x").header("Sec-Fetch-Dest", "serviceworker");
            let port = gateway.port();
            sent.push(tokio::spawn(async move {
                for _ in 0..100 {
                    odd.clone().send(port).await.unwrap().expect(400);
                }
                let mut kept = Conn::open(port).await.unwrap();
                for _ in 0..100 {
                    kept.write(foreign.bytes()).await.unwrap();
                    kept.answer("GET").await.unwrap().expect(403);
                }
            }));
        }
        for task in sent {
            task.await.unwrap();
        }
    };
    // Somebody signs in meanwhile: a login is written before it is answered.
    let ((), browser) = tokio::join!(flood, gateway.signed_in("alice"));
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let metrics = gateway.management("/metrics").await.text();
    for (code, count) in [("bad-path", 800), ("service-worker", 800)] {
        let line = format!("cloakroom_refused_total{{site=\"app\",code=\"{code}\"}} {count}");
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    gateway.stop().await;
    assert!(size(&gateway) < before + 200_000, "the flood grew the store: {before} to {}", size(&gateway));
    let mut database = gateway.database().await;
    let rows = database.texts("SELECT facts FROM audit_events WHERE kind = 'requests.refused'").await;
    // One, or two where a minute ended meanwhile.
    assert!((1..=2).contains(&rows.len()), "{rows:?}");
    let rows: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["n"].as_u64().unwrap()).sum::<u64>(), 1_600, "{rows:?}");
    if let [row] = rows.as_slice() {
        assert_eq!(row["site"], "app");
        assert_eq!(
            row["most"][0],
            serde_json::json!({ "code": "service-worker", "network": "127.0.0.0/24", "n": 800 })
        );
        let third = serde_json::json!({ "code": "bad-path", "network": "192.0.3.0/24", "n": 100 });
        assert!(row["most"].as_array().unwrap().contains(&third), "{row}");
    }
    let tenants = database.texts("SELECT DISTINCT tenant FROM audit_events WHERE kind = 'requests.refused'").await;
    assert_eq!(tenants, ["default"], "a site's refusals are its tenant's");
    assert!(gateway.run(&["audit", "verify"]).status.success());
}

#[tokio::test]
async fn a07_a_checkpoint_kept_elsewhere_finds_a_cut_tail_and_a_log_written_anew() {
    let mut gateway = with_history().await;
    let made = gateway.run(&["audit", "checkpoint"]);
    assert!(made.status.success(), "{made:?}");
    let file = gateway.folder().join("checkpoint.json");
    std::fs::write(&file, &made.stdout).unwrap();
    let path = file.to_str().unwrap().to_owned();
    let against = |gateway: &Gateway| gateway.run(&["audit", "verify", "--checkpoint", &path]);
    assert!(against(&gateway).status.success(), "{:?}", against(&gateway));

    // The tail is cut, and the head moved back with it: the chain by itself holds.
    let mut database = gateway.database().await;
    database.execute("DELETE FROM audit_events WHERE seq = (SELECT seq FROM audit_head)").await;
    let back = "UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_events ORDER BY seq DESC LIMIT 1)";
    database.execute(back).await;
    drop(database);
    assert!(gateway.run(&["audit", "verify"]).status.success());
    let found = against(&gateway);
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(!found.status.success() && said.contains("its tail was cut"), "{found:?}");

    // The log is emptied, and grows beyond the checkpoint again.
    let mut database = gateway.database().await;
    database.execute("DELETE FROM audit_events").await;
    database.execute("UPDATE audit_head SET seq = 0, hash = zeroblob(32)").await;
    drop(database);
    gateway.launch().await;
    for _ in 0..8 {
        gateway.signed_in("alice").await;
    }
    gateway.stop().await;
    assert!(gateway.run(&["audit", "verify"]).status.success());
    let found = against(&gateway);
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(!found.status.success() && said.contains("written anew"), "{found:?}");

    // A checkpoint that was altered proves nothing, and says so.
    let text = String::from_utf8(made.stdout).unwrap();
    let mut altered: Value = serde_json::from_str(&text).unwrap();
    altered["seq"] = serde_json::json!(1);
    std::fs::write(&file, altered.to_string()).unwrap();
    let refused = against(&gateway);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("proves nothing"));
}
