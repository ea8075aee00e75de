//! The provider says, server to server, that a person is logged out.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use cloakroom_tests::wire::answer_framing;
use cloakroom_tests::{Answer, Browser, Gateway, Provider, SESSION_COOKIE, Script, Setup, eventually, rounds};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

const ENDPOINT: &str = "/bff/backchannel-logout";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A gateway whose client is registered at the provider for back-channel logout, with `sid` in its tokens.
pub(super) async fn registered() -> Gateway {
    let gateway = Gateway::start().await;
    register(&gateway, true).await;
    gateway
}

async fn register(gateway: &Gateway, with_sid: bool) {
    let setup = Setup::default();
    let mut metadata = setup.metadata(gateway.client_id(), gateway.client_secret(), "app", gateway.port());
    metadata["backchannel_logout_uri"] = gateway.app(ENDPOINT).into();
    metadata["backchannel_logout_session_required"] = with_sid.into();
    Provider::shared().register(metadata).await;
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The `sid` of the newest login at the app.
pub(super) async fn newest_sid(gateway: &Gateway) -> String {
    let seen = gateway.seen().await;
    let id_token = seen.granted("authorization_code").last().unwrap()["id"].as_str().unwrap().to_owned();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sid"].as_str().expect("the provider's ID tokens have a sid").to_owned()
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "tests-es256", "typ": "logout+jwt" })
}

fn claims(gateway: &Gateway, whom: &Value) -> Value {
    let jti = format!("{:?}", Instant::now());
    let mut claims = json!({
        "iss": gateway.issuer(), "aud": gateway.client_id(), "iat": now() - 2, "exp": now() + 118, "jti": jti,
        "events": { EVENT: {} },
    });
    for (name, value) in whom.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

async fn token(gateway: &Gateway, whom: &Value) -> String {
    Provider::shared().sign("ES256", &header(), &claims(gateway, whom)).await
}

async fn post_to(gateway: &Gateway, path: &str, token: &str) -> Answer {
    let form = format!("logout_token={token}");
    let request = gateway.request("POST", path).header("Content-Type", "application/x-www-form-urlencoded").body(form);
    request.send(gateway.port()).await.expect("an answer")
}

async fn post(gateway: &Gateway, token: &str) -> Answer {
    post_to(gateway, ENDPOINT, token).await
}

pub(super) async fn lives(gateway: &Gateway, browser: &Browser) -> bool {
    let answer = browser.fetch("GET", &gateway.app("/bff/user")).send().await;
    assert!(matches!(answer.status, 200 | 401), "{answer:?}");
    answer.status == 200
}

/// What is wrong with a token: the key that signs it, changes of its header, changes of its claims.
type Bad = (&'static str, &'static str, Value, Value);

fn bad_tokens() -> Vec<Bad> {
    let none = json!({});
    vec![
        ("another issuer", "ES256", none.clone(), json!({ "iss": "https://evil.example.com" })),
        ("no issuer", "ES256", none.clone(), json!({ "iss": null })),
        ("another audience", "ES256", none.clone(), json!({ "aud": "other" })),
        ("no audience", "ES256", none.clone(), json!({ "aud": null })),
        ("a stranger's signature", "stranger", none.clone(), none.clone()),
        ("no signature", "none", json!({ "alg": "none", "kid": null }), none.clone()),
        ("no signature under a safe name", "none", none.clone(), none.clone()),
        ("the public key as a secret", "HS256", json!({ "alg": "HS256", "kid": "tests-rs256" }), none.clone()),
        ("the name of another algorithm", "ES256", json!({ "alg": "RS256" }), none.clone()),
        ("an unknown key", "ES256", json!({ "kid": "nobody" }), none.clone()),
        ("another type", "ES256", json!({ "typ": "at+jwt" }), none.clone()),
        ("a critical extension", "ES256", json!({ "crit": ["exp"] }), none.clone()),
        ("no events", "ES256", none.clone(), json!({ "events": null })),
        ("another event", "ES256", none.clone(), json!({ "events": { "urn:other": {} } })),
        ("an event that is no object", "ES256", none.clone(), json!({ "events": { EVENT: "yes" } })),
        ("a nonce", "ES256", none.clone(), json!({ "nonce": "n" })),
        ("nobody", "ES256", none.clone(), json!({ "sub": null })),
        ("no jti", "ES256", none.clone(), json!({ "jti": null })),
        ("no iat", "ES256", none.clone(), json!({ "iat": null })),
        ("an old iat", "ES256", none.clone(), json!({ "iat": now() - 1_000 })),
        ("an iat to come", "ES256", none.clone(), json!({ "iat": now() + 600, "exp": now() + 700 })),
        ("no expiry", "ES256", none.clone(), json!({ "exp": null })),
        ("an expiry that is over", "ES256", none.clone(), json!({ "iat": now() - 200, "exp": now() - 100 })),
    ]
}

fn changed(mut all: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}: {answer:?}");
    assert!(answer.header("set-cookie").is_none(), "{what}: {answer:?}");
    let detail = answer.problem()["detail"].as_str().unwrap().to_owned();
    assert!(!detail.contains("eyJ"), "{what}: {detail}");
}

