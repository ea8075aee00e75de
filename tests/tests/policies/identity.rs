//! Identity tokens: the gateway's own word to an upstream, checked here as an upstream checks it, by the published keys.

use super::route;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use cloakroom_tests::{Browser, Gateway, Provider, Setup};
use serde_json::{Value, json};

const KEYS: &str = "/.well-known/jwks.json";

fn decoded(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")
}

/// Header and claims of a token that one of these keys has signed.
fn checked(keys: &Value, token: &str) -> Option<(Value, Value)> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts.as_slice() else { return None };
    let header: Value = serde_json::from_slice(&decoded(head)).ok()?;
    let key = keys["keys"].as_array()?.iter().find(|key| key["kid"] == header["kid"])?;
    let half = |name: &str| decoded(key[name].as_str().unwrap());
    let point = [&[4][..], &half("x"), &half("y")].concat();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    public.verify(format!("{head}.{claims}").as_bytes(), &decoded(signature)).ok()?;
    Some((header, serde_json::from_slice(&decoded(claims)).ok()?))
}

async fn published(gateway: &Gateway) -> Value {
    let answer = gateway.request("GET", KEYS).send(gateway.port()).await.unwrap().expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let keys = answer.json();
    for key in keys["keys"].as_array().unwrap() {
        assert_eq!((key.get("d"), &key["kty"], &key["use"]), (None, &json!("EC"), &json!("sig")), "{key}");
    }
    keys
}

async fn sent(gateway: &Gateway, browser: &Browser, path: &str) -> String {
    browser.fetch("GET", &gateway.app(path)).csrf().send().await.expect(200);
    let authorization = gateway.upstream.last().headers.get("authorization").unwrap_or_default().to_owned();
    authorization.strip_prefix("Bearer ").expect("a token").to_owned()
}

