//! The authorization request, the answer's issuer, and redeeming a code.

use std::collections::BTreeMap;

use serde_json::json;
use url::Url;

use super::rig::{
    ACCESS, CLIENT, CODE, ISSUER, NOW, REFRESH, Rig, SECRET, VERIFIER, answer, claims, claims_with, document,
    token_answer,
};
use crate::clock::UnixMs;
use crate::http::HttpError;
use crate::oidc::{Begun, ClientAuth, LoginAsk, LoginError, ProviderError};
use crate::random::{Random, SystemRandom};
use crate::session::record::Token;

fn ask() -> LoginAsk {
    LoginAsk { redirect_uri: "https://app.example.com/bff/callback".into(), ..LoginAsk::default() }
}

async fn begin(rig: &Rig, ask: &LoginAsk) -> (Begun, BTreeMap<String, String>) {
    let begun = rig.provider.begin("web", ask, &SystemRandom).await.unwrap();
    let url: Url = begun.url.parse().unwrap();
    assert_eq!((url.origin().ascii_serialization().as_str(), url.path()), (ISSUER, "/authorize"));
    assert_eq!(url.fragment(), None);
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "a parameter stands twice: {}", begun.url);
    (begun, map)
}

#[tokio::test]
async fn l02_l04_login_sends_pkce_state_and_nonce_of_its_own() {
    let rig = Rig::new();
    let (one, query) = begin(&rig, &ask()).await;
    let (two, _) = begin(&rig, &ask()).await;
    let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&oauth2::PkceCodeVerifier::new(
        one.pkce_verifier.reveal().to_owned(),
    ));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "https://app.example.com/bff/callback"),
        ("scope", "openid profile offline_access"),
        ("state", &one.state),
        ("nonce", &one.nonce),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("audience", "x"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(query.len(), 9, "{query:?}");
    for (a, b) in [(&one.state, &two.state), (&one.nonce, &two.nonce), (&one.state, &one.nonce)] {
        assert_ne!(a, b);
        assert_eq!(a.len(), 43);
    }
    assert_ne!(one.pkce_verifier.reveal(), two.pkce_verifier.reveal());
    assert!(!one.url.contains(one.pkce_verifier.reveal()) && !one.url.contains(SECRET));
}

#[tokio::test]
async fn login_is_repeatable_with_randomness_held() {
    struct Held;
    impl Random for Held {
        fn fill(&self, out: &mut [u8]) {
            out.fill(7);
        }
    }
    let rig = Rig::new();
    let (one, two) = (rig.provider.begin("web", &ask(), &Held).await, rig.provider.begin("web", &ask(), &Held).await);
    assert_eq!(one.unwrap().url, two.unwrap().url);
}

#[tokio::test]
async fn s09_parameters_cannot_break_out_of_the_address() {
    let rig = Rig::new();
    for evil in
        ["x&client_id=evil", "x#fragment", "x\r\nSet-Cookie: a=b", "x%26state=evil", "x;y=z", "é\u{202e} \"<'>", "a=b"]
    {
        let ask = LoginAsk { login_hint: Some(evil.into()), max_age_secs: Some(60), ..ask() };
        let (begun, query) = begin(&rig, &ask).await;
        assert_eq!(query.get("login_hint").map(String::as_str), Some(evil));
        assert_eq!(query.get("client_id").map(String::as_str), Some(CLIENT));
        assert_eq!(query.get("max_age").map(String::as_str), Some("60"));
        assert!(begun.url.bytes().all(|b| b.is_ascii_graphic()), "{}", begun.url);
        let lists = [Some(evil.to_owned()), Some(evil.to_owned()), Some(evil.to_owned())];
        let [prompt, acr_values, ui_locales] = lists;
        let (_, query) = begin(&rig, &LoginAsk { prompt, acr_values, ui_locales, ..ask }).await;
        let words = evil.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        for name in ["prompt", "acr_values", "ui_locales"] {
            assert_eq!(query.get(name), Some(&words), "{name}");
        }
    }
}

