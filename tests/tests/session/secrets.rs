//! What must stand nowhere that somebody else reads: copies of the store, answers, metrics (C7, C8, C10).

use super::contains;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use cloakroom_tests::postgres::Server;
use cloakroom_tests::store::Database;
use cloakroom_tests::wire::Answer;
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup};
use std::time::Duration;

/// A story in which tokens are issued, renewed, revoked, and kept for those who stay; its secrets.
async fn lived(gateway: &Gateway) -> Vec<String> {
    let (alice, mut bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let olivia = gateway.administrator("olivia").await;
    tokio::time::sleep(Duration::from_millis(2200)).await;
    for browser in [&alice, &bob] {
        browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
    let mut secrets = gateway.secrets(&[&alice, &bob, &olivia]).await;
    bob.sign_out(&gateway.app("")).await;
    secrets.extend(gateway.secrets(&[&alice, &bob]).await);
    secrets.sort();
    secrets.dedup();
    assert!(secrets.len() >= 15 && secrets.iter().all(|secret| secret.len() >= 10), "{}", secrets.len());
    secrets
}

/// How a secret looks in a text: as it is, and as bytes are written there.
fn spellings(secret: &str) -> [Vec<u8>; 4] {
    let hex = secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let whole = secret.as_bytes().get(..secret.len() / 3 * 3).unwrap_or_default();
    [
        secret.into(),
        hex.into_bytes(),
        STANDARD_NO_PAD.encode(whole).into_bytes(),
        URL_SAFE_NO_PAD.encode(whole).into_bytes(),
    ]
}

fn holds_none(place: &str, bytes: &[u8], secrets: &[String]) {
    assert!(bytes.len() > 1_000, "{place} is empty");
    for secret in secrets {
        let found = spellings(secret).iter().any(|spelling| contains(bytes, spelling));
        assert!(!found, "{place} holds a secret: {}…", &secret[..8]);
    }
}

#[tokio::test]
async fn c07_backup_of_a_running_sqlite_store_holds_no_secret() {
    let gateway = Setup::default().access_ttl_secs(2).start().await;
    let secrets = lived(&gateway).await;
    // Before and after what is in the log beside the file was moved into it.
    holds_none("the running store", &gateway.store_bytes(), &secrets);
    let copy = gateway.folder().join("copy.db");
    let mut database = Database::open(&gateway.folder().join("cloakroom.db")).await;
    database.execute(&format!("VACUUM INTO '{}'", copy.display())).await;
    let bytes = std::fs::read(&copy).unwrap();
    assert!(contains(&bytes, b"alice"), "the copy holds nothing of what happened");
    holds_none("the backup", &bytes, &secrets);
}

#[tokio::test]
async fn c07_dump_of_a_postgres_store_holds_no_secret() {
    let server = Server::shared();
    let name = server.database();
    let gateway = Setup::default().postgres(&server.url(&name)).access_ttl_secs(2).start().await;
    let secrets = lived(&gateway).await;
    let dump = server.dump(&name);
    assert!(contains(&dump, b"alice") && contains(&dump, b"COPY public.tokens"), "the dump holds nothing");
    holds_none("the dump", &dump, &secrets);
}

/// An answer as it goes over the wire, but for the cookies that it sets.
fn seen_of(answer: &Answer) -> String {
    let set = answer.headers.all("set-cookie");
    let head = set.iter().fold(format!("{:?}", answer.headers), |head, line| head.replace(line, ""));
    format!("{head}\n{}", answer.text())
}

#[tokio::test]
async fn c08_no_secret_stands_in_a_page_a_problem_or_a_metric() {
    let gateway = Setup::default().app("idle_secs = 600").access_ttl_secs(2).start().await;
    let secrets = lived(&gateway).await;
    let alice = gateway.signed_in("alice").await;
    let cookie = alice.session_cookie().unwrap().value;
    let mut secrets: Vec<_> = secrets.into_iter().chain(gateway.secrets(&[&alice]).await).collect();
    secrets.extend(["a-code-of-somebodys", "a-state-of-somebodys", "a-token-of-somebodys"].map(str::to_owned));
    let targets = [
        ("GET", "/bff/nowhere", 404),
        ("PATCH", "/bff/user", 405),
        ("POST", "/api/x", 403),
        ("GET", "/bff/user", 200),
        ("GET", "/bff/sessions", 200),
        ("GET", "/bff/login?return_to=//evil.example/a-token-of-somebodys", 400),
        // A page that leads back to the app, or that says what was wrong.
        ("GET", "/bff/callback?code=a-code-of-somebodys&state=a-state-of-somebodys", 0),
        ("GET", "/bff/callback?error=access_denied&state=a-state-of-somebodys", 0),
        ("GET", "/bff/callback/finish?t=a-state-of-somebodys&c=a-code-of-somebodys", 0),
        ("GET", "/bff/logout?sid=a-token-of-somebodys", 0),
    ];
    for (method, target, status) in targets {
        for accept in ["application/json", "text/html"] {
            let request = gateway.request(method, target).header("Accept", accept);
            let request = request.header("Cookie", &format!("{SESSION_COOKIE}={cookie}; a=a-token-of-somebodys"));
            let request = request.header("Authorization", "Bearer a-token-of-somebodys");
            let request = match status {
                403 => request.header("Sec-Fetch-Site", "cross-site"),
                _ => request.header("Sec-Fetch-Site", "same-origin"),
            };
            let answer = request.send(gateway.port()).await.expect("an answer");
            let expected = if status == 0 { answer.status < 500 } else { answer.status == status };
            assert!(expected, "{method} {target} {accept}: {answer:?}");
            let seen = seen_of(&answer);
            for secret in &secrets {
                assert!(!seen.contains(secret.as_str()), "{method} {target} {accept} shows {}…: {seen}", &secret[..8]);
            }
        }
    }
    let metrics = gateway.management("/metrics").await.text();
    let log = gateway.log();
    for secret in &secrets {
        assert!(!metrics.contains(secret.as_str()), "the metrics show {}…", &secret[..8]);
        assert!(!log.contains(secret.as_str()), "the log shows {}…", &secret[..8]);
    }
    let people = ["alice", "bob", "olivia"];
    assert!(people.iter().all(|person| !metrics.contains(person)), "the metrics name people");
}

/// What a cache that serves many people would do with an answer that it knows by its address alone (RFC 9111).
fn is_given_to_all(answer: &Answer) -> bool {
    let rules = answer.header("cache-control").unwrap_or_default().to_ascii_lowercase();
    let forbids = ["no-store", "private", "no-cache"].iter().any(|rule| rules.contains(rule));
    !forbids && [200, 301, 404, 410].contains(&answer.status) && !rules.is_empty()
}

#[tokio::test]
async fn c10_no_cache_knows_an_answer_about_a_session_by_its_address() {
    let gateway = Gateway::start().await;
    let alice = gateway.signed_in("alice").await;
    let olivia = gateway.administrator("olivia").await;
    let app = [
        "/bff/user",
        "/bff/sessions",
        "/bff/login",
        "/bff/logout",
        "/bff/callback",
        "/bff/callback/finish",
        "/bff/silent-login",
        "/api/x",
        "/pages/home",
        "/bff/client.js",
    ];
    let console = ["/admin/api/v1/sessions", "/admin/api/v1/overview", "/admin/api/v1/events", "/bff/user"];
    let app = app.iter().map(|path| (gateway.app(path), &alice));
    let console = console.iter().map(|path| (gateway.console(path), &olivia));
    for (url, browser) in app.chain(console) {
        let own = browser.fetch("GET", &url).csrf().send().await;
        if is_given_to_all(&own) {
            let others = Browser::new().fetch("GET", &url).csrf().send().await;
            assert_eq!(
                (own.status, &own.body),
                (others.status, &others.body),
                "{url} is for all, and not the same for all"
            );
        }
        // Whatever is told apart by the cookie says so, or is kept by nobody.
        let rules = own.header("cache-control").unwrap_or_default();
        let by_cookie = own.header("vary").is_some_and(|vary| vary.to_ascii_lowercase().contains("cookie"));
        let same = url.ends_with("client.js");
        assert!(same || rules.contains("no-store") || by_cookie, "{url}: {own:?}");
    }
}
