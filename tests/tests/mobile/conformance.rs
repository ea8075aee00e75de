//! The server half of the OpenID Foundation's conformance suite, as data: what an app asks, and what must come of it.
//! docs/conformance.md lists every row.

use super::{assert_error, gateway};
use cloakroom_tests::phone::{DeviceKey, Tokens, parameter};
use cloakroom_tests::{Gateway, Phone, Setup};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const WITH_QUERY: &str = "https://phone.example.com/callback?from=login";
const STRANGE_KEY: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A module, what the request has that is not usual, and what must come of it.
type Asked<'a> = (&'a str, &'a [(&'a str, &'a str)], Expect);
/// A module, and the claims of a proof that are not usual.
type Proven = (&'static str, fn() -> Value);

/// What must come of an authorization request.
enum Expect {
    Code,
    /// A page: the browser is led nowhere.
    Page,
}
use Expect::{Code, Page};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A gateway whose apps may have keys, old enough that their proofs need no nonce (M11).
async fn with_keys() -> Gateway {
    let gateway = Setup::default().phone("dpop = \"optional\"").start().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    gateway
}

#[tokio::test]
async fn m01_parameters_of_the_authorization_request() {
    let gateway = gateway().await;
    let long = "s".repeat(400);
    let rows: [Asked<'_>; 10] = [
        ("oidcc-ensure-registered-redirect-uri", &[("redirect_uri", "https://phone.example.com/another")], Page),
        ("oidcc-redirect-uri-query-OK", &[("redirect_uri", WITH_QUERY)], Code),
        ("oidcc-redirect-uri-query-added", &[("redirect_uri", "com.example.phone:/callback?foo=bar")], Page),
        ("oidcc-redirect-uri-query-added, a second one", &[("redirect_uri", &format!("{WITH_QUERY}&foo=bar"))], Page),
        ("oidcc-redirect-uri-query-mismatch", &[("redirect_uri", "https://phone.example.com/callback?from=x")], Page),
        ("a fragment in the request", &[("redirect_uri", "com.example.phone:/callback#x")], Page),
        ("fapi2-security-profile-final-ensure-authorization-request-with-long-state", &[("state", &long)], Code),
        ("fapi2-security-profile-final-ensure-authorization-request-with-long-nonce", &[("nonce", &long)], Code),
        ("fapi2-security-profile-final-ensure-other-scope-order-succeeds", &[("scope", "email openid")], Code),
        ("a scope that means nothing here", &[("scope", "openid unknown:scope")], Code),
    ];
    for (row, changed, expect) in rows {
        let mut phone = Phone::new(&gateway);
        let asked = |name: &str| changed.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        if matches!(expect, Page) {
            let url = phone.authorize_url(changed);
            let page = phone.browser.navigate(&url).await;
            assert_eq!((page.status, page.hops.len()), (400, 1), "{row}: {page:?}");
            continue;
        }
        phone.redirect_uri = asked("redirect_uri").unwrap_or(phone.redirect_uri);
        let back = phone.authorize("alice", changed).await;
        assert!(back.as_str().starts_with(&phone.redirect_uri), "{row}: {back}");
        assert_eq!(parameter(&back, "state"), asked("state").or(Some("the app's state".into())), "{row}: {back}");
        let code = parameter(&back, "code").unwrap_or_else(|| panic!("{row}: {back}"));
        Tokens::of(phone.redeem(&code).await);
    }
}

#[tokio::test]
async fn m03_m04_codes_and_refresh_tokens() {
    let mut gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    // oidcc-refresh-token
    let tokens = phone.sign_in("alice").await;
    let renewed = Tokens::of(phone.refresh(&tokens.refresh).await);
    assert_ne!(renewed.refresh, tokens.refresh);
    phone.call("GET", "/api/x", &renewed.access).await.expect(200);
    // fapi2-security-profile-final-ensure-authorization-code-is-bound-to-client
    let code = phone.code("alice").await;
    let stolen = phone.redemption(&code, &[("client_id", "other-phone")]);
    assert_error("another client", phone.post("/oauth/token", &stolen).await, 400, "invalid_grant");
    // oidcc-codereuse
    let tokens = Tokens::of(phone.redeem(&code).await);
    assert_error("reuse", phone.redeem(&code).await, 400, "invalid_grant");
    phone.call("GET", "/api/x", &tokens.access).await.expect(401);
    // oidcc-codereuse-30seconds: what the first use got is ended all the same.
    let code = phone.code("alice").await;
    let tokens = Tokens::of(phone.redeem(&code).await);
    gateway.stop().await;
    let mut database = gateway.database().await;
    let earlier =
        "UPDATE mobile_grants SET redeemed_at = redeemed_at - 90000, code_expires_at = code_expires_at - 90000";
    assert!(database.execute(earlier).await > 0);
    drop(database);
    gateway.launch().await;
    phone.call("GET", "/api/x", &tokens.access).await.expect(200);
    assert_error("later", phone.redeem(&code).await, 400, "invalid_grant");
    phone.call("GET", "/api/x", &tokens.access).await.expect(401);
}

#[tokio::test]
async fn s12_pushed_requests() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let pushed = phone.post("/oauth/par", &phone.request(&[])).await.expect(201).json();
    let uri = pushed["request_uri"].as_str().unwrap().to_owned();
    let url = |client: &str| phone.url(&format!("/oauth/authorize?client_id={client}&request_uri={uri}"));
    let (own, others) = (url("phone"), url("other-phone"));
    // fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client
    let page = Phone::new(&gateway).browser.navigate(&others).await.clone();
    assert_eq!((page.status, page.hops.len()), (400, 1), "{page:?}");
    // fapi2-security-profile-final-par-without-duplicate-parameters: nothing but the client and the reference.
    let back = phone.follow("alice", &own).await;
    Tokens::of(phone.redeem(&parameter(&back, "code").unwrap_or_else(|| panic!("{back}"))).await);
    // fapi2-security-profile-final-par-attempt-reuse-request_uri
    phone.browser.navigate(&own).await;
    let page = phone.browser.submit_form(&[]).await;
    assert_eq!(page.status, 400, "{page:?}");
    // fapi2-security-profile-final-par-attempt-invalid-http-method
    for method in ["GET", "PUT", "DELETE"] {
        phone.send(phone.bare(method, "/oauth/par")).await.expect(405);
    }
}

