//! Several gateways on one PostgreSQL database, behind one host name: what one ends is ended on all.

mod keys;

use cloakroom_tests::gateway::Node;
use cloakroom_tests::postgres::Server;
use cloakroom_tests::wire::{Request, answer_framing};
use cloakroom_tests::{Browser, Gateway, Provider, SESSION_COOKIE, Setup, eventually, rounds};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// A gateway and its database.
async fn gateway(setup: Setup) -> (Gateway, String) {
    let server = Server::shared();
    let database = server.database();
    (setup.postgres(&server.url(&database)).start().await, database)
}

/// How long it took until a node refused the cookie.
async fn refused_after(node: &Node, cookie: &str) -> Duration {
    let began = Instant::now();
    let what = "the session is refused on the other node";
    eventually(what, async || (node.call_with(cookie, "/bff/user").await.status == 401).then_some(())).await;
    began.elapsed()
}

#[tokio::test]
async fn c04_session_that_ends_on_one_node_is_dead_on_every_node() {
    let (gateway, _) = gateway(Setup::default()).await;
    let nodes = [gateway.node().await, gateway.node().await];
    let mut alice = gateway.signed_in("alice").await;
    let bob = gateway.signed_in("bob").await;
    for node in &nodes {
        for browser in [&alice, &bob] {
            node.call(browser, "/api/x").await.expect(200);
        }
    }
    let cookie = alice.session_cookie().unwrap().value;
    alice.sign_out(&gateway.app("")).await;
    for node in &nodes {
        let after = refused_after(node, &cookie).await;
        assert!(after < Duration::from_secs(1), "{after:?}");
        assert_ne!(node.call_with(&cookie, "/api/x").await.status, 200);
        node.call(&bob, "/api/x").await.expect(200);
    }
}

