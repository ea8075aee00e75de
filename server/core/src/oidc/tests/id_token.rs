//! Claims, header and signature of the ID token: every way in which it can be wrong, and those in which it must pass.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::rig::{ACCESS, CLIENT, CODE, ISSUER, Key, NOW, Rig, SECRET, SKEW, claims, claims_with, token_answer};
use crate::oidc::{IdTokenFault as Fault, LoginError};

/// The left half of the hash (OIDC Core section 3.1.3.6).
fn half_hash(text: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

#[tokio::test]
async fn l05_claims_that_are_wrong_are_refused() {
    let rig = Rig::new();
    for (changes, expected) in [
        (json!({ "iss": "https://evil.example.com" }), Fault::Issuer),
        (json!({ "iss": "https://id.example.com/" }), Fault::Issuer),
        (json!({ "aud": "other" }), Fault::Audience),
        (json!({ "aud": [] }), Fault::Audience),
        (json!({ "aud": ["other"], "azp": CLIENT }), Fault::Audience),
        (json!({ "aud": [CLIENT, "other"] }), Fault::AuthorizedParty),
        (json!({ "aud": [CLIENT, "other"], "azp": "other" }), Fault::AuthorizedParty),
        (json!({ "azp": "other" }), Fault::AuthorizedParty),
        (json!({ "exp": NOW - SKEW }), Fault::Expired),
        (json!({ "exp": NOW - 100_000 }), Fault::Expired),
        (json!({ "nbf": NOW + SKEW + 1 }), Fault::NotYet),
        (json!({ "iat": NOW + SKEW + 1 }), Fault::FromTheFuture),
        (json!({ "sub": "" }), Fault::Subject),
        (json!({ "sub": "x".repeat(256) }), Fault::Subject),
        (json!({ "at_hash": half_hash("another token") }), Fault::AccessTokenHash),
        (json!({ "at_hash": "" }), Fault::AccessTokenHash),
        (json!({ "c_hash": half_hash("another code") }), Fault::CodeHash),
    ] {
        let token = rig.key.token(rig.key.header(), claims_with(&changes));
        assert_eq!(rig.fault(&token).await, Some(expected), "{changes}");
    }
}

#[tokio::test]
async fn l05_s06_claims_that_are_missing_or_of_another_type_are_refused() {
    let rig = Rig::new();
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        let token = rig.key.token(rig.key.header(), claims_with(&json!({ name: null })));
        let fault = rig.fault(&token).await;
        assert!(matches!(fault, Some(Fault::Claim(_) | Fault::Unreadable(_))), "no {name}: {fault:?}");
    }
    for (name, odd) in [
        ("iss", json!(5)),
        ("iss", json!([ISSUER])),
        ("sub", json!(5)),
        ("sub", json!(["alice"])),
        ("aud", json!(5)),
        ("aud", json!([CLIENT, 5])),
        ("aud", json!({ "client": CLIENT })),
        ("exp", json!((NOW + 300).to_string())),
        ("exp", json!("2099-01-01T00:00:00Z")),
        ("iat", json!("2020-01-01T00:00:00Z")),
        ("iat", json!(true)),
        ("nbf", json!("soon")),
        ("azp", json!([CLIENT])),
        ("nonce", json!(5)),
        ("at_hash", json!(5)),
        ("c_hash", json!([])),
        ("sid", json!(5)),
        ("auth_time", json!("yesterday")),
        ("acr", json!(1)),
        ("amr", json!("pwd")),
        ("amr", json!([1])),
        ("email_verified", json!("true")),
        ("address", json!("here")),
    ] {
        let token = rig.key.token(rig.key.header(), claims_with(&json!({ name: odd })));
        let fault = rig.fault(&token).await;
        assert!(matches!(fault, Some(Fault::Claim(_) | Fault::Unreadable(_))), "{name} {odd}: {fault:?}");
    }
    for name in ["sub", "aud", "azp", "nonce", "at_hash", "auth_time", "acr", "amr", "sid", "nbf"] {
        let mut odd = claims();
        odd[name] = Value::Null;
        let fault = rig.fault(&rig.key.token(rig.key.header(), odd)).await;
        assert!(matches!(fault, Some(Fault::Claim(_))), "{name} null: {fault:?}");
    }
}

