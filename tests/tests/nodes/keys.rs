//! Keys that turn on several nodes at once.

use super::gateway;
use cloakroom_tests::wire::Request;
use cloakroom_tests::{Gateway, SESSION_COOKIE, Setup, eventually};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use tokio::task::JoinSet;

/// A browser's cookie, and what the answer makes of it.
async fn call(host: &str, port: u16, cookie: &mut String) -> u16 {
    let request = Request::new("GET", host, "/bff/user").header("X-CSRF", "1").header("Sec-Fetch-Site", "same-origin");
    let answer = request.header("Cookie", &format!("{SESSION_COOKIE}={cookie}")).send(port).await.unwrap();
    let set = answer.headers.all("set-cookie").into_iter().find_map(|line| line.strip_prefix(SESSION_COOKIE));
    if let Some(value) = set.and_then(|rest| rest.strip_prefix('=')?.split(';').next()) {
        value.clone_into(cookie);
    }
    answer.status
}

fn keys(gateway: &Gateway, arguments: &[&str]) -> String {
    let done = gateway.run(&[&["keys"], arguments].concat());
    assert!(done.status.success(), "{arguments:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test]
async fn v02_u13_rotation_on_three_nodes_under_load_signs_nobody_out() {
    let (gateway, _) = gateway(Setup::default()).await;
    let nodes = [gateway.node().await, gateway.node().await];
    let ports = [gateway.port(), nodes[0].port(), nodes[1].port()];
    let (over, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for user in ["alice", "bob", "vera", "alice", "bob", "vera"] {
        let mut cookie = gateway.signed_in(user).await.session_cookie().unwrap().value;
        let (host, over, calls) = (gateway.host(), Arc::clone(&over), Arc::clone(&calls));
        clients.spawn(async move {
            while !over.load(Relaxed) {
                let port = ports[calls.fetch_add(1, Relaxed) % 3];
                assert_eq!(call(&host, port, &mut cookie).await, 200, "{user} was signed out");
            }
        });
    }
    for _ in 0..3 {
        keys(&gateway, &["rotate"]);
        // Under the new key from the first moment on; every node is asked at once.
        let cookie = gateway.signed_in("carol").await.session_cookie().unwrap().value;
        let mut asked = JoinSet::new();
        for port in ports.into_iter().cycle().take(6) {
            let (host, mut cookie) = (gateway.host(), cookie.clone());
            asked.spawn(async move { call(&host, port, &mut cookie).await });
        }
        while let Some(status) = asked.join_next().await {
            assert_eq!(status.unwrap(), 200);
        }
    }
    // What is stored moves to the newest key by itself, and how far it is can be seen.
    let moved = async || {
        let list = keys(&gateway, &["list"]);
        let (_, progress) = list.rsplit_once("newest key: ")?;
        let (done, all) = progress.trim().split_once(" of ")?;
        (done == all).then_some(list)
    };
    let list = eventually("everything is sealed under the newest key", moved).await;
    let old: Vec<&str> = list.lines().filter(|line| line.contains(" opens ")).collect();
    assert_eq!(old.len(), 3, "{list}");
    let before = calls.load(Relaxed);
    eventually("everybody has called since", async || (calls.load(Relaxed) > before + 60).then_some(())).await;
    for line in old {
        keys(&gateway, &["retire", line.split_whitespace().next().unwrap(), "--yes"]);
    }
    let before = calls.load(Relaxed);
    eventually("calls go on", async || (calls.load(Relaxed) > before + 60).then_some(())).await;
    over.store(true, Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}