#[tokio::test]
async fn u09_u11_logout_token_at_one_node_ends_the_stream_at_another() {
    let (gateway, _) = gateway(Setup::default()).await;
    let node = gateway.node().await;
    let alice = gateway.signed_in("alice").await;
    let cookie = alice.session_cookie().unwrap().value;
    let request = Request::new("GET", &gateway.host(), "/bff/session/events")
        .header("Cookie", &format!("{SESSION_COOKIE}={cookie}"))
        .header("Accept", "text/event-stream")
        .header("Sec-Fetch-Site", "same-origin");
    let mut stream = node.connect().await;
    stream.write(request.bytes()).await.unwrap();
    let (status, headers) = stream.status().await.unwrap();
    assert_eq!(status, 200);

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": gateway.issuer(), "aud": gateway.client_id(), "iat": now - 2, "exp": now + 118, "jti": cookie,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} }, "sub": "alice",
    });
    let header = json!({ "alg": "ES256", "kid": "tests-es256", "typ": "logout+jwt" });
    let token = Provider::shared().sign("ES256", &header, &claims).await;
    let request = gateway.request("POST", "/bff/backchannel-logout").body(format!("logout_token={token}"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let told = Instant::now();
    request.send(gateway.port()).await.unwrap().expect(200);

    let mut framing = answer_framing("GET", status, &headers);
    let mut heard = String::new();
    let end = timeout(Duration::from_secs(10), async {
        while let Ok(Some(piece)) = stream.piece(&mut framing).await {
            heard.push_str(str::from_utf8(&piece).unwrap());
        }
    });
    end.await.expect("the stream ends");
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    assert!(heard.contains("event: ended") && heard.contains("logged_out_by_provider"), "{heard}");
    assert_eq!(node.call_with(&cookie, "/bff/user").await.status, 401);
}

#[tokio::test]
async fn t01_calls_on_three_nodes_cost_one_refresh() {
    one_refresh(20, Duration::from_millis(500)).await;
}

/// Longer than any impatience on the way: no lease may run out while the provider thinks.
#[tokio::test]
async fn u01_t01_two_hundred_calls_on_three_nodes_wait_half_a_minute_for_one_refresh() {
    one_refresh(67, Duration::from_secs(30)).await;
}

/// So many calls on each of three nodes meet an expired access token, and the provider takes its time.
async fn one_refresh(calls_each: usize, provider_takes: Duration) {
    let (gateway, _) = gateway(Setup::default().access_ttl_secs(2)).await;
    let nodes = [gateway.node().await, gateway.node().await];
    let alice = gateway.signed_in("alice").await;
    for node in &nodes {
        node.call(&alice, "/api/x").await.expect(200);
    }
    Provider::shared().access_ttl(gateway.client_id(), 3600).await;
    tokio::time::sleep(Duration::from_millis(2200)).await;
    let before = gateway.seen().await.token("refresh_token").len();
    let ms = u64::try_from(provider_takes.as_millis()).unwrap();
    let slow = json!({ "endpoint": "token", "grant": "refresh_token", "mode": "delay", "ms": ms });
    Provider::shared().fault(gateway.client_id(), slow).await;
    let cookie = format!("{SESSION_COOKIE}={}", alice.session_cookie().unwrap().value);
    let mut calls = JoinSet::new();
    for port in [gateway.port(), nodes[0].port(), nodes[1].port()] {
        for n in 0..calls_each {
            let request = Request::new("GET", &gateway.host(), &format!("/api/{n}")).header("Cookie", &cookie);
            let request = request.header("X-CSRF", "1").header("Sec-Fetch-Site", "same-origin");
            calls.spawn(async move { request.send(port).await.unwrap().status });
        }
    }
    while let Some(status) = calls.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let seen = gateway.seen().await;
    assert_eq!(seen.token("refresh_token").len(), before + 1, "{:?}", seen.refused());
    let new = seen.granted("refresh_token").pop().unwrap()["access"].as_str().unwrap().to_owned();
    let calls = gateway.upstream.calls();
    let last = calls.iter().rev().take(3 * calls_each);
    assert!(last.into_iter().all(|call| call.headers.get("authorization") == Some(&format!("Bearer {new}"))));
}

#[tokio::test]
async fn f09_node_that_misses_the_log_refuses_within_the_bound() {
    let (gateway, database) = gateway(Setup::default().store("reread_secs = 2")).await;
    let node = gateway.node().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    for browser in [&alice, &bob] {
        node.call(browser, "/api/x").await.expect(200);
    }
    // An end that no log tells of.
    let ended = "UPDATE sessions SET ended_at = 1, ended_reason = 'revoked', live_until = 0 WHERE sub = 'alice'";
    Server::shared().psql(&database, ended);
    let cookie = alice.session_cookie().unwrap().value;
    let after = refused_after(&node, &cookie).await;
    assert!(after < Duration::from_millis(3500), "{after:?}");
    node.call(&bob, "/api/x").await.expect(200);
}

#[tokio::test]
async fn f09_store_of_another_incarnation_is_believed_and_not_memory() {
    let (gateway, database) = gateway(Setup::default()).await;
    let node = gateway.node().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    for browser in [&alice, &bob] {
        node.call(browser, "/api/x").await.expect(200);
    }
    // A copy in the place of the store that they knew; its log begins anew, and tells nothing of the end.
    let other = "UPDATE sessions SET ended_at = 1, ended_reason = 'revoked', live_until = 0 WHERE sub = 'alice'; \
        DELETE FROM change_log; UPDATE log_head SET n = 0, incarnation = gen_random_uuid()";
    Server::shared().psql(&database, other);
    let after = refused_after(&node, &alice.session_cookie().unwrap().value).await;
    assert!(after < Duration::from_secs(2), "{after:?}");
    node.call(&bob, "/api/x").await.expect(200);
}

#[tokio::test]
async fn f09_end_whose_transaction_is_held_open_is_not_missed() {
    let (gateway, database) = gateway(Setup::default()).await;
    let node = gateway.node().await;
    let mut alice = gateway.signed_in("alice").await;
    let bob = gateway.signed_in("bob").await;
    for browser in [&alice, &bob] {
        node.call(browser, "/api/x").await.expect(200);
    }
    // Bob's end takes its number first and is committed last of all that wait.
    let held = "BEGIN; UPDATE sessions SET ended_at = 1, ended_reason = 'revoked', live_until = 0 WHERE sub = 'bob'; \
        WITH head AS (UPDATE log_head SET n = n + 1 RETURNING n) INSERT INTO change_log (n, at, what, sessions) \
        SELECT n, 0, 'ended', ARRAY(SELECT id FROM sessions WHERE sub = 'bob') FROM head; ";
    // Longer than any other's patience: by `test --long` they are refused meanwhile, and none is missed.
    let held = format!("{held}SELECT pg_sleep({}); COMMIT", rounds(2, 15));
    let holding = tokio::task::spawn_blocking(move || Server::shared().psql(&database, &held));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let gone = alice.session_cookie().unwrap().value;
    let kept = alice.sign_out(&gateway.app("")).await.status != 503;
    holding.await.unwrap();
    if !kept {
        alice.sign_out(&gateway.app("")).await;
    }
    for cookie in [gone, bob.session_cookie().unwrap().value] {
        let after = refused_after(&node, &cookie).await;
        assert!(after < Duration::from_secs(1), "{after:?}");
    }
}

#[tokio::test]
async fn f11_after_a_standstill_nothing_revoked_meanwhile_is_served() {
    let (gateway, _) = gateway(Setup::default()).await;
    let node = gateway.node().await;
    for _ in 0..3 {
        let mut alice = gateway.signed_in("alice").await;
        node.call(&alice, "/api/x").await.expect(200);
        let cookie = alice.session_cookie().unwrap().value;
        node.signal("STOP");
        alice.sign_out(&gateway.app("")).await;
        tokio::time::sleep(Duration::from_millis(1200)).await;
        // The call waits in the socket, and is the first thing that the process sees.
        let call = node.call_with(&cookie, "/api/x");
        let (answer, ()) = tokio::join!(call, async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            node.signal("CONT");
        });
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

#[tokio::test]
async fn f02_u10_nodes_serve_from_memory_within_the_bound_and_no_longer() {
    let mut server = Server::start();
    let url = server.url(&server.database());
    let gateway = Setup::default().postgres(&url).store("reread_secs = 3").start().await;
    let alice = gateway.signed_in("alice").await;
    let call = async |path: &str| alice.fetch("GET", &gateway.app(path)).send().await;
    call("/api/x").await.expect(200);
    server.stop();
    call("/api/x").await.expect(200);
    let answer = eventually("memory is no longer trusted", async || {
        let answer = call("/api/x").await;
        (answer.status != 200).then_some(answer)
    });
    let answer = answer.await;
    assert_eq!((answer.status, answer.header("set-cookie")), (503, None), "never anonymous: {answer:?}");
    assert!(answer.header("retry-after").is_some());
    server.launch();
    let back = async || (call("/api/x").await.status == 200).then_some(());
    eventually("the session is served again", back).await;
}

#[tokio::test]
async fn c06_cookie_under_a_key_of_a_moment_ago_is_known_on_every_node() {
    let (gateway, _) = gateway(Setup::default()).await;
    let node = gateway.node().await;
    let old = gateway.signed_in("alice").await;
    node.call(&old, "/api/x").await.expect(200);
    let rotated = gateway.run(&["keys", "rotate"]);
    assert!(rotated.status.success(), "{rotated:?}");
    let new: Browser = gateway.signed_in("bob").await;
    for browser in [&new, &old] {
        node.call(browser, "/api/x").await.expect(200);
    }
}