#[tokio::test]
async fn l05_claims_that_are_right_pass() {
    let rig = Rig::new();
    for changes in [
        json!({}),
        json!({ "aud": [CLIENT] }),
        json!({ "aud": ["other", CLIENT], "azp": CLIENT }),
        json!({ "azp": CLIENT }),
        json!({ "exp": NOW - SKEW + 1 }),
        json!({ "exp": 10_000_000_000_i64 }),
        json!({ "exp": 1_795_517_965.5 }),
        json!({ "iat": 1_795_517_665.25 }),
        json!({ "iat": NOW + SKEW }),
        json!({ "iat": NOW - 100_000 }),
        json!({ "nbf": NOW + SKEW }),
        json!({ "sub": "x".repeat(255) }),
        json!({ "at_hash": half_hash(ACCESS), "c_hash": half_hash(CODE) }),
        json!({ "s_hash": "anything", "jti": "1", "updated_at": "2026-01-01T00:00:00Z", "address": { "country": "DE" } }),
    ] {
        let token = rig.key.token(rig.key.header(), claims_with(&changes));
        assert_eq!(rig.fault(&token).await, None, "{changes}");
    }
}

#[tokio::test]
async fn l02_nonce_must_be_this_logins() {
    let rig = Rig::new();
    for changes in [json!({ "nonce": "another" }), json!({ "nonce": "" }), json!({ "nonce": null })] {
        let token = rig.key.token(rig.key.header(), claims_with(&changes));
        assert_eq!(rig.fault(&token).await, Some(Fault::Nonce), "{changes}");
    }
}

#[tokio::test]
async fn l05_claims_that_stand_twice_are_refused() {
    let rig = Rig::new();
    let usual = claims().to_string();
    for more in [r#","sub":"bob""#, r#","s\u0075b":"bob""#, r#","roles":{"a":["user"],"a":["owner"]}"#] {
        let doubled = format!("{}{more}}}", usual.trim_end_matches('}'));
        assert_eq!(rig.fault(&rig.key.token(rig.key.header(), doubled)).await, Some(Fault::Duplicate), "{more}");
    }
    let header = r#"{"alg":"ES256","kid":"k1","alg":"none"}"#;
    assert_eq!(rig.fault(&rig.key.token(header, usual)).await, Some(Fault::Duplicate));
}

#[tokio::test]
async fn l05_text_that_is_no_signed_token_is_refused() {
    let rig = Rig::new();
    let good = rig.good_token();
    let parts: Vec<&str> = good.split('.').collect();
    let jwe = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let unreadable = |fault| matches!(fault, Some(Fault::Unreadable(_)));
    assert_eq!(rig.fault(&format!("{jwe}.key.iv.text.tag")).await, Some(Fault::Encrypted));
    assert_eq!(rig.fault(&"a".repeat(1 << 19)).await, Some(Fault::TooLong));
    let long = rig.key.token(rig.key.header(), claims_with(&json!({ "x": "x".repeat(1 << 16) })));
    assert_eq!(rig.fault(&long).await, Some(Fault::TooLong));
    for text in [
        String::new(),
        "..".into(),
        "a.b".into(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}=.{}", parts[0], parts[1], parts[2]),
        format!("{}.W10.{}", parts[0], parts[2]),
        format!("{good}.x"),
        format!("{good} "),
    ] {
        assert!(unreadable(rig.fault(&text).await), "{text}");
    }
    for odd in [
        json!({ "alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false }),
        json!({ "alg": "ES256", "kid": "k1", "typ": "at+jwt" }),
        json!({ "alg": "ES256", "kid": "k1", "cty": "JWT" }),
        json!({ "alg": "ES256", "kid": 5 }),
    ] {
        assert!(unreadable(rig.fault(&rig.key.token(&odd, claims())).await), "{odd}");
    }
}

#[tokio::test]
async fn l05_algorithms_that_are_not_safe_or_not_published_are_refused() {
    let rig = Rig::new();
    for alg in
        [json!("none"), json!("None"), json!("HS256"), json!("ES512"), json!("XX1"), json!(""), json!(5), json!(null)]
    {
        let token = rig.key.token(json!({ "alg": alg, "kid": "k1" }), claims());
        assert_eq!(rig.fault(&token).await, Some(Fault::Algorithm), "{alg}");
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(rig.fault(&unsigned).await, Some(Fault::Algorithm), "{alg}, unsigned");
    }
    let rsa = Key::new("k2", "RS256");
    rig.publish(&[&rig.key, &rsa]);
    let mut document = super::rig::document();
    document["id_token_signing_alg_values_supported"] = json!(["ES256"]);
    rig.fake.set("/.well-known/openid-configuration", super::rig::answer(200, document));
    rig.clock.advance_secs(3_600);
    let fresh = claims_with(&json!({ "exp": NOW + 4_000 }));
    assert_eq!(rig.fault(&rsa.token(rsa.header(), &fresh)).await, Some(Fault::Algorithm));
    assert_eq!(rig.fault(&rig.key.token(rig.key.header(), &fresh)).await, None);
}

#[tokio::test]
async fn l05_shared_secrets_sign_nothing() {
    use aws_lc_rs::hmac;
    let rig = Rig::new();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&json!({ "alg": "HS256", "kid": "k1" })), part(&claims()));
    let x = rig.key.jwk()["x"].as_str().unwrap().to_owned();
    for secret in [SECRET.as_bytes(), x.as_bytes(), rig.key.jwk().to_string().as_bytes(), b""] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()));
        assert_eq!(rig.fault(&token).await, Some(Fault::Algorithm));
    }
}

