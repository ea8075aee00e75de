//! Machines with access tokens of their own.

use super::route;
use cloakroom_tests::wire::Request;
use cloakroom_tests::{Answer, Gateway, Provider, SESSION_COOKIE, Setup};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const API: &str = "https://api.example.com";
const SECRET: &str = "the-secret-of-a-machine-of-the-tests";

/// A client of the provider that is a machine.
async fn machine(name: &str) -> String {
    let id = format!("{name}-{}", std::process::id());
    let metadata = json!({
        "client_id": id, "client_secret": SECRET, "grant_types": ["client_credentials"],
        "response_types": [], "redirect_uris": [],
    });
    Provider::shared().register(metadata).await;
    id
}

async fn token(id: &str, resource: &str, scope: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("resource", resource), ("scope", scope)];
    Provider::shared().token((id, SECRET), &form).await["access_token"].as_str().unwrap().to_owned()
}

async fn call(gateway: &Gateway, path: &str, token: &str) -> Answer {
    let request: Request = gateway.request("GET", path).header("Authorization", &format!("Bearer {token}"));
    request.send(gateway.port()).await.expect("an answer")
}

fn code(answer: &Answer) -> String {
    answer.problem()["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
}

async fn gateway() -> Gateway {
    gateway_with("", "").await
}

async fn gateway_with(server: &str, more: &str) -> Gateway {
    let asker = machine("asker").await;
    let issuer = &Provider::shared().issuer;
    let setup = [
        format!("[machines.signed]\nissuer = \"{issuer}\"\naudience = \"{API}\"\n"),
        format!(
            "[machines.asked]\nissuer = \"{issuer}\"\naudience = \"https://opaque.example.com\"\n\
             introspection_endpoint = \"{issuer}/token/introspection\"\nclient_id = \"{asker}\"\n\
             client_secret = \"env:TESTS_MACHINE_SECRET\"\n"
        ),
        route("/jobs/", "callers = [\"machine\"]\npolicy = { scopes = [\"notes:read\"] }"),
        route("/both/", "callers = [\"session\", \"machine\"]"),
        route("/people/", "callers = [\"session\"]"),
    ];
    let mut gateway = Setup::default().server(server).section(&setup.concat()).section(more).prepare().await;
    gateway.environment("TESTS_MACHINE_SECRET", SECRET);
    gateway.launch().await;
    gateway
}

#[tokio::test]
async fn p15_machines_call_the_routes_that_take_them_and_no_others() {
    let gateway = gateway().await;
    let id = machine("job").await;
    let good = token(&id, API, "notes:read").await;
    for path in ["/jobs/x", "/both/x"] {
        call(&gateway, path, &good).await.expect(200);
        let seen = gateway.upstream.last();
        assert_eq!(seen.target, path);
        assert!(seen.headers.get("authorization").is_none(), "the caller's token goes nowhere: {seen:?}");
    }
    let people = call(&gateway, "/people/x", &good).await.expect(401);
    assert_eq!(code(&people), "sign-in-needed");
    // A scope that is not there.
    let poor = token(&id, API, "notes:write").await;
    let refused = call(&gateway, "/jobs/x", &poor).await.expect(403);
    assert_eq!(refused.problem()["needs"], json!([{ "kind": "scope", "scope": "notes:read" }]));
    // Sessions are not taken where machines alone are.
    let browser = gateway.signed_in("alice").await;
    let refused = browser.fetch("GET", &gateway.app("/jobs/x")).send().await.expect(401);
    assert_eq!(code(&refused), "machine-token-needed");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    browser.fetch("GET", &gateway.app("/both/x")).send().await.expect(200);
    // Nobody can be both.
    let cookie = format!("{SESSION_COOKIE}={}", browser.session_cookie().unwrap().value);
    for cookie in [cookie.as_str(), &format!("{SESSION_COOKIE}=dead")] {
        let request = gateway.request("GET", "/both/x").header("Authorization", &format!("Bearer {good}"));
        let refused = request.header("Cookie", cookie).send(gateway.port()).await.unwrap().expect(400);
        assert_eq!(code(&refused), "mixed-credentials");
    }
}

#[tokio::test]
async fn p15_tokens_of_other_kinds_are_no_machines() {
    let gateway = gateway().await;
    let id = machine("kinds").await;
    gateway.signed_in("alice").await;
    let seen = gateway.seen().await;
    let granted = seen.granted("authorization_code")[0].clone();
    let good = token(&id, API, "notes:read").await;
    let (head, signature) = good.rsplit_once('.').unwrap();
    let broken = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for (what, token, expected) in [
        ("an ID token", granted["id"].as_str().unwrap().to_owned(), "machine-token-kind"),
        ("a person's access token", granted["access"].as_str().unwrap().to_owned(), "machine-token-audience"),
        ("one of our own", "crs_at_something".to_owned(), "machine-token-ours"),
        ("another audience", token(&id, "https://other.example.com", "notes:read").await, "machine-token-audience"),
        ("a broken signature", broken, "machine-token-signature"),
        ("nothing", String::new(), "machine-token-unreadable"),
        ("an unknown opaque token", "opaque".to_owned(), "machine-token-inactive"),
    ] {
        let refused = call(&gateway, "/jobs/x", &token).await.expect(401);
        assert_eq!(code(&refused), expected, "{what}");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer error=\"invalid_token\""), "{what}");
        assert!(token.is_empty() || !refused.text().contains(&token), "{what}");
    }
    assert!(gateway.upstream.calls().iter().all(|call| !call.target.starts_with("/jobs")), "a refused call went up");
    assert!(!gateway.log().contains(&good), "a token in the log");
}

