//! The session: its cookie, its life, and what must never lie in a store or a log.

mod keys;
mod lifetime;
mod limit;
mod secrets;
mod step_up;
mod sweep;
mod tossed;

use cloakroom_tests::browser::SameSite;
use cloakroom_tests::wire::{Answer, Request, raw};
use cloakroom_tests::{Browser, Gateway, Provider, SESSION_COOKIE, Setup, TRANSACTION_PREFIX};
use serde_json::json;
use std::time::Duration;

/// Asks who is signed in with exactly this `Cookie` field.
async fn user_with(gateway: &Gateway, cookies: &str) -> Answer {
    let request = gateway.request("GET", "/bff/user").header("X-CSRF", "1").header("Cookie", cookies);
    request.send(gateway.port()).await.expect("an answer")
}

#[tokio::test]
async fn c01_cookie_that_was_touched_is_nobodys() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let console = gateway.administrator("olivia").await;
    let good = browser.session_cookie().unwrap().value;
    let consoles = console.cookie("console.localhost", SESSION_COOKIE).unwrap().value;

    let mut bad: Vec<(String, String)> = Vec::new();
    for index in (0..good.len()).step_by(7).chain([1, 2, 3, good.len() - 2, good.len() - 1]) {
        let mut bytes = good.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(bytes).unwrap();
        if flipped != good {
            bad.push((format!("character {index}"), flipped));
        }
    }
    for length in [0, 1, 8, good.len() / 2, good.len() - 5, good.len() - 1] {
        bad.push((format!("cut to {length}"), good[..length].to_owned()));
    }
    bad.push(("longer".into(), format!("{good}A")));
    bad.push(("twice".into(), format!("{good}{good}")));
    bad.push(("quoted and longer".into(), format!("\"{good}x\"")));
    bad.push(("another client's".into(), consoles));
    bad.push(("not base64".into(), "%00%ff<>&".into()));
    bad.push(("3 kB".into(), "A".repeat(3000)));
    for (what, value) in bad {
        let answer = user_with(&gateway, &format!("{SESSION_COOKIE}={value}")).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        answer.problem();
    }
    user_with(&gateway, &format!("{SESSION_COOKIE}={good}")).await.expect(200);
}

#[tokio::test]
async fn c01_transaction_cookie_never_passes_for_a_session() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    browser.hold_at("/auth");
    browser.navigate(&gateway.app("/bff/login?return_to=/")).await;
    let cookies = browser.cookies();
    let transaction = cookies.iter().find(|cookie| cookie.name.starts_with(TRANSACTION_PREFIX)).expect("a transaction");
    user_with(&gateway, &format!("{SESSION_COOKIE}={}", transaction.value)).await.expect(401);
}

#[tokio::test]
async fn c02_u03_cookie_has_the_attributes_of_the_contract_and_stays_small() {
    let groups: Vec<String> = (0..300).map(|number| format!("group-with-a-long-name-{number}")).collect();
    Provider::shared()
        .user("heavy", json!({ "name": "Heavy", "groups": groups, "department": "x".repeat(2000) }))
        .await;
    for (lines, same_site) in [("", SameSite::Strict), ("same_site = \"lax\"", SameSite::Lax)] {
        let gateway = Setup::default().app(lines).start().await;
        let mut browser = gateway.signed_in("heavy").await;
        let cookie = browser.session_cookie().expect("a session");
        assert!(cookie.secure && cookie.http_only && cookie.host_only, "{cookie:?}");
        assert_eq!((cookie.path.as_str(), cookie.same_site, cookie.expires), ("/", same_site, None));
        assert!(cookie.name.len() + cookie.value.len() < 512, "{} bytes", cookie.value.len());
        assert!(browser.jar().refused().is_empty(), "a browser ignored: {:?}", browser.jar().refused());

        browser.sign_out(&gateway.app("")).await;
        let removed: Vec<_> = browser
            .page()
            .hops
            .iter()
            .flat_map(|hop| hop.headers.all("set-cookie"))
            .filter(|line| line.starts_with(&format!("{SESSION_COOKIE}=")))
            .map(str::to_lowercase)
            .collect();
        assert!(!removed.is_empty(), "the cookie was not removed");
        for line in removed {
            for attribute in ["secure", "httponly", "path=/", "max-age=0", "samesite="] {
                assert!(line.contains(attribute), "{attribute} is missing in {line}");
            }
            assert!(!line.contains("domain="), "{line}");
        }
    }
}

#[tokio::test]
async fn c03_second_cookie_of_the_name_neither_wins_nor_locks_out() {
    let gateway = Gateway::start().await;
    let alice = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    for tossed in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        for cookies in [
            format!("{SESSION_COOKIE}={tossed}; {SESSION_COOKIE}={alice}"),
            format!("{SESSION_COOKIE}={alice}; {SESSION_COOKIE}={tossed}"),
            format!("other=1; {SESSION_COOKIE}={alice}; another=\"a b\""),
        ] {
            let answer = user_with(&gateway, &cookies).await;
            assert_eq!(answer.status, 200, "{cookies}: {answer:?}");
            assert_eq!(answer.json()["sub"], "alice");
        }
    }
}

