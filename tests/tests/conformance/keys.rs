//! Keys and the discovery document: what a gateway remembers of a provider, and when it asks anew (L15).

use super::{each_alone, gateway_at};
use cloakroom_tests::adversary::Endpoint::{Elsewhere, Keys};
use cloakroom_tests::adversary::Expect::{NoStart, Refused, SignedIn};
use cloakroom_tests::adversary::{Bend, Case, Draft, EC, Moment, RSA, sign_in};
use cloakroom_tests::{Adversary, Browser};
use serde_json::{Value, json};

const AMBIGUOUS: &str = "does not say which of the provider's keys signed it";

#[tokio::test]
async fn l05_token_that_names_no_key() {
    let kidless: fn(Draft, &Moment) -> Draft = |d, _| d.headless("kid");
    each_alone(vec![
        Case {
            name: "oidcc-client-test-kid-absent-single-jwks",
            bends: vec![Bend::IdToken(kidless), Bend::Keys(|keys| keys.truncate(1))],
            expect: SignedIn,
        },
        Case {
            name: "oidcc-client-test-kid-absent-multiple-jwks",
            bends: vec![Bend::IdToken(kidless), Bend::Keys(another_ec_key)],
            expect: Refused("login-id-token", AMBIGUOUS),
        },
        Case::id_token("no kid, one key of its type among others", kidless, SignedIn),
    ])
    .await;
}

fn another_ec_key(keys: &mut Vec<Value>) {
    let mut other = keys[0].clone();
    other["kid"] = "another".into();
    keys.push(other);
}

#[tokio::test]
async fn l05_key_sets_with_odd_keys() {
    each_alone(vec![
        Case::new("OIDCCClientTestIgnoresUnparseableKeyInJwks", Bend::Keys(odd_keys_first), SignedIn),
        Case::new(
            "keys for encryption only",
            Bend::Keys(|keys| keys.iter_mut().for_each(|key| key["use"] = "enc".into())),
            Refused("login-id-token", "a key that the provider does not publish"),
        ),
        Case::new(
            "a key off its curve",
            Bend::Keys(|keys| keys[0]["x"] = keys[0]["y"].clone()),
            Refused("login-id-token", ""),
        ),
        Case::new("no keys", Bend::Keys(Vec::clear), Refused("login-id-token", "does not publish")),
        Case::new(
            "keys without a use",
            Bend::Keys(|keys| {
                for key in keys.iter_mut() {
                    key.as_object_mut().unwrap().remove("use");
                }
            }),
            SignedIn,
        ),
    ])
    .await;
}

fn odd_keys_first(keys: &mut Vec<Value>) {
    for odd in [
        json!({ "kty": "XX", "kid": "odd" }),
        json!({ "kty": "EC", "crv": "P-256", "x": "*", "y": "*", "kid": "broken" }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "AQ", "y": "AQ", "kid": "foreign" }),
        json!({ "kty": "RSA", "kid": "without-numbers" }),
        json!({}),
    ] {
        keys.insert(0, odd);
    }
}

#[tokio::test]
async fn s06_discovery_documents() {
    each_alone(vec![
        Case::new("oidcc-client-test-discovery-openid-config", Bend::Discovery(|_| {}), SignedIn),
        Case::new("oidcc-client-test-discovery-jwks-uri-keys", Bend::Keys(|_| {}), SignedIn),
        Case::new(
            "oidcc-client-test-discovery-issuer-mismatch",
            Bend::Discovery(|d| d["issuer"] = "http://evil.localhost:1".into()),
            NoStart(503),
        ),
        Case::new(
            "issuer with a slash more",
            Bend::Discovery(|d| d["issuer"] = format!("{}/", d["issuer"].as_str().unwrap()).into()),
            NoStart(503),
        ),
        Case::new("no issuer", Bend::Discovery(|d| d["issuer"] = Value::Null), NoStart(503)),
        Case::new("token endpoint over plain http", plain("token_endpoint"), NoStart(503)),
        Case::new("keys over plain http", plain("jwks_uri"), NoStart(503)),
        Case::new("authorization endpoint over plain http", plain("authorization_endpoint"), NoStart(503)),
        Case::new(
            "authorization endpoint that is a script",
            Bend::Discovery(|d| d["authorization_endpoint"] = "javascript:alert(1)".into()),
            NoStart(503),
        ),
        Case::new(
            "no token endpoint",
            Bend::Discovery(|d| drop(d.as_object_mut().unwrap().remove("token_endpoint"))),
            NoStart(503),
        ),
        Case::new(
            "unknown members",
            Bend::Discovery(|d| d["mtls_endpoint_aliases"] = json!({ "token_endpoint": "https://mtls.example/token" })),
            SignedIn,
        ),
    ])
    .await;
}

