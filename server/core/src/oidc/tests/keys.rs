//! The provider's keys: which one is meant, rollover, and what an attacker cannot make us fetch.

use futures_util::future::join_all;
use serde_json::json;

use super::rig::{Key, Rig, answer, claims, claims_with};
use crate::oidc::IdTokenFault as Fault;

#[tokio::test]
async fn l15_rollover_in_mid_flight_succeeds() {
    let rig = Rig::new();
    assert_eq!(rig.fault(&rig.good_token()).await, None);
    // Right after discovery: nothing was fetched for an unknown key yet.
    let next = Key::new("k2", "ES256");
    rig.publish(&[&rig.key, &next]);
    assert_eq!(rig.fault(&next.token(next.header(), claims())).await, None);
    assert_eq!(rig.fault(&rig.good_token()).await, None);
    assert_eq!(rig.fake.calls("/jwks"), 2);
}

#[tokio::test]
async fn l11_l15_ten_tabs_after_a_rollover_share_one_fetch() {
    let rig = Rig::new();
    assert_eq!(rig.fault(&rig.good_token()).await, None);
    let next = Key::new("k2", "ES256");
    rig.publish(&[&next]);
    let tokens: Vec<String> = (0..10).map(|_| next.token(next.header(), claims())).collect();
    let faults = join_all(tokens.iter().map(|token| rig.fault(token))).await;
    assert_eq!(faults, vec![None; 10]);
    assert_eq!(rig.fake.calls("/jwks"), 2);
}

#[tokio::test]
async fn l15_key_that_changed_under_its_name_is_fetched() {
    let rig = Rig::new();
    assert_eq!(rig.fault(&rig.good_token()).await, None);
    let next = Key::new("k1", "ES256");
    rig.publish(&[&next]);
    assert_eq!(rig.fault(&next.token(next.header(), claims())).await, None);
    assert_eq!(rig.fault(&rig.good_token()).await, Some(Fault::Signature));
}

#[tokio::test]
async fn l15_flood_of_unknown_keys_costs_one_fetch_a_minute() {
    let rig = Rig::new();
    assert_eq!(rig.fault(&rig.good_token()).await, None);
    let before = rig.fake.calls("/jwks");
    for minute in 1..=3 {
        for n in 0..20 {
            let header = json!({ "alg": "ES256", "kid": format!("k{n}-{minute}") });
            assert_eq!(rig.fault(&rig.key.token(header, claims())).await, Some(Fault::UnknownKey));
        }
        assert_eq!(rig.fake.calls("/jwks"), before + minute);
        assert_eq!(rig.fault(&rig.good_token()).await, None, "a known key needs no fetch");
        rig.clock.advance_secs(60);
    }
}

#[tokio::test]
async fn l15_tokens_for_others_cost_no_fetch() {
    let rig = Rig::new();
    for changes in [json!({ "iss": "https://evil.example.com" }), json!({ "aud": "other" })] {
        let token = rig.key.token(json!({ "alg": "ES256", "kid": "k9" }), claims_with(&changes));
        assert!(rig.fault(&token).await.is_some());
    }
    assert_eq!(rig.fake.calls("/jwks"), 1);
}

#[tokio::test]
async fn l15_keys_that_cannot_be_fetched_leave_the_old_ones() {
    let rig = Rig::new();
    assert_eq!(rig.fault(&rig.good_token()).await, None);
    for reply in [answer(503, "{}"), answer(200, "garbage"), answer(302, "{}")] {
        rig.fake.set("/jwks", reply);
        rig.clock.advance_secs(60);
        let header = json!({ "alg": "ES256", "kid": "k9" });
        assert_eq!(rig.fault(&rig.key.token(header, claims())).await, Some(Fault::UnknownKey));
        assert_eq!(rig.fault(&rig.good_token()).await, None);
        assert!(rig.provider.facts().last_error.is_some());
    }
}

#[tokio::test]
async fn l15_keys_and_addresses_in_the_header_are_ignored() {
    let rig = Rig::new();
    let thief = Key::new("k1", "ES256");
    let evil = "https://evil.example.com/jwks";
    for (kid, expected) in [("k1", Fault::Signature), ("k9", Fault::UnknownKey)] {
        let header =
            json!({ "alg": "ES256", "kid": kid, "jku": evil, "x5u": evil, "jwk": thief.jwk(), "x5c": ["AA=="] });
        let before = rig.fake.all_calls();
        assert_eq!(rig.fault(&thief.token(header, claims())).await, Some(expected));
        // Discovery, keys, token, revocation of what is refused; then the keys anew, once.
        assert!(rig.fake.all_calls() - before <= 5);
    }
    let known = ["/jwks", "/token", "/revoke"].map(|path| rig.fake.calls(path)).iter().sum::<usize>();
    assert_eq!(rig.fake.all_calls(), known + 1, "nothing else was called");
    // With a key that is published, such a header does no harm either.
    let header = json!({ "alg": "ES256", "kid": "k1", "jku": evil, "jwk": thief.jwk() });
    assert_eq!(rig.fault(&rig.key.token(header, claims())).await, None);
}

#[tokio::test]
async fn token_without_a_key_id_needs_a_single_fitting_key() {
    let rig = Rig::new();
    let (other, rsa) = (Key::new("k2", "ES256"), Key::new("k3", "RS256"));
    let mut encryption = other.jwk();
    encryption["use"] = json!("enc");
    let token = rig.key.token(json!({ "alg": "ES256" }), claims());
    assert_eq!(rig.fault(&token).await, None, "one key");
    for (what, keys, expected) in [
        ("keys of two types", vec![rig.key.jwk(), rsa.jwk()], None),
        ("a key for encryption beside it", vec![rig.key.jwk(), encryption], None),
        ("two keys of the type", vec![rig.key.jwk(), other.jwk()], Some(Fault::AmbiguousKey)),
    ] {
        let rig = Rig { key: Key::new("x", "ES256"), ..Rig::new() };
        rig.fake.set("/jwks", answer(200, json!({ "keys": keys })));
        assert_eq!(rig.fault(&token).await, expected, "{what}");
    }
}

#[tokio::test]
async fn keys_that_are_not_understood_do_not_break_login() {
    let rig = Rig::new();
    let broken = [
        json!({ "kty": "PQC", "kid": "new", "pub": "x" }),
        json!({ "kid": "no type" }),
        json!({ "kty": "EC", "crv": "P-256", "x": 5, "y": "!!", "kid": "broken" }),
        json!({ "kty": "RSA", "n": "AQAB", "e": "", "kid": "short" }),
        json!({ "kty": 5, "kid": ["k1"] }),
        json!("no object"),
        json!(null),
    ];
    let mut keys = broken.to_vec();
    keys.insert(3, rig.key.jwk());
    rig.fake.set("/jwks", answer(200, json!({ "keys": keys })));
    assert_eq!(rig.fault(&rig.good_token()).await, None);
    for kid in ["broken", "short"] {
        let alg = if kid == "short" { "RS256" } else { "ES256" };
        let fault = rig.fault(&rig.key.token(json!({ "alg": alg, "kid": kid }), claims())).await;
        assert_eq!(fault, Some(Fault::Key), "{kid}");
    }
}
