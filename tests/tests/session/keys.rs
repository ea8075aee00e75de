//! The key ring: rotated, moved away from, retired and burned, while people are signed in.

use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, eventually};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// `cloakroom keys …`, which must succeed; what it prints.
fn keys(gateway: &Gateway, arguments: &[&str]) -> String {
    let done = gateway.run(&[&["keys"], arguments].concat());
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&done.stderr));
    said
}

fn refused(gateway: &Gateway, arguments: &[&str]) -> String {
    let done = gateway.run(&[&["keys"], arguments].concat());
    assert!(!done.status.success(), "{arguments:?}");
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// The ring's key ids, oldest first.
fn ids(gateway: &Gateway) -> Vec<String> {
    let table = keys(gateway, &["list"]);
    let rows = table.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// Waits until nothing is sealed under any key but the newest.
async fn moved(gateway: &Gateway) {
    eventually("everything is sealed under the newest key", async || {
        let table = keys(gateway, &["list"]);
        let last = table.lines().last().unwrap().trim_start_matches("sealed under the newest key: ").to_owned();
        last.split_once(" of ").is_some_and(|(moved, all)| moved == all).then_some(())
    })
    .await;
}

fn cookie(browser: &Browser) -> String {
    browser.session_cookie().expect("a session").value
}

#[tokio::test]
async fn c06_c13_old_cookie_lives_on_is_sent_anew_and_dies_with_its_key() {
    let gateway = Gateway::start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let (old, bobs) = (cookie(&alice), cookie(&bob));
    let first = ids(&gateway).pop().unwrap();
    assert!(old.starts_with(&format!("{first}.")));
    keys(&gateway, &["rotate"]);
    let newest = ids(&gateway).pop().unwrap();
    assert_ne!(newest, first);

    let answer = alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "S11: {answer:?}");
    let new = cookie(&alice);
    assert!(new.starts_with(&format!("{newest}.")), "{new}");
    let again = alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    assert!(again.headers.all("set-cookie").is_empty(), "sent anew once: {again:?}");
    let user = bob.fetch("GET", &gateway.app("/bff/user")).csrf().send().await.expect(200);
    assert!(
        user.headers.all("set-cookie").iter().any(|line| line.starts_with(SESSION_COOKIE)),
        "own endpoints too: {user:?}"
    );
    assert!(Browser::new().fetch("GET", &gateway.app("/public/x")).send().await.headers.all("set-cookie").is_empty());

    moved(&gateway).await;
    keys(&gateway, &["retire", &first, "--yes"]);
    assert_eq!(ids(&gateway), [newest]);
    for stale in [old, bobs] {
        for path in ["/api/x", "/bff/user"] {
            let request = gateway.request("GET", path).header("X-CSRF", "1");
            let answer =
                request.header("Cookie", &format!("{SESSION_COOKIE}={stale}")).send(gateway.port()).await.unwrap();
            assert_eq!(answer.status, 401, "{path}: {answer:?}");
            assert!(answer.headers.all("set-cookie").is_empty(), "the cookie is not deleted: {answer:?}");
        }
    }
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}

#[tokio::test]
async fn c06_keys_turn_with_the_gateway_down_as_well_and_every_turn_is_audited() {
    let mut gateway = Gateway::start().await;
    let alice = gateway.signed_in("alice").await;
    let first = ids(&gateway).pop().unwrap();
    assert!(gateway.stop().await.success());
    keys(&gateway, &["rotate"]);
    gateway.launch().await;
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    moved(&gateway).await;
    gateway.stop().await;
    keys(&gateway, &["retire", &first, "--yes"]);
    gateway.launch().await;
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let again = gateway.signed_in("alice").await;
    again.fetch("GET", &gateway.app("/bff/sessions")).csrf().send().await.expect(200);
    gateway.stop().await;
    let mut database = gateway.database().await;
    let kinds = database
        .texts("SELECT kind FROM audit_events WHERE kind LIKE 'key.%' AND actor IS NOT NULL ORDER BY place")
        .await;
    assert_eq!(kinds, ["key.rotated", "key.retired"]);
    let people = database.number("SELECT count(DISTINCT subject) FROM sessions WHERE sub = 'alice'").await;
    assert_eq!(people, 1, "a retired first key moved a person's hash");
}

#[tokio::test]
async fn u13_burning_is_another_confirmed_act_and_says_what_it_ends() {
    let gateway = Gateway::start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let first = ids(&gateway).pop().unwrap();
    assert!(refused(&gateway, &["retire", &first, "--burn", "--yes"]).contains("rotate"), "the key that seals");
    assert!(refused(&gateway, &["retire", "00000000", "--yes"]).contains("there is no key 00000000"));
    keys(&gateway, &["rotate"]);
    let carol = gateway.signed_in("carol").await;
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let said = refused(&gateway, &["retire", &first, "--burn"]);
    assert!(said.contains("ends 2 sessions") && said.contains("nothing was done"), "{said}");
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);

    let said = keys(&gateway, &["retire", &first, "--burn", "--yes"]);
    assert!(said.contains("2 sessions ended"), "{said}");
    for browser in [&alice, &bob] {
        browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
    }
    carol.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    gateway.signed_in("alice").await.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}

#[tokio::test]
async fn u13_v02_rotation_under_load_signs_nobody_out() {
    let gateway = Arc::new(Gateway::start().await);
    let (failed, served, over) =
        (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let mut callers = Vec::new();
    for user in ["alice", "bob", "vera", "carol", "olivia"] {
        let browser = gateway.signed_in(user).await;
        let (gateway, failed, served, over) =
            (Arc::clone(&gateway), Arc::clone(&failed), Arc::clone(&served), Arc::clone(&over));
        callers.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                for path in ["/api/x", "/bff/user"] {
                    let answer = browser.fetch("GET", &gateway.app(path)).csrf().send().await;
                    let count = if answer.status == 200 { &served } else { &failed };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    for _ in 0..3 {
        let old = ids(&gateway).pop().unwrap();
        keys(&gateway, &["rotate"]);
        let before = served.load(Ordering::Relaxed);
        eventually("everybody calls", async || (served.load(Ordering::Relaxed) > before + 50).then_some(())).await;
        moved(&gateway).await;
        keys(&gateway, &["retire", &old, "--yes"]);
        gateway.signed_in("alice").await.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(failed.load(Ordering::Relaxed), 0, "of {}", served.load(Ordering::Relaxed));
    assert_eq!(ids(&gateway).len(), 1);
}

#[tokio::test]
async fn v02_store_without_its_root_key_opens_nothing_and_the_socket_is_its_owners() {
    let mut gateway = Gateway::start().await;
    let socket = gateway.folder().join("cloakroom.db.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    gateway.stop().await;
    let root = gateway.folder().join("root.key");
    std::fs::write(&root, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    for arguments in [&["keys", "list"][..], &["serve"]] {
        let done = gateway.run(arguments);
        let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
        assert!(!done.status.success() && said.contains("not the key that this store was made with"), "{said}");
    }
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o640)).unwrap();
    let said = gateway.run(&["keys", "list"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("others can read"), "{said:?}");
}
