//! Logout tokens: those that must pass, and every way not to be one.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::rig::{CLIENT, ISSUER, Key, NOW, Rig, SKEW, claims as id_token_claims};
use crate::oidc::IdTokenFault as Token;
use crate::oidc::logout_token::{LogoutTokenError, LogoutTokenFault as Fault, Whom, claimed_issuer};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "iat": NOW, "exp": NOW + 120, "jti": "j1", "sub": "alice", "sid": "s1",
        "events": { EVENT: {} },
    })
}

/// The usual claims with some changed, and those that are null here left out.
fn with(changes: &Value) -> Value {
    let mut all = claims();
    for (name, value) in changes.as_object().expect("an object") {
        all[name] = value.clone();
    }
    all.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    all
}

fn header(rig: &Rig) -> Value {
    json!({ "alg": rig.key.alg, "kid": rig.key.kid, "typ": "logout+jwt" })
}

async fn fault(rig: &Rig, token: &str) -> Option<Fault> {
    match rig.provider.verify_logout_token(token, &["web"]).await {
        Ok(_) => None,
        Err(LogoutTokenError::Fault(fault)) => Some(fault),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn b01_logout_tokens_that_are_in_order_pass() {
    let rig = Rig::new();
    let both = Whom::Session { sid: "s1".into(), sub: Some("alice".into()) };
    for (changes, expected) in [
        (json!({}), both.clone()),
        (json!({ "sub": null }), Whom::Session { sid: "s1".into(), sub: None }),
        (json!({ "sid": null }), Whom::Person { sub: "alice".into() }),
        (json!({ "aud": ["other", CLIENT] }), both.clone()),
        (json!({ "events": { EVENT: {}, "urn:other": {} } }), both.clone()),
        (json!({ "unknown": { "a": 1 } }), both.clone()),
        (json!({ "iat": NOW - 300 - SKEW, "exp": NOW + 1 }), both.clone()),
        (json!({ "iat": NOW + SKEW }), both.clone()),
        (json!({ "exp": NOW - SKEW + 1 }), both.clone()),
        (json!({ "iat": 1_795_517_665.5 }), both.clone()),
    ] {
        let token = rig.key.token(header(&rig), with(&changes));
        let verified = rig.provider.verify_logout_token(&token, &["web"]).await.expect("passes");
        assert_eq!(*verified.whom(), expected, "{changes}");
        assert_eq!((verified.issuer(), verified.provider_id(), verified.jti()), (ISSUER, "main", "j1"));
        assert_eq!(claimed_issuer(&token).as_deref(), Some(ISSUER));
    }
}

#[tokio::test]
async fn b01_type_may_be_absent_but_not_another() {
    let rig = Rig::new();
    let typed = |typ: Value| json!({ "alg": "ES256", "kid": "k1", "typ": typ });
    for (header, expected) in [
        (json!({ "alg": "ES256", "kid": "k1" }), None),
        (typed(json!("LOGOUT+JWT")), None),
        (typed(json!("application/logout+jwt")), None),
        (typed(json!("JWT")), None),
        (typed(json!("at+jwt")), Some(Fault::Type)),
        (typed(json!("dpop+jwt")), Some(Fault::Type)),
        (typed(json!("secevent+jwt")), Some(Fault::Type)),
        (typed(json!("")), Some(Fault::Type)),
        (typed(json!(null)), Some(Fault::Type)),
        (
            json!({ "alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false }),
            Some(Token::Unreadable("its header asks for what is not supported").into()),
        ),
    ] {
        assert_eq!(fault(&rig, &rig.key.token(&header, claims())).await, expected, "{header}");
    }
}

#[tokio::test]
async fn b01_claims_that_are_not_a_logout_are_refused() {
    let rig = Rig::new();
    let claim = |text: &str| Some(Token::Claim(text.into()).into());
    for (changes, expected) in [
        (json!({ "iss": "https://evil.example.com" }), Some(Token::Issuer.into())),
        (json!({ "iss": null }), Some(Token::Issuer.into())),
        (json!({ "aud": "other" }), Some(Token::Audience.into())),
        (json!({ "aud": [] }), Some(Token::Audience.into())),
        (json!({ "aud": [CLIENT, 5] }), Some(Token::Audience.into())),
        (json!({ "aud": null }), Some(Token::Audience.into())),
        (json!({ "azp": "other" }), Some(Token::AuthorizedParty.into())),
        (json!({ "events": null }), Some(Fault::Event)),
        (json!({ "events": {} }), Some(Fault::Event)),
        (json!({ "events": { EVENT: true } }), Some(Fault::Event)),
        (json!({ "events": [EVENT] }), Some(Fault::Event)),
        (json!({ "events": EVENT }), Some(Fault::Event)),
        (json!({ "events": { "urn:other": {} } }), Some(Fault::Event)),
        (json!({ "nonce": "n" }), Some(Fault::Nonce)),
        (json!({ "sub": null, "sid": null }), Some(Fault::Nobody)),
        (json!({ "sub": "" }), claim("sub is no text of 1 to 255 bytes")),
        (json!({ "sub": "x".repeat(256) }), claim("sub is no text of 1 to 255 bytes")),
        (json!({ "sid": 5 }), claim("sid is no text of 1 to 1024 bytes")),
        (json!({ "jti": null }), claim("jti is missing")),
        (json!({ "jti": "" }), claim("jti is no text of 1 to 1024 bytes")),
        (json!({ "iat": null }), claim("iat is missing")),
        (json!({ "iat": "now" }), claim("iat is no number of seconds")),
        (json!({ "exp": null }), claim("exp is missing")),
        (json!({ "iat": NOW - 301 - SKEW }), Some(Fault::TooOld)),
        (json!({ "iat": NOW + SKEW + 1 }), Some(Token::FromTheFuture.into())),
        (json!({ "exp": NOW - SKEW }), Some(Token::Expired.into())),
        (json!({ "nbf": NOW + SKEW + 1 }), Some(Token::NotYet.into())),
    ] {
        assert_eq!(fault(&rig, &rig.key.token(header(&rig), with(&changes))).await, expected, "{changes}");
    }
    let null_nonce = claims().to_string().replacen('{', "{\"nonce\":null,", 1);
    assert_eq!(fault(&rig, &rig.key.token(header(&rig), null_nonce)).await, Some(Fault::Nonce));
    let twice = claims().to_string().replacen('{', "{\"sub\":\"bob\",", 1);
    assert_eq!(fault(&rig, &rig.key.token(header(&rig), twice)).await, Some(Token::Duplicate.into()));
    let id_token = rig.key.token(rig.key.header(), id_token_claims());
    assert_eq!(fault(&rig, &id_token).await, Some(Fault::Event), "an ID token is no logout token");
    let good = rig.key.token(header(&rig), claims());
    let none: Result<_, _> = rig.provider.verify_logout_token(&good, &[]).await;
    assert!(none.is_err(), "a token for a registration that is not asked about");
}

#[tokio::test]
async fn b01_signatures_that_are_not_the_providers_are_refused() {
    let rig = Rig::new();
    let (thief, rsa) = (Key::new("k1", "ES256"), Key::new("rsa", "RS256"));
    rig.publish(&[&rig.key, &rsa]);
    let good = rig.key.token(header(&rig), claims());
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let typed = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid, "typ": "logout+jwt" });
    for (what, token, expected) in [
        ("another's key", thief.token(header(&rig), claims()), Token::Signature),
        ("no signature", format!("{message}."), Token::Signature),
        (
            "alg none",
            format!("{}.", rig.key.token(typed("none", "k1"), claims())),
            Token::Unreadable("it has not three parts"),
        ),
        ("alg none with a signature", rig.key.token(typed("none", "k1"), claims()), Token::Algorithm),
        ("HS256", rig.key.token(typed("HS256", "k1"), claims()), Token::Algorithm),
        ("an unknown key", rig.key.token(typed("ES256", "k9"), claims()), Token::UnknownKey),
        ("a key of another type", rig.key.token(typed("RS256", "k1"), claims()), Token::UnknownKey),
        ("a curve of another size", rig.key.token(typed("ES384", "k1"), claims()), Token::UnknownKey),
        ("another padding", rsa.token(typed("PS256", "rsa"), claims()), Token::Signature),
        ("an algorithm that is not published", rsa.token(typed("RS512", "rsa"), claims()), Token::Algorithm),
        ("five parts", format!("{good}.a.b"), Token::Encrypted),
        ("a cut signature", format!("{message}.{}", signature.split_at(40).0), Token::Signature),
    ] {
        assert_eq!(fault(&rig, &token).await, Some(expected.into()), "{what}");
    }
    for key in [&rig.key, &rsa] {
        let named = key.token(typed(key.alg, key.kid), claims());
        assert_eq!(fault(&rig, &named).await, None, "{}", key.alg);
        let unnamed = key.token(json!({ "alg": key.alg }), claims());
        assert_eq!(fault(&rig, &unnamed).await, None, "{} without a key's name", key.alg);
    }
}

#[tokio::test]
async fn b01_l15_new_keys_are_fetched_once_a_minute_at_most() {
    let rig = Rig::new();
    assert_eq!(fault(&rig, &rig.key.token(header(&rig), claims())).await, None);
    let next = Key::new("k2", "ES256");
    rig.publish(&[&next]);
    let token = next.token(json!({ "alg": "ES256", "kid": "k2" }), claims());
    assert_eq!(fault(&rig, &token).await, None);
    for n in 0..20 {
        let token = next.token(json!({ "alg": "ES256", "kid": format!("x{n}") }), claims());
        assert_eq!(fault(&rig, &token).await, Some(Token::UnknownKey.into()));
    }
    assert_eq!(rig.fake.calls("/jwks"), 2);
}

proptest! {
    /// F8: whatever is done to a good token, it is refused or says what it said.
    #[test]
    fn f08_altered_logout_tokens_never_pass(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4)) {
        let rig = Rig::new();
        let good = rig.key.token(header(&rig), claims());
        let mut bytes = good.clone().into_bytes();
        for (place, byte, what) in edits {
            let at = place.index(bytes.len().max(1));
            match what {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.truncate(at),
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        let altered = String::from_utf8_lossy(&bytes).into_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let outcome = runtime.block_on(rig.provider.verify_logout_token(&altered, &["web"]));
        prop_assert!(outcome.is_err() || altered == good, "{altered}");
    }

    /// F8: whatever is sent, it is only refused.
    #[test]
    fn f08_anything_else_is_refused(text in "\\PC{0,200}|[A-Za-z0-9_.-]{0,200}|eyJ[A-Za-z0-9_-]{0,80}\\.eyJ[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}") {
        let rig = Rig::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        prop_assert!(runtime.block_on(rig.provider.verify_logout_token(&text, &["web"])).is_err());
        prop_assert!(claimed_issuer(&text).is_none_or(|issuer| issuer.len() < text.len()));
    }
}