#[tokio::test]
async fn l05_signatures_that_are_wrong_are_refused() {
    let rig = Rig::new();
    let rsa = Key::new("rsa", "RS256");
    rig.publish(&[&rig.key, &rsa]);
    let good = rig.good_token();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let header = message.split_once('.').unwrap().0;
    let swapped = URL_SAFE_NO_PAD.encode(claims_with(&json!({ "sub": "bob" })).to_string());
    let flipped = {
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[40] ^= 1;
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let thief = Key::new("k1", "ES256");
    for (what, token, expected) in [
        ("another key under the same name", thief.token(thief.header(), claims()), Fault::Signature),
        ("a flipped bit", format!("{message}.{flipped}"), Fault::Signature),
        ("a cut signature", format!("{message}.{}", signature.split_at(40).0), Fault::Signature),
        ("no signature", format!("{message}."), Fault::Signature),
        ("other claims", format!("{header}.{swapped}.{signature}"), Fault::Signature),
        ("a key of another type", rig.key.token(json!({ "alg": "ES256", "kid": "rsa" }), claims()), Fault::UnknownKey),
        ("a curve of another size", rig.key.token(json!({ "alg": "ES384", "kid": "k1" }), claims()), Fault::Key),
        ("an unknown key", rig.key.token(json!({ "alg": "ES256", "kid": "k9" }), claims()), Fault::UnknownKey),
    ] {
        assert_eq!(rig.fault(&token).await, Some(expected), "{what}");
    }
}

#[tokio::test]
async fn l05_every_safe_algorithm_passes() {
    let rig = Rig::new();
    let keys = ["RS256", "PS256", "ES256", "ES384", "EdDSA"].map(|alg| Key::new(alg, alg));
    rig.publish(&keys.iter().collect::<Vec<_>>());
    for key in &keys {
        assert_eq!(rig.fault(&key.token(key.header(), claims())).await, None, "{}", key.alg);
    }
}

#[tokio::test]
async fn l16_acr_and_max_age_must_be_met() {
    let rig = Rig::new();
    for (claims, max_age, acr, met) in [
        (json!({ "acr": "gold" }), None, Some("silver gold"), true),
        (json!({ "acr": "bronze" }), None, Some("silver gold"), false),
        (json!({ "acr": "silver gold" }), None, Some("silver gold"), false),
        (json!({}), None, Some("gold"), false),
        (json!({ "acr": "" }), None, Some("gold"), false),
        (json!({ "auth_time": NOW - 60 - SKEW }), Some(60), None, true),
        (json!({ "auth_time": NOW - 61 - SKEW }), Some(60), None, false),
        (json!({ "auth_time": NOW }), Some(0), None, true),
        (json!({ "auth_time": NOW + SKEW + 1 }), Some(60), None, false),
        (json!({ "auth_time": 0 }), Some(u64::MAX), None, true),
        (json!({}), Some(60), None, false),
        (json!({}), None, None, true),
    ] {
        let token = rig.key.token(rig.key.header(), claims_with(&claims));
        let outcome = rig.redeem_asking(token_answer(&json!({ "id_token": token })), max_age, acr).await;
        match outcome {
            Ok(_) => assert!(met, "{claims} passed"),
            Err(LoginError::NotEnough(_)) => assert!(!met, "{claims} was refused"),
            Err(other) => panic!("{claims}: {other}"),
        }
    }
}
