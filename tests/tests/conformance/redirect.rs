//! What the browser brings back, and the token endpoint's answer: issuer, state, error, and the odd ones that are right.

use super::{gateway_at, together};
use cloakroom_tests::Adversary;
use cloakroom_tests::adversary::Expect::{Refused, SignedIn};
use cloakroom_tests::adversary::{Bend, Case, Draft, Expect, Moment, sign_in};
use serde_json::{Value, json};

fn set(parameters: &mut Vec<(String, String)>, name: &str, value: &str) {
    remove(parameters, name);
    parameters.push((name.to_owned(), value.to_owned()));
}

fn remove(parameters: &mut Vec<(String, String)>, name: &str) {
    parameters.retain(|(key, _)| key != name);
}

fn back(name: &'static str, bend: fn(&mut Vec<(String, String)>, &Moment), expect: Expect) -> Case {
    Case::new(name, Bend::Redirect(bend), expect)
}

fn token(name: &'static str, bend: fn(&mut Value, &Moment), expect: Expect) -> Case {
    Case::new(name, Bend::Token(bend), expect)
}

#[tokio::test]
async fn l01_l03_parameters_of_the_way_back() {
    const OTHER: Expect = Refused("login-other-issuer", "another identity provider");
    const UNKNOWN: Expect = Refused("login-unknown", "");
    together(vec![
        back("oidcc-client-test", |_, _| {}, SignedIn),
        back(
            "fapi2-security-profile-final-client-test-invalid-authorization-response-iss",
            |p, _| set(p, "iss", "http://evil.localhost:1"),
            OTHER,
        ),
        back(
            "fapi2-security-profile-final-client-test-remove-authorization-response-iss",
            |p, _| remove(p, "iss"),
            OTHER,
        ),
        back("iss with a slash more", |p, m| set(p, "iss", &format!("{}/", m.issuer)), OTHER),
        back("empty iss", |p, _| set(p, "iss", ""), OTHER),
        back(
            "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-state-fails",
            |p, _| set(p, "state", "another"),
            UNKNOWN,
        ),
        back(
            "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-missing-state-fails",
            |p, _| remove(p, "state"),
            Refused("login-unknown", ""),
        ),
        back("state in other letters", |p, _| p.iter_mut().for_each(upper_state), UNKNOWN),
        back(
            "neither code nor error",
            |p, _| remove(p, "code"),
            Refused("login-bad-answer", "neither a code nor an error"),
        ),
        back("code of 3 kB", |p, _| set(p, "code", &"c".repeat(3000)), Refused("login-bad-answer", "")),
        back(
            "error beside a code",
            |p, _| set(p, "error", "access_denied"),
            Refused("login-refused-by-provider", "access_denied"),
        ),
        back("another code", |p, _| set(p, "code", "made-up"), Refused("login-code-refused", "invalid_grant")),
        back("parameters that nobody asked for", |p, _| set(p, "session_state", "x"), SignedIn),
    ])
    .await;
}

fn upper_state((name, value): &mut (String, String)) {
    if name == "state" {
        *value = value.to_uppercase();
    }
}

