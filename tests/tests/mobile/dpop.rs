//! Tokens bound to a device key (RFC 9449).

use super::assert_error;
use cloakroom_tests::phone::{DeviceKey, Tokens, owned, parameter};
use cloakroom_tests::wire::Conn;
use cloakroom_tests::{Gateway, Phone, Setup};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

async fn gateway(mode: &str) -> Gateway {
    let gateway = Setup::default().phone(&format!("dpop = \"{mode}\"")).start().await;
    // A proof of the second in which the node started asks for a nonce (M11): these stories begin after it.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    gateway
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn m06_each_wrong_proof_is_refused_on_calls() {
    let gateway = gateway("optional").await;
    let mut phone = Phone::new(&gateway).with_key();
    let tokens = phone.sign_in("alice").await;
    assert_eq!(tokens.answer["token_type"], "DPoP");
    phone.call("GET", "/api/x", &tokens.access).await.expect(200);
    let key = phone.key.as_ref().unwrap();
    let (url, other) = (phone.url("/api/x"), DeviceKey::new());
    let call = async |scheme: &str, proof: Option<String>| {
        let request = phone.bare("GET", "/api/x").header("Authorization", &format!("{scheme} {}", tokens.access));
        phone.send(if let Some(proof) = proof { request.header("DPoP", &proof) } else { request }).await
    };
    let with = |changed: Value| Some(key.proof("GET", &url, Some(&tokens.access), &changed));
    let cases = [
        ("no proof", None),
        ("htm", with(json!({ "htm": "POST" }))),
        ("htu", with(json!({ "htu": phone.url("/api/y") }))),
        ("ath", with(json!({ "ath": "x" }))),
        ("no ath", Some(key.proof("GET", &url, None, &json!({})))),
        ("old", with(json!({ "iat": now() - 120 }))),
        ("future", with(json!({ "iat": now() + 120 }))),
        ("nonce", with(json!({ "nonce": "made-up" }))),
        ("another key", Some(other.proof("GET", &url, Some(&tokens.access), &json!({})))),
        ("garbage", Some("a.b.c".into())),
    ];
    for (what, proof) in cases {
        let answer = call("DPoP", proof).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert!(answer.header("www-authenticate").unwrap_or_default().starts_with("DPoP"), "{what}: {answer:?}");
    }
    let proof = with(json!({}));
    call("Bearer", None).await.expect(401);
    call("Bearer", proof.clone()).await.expect(401);
    call("dpop", proof.clone()).await.expect(200);
    call("DPoP", proof).await.expect(401);
}

#[tokio::test]
async fn m06_refresh_needs_the_key_that_the_session_is_bound_to() {
    let gateway = gateway("optional").await;
    let mut phone = Phone::new(&gateway).with_key();
    let tokens = phone.sign_in("alice").await;
    let (bare, stranger) = (Phone::new(&gateway), Phone::new(&gateway).with_key());
    assert_error("no key", bare.refresh(&tokens.refresh).await, 400, "invalid_dpop_proof");
    assert_error("another", stranger.refresh(&tokens.refresh).await, 400, "invalid_dpop_proof");
    let next = Tokens::of(phone.refresh(&tokens.refresh).await);
    let again = Tokens::of(phone.refresh(&tokens.refresh).await);
    assert_eq!(again.refresh, next.refresh, "a lost response, asked for with the same key");
    let userinfo = phone.call("GET", "/oauth/userinfo", &next.access).await.expect(200).json();
    assert_eq!(userinfo["sub"], "alice");
    let as_bearer = phone.bare("GET", "/session/v1/me").header("Authorization", &format!("Bearer {}", next.access));
    phone.send(as_bearer).await.expect(401);
}

#[tokio::test]
async fn m06_code_is_bound_to_the_key_named_beforehand() {
    let gateway = gateway("optional").await;
    let mut phone = Phone::new(&gateway).with_key();
    let jkt = phone.key.as_ref().unwrap().thumbprint();
    let back = phone.authorize("alice", &[("dpop_jkt", &jkt)]).await;
    let code = parameter(&back, "code").unwrap();
    let url = phone.url("/oauth/token");
    let other = DeviceKey::new().proof("POST", &url, None, &json!({}));
    let form = phone.redemption(&code, &[]);
    assert_error("other", phone.post_with("/oauth/token", &form, Some(&other)).await, 400, "invalid_dpop_proof");
    assert_error("none", phone.post_with("/oauth/token", &form, None).await, 400, "invalid_dpop_proof");
    Tokens::of(phone.redeem(&code).await);
    // A pushed request is bound to the key of its proof.
    let pushed = phone.post("/oauth/par", &phone.request(&[])).await.expect(201).json();
    let uri = pushed["request_uri"].as_str().unwrap();
    let authorize = phone.url(&format!("/oauth/authorize?client_id=phone&request_uri={uri}"));
    let back = phone.follow("alice", &authorize).await;
    let code = parameter(&back, "code").unwrap();
    let other = DeviceKey::new().proof("POST", &url, None, &json!({}));
    let form = phone.redemption(&code, &[]);
    assert_error("par", phone.post_with("/oauth/token", &form, Some(&other)).await, 400, "invalid_dpop_proof");
    let stranger = [("dpop_jkt", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")];
    assert_error("jkt", phone.post("/oauth/par", &phone.request(&stranger)).await, 400, "invalid_dpop_proof");
}

#[tokio::test]
async fn s08_proof_is_used_once_also_across_a_restart() {
    let mut gateway = gateway("required").await;
    let mut phone = Phone::new(&gateway).with_key();
    let tokens = phone.sign_in("alice").await;
    let form = owned(&[("grant_type", "refresh_token"), ("client_id", "phone"), ("refresh_token", &tokens.refresh)]);
    let proof = phone.key.as_ref().unwrap().proof("POST", &phone.url("/oauth/token"), None, &json!({}));
    Tokens::of(phone.post_with("/oauth/token", &form, Some(&proof)).await);
    assert_error("again", phone.post_with("/oauth/token", &form, Some(&proof)).await, 400, "invalid_dpop_proof");
    gateway.stop().await;
    gateway.launch().await;
    assert_error("later", phone.post_with("/oauth/token", &form, Some(&proof)).await, 400, "invalid_dpop_proof");
}

#[tokio::test]
async fn s19_required_holds_wherever_a_token_is_taken() {
    let gateway = gateway("required").await;
    let mut phone = Phone::new(&gateway);
    let code = phone.code("alice").await;
    assert_error("code", phone.redeem(&code).await, 400, "invalid_dpop_proof");
    assert_error("par", phone.post("/oauth/par", &phone.request(&[])).await, 400, "invalid_dpop_proof");
    phone = phone.with_key();
    let tokens = Tokens::of(phone.redeem(&code).await);
    let key = phone.key.take();
    for path in ["/api/x", "/oauth/userinfo", "/session/v1/me", "/session/v1/devices"] {
        phone.call("GET", path, &tokens.access).await.expect(401);
    }
    assert_error("refresh", phone.refresh(&tokens.refresh).await, 400, "invalid_dpop_proof");
    phone.key = key;
    phone.call("GET", "/api/x", &tokens.access).await.expect(200);
}

#[tokio::test]
async fn m11_proof_older_than_the_node_needs_a_nonce_of_its_run() {
    let mut gateway = gateway("optional").await;
    let mut phone = Phone::new(&gateway).with_key();
    let tokens = phone.sign_in("alice").await;
    let (key, url) = (phone.key.as_ref().unwrap(), phone.url("/api/x"));
    let call = async |proof: &str| {
        let request = phone.bare("GET", "/api/x").header("Authorization", &format!("DPoP {}", tokens.access));
        phone.send(request.header("DPoP", proof)).await
    };
    let used = key.proof("GET", &url, Some(&tokens.access), &json!({}));
    call(&used).await.expect(200);
    gateway.stop().await;
    gateway.launch().await;
    let answer = call(&used).await.expect(401);
    assert!(answer.header("www-authenticate").unwrap().contains("use_dpop_nonce"), "{answer:?}");
    let nonce = answer.header("dpop-nonce").expect("a nonce").to_owned();
    let made_before = json!({ "nonce": nonce, "iat": now() - 20 });
    let proof = key.proof("GET", &url, Some(&tokens.access), &made_before);
    call(&proof).await.expect(200);
    call(&proof).await.expect(401);
}

#[tokio::test]
async fn u20_m05_response_that_never_arrived_is_given_again_to_the_same_token_and_key() {
    let gateway = gateway("optional").await;
    for mut phone in [Phone::new(&gateway), Phone::new(&gateway).with_key()] {
        let first = phone.sign_in("alice").await;
        let form = owned(&[("grant_type", "refresh_token"), ("client_id", "phone"), ("refresh_token", &first.refresh)]);
        // The gateway has answered, and the app is gone before it has read the tokens.
        let mut lost = Conn::open(gateway.port()).await.unwrap();
        lost.write(phone.form("/oauth/token", &form).bytes()).await.unwrap();
        assert_eq!(lost.status().await.unwrap().0, 200);
        drop(lost);
        // A thief with another key gets nothing of it, and ends nothing.
        if phone.key.is_some() {
            let thief = Phone::new(&gateway).with_key();
            assert_error("thief", thief.refresh(&first.refresh).await, 400, "invalid_dpop_proof");
        }
        let second = Tokens::of(phone.refresh(&first.refresh).await);
        phone.call("GET", "/api/x", &second.access).await.expect(200);
        let again = Tokens::of(phone.refresh(&first.refresh).await);
        assert_eq!((&again.access, &again.refresh), (&second.access, &second.refresh));
        // The successor was used: the family is rid of whoever still shows the first.
        let third = Tokens::of(phone.refresh(&second.refresh).await);
        assert_error("old", phone.refresh(&first.refresh).await, 400, "invalid_grant");
        phone.call("GET", "/api/x", &third.access).await.expect(401);
        assert_error("family", phone.refresh(&third.refresh).await, 400, "invalid_grant");
    }
}
