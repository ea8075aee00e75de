use http::StatusCode;

use crate::provider::browser::{Browser, CALLBACK, world};

#[tokio::test]
async fn every_answer_carries_state_and_issuer() {
    let world = world();
    let mut browser = Browser::new(&world);
    let success = browser.log_in("ada", &[]).await;
    let failure = browser.authorize(&[("response_type", "token")]).await;
    for answer in [success, failure] {
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(answer.location().starts_with(CALLBACK));
        assert_eq!(answer.param("state").as_deref(), Some("the state"));
        assert_eq!(answer.param("iss").as_deref(), Some("http://idp.localhost:8081"));
    }
}

#[tokio::test]
async fn a_wrong_request_is_answered_to_the_client_with_its_code() {
    let cases: [(&[(&str, &str)], &str); 14] = [
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "id_token")], "unsupported_response_type"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("scope", "profile")], "invalid_scope"),
        (&[("scope", "")], "invalid_scope"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "too-short")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "create")], "invalid_request"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("request", "x.y.z")], "request_not_supported"),
        (&[("id_token_hint", "x.y.z")], "invalid_request"),
    ];
    let world = world();
    for (changes, code) in cases {
        let answer = Browser::new(&world).authorize(changes).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{changes:?}");
        assert_eq!(answer.param("error").as_deref(), Some(code), "{changes:?}");
    }
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let cases: [&[(&str, &str)]; 6] = [
        &[("client_id", "")],
        &[("client_id", "unknown")],
        &[("redirect_uri", "")],
        &[("redirect_uri", "http://app.localhost:8080/bff/callback/")],
        &[("redirect_uri", "http://app.localhost:8080/bff/callback?x=1")],
        &[("redirect_uri", "http://evil.example/bff/callback")],
    ];
    let world = world();
    for changes in cases {
        let answer = Browser::new(&world).authorize(changes).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert!(!answer.headers.contains_key("location"), "{changes:?}");
    }
    let mut browser = Browser::new(&world);
    let twice = browser.get("/authorize?client_id=web&client_id=web").await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn prompt_none_never_asks() {
    let world = world();
    let mut browser = Browser::new(&world);
    let nobody = browser.authorize(&[("prompt", "none")]).await;
    assert_eq!(nobody.param("error").as_deref(), Some("login_required"));

    let hint = {
        let code = browser.log_in("ada", &[]).await.param("code").unwrap();
        let tokens = crate::provider::browser::redeem(&world, &code).await.json();
        tokens["id_token"].as_str().unwrap().to_owned()
    };
    let silent = [("prompt", "none"), ("id_token_hint", &hint)];
    assert!(browser.authorize(&silent).await.param("code").is_some());

    browser.log_in("olga", &[("prompt", "login")]).await;
    let other = browser.authorize(&silent).await;
    assert_eq!(other.param("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn single_sign_on_lasts_until_max_age_or_prompt_ask_again() {
    let world = world();
    let mut browser = Browser::new(&world);
    browser.log_in("ada", &[]).await;
    world.clock.forward(100);
    assert!(browser.authorize(&[]).await.param("code").is_some());
    assert!(browser.authorize(&[("max_age", "100")]).await.param("code").is_some());
    for asks in [("max_age", "99"), ("prompt", "login"), ("prompt", "select_account")] {
        let answer = browser.authorize(&[asks]).await;
        assert!(answer.location().starts_with("/login?"), "{asks:?}");
    }
    world.clock.forward(8 * 3600);
    assert!(browser.authorize(&[]).await.location().starts_with("/login?"));
}

#[tokio::test]
async fn form_post_answers_with_a_form_to_the_client_alone() {
    let world = world();
    let answer = Browser::new(&world).log_in("ada", &[("response_mode", "form_post")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.field("code").is_empty());
    assert_eq!(answer.field("state"), "the state");
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' http://app.localhost:8080;"), "{policy}");
}

#[tokio::test]
async fn discovery_tells_what_is_true() {
    let world = world();
    let mut browser = Browser::new(&world);
    let document = browser.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["issuer"], "http://idp.localhost:8081");
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let jwks_path = document["jwks_uri"].as_str().unwrap();
    let jwks_path = jwks_path.strip_prefix("http://idp.localhost:8081").unwrap();
    let jwks = browser.get(jwks_path).await.json();
    assert_eq!(jwks["keys"][0]["alg"], "ES256");
    assert!(jwks["keys"][0].get("d").is_none());
}