#[tokio::test]
async fn l14_odd_answers_of_the_token_endpoint() {
    const BAD: &str = "login-bad-answer";
    together(vec![
        token("oidcc-client-test-client-secret-basic", |_, _| {}, SignedIn),
        token("fapi2-security-profile-final-client-test-happy-path-no-dpop-nonce", |_, _| {}, SignedIn),
        token(
            "fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in",
            |a, _| without(a, "expires_in"),
            SignedIn,
        ),
        token(
            "fapi2-security-profile-final-client-test-token-type-case-insensitivity",
            |a, _| a["token_type"] = "bEaReR".into(),
            SignedIn,
        ),
        token("token_type in lower case", |a, _| a["token_type"] = "bearer".into(), SignedIn),
        token(
            "token_type of another kind",
            |a, _| a["token_type"] = "mac".into(),
            Refused(BAD, "token_type is not bearer"),
        ),
        token("no token_type", |a, _| without(a, "token_type"), Refused(BAD, "")),
        token("no access token", |a, _| without(a, "access_token"), Refused(BAD, "")),
        token(
            "an access token with a line break",
            |a, _| a["access_token"] = "a\r\nX: y".into(),
            Refused(BAD, "access_token is no token"),
        ),
        token("no ID token", |a, _| without(a, "id_token"), Refused("login-id-token", "there is none")),
        token("an ID token that is a number", |a, _| a["id_token"] = 1.into(), Refused(BAD, "")),
        token("no refresh token", |a, _| without(a, "refresh_token"), SignedIn),
        token("expires_in as text", |a, _| a["expires_in"] = "300".into(), Refused(BAD, "")),
        token("members that nobody knows", |a, _| a["x"] = json!({ "y": [1] }), SignedIn),
        // Not what RFC 6749 section 5.2 says, but what some products do, and clear enough.
        token(
            "an error in an answer of 200",
            |a, _| *a = json!({ "error": "invalid_grant" }),
            Refused("login-code-refused", "invalid_grant"),
        ),
        token("an error that is no text in an answer of 200", |a, _| *a = json!({ "error": 1 }), Refused(BAD, "")),
        token("a list", |a, _| *a = json!([]), Refused(BAD, "")),
    ])
    .await;
}

fn without(answer: &mut Value, name: &str) {
    answer.as_object_mut().unwrap().remove(name);
}

#[tokio::test]
async fn l04_provider_that_ignores_pkce_changes_nothing() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    adversary.bend(&[Bend::Discovery(|d| d["code_challenge_methods_supported"] = json!(["plain"]))]);
    assert!(sign_in(&gateway, "").await.signed_in());
    let asked = adversary.seen(cloakroom_tests::adversary::Endpoint::Authorize);
    assert_eq!(asked[0].parameter("code_challenge_method"), Some("S256"));
    assert!(adversary.granted("authorization_code")[0].parameter("code_verifier").is_some());
}

type BendToken = fn(Draft, &Moment) -> Draft;
const ENOUGH: &str = "";
const OLD: &str = "older than max_age";
const LOW: &str = "acr is none of acr_values";

#[tokio::test]
async fn l16_what_was_asked_for_must_be_met() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    let cases: [(&str, &str, BendToken, &str); 10] = [
        ("acr met", "&acr_values=gold", |d, _| d.set("acr", "gold"), ENOUGH),
        ("one of two met", "&acr_values=platinum%20gold", |d, _| d.set("acr", "gold"), ENOUGH),
        ("another acr", "&acr_values=gold", |d, _| d.set("acr", "silver"), LOW),
        ("acr that contains it", "&acr_values=gold", |d, _| d.set("acr", "golden"), LOW),
        ("no acr", "&acr_values=gold", |d, _| d, LOW),
        ("max_age met", "&max_age=60", |d, m| d.set("auth_time", m.now - 30), ENOUGH),
        ("max_age long past", "&max_age=60", |d, m| d.set("auth_time", m.now - 600), OLD),
        ("no auth_time", "&max_age=60", |d, _| d.without("auth_time"), OLD),
        ("auth_time in the future", "&max_age=60", |d, m| d.set("auth_time", m.now + 600), OLD),
        ("max_age of 0 and an old sign-in", "&max_age=0", |d, m| d.set("auth_time", m.now - 300), OLD),
    ];
    for (name, query, bend, detail) in cases {
        adversary.bend(&[Bend::IdToken(bend)]);
        let outcome = sign_in(&gateway, query).await;
        if detail == ENOUGH {
            assert!(outcome.signed_in(), "{name}: {:?}", outcome.refusal());
        } else {
            let (code, said) = outcome.refusal();
            assert!(code == "login-not-enough" && said.contains(detail), "{name}: {code} {said}");
        }
    }
}