#[tokio::test]
async fn p15_opaque_tokens_are_asked_about_once_and_believed() {
    let gateway = gateway().await;
    let id = machine("opaque").await;
    let good = token(&id, "https://opaque.example.com", "notes:read").await;
    assert_eq!(good.split('.').count(), 1, "an opaque token");
    for _ in 0..5 {
        call(&gateway, "/jobs/x", &good).await.expect(200);
    }
    let elsewhere = token(&id, "https://opaque.other.example.com", "notes:read").await;
    let refused = call(&gateway, "/jobs/x", &elsewhere).await.expect(401);
    assert_eq!(code(&refused), "machine-token-audience");
}

/// A machine's token as RFC 9068 wants it, with these changes of its header and claims; null takes a member away.
async fn signed(header: &Value, claims: &Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let good_header = json!({ "alg": "ES256", "kid": "tests-es256", "typ": "at+jwt" });
    let good_claims = json!({
        "iss": Provider::shared().issuer, "aud": API, "sub": "job", "client_id": "job", "iat": now, "exp": now + 300,
        "jti": "1", "scope": "notes:read",
    });
    let changed = |mut good: Value, changes: &Value| {
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                good.as_object_mut().unwrap().remove(name);
            } else {
                good[name] = value.clone();
            }
        }
        good
    };
    Provider::shared().sign("ES256", &changed(good_header, header), &changed(good_claims, claims)).await
}

#[tokio::test]
async fn p15_signed_tokens_are_judged_by_every_claim() {
    let gateway = gateway().await;
    let none = json!({});
    for (what, header, claims) in [
        ("as it should be", none.clone(), none.clone()),
        ("its type in full", json!({ "typ": "application/at+jwt" }), none.clone()),
        ("one of several audiences", none.clone(), json!({ "aud": ["https://other.example.com", API] })),
    ] {
        let answer = call(&gateway, "/jobs/x", &signed(&header, &claims).await).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
    }
    for (what, header, claims, expected) in [
        ("a plain JWT", json!({ "typ": "JWT" }), none.clone(), "machine-token-kind"),
        ("no type", json!({ "typ": null }), none.clone(), "machine-token-kind"),
        ("a critical header", json!({ "crit": ["b64"] }), none.clone(), "machine-token-unreadable"),
        ("expired", none.clone(), json!({ "exp": 1 }), "machine-token-expired"),
        ("not valid yet", none.clone(), json!({ "nbf": 99_999_999_999_u64 }), "machine-token-expired"),
        ("from the future", none.clone(), json!({ "iat": 99_999_999_999_u64 }), "machine-token-expired"),
        ("no end", none.clone(), json!({ "exp": null }), "machine-token-claim"),
        ("no subject", none.clone(), json!({ "sub": null }), "machine-token-claim"),
        ("no client", none.clone(), json!({ "client_id": null }), "machine-token-claim"),
        ("no name of its own", none.clone(), json!({ "jti": null }), "machine-token-claim"),
        ("scopes as a list", none.clone(), json!({ "scope": ["notes:read"] }), "machine-token-claim"),
        ("bound to a key", none.clone(), json!({ "cnf": { "jkt": "x" } }), "machine-token-bound"),
        ("of somebody who signed in", none.clone(), json!({ "auth_time": 1 }), "machine-token-of-a-person"),
        ("of a sign-in's level", none.clone(), json!({ "acr": "mfa" }), "machine-token-of-a-person"),
        ("of a person at that client", none.clone(), json!({ "sub": "alice" }), "machine-token-of-a-person"),
    ] {
        let refused = call(&gateway, "/jobs/x", &signed(&header, &claims).await).await.expect(401);
        assert_eq!(code(&refused), expected, "{what}");
    }
}

#[tokio::test]
async fn p14_p15_machines_are_counted_each_by_itself_whatever_token_they_show() {
    let limits = "[limits]\nmachine = { rate = \"1/h\", burst = 4 }\n";
    let own = route("/jobs/own/", "callers = [\"machine\"]\nlimit = { rate = \"1/h\", burst = 2, per = \"caller\" }");
    let gateway = gateway_with("", &format!("{limits}{own}")).await;
    let (one, other) = (machine("one").await, machine("other").await);
    for _ in 0..4 {
        call(&gateway, "/jobs/x", &token(&one, API, "notes:read").await).await.expect(200);
    }
    let refused = call(&gateway, "/jobs/x", &token(&one, API, "notes:read").await).await.expect(429);
    assert!(refused.header("ratelimit").unwrap().starts_with("\"machine\";r=0;t="), "{refused:?}");
    let other = token(&other, API, "notes:read").await;
    for expected in [200, 200, 429] {
        call(&gateway, "/jobs/own/x", &other).await.expect(expected);
    }
    call(&gateway, "/jobs/x", &other).await.expect(200);
}

#[tokio::test]
async fn p14_p15_guessed_tokens_are_soon_not_looked_at_and_good_ones_go_on() {
    // Each worker remembers by itself which tokens it found good.
    let gateway = gateway_with("workers = 1", "[limits]\nrefused = { rate = \"1/h\", burst = 3 }\n").await;
    let good = token(&machine("known").await, "https://opaque.example.com", "notes:read").await;
    call(&gateway, "/jobs/x", &good).await.expect(200);
    for number in 0..20 {
        let expected = if number < 3 { 401 } else { 429 };
        call(&gateway, "/jobs/x", &format!("guess-{number}")).await.expect(expected);
    }
    let metrics = gateway.management("/metrics").await.text();
    assert!(metrics.contains("cloakroom_limited_total{limit=\"refused\"} 17"), "{metrics}");
    call(&gateway, "/jobs/x", &good).await.expect(200);
}
