//! Power cuts under load: at any moment of logins, logouts, refreshes and calls the process is gone.
#![expect(clippy::print_stdout, reason = "what was tried is counted and said")]

use cloakroom_tests::postgres::Server;
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup, rounds};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

/// What the answers have promised so far.
#[derive(Default)]
struct Promises {
    /// Signed in: the cookie has come.
    alive: Mutex<Vec<Browser>>,
    /// Signed out: the page that says so has come.
    dead: Mutex<Vec<String>>,
    /// On their way out, with the cookie that they had: the answer to the logout takes it out of the jar.
    leaving: Mutex<Vec<(Browser, String)>>,
}

/// No session whose cookie came is lost, none whose logout was answered comes back, and each of both is in the audit log.
#[tokio::test]
async fn f01_kill_under_load_keeps_every_promise_on_sqlite() {
    let mut gateway = Setup::default().access_ttl_secs(1).start().await;
    storm(&mut gateway, "sqlite").await;
    gateway.stop().await;
    let mut database = gateway.database().await;
    assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    for sql in UNTOLD {
        assert_eq!(database.number(sql).await, 0, "{sql}");
    }
}

#[tokio::test]
async fn f01_kill_under_load_keeps_every_promise_on_postgres() {
    let server = Server::shared();
    let database = server.database();
    let mut gateway = Setup::default().access_ttl_secs(1).postgres(&server.url(&database)).start().await;
    storm(&mut gateway, "postgres").await;
    for sql in UNTOLD {
        assert_eq!(server.psql(&database, sql), "0", "{sql}");
    }
}

/// Sessions whose start or end the audit log does not tell.
const UNTOLD: [&str; 2] = [
    "SELECT COUNT(*) FROM sessions s WHERE NOT EXISTS \
     (SELECT 1 FROM audit_events e WHERE e.session_id = s.id AND e.kind = 'session.started')",
    "SELECT COUNT(*) FROM sessions s WHERE ended_at IS NOT NULL AND NOT EXISTS \
     (SELECT 1 FROM audit_events e WHERE e.session_id = s.id AND e.kind = 'session.ended')",
];

async fn storm(gateway: &mut Gateway, store: &str) {
    let promises = Arc::new(Promises::default());
    let alice = gateway.signed_in("alice").await;
    promises.alive.lock().unwrap().push(alice);
    let kills = rounds(25, 200);
    let (mut logins, mut logouts) = (0, 0);
    for round in 0..kills {
        let mut under_way = load(gateway, &promises);
        let before = promises.alive.lock().unwrap().len();
        // Spread over the time that a login takes, so that every step of it is met.
        tokio::time::sleep(Duration::from_millis(30 + (round as u64 * 67) % 300)).await;
        gateway.kill().await;
        while under_way.join_next().await.is_some() {}
        logins += promises.alive.lock().unwrap().len() - before;
        gateway.launch().await;
        let before = promises.dead.lock().unwrap().len();
        let last = round + 1 == kills;
        look(gateway, &promises, if last { usize::MAX } else { 30 }).await.unwrap_or_else(|what| {
            panic!("{store}, kill {round}: {what}");
        });
        logouts += promises.dead.lock().unwrap().len() - before;
    }
    let verify = gateway.run(&["audit", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
    println!("{store}: {kills} kills under load, {logins} logins and {logouts} logouts; nothing promised was lost");
}

/// Two people who sign in again and again, two who sign out, and two whose calls need a refresh now and then.
fn load(gateway: &Gateway, promises: &Arc<Promises>) -> JoinSet<()> {
    let mut under_way = JoinSet::new();
    let origin = gateway.app("");
    for user in ["bob", "vera"] {
        let (promises, origin) = (Arc::clone(promises), origin.clone());
        under_way.spawn(async move {
            loop {
                let mut browser = Browser::new();
                browser.sign_in(&origin, user, "/pages/home").await;
                promises.alive.lock().unwrap().push(browser);
            }
        });
    }
    for _ in 0..2 {
        let mut alive = promises.alive.lock().unwrap();
        let Some(mut leaving) = (alive.len() > 4).then(|| alive.remove(0)) else { break };
        drop(alive);
        let origin = origin.clone();
        let cookie = leaving.session_cookie().unwrap().value;
        promises.leaving.lock().unwrap().push((leaving.new_tab(), cookie));
        under_way.spawn(async move {
            leaving.sign_out(&origin).await;
        });
    }
    let calling: Vec<Browser> = promises.alive.lock().unwrap().iter().rev().take(2).map(Browser::new_tab).collect();
    for tab in calling {
        let address = gateway.app("/api/x");
        under_way.spawn(async move {
            loop {
                let answer = tab.fetch("GET", &address).csrf().send().await;
                assert_ne!(answer.status, 401, "{answer:?}");
            }
        });
    }
    under_way
}

/// Asks after the promises: all who are signed in, and the newest of those who signed out.
async fn look(gateway: &Gateway, promises: &Promises, ended: usize) -> Result<(), String> {
    let leaving = std::mem::take(&mut *promises.leaving.lock().unwrap());
    let mut alive = std::mem::take(&mut *promises.alive.lock().unwrap());
    let mut dead = std::mem::take(&mut *promises.dead.lock().unwrap());
    for (browser, cookie) in leaving {
        if browser.session_cookie().is_none() {
            dead.push(cookie);
            continue;
        }
        // Nobody has said which it is; from here on it stays so.
        match status(gateway, &cookie).await {
            200 => alive.push(browser),
            401 => dead.push(cookie),
            other => return Err(format!("{other} for a session that was being ended")),
        }
    }
    for browser in &alive {
        let found = status(gateway, &browser.session_cookie().unwrap().value).await;
        if found != 200 {
            return Err(format!("a session was lost: {found}"));
        }
    }
    for cookie in dead.iter().rev().take(ended) {
        let found = status(gateway, cookie).await;
        if found != 401 {
            return Err(format!("a session came back: {found}"));
        }
    }
    *promises.alive.lock().unwrap() = alive;
    *promises.dead.lock().unwrap() = dead;
    Ok(())
}

async fn status(gateway: &Gateway, cookie: &str) -> u16 {
    let cookie = format!("{SESSION_COOKIE}={cookie}");
    let request = gateway.request("GET", "/bff/user").header("X-CSRF", "1").header("Cookie", &cookie);
    request.send(gateway.port()).await.unwrap().status
}