#[tokio::test]
async fn b01_b03_no_wrong_logout_token_ends_anything() {
    let gateway = registered().await;
    let browser = gateway.signed_in("alice").await;
    let whom = json!({ "sub": "alice" });
    for (what, key, header_changes, claim_changes) in bad_tokens() {
        let claims = changed(claims(&gateway, &whom), &claim_changes);
        let token = Provider::shared().sign(key, &changed(header(), &header_changes), &claims).await;
        assert_refused(&post(&gateway, &token).await, what);
        assert!(lives(&gateway, &browser).await, "{what}");
    }
    let good = token(&gateway, &whom).await;
    for (what, media, body) in [
        ("no form", "application/json", format!("{{\"logout_token\":\"{good}\"}}")),
        ("two tokens", "application/x-www-form-urlencoded", format!("logout_token={good}&logout_token={good}")),
        ("another field", "application/x-www-form-urlencoded", format!("token={good}")),
        ("nothing", "application/x-www-form-urlencoded", String::new()),
    ] {
        let request = gateway.request("POST", ENDPOINT).header("Content-Type", media).body(body);
        let answer = request.send(gateway.port()).await.expect("an answer");
        assert_refused(&answer, what);
    }
    let by_get = gateway.request("GET", &format!("{ENDPOINT}?logout_token={good}"));
    assert_eq!(by_get.send(gateway.port()).await.unwrap().status, 405);
    let id_token = gateway.seen().await.granted("authorization_code")[0]["id"].as_str().unwrap().to_owned();
    assert_refused(&post(&gateway, &id_token).await, "an ID token");
    assert!(lives(&gateway, &browser).await);
    assert!(!gateway.log().contains(&good), "a logout token stands in the log");

    let answer = post(&gateway, &good).await.expect(200);
    assert_eq!((answer.header("cache-control"), answer.body.len()), (Some("no-store"), 0), "{answer:?}");
    assert!(!lives(&gateway, &browser).await);
    let metrics = gateway.management("/metrics").await.text();
    assert!(metrics.contains(r#"cloakroom_logout_tokens_total{provider="main",outcome="ok"} 1"#), "{metrics}");
}

#[tokio::test]
async fn b01_tokens_that_providers_really_send_are_taken() {
    let gateway = registered().await;
    for (key, header, changes) in [
        ("ES256", json!({ "alg": "ES256", "kid": "tests-es256" }), json!({})),
        ("ES256", json!({ "alg": "ES256", "typ": "JWT" }), json!({ "aud": [gateway.client_id(), "other"] })),
        ("RS256", json!({ "alg": "RS256", "kid": "tests-rs256", "typ": "application/logout+jwt" }), json!({})),
    ] {
        let browser = gateway.signed_in("alice").await;
        let claims = changed(claims(&gateway, &json!({ "sub": "alice" })), &changes);
        let token = Provider::shared().sign(key, &header, &claims).await;
        post_to(&gateway, "/bff/backchannel", &token).await.expect(200);
        assert!(!lives(&gateway, &browser).await, "{header}");
    }
}

#[tokio::test]
async fn b02_by_sid_one_session_ends_and_by_sub_all_of_the_person() {
    let gateway = registered().await;
    let phone = gateway.signed_in("alice").await;
    let sid = newest_sid(&gateway).await;
    let (laptop, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let console = gateway.administrator("alice").await;
    let at_console = async || console.fetch("GET", &gateway.console("/bff/user")).send().await.status;

    // The session is another person's: nothing of either ends.
    post(&gateway, &token(&gateway, &json!({ "sid": sid, "sub": "bob" })).await).await.expect(200);
    post(&gateway, &token(&gateway, &json!({ "sid": "none of ours" })).await).await.expect(200);
    assert!(lives(&gateway, &phone).await && lives(&gateway, &bob).await);

    post(&gateway, &token(&gateway, &json!({ "sid": sid, "sub": "alice" })).await).await.expect(200);
    assert!(!lives(&gateway, &phone).await);
    assert!(lives(&gateway, &laptop).await && lives(&gateway, &bob).await && at_console().await == 200);

    post(&gateway, &token(&gateway, &json!({ "sub": "alice" })).await).await.expect(200);
    assert!(!lives(&gateway, &laptop).await);
    assert_eq!(at_console().await, 401, "a person's logout is at every app");
    assert!(lives(&gateway, &bob).await);
}

#[tokio::test]
async fn b02_s07_logout_of_one_provider_ends_nothing_of_another() {
    let other = Provider::start(0);
    let gateway = Setup::default().second_provider(&other.issuer).start().await;
    let metadata =
        Setup::default().metadata("other-app", cloakroom_tests::gateway::SECOND_SECRET, "app", gateway.port());
    other.register(metadata).await;
    let here = gateway.signed_in("alice").await;
    let claims =
        changed(claims(&gateway, &json!({ "sub": "alice" })), &json!({ "iss": other.issuer, "aud": "other-app" }));
    // The other provider speaks for its own alice only, and nobody speaks in its name.
    let forged = Provider::shared().sign("ES256", &header(), &claims).await;
    assert_refused(&post(&gateway, &forged).await, "signed by another provider");
    let own = other.sign("ES256", &header(), &claims).await;
    post(&gateway, &own).await.expect(200);
    assert!(lives(&gateway, &here).await);
}

#[tokio::test]
async fn b03_thousands_of_sessions_of_one_person_end_within_two_seconds() {
    let mut gateway = registered().await;
    let browser = gateway.signed_in("alice").await;
    gateway.stop().await;
    let mut database = gateway.database().await;
    let columns = database.texts("SELECT name FROM pragma_table_info('sessions') WHERE name <> 'id'").await.join(", ");
    let count = rounds(2_000, 10_000);
    let copies = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) \
         INSERT INTO sessions (id, {columns}) SELECT randomblob(16), {columns} FROM n, sessions WHERE sub = 'alice'"
    );
    assert_eq!(database.execute(&copies).await, count as u64);
    drop(database);
    gateway.launch().await;
    let token = token(&gateway, &json!({ "sub": "alice" })).await;
    let began = Instant::now();
    post(&gateway, &token).await.expect(200);
    let took = began.elapsed();
    eprintln!("{count} sessions of one person ended in {took:?}");
    assert!(took < Duration::from_secs(2), "{count} sessions took {took:?}");
    assert!(!lives(&gateway, &browser).await);
    gateway.stop().await;
    let running = "SELECT COUNT(*) FROM sessions WHERE sub = 'alice' AND ended_at IS NULL";
    assert_eq!(gateway.database().await.number(running).await, 0);
}

#[tokio::test]
async fn s08_logout_token_counts_once_even_at_once_and_over_a_restart() {
    let mut gateway = registered().await;
    let browser = gateway.signed_in("alice").await;
    let token = token(&gateway, &json!({ "sub": "alice" })).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let form = format!("logout_token={token}");
        let request = gateway.request("POST", ENDPOINT).header("Content-Type", "application/x-www-form-urlencoded");
        let (request, port) = (request.body(form), gateway.port());
        tasks.spawn(async move { request.send(port).await.expect("an answer").status });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|&status| status == 400), "{statuses:?}");
    assert!(!lives(&gateway, &browser).await);

    // Signed in again, the old token says nothing any more; not even to a process that was killed meanwhile.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let browser = gateway.signed_in("alice").await;
    assert_refused(&post(&gateway, &token).await, "used");
    gateway.kill().await;
    gateway.launch().await;
    assert_refused(&post(&gateway, &token).await, "used before the restart");
    assert!(lives(&gateway, &browser).await);
}

