//! Session tokens: calls, refreshes, theft, revocation.

use super::{assert_error, gateway};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use cloakroom_tests::phone::{Tokens, owned};
use cloakroom_tests::{Phone, SESSION_COOKIE, Setup};

#[tokio::test]
async fn m05_refresh_rotates_and_an_old_token_ends_the_session() {
    let mut gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let first = phone.sign_in("alice").await;
    let second = Tokens::of(phone.refresh(&first.refresh).await);
    assert_ne!(first.refresh, second.refresh);
    let third = Tokens::of(phone.refresh(&second.refresh).await);
    phone.call("GET", "/api/x", &third.access).await.expect(200);
    assert_error("stolen", phone.refresh(&first.refresh).await, 400, "invalid_grant");
    phone.call("GET", "/api/x", &third.access).await.expect(401);
    assert_error("family", phone.refresh(&third.refresh).await, 400, "invalid_grant");
    gateway.stop().await;
    let facts = gateway.database().await.texts("SELECT facts FROM audit_events WHERE kind = 'session.ended'").await;
    assert!(facts.iter().any(|facts| facts.contains("refresh_token_reused")), "{facts:?}");
}

#[tokio::test]
async fn m05_m13_lost_response_is_answered_the_same() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let first = phone.sign_in("alice").await;
    let second = Tokens::of(phone.refresh(&first.refresh).await);
    for _ in 0..2 {
        let again = Tokens::of(phone.refresh(&first.refresh).await);
        assert_eq!((&again.access, &again.refresh), (&second.access, &second.refresh));
    }
    let third = Tokens::of(phone.refresh(&second.refresh).await);
    phone.call("GET", "/api/x", &third.access).await.expect(200);
}

#[tokio::test]
async fn m05_many_refreshes_at_once_all_get_the_same_successor() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let first = phone.sign_in("alice").await;
    let one = || phone.refresh(&first.refresh);
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let all = [a, b, c, d].map(Tokens::of);
    assert!(all.iter().all(|tokens| tokens.refresh == all[0].refresh), "{all:?}");
}

#[tokio::test]
async fn m07_m14_forged_tokens_never_reach_the_store() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    let flipped = |token: &str, at: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    // With a store that answers nobody, a forgery is told all the same.
    for at in [8, 20, 60, tokens.access.len() - 2] {
        let answer = phone.call("GET", "/api/x", &flipped(&tokens.access, at)).await.expect(401);
        let challenge = answer.header("www-authenticate").unwrap_or_default().to_owned();
        assert!(challenge.contains("invalid_token"), "{challenge}");
        assert_error("refresh", phone.refresh(&flipped(&tokens.refresh, at)).await, 400, "invalid_grant");
    }
    for odd in ["crs_at_", "crs_at_x", &tokens.refresh, &tokens.access.replace("crs_at_", "crs_rt_")] {
        phone.call("GET", "/api/x", odd).await.expect(401);
    }
    phone.call("GET", "/api/x", &tokens.access).await.expect(200);
}

#[tokio::test]
async fn m08_token_in_a_cookie_and_cookie_as_a_token_are_refused() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    let cookie = |value: &str| format!("{SESSION_COOKIE}={value}");
    let as_cookie = phone.bare("GET", "/api/x").header("Cookie", &cookie(&tokens.access)).header("X-CSRF", "1");
    phone.send(as_cookie).await.expect(401);
    let browser = gateway.signed_in("alice").await;
    let value = browser.session_cookie().unwrap().value;
    for scheme in ["Bearer", "DPoP", "Basic"] {
        let as_token = phone.bare("GET", "/api/x").header("Authorization", &format!("{scheme} {value}"));
        phone.send(as_token).await.expect(401);
    }
    for path in ["/session/v1/me", "/oauth/userinfo"] {
        let request = phone.bare("GET", path).header("Cookie", &cookie(&value)).header("X-CSRF", "1");
        phone.send(request).await.expect(401);
    }
    let request = phone.bare("GET", "/bff/user").header("Authorization", &format!("Bearer {}", tokens.access));
    phone.send(request).await.expect(401);
}

