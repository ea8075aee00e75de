//! Refreshing: who the answer is about, and telling a refusal from doubt.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{
    CLIENT, ISSUER, Key, NOW, REFRESH, Reply, Rig, answer, claims, claims_with, tells_no_secret, token_answer,
};
use crate::clock::UnixMs;
use crate::http::HttpError;
use crate::oidc::{RefreshFailure, RefreshIdentity, Refreshed};
use crate::session::record::Token;

const ALICE: RefreshIdentity<'_> = RefreshIdentity { issuer: ISSUER, sub: "alice" };

async fn refresh(rig: &Rig, reply: Reply) -> Result<Refreshed, RefreshFailure> {
    rig.fake.set("/token", reply);
    let outcome = rig.provider.refresh("web", &Token::parse(REFRESH).unwrap(), &ALICE).await;
    if let Err(failure) = &outcome {
        tells_no_secret(&format!("{failure} {failure:?}"));
    }
    outcome
}

#[tokio::test]
async fn refresh_asks_once_and_takes_what_comes() {
    let rig = Rig::new();
    let got = refresh(&rig, token_answer(&json!({ "refresh_token": "next", "scope": "openid" }))).await.unwrap();
    assert_eq!(got.access_expires_at, Some(UnixMs::from_secs(NOW + 60)));
    assert_eq!(got.refresh_token.as_ref().map(Token::reveal), Some("next"));
    assert_eq!(got.scopes.as_deref(), Some(&["openid".to_owned()][..]));
    assert!(got.claims.is_none());
    let body = rig.fake.last().body;
    assert_eq!(body, format!("grant_type=refresh_token&refresh_token={REFRESH}"));
    let got = refresh(&rig, token_answer(&json!({ "refresh_token": null, "token_type": "bearer" }))).await.unwrap();
    assert!(got.refresh_token.is_none() && got.scopes.is_none());
    assert_eq!(refresh(&rig, token_answer(&json!({ "scope": "" }))).await.unwrap().scopes, Some(Vec::new()));
}

#[tokio::test]
async fn s06_id_token_of_a_refresh_answer_must_be_about_the_same_person_and_client() {
    let rig = Rig::new();
    let answer_with =
        |changes: Value| token_answer(&json!({ "id_token": rig.key.token(rig.key.header(), claims_with(&changes)) }));
    for changes in [
        json!({ "sub": "bob" }),
        json!({ "sub": "" }),
        json!({ "sub": "Alice" }),
        json!({ "iss": "https://evil.example.com" }),
        json!({ "aud": "other" }),
        json!({ "aud": [CLIENT, "other"] }),
        json!({ "azp": "other" }),
    ] {
        let outcome = refresh(&rig, answer_with(changes.clone())).await;
        assert!(matches!(outcome, Err(RefreshFailure::OtherIdentity { .. })), "{changes}: {outcome:?}");
    }
    // The nonce may be missing, be the login's, or be another: there was no authorization request (OIDC Core 12.2).
    for changes in [json!({ "nonce": null }), json!({}), json!({ "nonce": "other" }), json!({ "auth_time": 1 })] {
        let got = refresh(&rig, answer_with(changes.clone())).await.unwrap();
        assert_eq!(got.claims.and_then(|claims| claims.get("sub").cloned()), Some(json!("alice")), "{changes}");
    }
}

#[tokio::test]
async fn s06_id_token_of_a_refresh_answer_that_cannot_be_verified_is_no_other_identity() {
    let rig = Rig::new();
    let thief = Key::new("k1", "ES256");
    for (what, id_token) in [
        ("expired", rig.key.token(rig.key.header(), claims_with(&json!({ "exp": NOW - 1_000 })))),
        ("no sub", rig.key.token(rig.key.header(), claims_with(&json!({ "sub": null })))),
        ("a wrong signature", thief.token(thief.header(), claims())),
        ("an unknown key", rig.key.token(json!({ "alg": "ES256", "kid": "k9" }), claims())),
        ("no signature", rig.key.token(json!({ "alg": "none" }), claims())),
        ("another at_hash", rig.key.token(rig.key.header(), claims_with(&json!({ "at_hash": "AAAA" })))),
        ("garbage", "garbage".to_owned()),
    ] {
        let outcome = refresh(&rig, token_answer(&json!({ "id_token": id_token }))).await;
        assert!(matches!(outcome, Err(RefreshFailure::BadAnswer { .. })), "{what}: {outcome:?}");
    }
}