#[tokio::test]
async fn c07_c08_no_secret_lies_in_the_store_the_logs_or_the_metrics() {
    let mut gateway = Setup::default().access_ttl_secs(2).start().await;
    let mut browser = gateway.signed_in("alice").await;
    let mut other = gateway.signed_in("bob").await;
    let administrator = gateway.administrator("olivia").await;
    tokio::time::sleep(Duration::from_millis(2200)).await;
    for path in ["/api/x", "/api/y?token=1", "/pages/z", "/bff/user", "/nowhere"] {
        browser.fetch("GET", &gateway.app(path)).csrf().send().await;
    }
    other.navigate(&gateway.app("/bff/callback?code=stray-code&state=stray-state")).await;
    administrator.fetch("GET", &gateway.console("/admin/api/v1/sessions")).csrf().send().await.expect(200);
    let mut secrets = gateway.secrets(&[&browser, &other, &administrator]).await;
    browser.sign_out(&gateway.app("")).await;
    secrets.extend(gateway.secrets(&[&browser, &other, &administrator]).await);
    secrets.extend(["stray-code", "stray-state"].map(str::to_owned));
    secrets.sort();
    secrets.dedup();
    assert!(secrets.iter().all(|secret| secret.len() >= 10), "a value too short to search for: {secrets:?}");
    assert!(secrets.len() >= 15, "the search would be empty: {}", secrets.len());

    let metrics = gateway.management("/metrics").await.text();
    let running = gateway.store_bytes();
    gateway.stop().await;
    let places = [
        ("the log", gateway.log().into_bytes()),
        ("the metrics", metrics.into_bytes()),
        ("the running store", running),
        ("the store", gateway.store_bytes()),
    ];
    for (place, bytes) in &places {
        assert!(!bytes.is_empty(), "{place} is empty");
        for secret in &secrets {
            let found = contains(bytes, secret.as_bytes());
            assert!(!found, "{place} holds a secret: {}…", &secret[..8]);
        }
    }
}

#[tokio::test]
async fn c10_answers_about_the_session_are_not_stored() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    for path in ["/bff/user", "/bff/sessions"] {
        let answer = browser.fetch("GET", &gateway.app(path)).csrf().send().await.expect(200);
        assert!(answer.header("cache-control").unwrap_or_default().contains("no-store"), "{path}: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}: {answer:?}");
        let anonymous = Browser::new().fetch("GET", &gateway.app(path)).csrf().send().await.expect(401);
        assert!(anonymous.header("cache-control").unwrap_or_default().contains("no-store"), "{path}: {anonymous:?}");
    }
}

#[tokio::test]
async fn c11_huge_cookie_fields_are_refused_and_hurt_nobody() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let session = browser.session_cookie().unwrap().value;
    // Whatever apps beside it put into the jar: a person whose cookies add up to 4 or 8 kB, or more, is served.
    for (bytes, expected) in [(4_096, 200), (8_192, 200), (24_576, 200), (65_536, 431), (262_144, 431)] {
        let own = format!("{SESSION_COOKIE}={session}; a=");
        let head = format!(
            "GET /bff/user HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\nCookie: {own}{}\r\n\r\n",
            gateway.host(),
            "x".repeat(bytes - own.len())
        );
        let answer = String::from_utf8_lossy(&raw(gateway.port(), head.as_bytes()).await).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{bytes} bytes: {answer}");
    }
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn user_has_the_shape_of_the_contract() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("vera").await;
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    assert_eq!(user["sub"], "vera");
    assert_eq!(user["claims"]["email"], "vera@example.com");
    assert_eq!(user["claims"]["roles"], json!(["viewer"]));
    assert!(user["session"]["id"].is_string(), "{user}");
    assert!(user["session"]["auth_time"].is_number(), "{user}");
    assert!((35_900..=36_000).contains(&user["session"]["expires_in"].as_i64().unwrap()), "{user}");
    assert!((3_500..=3_600).contains(&user["session"]["idle_expires_in"].as_i64().unwrap()), "{user}");
    let logout = user["logout_url"].as_str().expect("a logout address");
    assert!(logout.contains("/bff/logout?sid="), "{logout}");
    let secret = browser.session_cookie().unwrap().value;
    assert!(!user.to_string().contains(&secret));

    let anonymous = Browser::new();
    anonymous.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401).problem();
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// A worker remembers cookies that it has opened. What it remembers is whose ticket it is, at which client: whether
/// the session lives is asked on every call.
#[tokio::test]
async fn c13_remembered_cookie_opens_nothing_elsewhere_and_nothing_afterwards() {
    let route = "[[routes]]\nsite = \"console\"\npath = \"/api/\"\nupstream = \"api\"\n";
    let gateway = Setup::default().server("workers = 1").section(route).start().await;
    let consoles = format!("console.localhost:{}", gateway.port());
    let status = async |host: &str, value: &str| {
        let request = Request::new("GET", host, "/api/x").header("X-CSRF", "1");
        let request = request.header("Cookie", &format!("{SESSION_COOKIE}={value}"));
        request.send(gateway.port()).await.unwrap().status
    };
    let mut browser = gateway.signed_in("alice").await;
    let warm = browser.session_cookie().unwrap().value;
    let (app, other) = (gateway.host(), format!("{}x", &warm[..warm.len() - 1]));
    for _ in 0..3 {
        assert_eq!(status(&app, &warm).await, 200);
        assert_eq!(status(&consoles, &warm).await, 401, "a cookie of one client opens at another");
        assert_eq!(status(&app, &other).await, 401, "a cookie that nearly is one opens");
    }
    // A new login in this browser, and an end from outside: dead on the very next call.
    browser.sign_in(&gateway.app(""), "alice", "/pages/home").await;
    assert_eq!(status(&app, &warm).await, 401, "a cookie outlives the login that replaced it");
    let second = browser.session_cookie().unwrap().value;
    assert_eq!(status(&app, &second).await, 200);
    let operator = gateway.administrator("oscar").await;
    let id = crate::admin::session_of(&gateway, &operator, "alice").await;
    crate::admin::revoke(&gateway, &operator, &id).await;
    assert_eq!(status(&app, &second).await, 401, "a cookie outlives its session");
}
