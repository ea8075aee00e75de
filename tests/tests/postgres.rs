//! The gateway on PostgreSQL: the same promises, a server that goes and comes, and the commands.

use cloakroom_tests::postgres::{PASSWORD, Server};
use cloakroom_tests::{Browser, Gateway, Setup, eventually, rounds};

async fn status(gateway: &Gateway, browser: &Browser, path: &str) -> u16 {
    browser.fetch("GET", &gateway.app(path)).send().await.status
}

/// A server of the story's own, and a gateway on it.
async fn own() -> (Server, Gateway) {
    let server = Server::start();
    let url = server.url(&server.database());
    let gateway = Setup::default().postgres(&url).start().await;
    (server, gateway)
}

#[tokio::test]
async fn u10_f02_store_that_is_away_signs_nobody_out_and_comes_back_by_itself() {
    let (mut server, mut gateway) = own().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    // From here on only Alice's session is in memory.
    gateway.stop().await;
    gateway.launch().await;
    assert_eq!(status(&gateway, &alice, "/api/x").await, 200);

    server.stop();
    assert_eq!(status(&gateway, &alice, "/api/x").await, 200, "what is in memory goes on");
    for path in ["/api/x", "/bff/user", "/pages/home"] {
        let answer = bob.fetch("GET", &gateway.app(path)).send().await;
        assert_eq!(answer.status, 503, "{path}: {answer:?}");
        assert!(answer.header("retry-after").is_some(), "{path}: {answer:?}");
        assert_eq!(answer.header("set-cookie"), None, "{path}: nobody's cookie is taken away");
    }
    assert_eq!(status(&gateway, &bob, "/public/x").await, 200, "what needs nobody to be known goes on");
    assert_eq!(gateway.management("/readyz").await.status, 503);
    assert_eq!(gateway.management("/healthz").await.status, 200);
    let mut vera = Browser::new();
    vera.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    vera.submit_form(&[("username", "vera"), ("password", "vera-password")]).await;
    assert!(vera.session_cookie().is_none());

    server.launch();
    let ready = async || (gateway.management("/readyz").await.status == 200).then_some(());
    eventually("the gateway is ready again", ready).await;
    for browser in [&alice, &bob] {
        assert_eq!(status(&gateway, browser, "/api/x").await, 200);
    }
    gateway.signed_in("vera").await;
    assert!(!gateway.log().contains(PASSWORD), "the log shows the database's password");
}

#[tokio::test]
async fn f02_restart_of_the_server_signs_nobody_out() {
    let (mut server, gateway) = own().await;
    let mut signed_in = Vec::new();
    for _ in 0..rounds(2, 20) {
        server.stop();
        server.launch();
        // Its connections are all of before: the first login must get over them.
        signed_in.push(gateway.signed_in("alice").await);
        for browser in &signed_in {
            assert_eq!(status(&gateway, browser, "/bff/user").await, 200);
        }
    }
}

#[tokio::test]
async fn commands_work_on_a_database_that_a_gateway_uses() {
    let server = Server::shared();
    let database = server.database();
    let mut gateway = Setup::default().postgres(&server.url(&database)).prepare().await;
    let migrate = gateway.run(&["migrate"]);
    assert!(migrate.status.success(), "{migrate:?}");
    gateway.launch().await;
    let alice = gateway.signed_in("alice").await;
    let mut said = Vec::new();
    for (arguments, expected) in [
        (&["check"][..], format!("postgres 127.0.0.1:{} database {database}, 16 connections", server.port())),
        (&["migrate"], "the store is up to date".to_owned()),
        (&["audit", "verify"], "the audit log is whole".to_owned()),
        (&["keys", "list"], "seals".to_owned()),
        (&["keys", "rotate"], "seals from now on".to_owned()),
    ] {
        let done = gateway.run(arguments);
        let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success() && text.contains(&expected), "{arguments:?}: {text}");
        said.push(text);
    }
    // The running gateway learns of the new key, and sends the cookie anew under it.
    let old = alice.session_cookie().unwrap().value;
    let renewed = async || {
        let answer = alice.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
        answer.header("set-cookie").filter(|line| !line.contains(&old)).map(str::to_owned)
    };
    eventually("the cookie comes under the new key", renewed).await;
    said.push(gateway.log());
    assert!(said.iter().all(|text| !text.contains(PASSWORD)), "the database's password is shown");

    gateway.stop().await;
    gateway.environment("TESTS_STORE", &server.url(&database).replace(PASSWORD, "a-wrong-password"));
    let refused = gateway.run(&["serve"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains(&database), "{text}");
    assert!(!text.contains("a-wrong-password"), "{text}");
}