fn plain(name: &'static str) -> Bend {
    match name {
        "token_endpoint" => Bend::Discovery(|d| d["token_endpoint"] = "http://id.example.com/token".into()),
        "jwks_uri" => Bend::Discovery(|d| d["jwks_uri"] = "http://id.example.com/jwks".into()),
        _ => Bend::Discovery(|d| d["authorization_endpoint"] = "http://id.example.com/authorize".into()),
    }
}

#[tokio::test]
async fn l15_keys_that_change_between_login_and_token() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    assert!(sign_in(&gateway, "").await.signed_in());
    // oidcc-client-test-signing-key-rotation: another key signs the next token.
    adversary.publish(&["next", RSA]);
    adversary.bend(&[Bend::IdToken(|d, m| d.signed_with(m, "next"))]);
    let outcome = sign_in(&gateway, "").await;
    assert!(outcome.signed_in(), "{:?}", outcome.refusal());
    // The old one is gone for good.
    adversary.bend(&[Bend::IdToken(|d, m| d.signed_with(m, EC))]);
    let (code, detail) = sign_in(&gateway, "").await.refusal();
    assert_eq!(code, "login-id-token", "{detail}");
}

#[tokio::test]
async fn l15_keys_that_change_just_before_signing() {
    // oidcc-client-test-signing-key-rotation-just-before-signing: after the browser has come back.
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    let mut browser = Browser::new();
    browser.hold_at("/bff/callback/finish");
    browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    let finish = browser.held();
    adversary.publish(&["next"]);
    adversary.bend(&[Bend::IdToken(|d, m| d.signed_with(m, "next"))]);
    let page = browser.resume(finish, None).await;
    assert_eq!((page.path(), page.status), ("/pages/home", 200), "{page:?}");
}

#[tokio::test]
async fn l15_flood_of_unknown_keys_costs_one_fetch_a_minute() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    assert!(sign_in(&gateway, "").await.signed_in());
    let before = adversary.seen(Keys).len();
    adversary.bend(&[Bend::IdToken(|d, m| d.head("kid", format!("unknown-{}", m.access_token)))]);
    for _ in 0..30 {
        let (code, _) = sign_in(&gateway, "").await.refusal();
        assert_eq!(code, "login-id-token");
    }
    let fetches = adversary.seen(Keys).len() - before;
    assert_eq!(fetches, 1, "{fetches} fetches of the key set");
    // Known keys go on being known.
    adversary.straighten();
    assert!(sign_in(&gateway, "").await.signed_in());
}

#[tokio::test]
async fn l15_keys_that_a_token_brings_along_are_ignored() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    for member in ["jku", "x5u", "jwk"] {
        adversary.bend(&[Bend::IdToken(match member {
            "jku" => |d, m| brought_along(d, m, "jku", format!("{}/elsewhere/jwks", m.issuer).into()),
            "x5u" => |d, m| brought_along(d, m, "x5u", format!("{}/elsewhere/cert", m.issuer).into()),
            _ => |d, m| brought_along(d, m, "jwk", m.key("next").jwk()),
        })]);
        let (code, detail) = sign_in(&gateway, "").await.refusal();
        assert_eq!(code, "login-id-token", "{member}: {detail}");
    }
    assert!(adversary.seen(Elsewhere).is_empty(), "a key was fetched from where a token said");
}

fn brought_along(draft: Draft, moment: &Moment, member: &str, value: Value) -> Draft {
    draft.signed_with(moment, "next").head(member, value)
}