#[tokio::test]
async fn m10_revocation_ends_the_session_and_strangers_change_nothing() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    let revoke = async |client: &str, token: &str| {
        phone.post("/oauth/revoke", &owned(&[("client_id", client), ("token", token)])).await
    };
    for (client, token) in
        [("other-phone", &*tokens.refresh), ("other-phone", &tokens.access), ("phone", "crs_rt_x"), ("phone", "odd")]
    {
        revoke(client, token).await.expect(200);
        phone.call("GET", "/api/x", &tokens.access).await.expect(200);
    }
    assert_error("nobody", revoke("nobody", &tokens.access).await, 401, "invalid_client");
    assert_error("nothing", revoke("phone", "").await, 400, "invalid_request");
    for _ in 0..2 {
        revoke("phone", &tokens.refresh).await.expect(200);
        phone.call("GET", "/api/x", &tokens.access).await.expect(401);
    }
    let mut second = Phone::new(&gateway);
    let tokens = second.sign_in("alice").await;
    revoke("phone", &tokens.access).await.expect(200);
    assert_error("refresh", second.refresh(&tokens.refresh).await, 400, "invalid_grant");
}

#[tokio::test]
async fn m10_introspection_tells_the_clients_own_service_alone() {
    let mut gateway = Setup::default().phone("introspection_secret = \"env:TESTS_PHONE_SECRET\"").prepare().await;
    gateway.environment("TESTS_PHONE_SECRET", "introspection-secret");
    gateway.launch().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    let ask = async |credentials: &str, token: &str| {
        let request = phone.bare("POST", "/oauth/introspect");
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let request = request.header("Authorization", &format!("Basic {}", BASE64_STANDARD.encode(credentials)));
        phone.send(request.body(format!("token={token}"))).await
    };
    let active = ask("phone:introspection-secret", &tokens.access).await.expect(200).json();
    assert_eq!(active["active"], true, "{active}");
    assert_eq!((active["client_id"].as_str(), active["sub"].as_str()), (Some("phone"), Some("alice")), "{active}");
    for odd in ["crs_at_x", "odd", &tokens.refresh] {
        assert_eq!(
            ask("phone:introspection-secret", odd).await.expect(200).json(),
            serde_json::json!({"active": false})
        );
    }
    for bad in ["phone:guess", "phone:", "other-phone:introspection-secret", "other-phone:", "nobody:x", "odd"] {
        assert_error(bad, ask(bad, &tokens.access).await, 401, "invalid_client");
    }
    Tokens::of(phone.refresh(&tokens.refresh).await);
}

#[tokio::test]
async fn calls_have_the_same_routes_and_token_as_a_browsers() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    phone.call("POST", "/api/x", &tokens.access).await.expect(200);
    let seen = gateway.upstream.last();
    let sent = seen.headers.get("authorization").unwrap_or_default().to_owned();
    assert!(sent.starts_with("Bearer ") && !sent.contains("crs_"), "{seen:?}");
    // The console's site does not list the app, and the admin API takes no app's token (A11).
    let host = format!("console.localhost:{}", gateway.port());
    let request = cloakroom_tests::wire::Request::new("GET", &host, "/admin/api/v1/sessions");
    let request = request.header("Authorization", &format!("Bearer {}", tokens.access)).header("X-CSRF", "1");
    request.send(gateway.port()).await.expect("answers").expect(401);
}

#[tokio::test]
async fn access_token_expires_by_configuration_and_the_session_goes_on() {
    let gateway = Setup::default().phone("access_secs = 1").start().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    assert!(tokens.answer["expires_in"].as_i64().unwrap() <= 1, "{}", tokens.answer);
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    phone.call("GET", "/api/x", &tokens.access).await.expect(401);
    Tokens::of(phone.refresh(&tokens.refresh).await);
}

#[tokio::test]
async fn grants_that_are_not_offered_are_refused_by_name() {
    let gateway = gateway().await;
    let phone = Phone::new(&gateway);
    for (grant, says) in [
        ("password", "authorization_code"),
        ("implicit", "authorization_code"),
        ("client_credentials", "authorization_code"),
    ] {
        let form = owned(&[("grant_type", grant), ("client_id", "phone"), ("username", "a"), ("password", "b")]);
        let answer = phone.post("/oauth/token", &form).await.expect(400).json();
        assert_eq!(answer["error"], "unsupported_grant_type", "{answer}");
        assert!(answer["error_description"].as_str().unwrap().contains(says), "{answer}");
    }
    assert_error("json", phone.send(phone.bare("POST", "/oauth/token").body("{}")).await, 400, "invalid_request");
}