fn routes() -> String {
    let orders = "token = { mode = \"identity\", audience = \"orders\", claims = [\"email\", \"no-such\"] }";
    let bills = "token = { mode = \"identity\", audience = \"bills\" }";
    format!("{}{}", route("/orders/", orders), route("/bills/", bills))
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[tokio::test]
async fn t08_identity_token_says_who_calls_to_one_upstream_for_a_minute_at_most() {
    let gateway = Setup::default().section(&routes()).start().await;
    let browser = gateway.signed_in("alice").await;
    let (keys, token) = (published(&gateway).await, sent(&gateway, &browser, "/orders/x").await);
    let (header, claims) = checked(&keys, &token).expect("signed by a published key");
    assert_eq!((&header["typ"], &header["alg"]), (&json!("identity+jwt"), &json!("ES256")));
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    for (name, expected) in [
        ("iss", json!(gateway.app(""))),
        ("aud", json!("orders")),
        ("sub", json!(format!("{}|alice", gateway.issuer()))),
        ("idp", json!(gateway.issuer())),
        ("idp_sub", json!("alice")),
        ("sid", user["session"]["id"].clone()),
        ("client_id", json!("app")),
        ("tenant", json!("default")),
        ("email", user["claims"]["email"].clone()),
        ("auth_time", user["session"]["auth_time"].clone()),
    ] {
        assert_eq!(claims[name], expected, "{name}: {claims}");
    }
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((1..=60).contains(&life) && (claims["exp"].as_i64().unwrap() - now()) <= 60, "{claims}");
    assert!(claims.get("name").is_none() && claims.get("no-such").is_none(), "what is not asked for stays: {claims}");
    // Every purpose and person has a token of their own; the provider's goes nowhere.
    let (_, bills) = checked(&keys, &sent(&gateway, &browser, "/bills/x").await).unwrap();
    assert_eq!((&bills["aud"], bills.get("email")), (&json!("bills"), None));
    let bob = gateway.signed_in("bob").await;
    let (_, of_bob) = checked(&keys, &sent(&gateway, &bob, "/orders/x").await).unwrap();
    assert_eq!(of_bob["idp_sub"], "bob");
    assert_eq!(sent(&gateway, &browser, "/orders/y").await, token, "from memory");
    for secret in gateway.seen().await.secrets() {
        assert!(!token.contains(&secret));
    }
    browser.fetch("POST", &gateway.app("/bff/logout")).csrf().send().await.expect(200);
    browser.fetch("GET", &gateway.app("/orders/x")).csrf().send().await.expect(401);
}

#[tokio::test]
async fn t08_identity_token_never_outlives_its_session() {
    let gateway = Setup::default().app("absolute_secs = 9\nidle_secs = 9").section(&routes()).start().await;
    let browser = gateway.signed_in("alice").await;
    let began = now();
    let (_, claims) = checked(&published(&gateway).await, &sent(&gateway, &browser, "/orders/x").await).unwrap();
    assert!(claims["exp"].as_i64().unwrap() <= began + 9, "{claims} at {began}");
}

#[tokio::test]
async fn t08_identity_token_is_taken_in_nowhere() {
    let machines = |port: u16| {
        format!(
            "[machines.itself]\nissuer = \"http://app.localhost:{port}\"\naudience = \"orders\"\nsubject = \"any\"\n\
             jwks_uri = \"http://app.localhost:{port}{KEYS}\"\nalgorithms = [\"ES256\"]\n{}",
            route("/machines/", "callers = [\"session\", \"machine\"]")
        )
    };
    let mut gateway = Setup::default().section(&routes()).prepare().await;
    let text = std::fs::read_to_string(gateway.config()).unwrap();
    std::fs::write(gateway.config(), format!("{text}\n{}", machines(gateway.port()))).unwrap();
    gateway.launch().await;
    let browser = gateway.signed_in("alice").await;
    let token = sent(&gateway, &browser, "/orders/x").await;
    let before = gateway.upstream.calls().len();
    // Even where the gateway's own keys are named as a machine issuer's: the token's type is none of theirs.
    for path in ["/machines/x", "/orders/x", "/api/x", "/bff/user"] {
        for scheme in ["Bearer", "DPoP"] {
            let request = gateway.request("GET", path).header("Authorization", &format!("{scheme} {token}"));
            let answer =
                request.header("X-CSRF", "1").header("Sec-Fetch-Site", "same-origin").send(gateway.port()).await;
            let answer = answer.unwrap().expect(401);
            if (scheme, path) == ("Bearer", "/machines/x") {
                assert!(answer.text().contains("at+jwt"), "refused for its type: {}", answer.text());
            }
        }
    }
    let cookie = format!("{}={token}", cloakroom_tests::SESSION_COOKIE);
    let request = gateway.request("GET", "/api/x").header("Cookie", &cookie).header("X-CSRF", "1");
    let answer = request.header("Sec-Fetch-Site", "same-origin").send(gateway.port()).await.unwrap();
    assert_eq!(answer.status, 401);
    assert_eq!(gateway.upstream.calls().len(), before, "nothing of it reached the API");
    // Nor is it a logout token.
    let request = gateway.request("POST", "/bff/backchannel-logout");
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request.body(format!("logout_token={token}")).send(gateway.port()).await.unwrap().expect(400);
    browser.fetch("GET", &gateway.app("/api/x")).csrf().send().await.expect(200);
}

#[tokio::test]
async fn t08_identity_keys_turn_with_the_ring_and_are_published_before_they_sign() {
    let gateway = Setup::default().section(&routes()).start().await;
    let browser = gateway.signed_in("alice").await;
    let kid = |token: &str| -> Value {
        let header: Value = serde_json::from_slice(&decoded(token.split('.').next().unwrap())).unwrap();
        header["kid"].clone()
    };
    let first = kid(&sent(&gateway, &browser, "/orders/x").await);
    assert_eq!(published(&gateway).await["keys"].as_array().unwrap().len(), 1);
    assert!(gateway.run(&["keys", "rotate"]).status.success());
    let keys = published(&gateway).await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "{keys}");
    let other = gateway.signed_in("bob").await;
    let token = sent(&gateway, &other, "/orders/x").await;
    assert_eq!(kid(&token), first, "upstreams may not know the new key yet");
    checked(&keys, &token).expect("still checked by the published keys");
    // The old one is burnt: what it signed is nobody's word any more.
    let id = first.as_str().unwrap().trim_start_matches("identity-").to_owned();
    assert!(gateway.run(&["keys", "retire", &id, "--burn", "--yes"]).status.success());
    let keys = published(&gateway).await;
    assert!(checked(&keys, &token).is_none(), "{keys}");
    let again = gateway.signed_in("alice").await;
    let token = sent(&gateway, &again, "/bills/x").await;
    assert_ne!(kid(&token), first);
    checked(&keys, &token).expect("signed by the key that is left");
}

#[tokio::test]
async fn key_set_is_where_identity_tokens_are_made_and_nowhere_else() {
    let gateway = Setup::default().start().await;
    gateway.request("GET", KEYS).send(gateway.port()).await.unwrap().expect(404);
    let gateway = Setup::default().section(&routes()).start().await;
    gateway.request("POST", KEYS).send(gateway.port()).await.unwrap().expect(405);
    let host = format!("console.localhost:{}", gateway.port());
    let elsewhere = cloakroom_tests::wire::Request::new("GET", &host, KEYS);
    elsewhere.send(gateway.port()).await.unwrap().expect(404);
    // No provider's key is among them.
    let theirs = cloakroom_tests::wire::Request::new("GET", "idp.localhost", "/jwks");
    let theirs = theirs.send(Provider::shared().port()).await.unwrap().expect(200).json();
    let ours = published(&gateway).await;
    let ids = |keys: &Value| -> Vec<String> {
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].to_string()).collect()
    };
    assert!(ids(&ours).iter().all(|kid| !ids(&theirs).contains(kid)));
}