#[tokio::test]
async fn m06_proofs_at_the_token_endpoint() {
    let gateway = with_keys().await;
    let mut phone = Phone::new(&gateway).with_key();
    let url = phone.url("/oauth/token");
    let good: [Proven; 4] = [
        (
            "fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-before-succeeds",
            || json!({ "iat": now() - 10 }),
        ),
        (
            "fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-after-succeeds",
            || json!({ "iat": now() + 10 }),
        ),
        (
            "fapi2-security-profile-final-check-dpop-proof-nbf-exp, in time",
            || json!({ "nbf": now() - 10, "exp": now() + 10 }),
        ),
        ("more claims than are asked for", || json!({ "extra": true })),
    ];
    for (row, changed) in good {
        let code = phone.code("alice").await;
        let proof = phone.key.as_ref().unwrap().proof("POST", &url, None, &changed());
        let answer = phone.post_with("/oauth/token", &phone.redemption(&code, &[]), Some(&proof)).await;
        assert_eq!(Tokens::of(answer).answer["token_type"], "DPoP", "{row}");
    }
    let bad: [Proven; 8] = [
        ("fapi2-security-profile-final-check-dpop-proof-nbf-exp, expired", || json!({ "exp": now() - 10 })),
        ("fapi2-security-profile-final-check-dpop-proof-nbf-exp, not yet", || json!({ "nbf": now() + 120 })),
        ("fapi2-security-profile-final-dpop-negative-tests, htm", || json!({ "htm": "GET" })),
        ("fapi2-security-profile-final-dpop-negative-tests, htu", || json!({ "htu": "https://evil.example/token" })),
        ("fapi2-security-profile-final-dpop-negative-tests, old", || json!({ "iat": now() - 300 })),
        ("fapi2-security-profile-final-dpop-negative-tests, future", || json!({ "iat": now() + 300 })),
        ("fapi2-security-profile-final-dpop-negative-tests, no jti", || json!({ "jti": null })),
        ("fapi2-security-profile-final-dpop-negative-tests, no iat", || json!({ "iat": null })),
    ];
    let code = phone.code("alice").await;
    for (row, changed) in bad {
        let proof = phone.key.as_ref().unwrap().proof("POST", &url, None, &changed());
        let answer = phone.post_with("/oauth/token", &phone.redemption(&code, &[]), Some(&proof)).await;
        assert_error(row, answer, 400, "invalid_dpop_proof");
    }
    Tokens::of(phone.redeem(&code).await);
}

#[tokio::test]
async fn m06_codes_that_are_bound_to_a_key() {
    let gateway = with_keys().await;
    let mut phone = Phone::new(&gateway).with_key();
    let own = phone.key.as_ref().unwrap().thumbprint();
    // fapi2-security-profile-final-ensure-dpop-auth-code-binding-success
    let back = phone.authorize("alice", &[("dpop_jkt", &own)]).await;
    Tokens::of(phone.redeem(&parameter(&back, "code").unwrap()).await);
    // fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-jkt: another key was named.
    let back = phone.authorize("alice", &[("dpop_jkt", STRANGE_KEY)]).await;
    let answer = phone.redeem(&parameter(&back, "code").unwrap()).await;
    assert_error("another key named", answer, 400, "invalid_dpop_proof");
    // fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt: another key proves.
    let back = phone.authorize("alice", &[("dpop_jkt", &own)]).await;
    let code = parameter(&back, "code").unwrap();
    let theirs = DeviceKey::new().proof("POST", &phone.url("/oauth/token"), None, &json!({}));
    let answer = phone.post_with("/oauth/token", &phone.redemption(&code, &[]), Some(&theirs)).await;
    assert_error("another key proves", answer, 400, "invalid_dpop_proof");
    Tokens::of(phone.redeem(&code).await);
    // fapi2-security-profile-final-ensure-mismatched-dpop-jkt-fails: the pushed request names another than it proves.
    let answer = phone.post("/oauth/par", &phone.request(&[("dpop_jkt", STRANGE_KEY)])).await;
    assert_error("pushed", answer, 400, "invalid_dpop_proof");
    // fapi2-security-profile-final-ensure-dpopproof-at-par-endpoint-binding-success
    let pushed = phone.post("/oauth/par", &phone.request(&[])).await.expect(201).json();
    let uri = pushed["request_uri"].as_str().unwrap();
    let url = phone.url(&format!("/oauth/authorize?client_id=phone&request_uri={uri}"));
    let back = phone.follow("alice", &url).await;
    let code = parameter(&back, "code").unwrap();
    let answer = phone.post_with("/oauth/token", &phone.redemption(&code, &[]), Some(&theirs)).await;
    assert_error("bound by its proof", answer, 400, "invalid_dpop_proof");
    Tokens::of(phone.redeem(&code).await);
}