#[tokio::test]
async fn b04_u09_logout_that_races_the_callback_wins() {
    let gateway = registered().await;
    for (held_at, by_sid) in [("/bff/callback", true), ("/bff/callback/finish", false)] {
        // Signed in at the provider, so that the session there is known before the one here starts.
        let mut browser = gateway.signed_in("carol").await;
        let sid = newest_sid(&gateway).await;
        browser.jar().clear_host("app.localhost");
        browser.hold_at(held_at);
        browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
        let on_its_way = browser.held();
        let whom = if by_sid { json!({ "sid": sid, "iat": now() }) } else { json!({ "sub": "carol", "iat": now() }) };
        post(&gateway, &token(&gateway, &whom).await).await.expect(200);
        let page = browser.resume(on_its_way, None).await.clone();
        assert_eq!(page.status, 400, "{held_at} by_sid={by_sid}: {page:?}");
        assert!(page.body.contains("signed you out"), "{page:?}");
        assert!(browser.session_cookie().is_none(), "{page:?}");
        // The tokens that nobody will use are revoked.
        let refresh = gateway.seen().await.granted("authorization_code").last().unwrap()["refresh"].clone();
        eventually("the unused refresh token is revoked", async || {
            gateway.seen().await.revoked().contains(&refresh.as_str().unwrap()).then_some(())
        })
        .await;
        // The way on leads back in, in the second after the one that the logout was issued in.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert!(page.links().iter().any(|(href, _)| href.starts_with("/bff/login")), "{page:?}");
        browser.click_link("Try again").await;
        assert_eq!((browser.page().status, browser.page().path()), (200, "/pages/home"), "{:?}", browser.page());
    }
}

