//! Rows that nobody needs any more go by themselves, whatever the number (U18).

use cloakroom_tests::postgres::Server;
use cloakroom_tests::store::Database;
use cloakroom_tests::{Browser, Gateway, Setup, eventually};
use std::time::{SystemTime, UNIX_EPOCH};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A store behind its gateway's back.
enum Behind {
    File(Box<Database>),
    Server(String),
}

impl Behind {
    async fn execute(&mut self, sql: &str) {
        match self {
            Self::File(database) => drop(database.execute(sql).await),
            Self::Server(name) => drop(Server::shared().psql(name, sql)),
        }
    }

    async fn number(&mut self, sql: &str) -> i64 {
        match self {
            Self::File(database) => database.number(sql).await,
            Self::Server(name) => Server::shared().psql(name, sql).trim().parse().expect("a number"),
        }
    }

    /// Copies of a person's session, under ids of their own.
    async fn copy(&mut self, sub: &str, copies: u32) {
        let (columns, numbers, id) = match self {
            Self::File(database) => {
                let columns = "SELECT group_concat(name, ', ') FROM pragma_table_info('sessions') WHERE name <> 'id'";
                let numbers = format!(
                    "(WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {copies}) SELECT i FROM n)"
                );
                (database.texts(columns).await.remove(0), numbers, "randomblob(16)")
            }
            Self::Server(name) => {
                let columns = "SELECT string_agg(column_name, ', ') FROM information_schema.columns \
                               WHERE table_name = 'sessions' AND column_name <> 'id'";
                let columns = Server::shared().psql(name, columns).trim().to_owned();
                (columns, format!("generate_series(1, {copies})"), "uuid_send(gen_random_uuid())")
            }
        };
        let sql = format!(
            "INSERT INTO sessions (id, {columns}) SELECT {id}, {columns} FROM sessions CROSS JOIN {numbers} AS copies \
             WHERE sub = '{sub}'"
        );
        self.execute(&sql).await;
    }
}

/// Makes a person's session one that expired, or ended, so many milliseconds ago.
async fn age(behind: &mut Behind, sub: &str, column: &str, ms: i64) {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let at = now - ms;
    let set = match column {
        "live_until" => format!("live_until = {at}, last_seen_at = {at} - idle_ms"),
        _ => format!("ended_at = {at}"),
    };
    behind.execute(&format!("UPDATE sessions SET {set} WHERE sub = '{sub}'")).await;
}

async fn signed_in_as(gateway: &Gateway, sub: &str) -> Browser {
    cloakroom_tests::Provider::shared().user(sub, serde_json::json!({ "name": sub })).await;
    gateway.signed_in(sub).await
}

async fn story(mut gateway: Gateway, mut behind: Behind) {
    let alice = gateway.signed_in("alice").await;
    let operator = gateway.administrator("oscar").await;
    let mut others = Vec::new();
    for sub in ["swept-expired", "swept-idle-day", "swept-idle-hours", "swept-ended", "swept-lately"] {
        others.push(signed_in_as(&gateway, sub).await);
    }
    let cookies: Vec<_> = others.iter().map(|browser| browser.session_cookie().unwrap()).collect();
    for browser in &mut others[3..] {
        browser.sign_out(&gateway.app("")).await;
    }
    // A provider that is still to be told holds its session's row up.
    let told = "SELECT count(*) FROM tokens WHERE tell_at IS NOT NULL";
    eventually("the provider was told", async || (behind.number(told).await == 0).then_some(())).await;
    gateway.stop().await;
    // More than one batch, and more of them than live.
    behind.copy("swept-expired", 250).await;
    behind.copy("swept-ended", 250).await;
    age(&mut behind, "swept-expired", "live_until", 4 * DAY_MS).await;
    age(&mut behind, "swept-idle-day", "live_until", 25 * HOUR_MS).await;
    age(&mut behind, "swept-idle-hours", "live_until", 23 * HOUR_MS).await;
    age(&mut behind, "swept-ended", "ended_at", 2 * DAY_MS + HOUR_MS).await;
    age(&mut behind, "swept-lately", "ended_at", 2 * DAY_MS - HOUR_MS).await;
    let events = behind.number("SELECT count(*) FROM audit_events").await;
    gateway.launch().await;

    let gone = "SELECT count(*) FROM sessions WHERE sub IN ('swept-expired', 'swept-ended')";
    eventually("old rows are gone", async || (behind.number(gone).await == 0).then_some(())).await;
    let kept = |sub: &str| format!("SELECT count(*) FROM sessions WHERE sub = '{sub}'");
    let tokens = |sub: &str| {
        format!("SELECT count(*) FROM tokens WHERE session_id IN (SELECT id FROM sessions WHERE sub = '{sub}')")
    };
    for (sub, has_tokens) in [("alice", 1), ("swept-idle-day", 0), ("swept-idle-hours", 1), ("swept-lately", 0)] {
        assert_eq!(behind.number(&kept(sub)).await, 1, "{sub}");
        assert_eq!(behind.number(&tokens(sub)).await, has_tokens, "{sub}");
    }
    // The audit log is nobody's to sweep.
    assert!(behind.number("SELECT count(*) FROM audit_events").await >= events);
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    for cookie in cookies {
        let browser = Browser::new();
        browser.jar().insert(cookie);
        for path in ["/api/x", "/bff/user"] {
            browser.fetch("GET", &gateway.app(path)).csrf().send().await.expect(401).problem();
        }
    }
    // Administrators see of an expired session what they saw before.
    for sub in ["swept-idle-day", "swept-idle-hours"] {
        let url = gateway.console(&format!("/admin/api/v1/sessions?state=all&sub={sub}"));
        let item = operator.fetch("GET", &url).csrf().send().await.expect(200).json()["items"][0].clone();
        assert_eq!((item["state"].as_str(), item["ended"].is_null()), (Some("expired"), true), "{item}");
    }
    gateway.stop().await;
    assert!(gateway.run(&["audit", "verify"]).status.success());
}

#[tokio::test]
async fn u18_expired_and_ended_sessions_go_by_themselves() {
    let gateway = Setup::default().store("keep_ended_days = 2").start().await;
    let behind = Behind::File(Box::new(Database::open(&gateway.folder().join("cloakroom.db")).await));
    story(gateway, behind).await;
}

#[tokio::test]
async fn u18_expired_and_ended_sessions_go_from_postgres_too() {
    let server = Server::shared();
    let database = server.database();
    let setup = Setup::default().postgres(&server.url(&database)).store("keep_ended_days = 2");
    story(setup.start().await, Behind::Server(database)).await;
}