#[tokio::test]
async fn t07_failures_tell_what_surely_happened() {
    let rig = Rig::new();
    let said = |outcome: Result<Refreshed, RefreshFailure>| match outcome {
        Ok(_) => "refreshed".to_owned(),
        Err(RefreshFailure::NotSent(_)) => "not sent".to_owned(),
        Err(RefreshFailure::Refused { error }) => format!("refused: {error}"),
        Err(RefreshFailure::Unavailable { retry_after_secs }) => format!("unavailable: {retry_after_secs:?}"),
        Err(RefreshFailure::InDoubt(_)) => "in doubt".to_owned(),
        Err(RefreshFailure::BadAnswer { .. }) => "bad answer".to_owned(),
        Err(RefreshFailure::OtherIdentity { .. }) => "other identity".to_owned(),
    };
    let waiting = |status: u16, after: &str| {
        let mut reply = answer(status, json!({ "error": "temporarily_unavailable" })).unwrap();
        reply.headers_mut().insert("retry-after", after.parse().unwrap());
        Ok(reply)
    };
    for (reply, expected) in [
        (Err(HttpError::Connect("refused".into())), "not sent"),
        (Err(HttpError::Request("odd".into())), "not sent"),
        (Err(HttpError::Timeout(Duration::from_secs(40))), "in doubt"),
        (Err(HttpError::Broken("reset".into())), "in doubt"),
        (Err(HttpError::TooLong), "in doubt"),
        (answer(400, json!({ "error": "invalid_grant" })), "refused: invalid_grant"),
        (answer(400, json!({ "error": "invalid_grant", "error_description": "x" })), "refused: invalid_grant"),
        (answer(401, json!({ "error": "invalid_client" })), "refused: invalid_client"),
        (answer(403, json!({ "error": "access_denied" })), "refused: access_denied"),
        (answer(400, json!({ "error": "x".repeat(81) })), "refused: an error code that is none"),
        (answer(400, json!({ "error": "" })), "refused: an error code that is none"),
        (answer(500, "no"), "unavailable: None"),
        (answer(502, "<html>"), "unavailable: None"),
        (answer(500, json!({ "error": "invalid_grant" })), "unavailable: None"),
        (answer(302, ""), "unavailable: None"),
        (answer(404, "<html>"), "unavailable: None"),
        (answer(403, ""), "unavailable: None"),
        (waiting(503, "7"), "unavailable: Some(7)"),
        (waiting(429, "120"), "unavailable: Some(120)"),
        (waiting(503, "Tue, 24 Nov 2026 13:00:00 GMT"), "unavailable: None"),
        (waiting(503, "-1"), "unavailable: None"),
        (answer(400, "no"), "bad answer"),
        (answer(400, ""), "bad answer"),
        (answer(200, ""), "bad answer"),
        (answer(200, "garbage"), "bad answer"),
        (answer(200, json!({ "error": "invalid_grant" })), "refused: invalid_grant"),
        (answer(200, json!({ "error": 1 })), "bad answer"),
        (token_answer(&json!({ "access_token": "a\nb" })), "bad answer"),
        (token_answer(&json!({ "token_type": "DPoP" })), "bad answer"),
        (token_answer(&json!({})), "refreshed"),
    ] {
        let what = format!("{reply:?}");
        let before = rig.fake.calls("/token");
        assert_eq!(said(refresh(&rig, reply).await), expected, "{what}");
        assert_eq!(rig.fake.calls("/token"), before + 1, "one request, whatever comes: {what}");
    }
}

#[tokio::test]
async fn t07_nothing_is_sent_where_the_provider_is_not_known() {
    let rig = Rig::new();
    rig.fake.set("/.well-known/openid-configuration", answer(503, ""));
    assert!(matches!(refresh(&rig, token_answer(&json!({}))).await, Err(RefreshFailure::NotSent(_))));
    let token = Token::parse(REFRESH).unwrap();
    let outcome = rig.provider.refresh("other", &token, &ALICE).await;
    assert!(matches!(outcome, Err(RefreshFailure::NotSent(_))));
    assert_eq!(rig.fake.calls("/token"), 0);
}