#[tokio::test]
async fn u09_the_certified_providers_own_logout_tokens_end_the_session() {
    for with_sid in [true, false] {
        let gateway = Gateway::start().await;
        register(&gateway, with_sid).await;
        let mut browser = gateway.signed_in("alice").await;
        let other = gateway.signed_in("alice").await;
        let page = browser.navigate(&format!("{}/session/end", gateway.issuer())).await.clone();
        assert!(page.body.contains("Signed out at the provider"), "{page:?}");
        eventually("the provider's logout token arrives and is taken", async || {
            let seen = gateway.seen().await;
            let sent = seen.logouts().first()?.clone();
            assert_eq!(sent["delivered"], true, "{sent}");
            Some(())
        })
        .await;
        assert!(!lives(&gateway, &browser).await);
        assert_eq!(lives(&gateway, &other).await, with_sid, "with sid {with_sid}: the other device");
    }
}

#[tokio::test]
async fn u09_u11_person_reads_why_streams_are_cut_and_the_log_knows() {
    let mut gateway = registered().await;
    let mut browser = gateway.signed_in("alice").await;
    let cookie = browser.session_cookie().unwrap().value;
    let pieces = (0..60).map(|number| format!("data: {number}\n\n")).collect();
    let script = Script::Drip { content_type: "text/event-stream".into(), pieces, pause_ms: 100 };
    gateway.upstream.script("/api/events", script);
    let request = gateway.request("GET", "/api/events").header("X-CSRF", "1");
    let mut conn = gateway.connect().await;
    conn.write(request.header("Cookie", &format!("{SESSION_COOKIE}={cookie}")).bytes()).await.unwrap();
    let (status, headers) = conn.status().await.unwrap();
    assert_eq!(status, 200);

    let token = token(&gateway, &json!({ "sub": "alice" })).await;
    post(&gateway, &token).await.expect(200);
    let told = Instant::now();
    let body = conn.body(answer_framing("GET", status, &headers)).await;
    assert!(told.elapsed() < Duration::from_millis(1500), "cut after {:?}", told.elapsed());
    assert!(body.is_err() || body.unwrap().len() < 600, "the stream went on to its end");

    let problem = browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(401).problem();
    assert_eq!(problem["type"], "urn:cloakroom:problem:session-over");
    assert!(problem["detail"].as_str().unwrap().contains("identity provider signed you out"), "{problem}");
    let logins = gateway.seen().await.authorize().len();
    let page = browser.navigate(&gateway.app("/pages/home")).await.clone();
    assert_eq!(page.status, 401, "{page:?}");
    assert!(page.body.contains("identity provider signed you out"), "{page:?}");
    assert_eq!(gateway.seen().await.authorize().len(), logins, "a login was started before the person read why");
    browser.click_link("Sign in").await;
    assert_eq!((browser.page().status, browser.page().path()), (200, "/pages/home"), "{:?}", browser.page());

    gateway.stop().await;
    let mut database = gateway.database().await;
    let facts = database.texts("SELECT facts FROM audit_events WHERE kind = 'provider.logout'").await;
    let facts: Vec<Value> = facts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(facts, [json!({ "by": "sub", "channel": "back", "sessions": 1 })]);
    let ended = "SELECT facts FROM audit_events WHERE kind = 'session.ended' AND facts LIKE '%logged_out_by_provider%'";
    assert_eq!(database.texts(ended).await.len(), 1);
}