#[tokio::test]
async fn s09_configuration_cannot_override_the_protocol_nor_what_is_asked() {
    let names = [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
        "response_mode",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "code_verifier",
        "dpop_jkt",
        "prompt",
        "login_hint",
        "acr_values",
        "max_age",
        "ui_locales",
        "resource",
    ];
    let rig = Rig::with(|registration| {
        registration.extra_authorize = names.iter().map(|name| ((*name).to_owned(), "evil".to_owned())).collect();
    });
    let all = LoginAsk {
        prompt: Some("login".into()),
        login_hint: Some("alice".into()),
        acr_values: Some("gold".into()),
        max_age_secs: Some(1),
        ui_locales: Some("de".into()),
        ..ask()
    };
    let evil = |query: &BTreeMap<String, String>| {
        query.iter().filter(|(_, value)| *value == "evil").map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(evil(&begin(&rig, &all).await.1), ["resource"]);
    let open = ["acr_values", "login_hint", "max_age", "prompt", "resource", "ui_locales"];
    assert_eq!(evil(&begin(&rig, &ask()).await.1), open);
}

#[tokio::test]
async fn login_at_an_unknown_registration_or_with_no_address_is_refused() {
    let rig = Rig::new();
    assert!(matches!(rig.provider.begin("other", &ask(), &SystemRandom).await, Err(ProviderError::NoRegistration(_))));
    let nowhere = LoginAsk { redirect_uri: "nowhere".into(), ..ask() };
    assert!(matches!(rig.provider.begin("web", &nowhere, &SystemRandom).await, Err(ProviderError::Request(_))));
}

#[tokio::test]
async fn l03_issuer_of_the_answer_must_be_the_providers() {
    for (advertised, iss, right) in [
        (json!(true), Some(ISSUER), true),
        (json!(true), None, false),
        (json!(false), None, true),
        (json!(null), None, true),
        (json!(null), Some(ISSUER), true),
        (json!(null), Some("https://evil.example.com"), false),
        (json!(true), Some("https://id.example.com/"), false),
        (json!(true), Some(""), false),
        (json!(false), Some(""), false),
    ] {
        let rig = Rig::new();
        let mut more = document();
        if !advertised.is_null() {
            more["authorization_response_iss_parameter_supported"] = advertised.clone();
        }
        rig.fake.set("/.well-known/openid-configuration", answer(200, more));
        match rig.provider.check_answer_issuer(iss, false).await {
            Ok(()) => assert!(right, "{advertised} {iss:?} passed"),
            Err(LoginError::OtherIssuer) => assert!(!right, "{advertised} {iss:?} was refused"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn redeemed_login_tells_who_it_is_and_holds_the_tokens() {
    let rig = Rig::new();
    let more = json!({
        "sid": "sid-1", "auth_time": NOW - 5, "acr": "gold", "amr": ["pwd", "otp"], "email": "alice@example.com", "azp": CLIENT,
        "realm": { "roles": ["owner"] }, "jti": "1", "nbf": NOW,
        "_claim_names": { "address": "src1" },
        "_claim_sources": { "src1": { "endpoint": "https://evil.example.com/claims", "access_token": "x" } },
    });
    let id_token = rig.key.token(rig.key.header(), claims_with(&more));
    let login = rig.redeem(&id_token).await.unwrap();
    assert_eq!((login.issuer(), login.sub(), login.sid()), (ISSUER, "alice", Some("sid-1")));
    assert_eq!((login.auth_time(), login.acr()), (Some(NOW - 5), Some("gold")));
    assert_eq!(login.amr(), ["pwd", "otp"]);
    let names: Vec<&str> = login.claims().keys().map(String::as_str).collect();
    let mut expected = ["sub", "auth_time", "acr", "amr", "email", "realm", "_claim_names", "_claim_sources"];
    expected.sort_unstable();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(names, expected);
    let tokens = login.tokens();
    assert_eq!(tokens.access_token.reveal(), ACCESS);
    assert_eq!(tokens.refresh_token.as_ref().map(Token::reveal), Some(REFRESH));
    assert_eq!(tokens.id_token.as_ref().map(Token::reveal), Some(id_token.as_str()));
    assert_eq!(tokens.access_expires_at, Some(UnixMs::from_secs(NOW + 60)));
    assert_eq!(tokens.received_at, UnixMs::from_secs(NOW));
    assert_eq!(rig.fake.all_calls(), 3, "distributed claims are not fetched");
    super::rig::tells_no_secret(&format!("{login:?}"));
}

#[tokio::test]
async fn l04_code_is_redeemed_with_its_verifier_and_the_clients_secret() {
    for auth in [ClientAuth::Basic(SECRET.into()), ClientAuth::Post(SECRET.into())] {
        let rig = Rig::with(|registration| registration.auth = auth.clone());
        rig.redeem(&rig.good_token()).await.unwrap();
        let seen = rig.fake.last();
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
        for (name, value) in [
            ("grant_type", "authorization_code"),
            ("code", CODE),
            ("code_verifier", VERIFIER),
            ("redirect_uri", "https://app.example.com/bff/callback"),
        ] {
            assert_eq!(form.get(name).map(String::as_str), Some(value), "{auth:?} {name}");
        }
        let basic = seen.authorization.as_deref();
        match auth {
            // "cloakroom:very+secret": form-encoded first (RFC 6749 section 2.3.1).
            ClientAuth::Basic(_) => {
                assert_eq!(basic, Some("Basic Y2xvYWtyb29tOnZlcnkrc2VjcmV0"));
                assert!(!form.contains_key("client_secret"));
            }
            ClientAuth::Post(_) => {
                assert_eq!(basic, None);
                assert_eq!(form.get("client_secret").map(String::as_str), Some(SECRET));
                assert_eq!(form.get("client_id").map(String::as_str), Some(CLIENT));
            }
            ClientAuth::PrivateKeyJwt(_) => unreachable!("not in this table"),
        }
    }
}

#[tokio::test]
async fn s16_token_answers_that_must_pass() {
    let rig = Rig::new();
    let asked = ["openid", "profile", "offline_access"];
    let in_secs = |secs| Some(UnixMs::from_secs(NOW + secs));
    for (changes, scopes, expires_at) in [
        (json!({}), &asked[..], in_secs(60)),
        (json!({ "token_type": "bearer" }), &asked[..], in_secs(60)),
        (json!({ "token_type": "BEARER" }), &asked[..], in_secs(60)),
        (json!({ "expires_in": null }), &asked[..], None),
        (json!({ "expires_in": 0 }), &asked[..], in_secs(0)),
        (json!({ "refresh_token": null }), &asked[..], in_secs(60)),
        (json!({ "scope": "openid  email" }), &["openid", "email"][..], in_secs(60)),
        (json!({ "scope": "" }), &[][..], in_secs(60)),
        (json!({ "session_state": "x", "not-before-policy": 0 }), &asked[..], in_secs(60)),
    ] {
        let mut all = changes.clone();
        all["id_token"] = rig.good_token().into();
        let login = rig.redeem_at(token_answer(&all)).await.unwrap();
        assert_eq!(login.tokens().scopes, scopes, "{changes}");
        assert_eq!(login.tokens().access_expires_at, expires_at, "{changes}");
    }
}

#[tokio::test]
async fn l14_token_answers_that_are_none_are_refused() {
    let rig = Rig::new();
    let with = |changes: serde_json::Value| {
        let mut all = changes;
        if all.get("id_token").is_none() {
            all["id_token"] = rig.good_token().into();
        }
        token_answer(&all)
    };
    for (what, reply, code) in [
        ("mac", with(json!({ "token_type": "mac" })), "login-bad-answer"),
        ("DPoP", with(json!({ "token_type": "DPoP" })), "login-bad-answer"),
        ("no type", with(json!({ "token_type": null })), "login-bad-answer"),
        ("no access token", with(json!({ "access_token": null })), "login-bad-answer"),
        ("empty access token", with(json!({ "access_token": "" })), "login-bad-answer"),
        ("control characters", with(json!({ "access_token": "a\r\nX-Evil: 1" })), "login-bad-answer"),
        ("long access token", with(json!({ "access_token": "x".repeat(16_385) })), "login-bad-answer"),
        ("odd refresh token", with(json!({ "refresh_token": "a b" })), "login-bad-answer"),
        ("expires_in as text", with(json!({ "expires_in": "60" })), "login-bad-answer"),
        ("negative expires_in", with(json!({ "expires_in": -1 })), "login-bad-answer"),
        ("scope as list", with(json!({ "scope": ["openid"] })), "login-bad-answer"),
        ("ID token as number", with(json!({ "id_token": 5 })), "login-bad-answer"),
        ("no ID token", with(json!({ "id_token": null })), "login-id-token"),
        ("garbage", answer(200, "garbage"), "login-bad-answer"),
        ("nothing", answer(200, ""), "login-bad-answer"),
        ("a refusal", answer(400, json!({ "error": "invalid_grant" })), "login-code-refused"),
        ("a refusal of the client", answer(401, json!({ "error": "invalid_client" })), "login-code-refused"),
        ("an odd refusal", answer(400, json!({ "error": "<b>\r\n" })), "login-code-refused"),
        ("a refusal that is none", answer(400, "no"), "login-bad-answer"),
        ("out of order", answer(500, "no"), "login-provider-unavailable"),
        ("a redirect", answer(302, ""), "login-provider-unavailable"),
        ("a page of a proxy", answer(403, "<html>"), "login-provider-unavailable"),
        ("too long", Err(HttpError::TooLong), "login-provider-unavailable"),
        ("no connection", Err(HttpError::Connect("refused".into())), "login-provider-unavailable"),
    ] {
        let error = rig.redeem_at(reply).await.err().unwrap_or_else(|| panic!("{what} passed"));
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(!error.to_string().contains(['<', '\r', '\n']), "{what}: {error}");
    }
}

#[tokio::test]
async fn s07_answer_of_one_provider_never_completes_a_login_at_another() {
    let (one, other) = (Rig::new(), Rig::new());
    let foreign = other.key.token(other.key.header(), claims());
    assert!(one.redeem(&foreign).await.is_err());
}
