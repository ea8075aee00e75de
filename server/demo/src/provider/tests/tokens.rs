use std::sync::Arc;

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::provider::{
    AccessTokenError,
    browser::{Browser, CALLBACK, VERIFIER, World, claims, client_post, form, redeem, refresh, send, token_set, world},
    router,
};

async fn a_code(world: &World) -> String {
    let answer = Browser::new(world).log_in("ada", &[]).await;
    answer.param("code").unwrap()
}

fn refresh_token(tokens: &Value) -> &str {
    tokens["refresh_token"].as_str().unwrap()
}

#[tokio::test]
async fn a_login_ends_in_a_token_set() {
    let world = world();
    let tokens = token_set(&world, "olga").await;
    let now = world.clock.now_secs();
    let id_token = claims(&tokens["id_token"]);
    let expected = json!({
        "iss": "http://idp.localhost:8081", "aud": "web", "sub": "sub-olga",
        "iat": now, "exp": now + 300, "auth_time": now, "nonce": "the nonce", "acr": "pwd", "amr": ["pwd"],
        "sid": id_token["sid"], "at_hash": id_token["at_hash"],
        "name": "<olga>", "preferred_username": "olga",
        "email": "olga@example.com", "email_verified": true,
        "roles": ["owner"], "groups": ["staff"],
    });
    assert_eq!(id_token, expected);
    assert_eq!(tokens["expires_in"], 60);
    assert_eq!(tokens["token_type"], "Bearer");

    let token = tokens["access_token"].as_str().unwrap();
    let verifier = world.provider.access_tokens();
    assert_eq!(verifier.verify(token).unwrap().sub, "sub-olga");
    world.clock.forward(60);
    assert_eq!(verifier.verify(token), Err(AccessTokenError::Expired));
}

#[tokio::test]
async fn scopes_release_claims_and_refresh_tokens() {
    let world = world();
    let answer = Browser::new(&world).log_in("olga", &[("scope", "openid unknown"), ("nonce", "")]).await;
    let tokens = redeem(&world, &answer.param("code").unwrap()).await.json();
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(tokens["scope"], "openid");
    let id_token = claims(&tokens["id_token"]);
    for absent in ["name", "email", "roles", "groups", "nonce"] {
        assert!(id_token.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let world = world();
    let tokens = token_set(&world, "ada").await;
    let id_token = tokens["id_token"].as_str().unwrap();
    let verifier = world.provider.access_tokens();
    assert_eq!(verifier.verify(id_token), Err(AccessTokenError::Foreign));
}

#[tokio::test]
async fn a_code_is_bound_to_client_redirect_uri_and_verifier() {
    let cases: [&[(&str, &str)]; 4] = [
        &[("code_verifier", "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong")],
        &[("code_verifier", "short")],
        &[("redirect_uri", "http://app.localhost:8080/")],
        &[("client_id", "other"), ("client_secret", "other-secret")],
    ];
    let world = world();
    for changes in cases {
        let code = a_code(&world).await;
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        pairs.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        pairs.extend(changes);
        let answer = client_post(&world, "/token", &pairs).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert_eq!(answer.json()["error"], "invalid_grant", "{changes:?}");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn pkce_cannot_be_left_out() {
    let world = world();
    let code = a_code(&world).await;
    let pairs = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    let answer = client_post(&world, "/token", &pairs).await;
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let world = world();
    let code = a_code(&world).await;
    world.clock.forward(60);
    assert_eq!(redeem(&world, &code).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_code_used_twice_takes_back_what_the_first_use_got() {
    let world = world();
    let code = a_code(&world).await;
    let tokens = redeem(&world, &code).await.json();
    world.clock.forward(3600);
    assert_eq!(redeem(&world, &code).await.json()["error"], "invalid_grant");
    let answer = refresh(&world, refresh_token(&tokens)).await;
    assert_eq!(answer.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn refresh_rotates() {
    let world = world();
    let first = token_set(&world, "ada").await;
    world.clock.forward(50);
    let second = refresh(&world, refresh_token(&first)).await.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let (before, after) = (claims(&first["access_token"]), claims(&second["access_token"]));
    assert_ne!(before["jti"], after["jti"]);
    assert_eq!(after["exp"], world.clock.now_secs() + 60);
    let (before, after) = (claims(&first["id_token"]), claims(&second["id_token"]));
    for same in ["sub", "sid", "auth_time", "aud"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert!(after.get("nonce").is_none());
}

#[tokio::test]
async fn a_spent_refresh_token_ends_its_whole_family() {
    let world = world();
    let first = token_set(&world, "ada").await;
    let second = refresh(&world, refresh_token(&first)).await.json();
    let reused = refresh(&world, refresh_token(&first)).await;
    assert_eq!(reused.json()["error"], "invalid_grant");
    let newest = refresh(&world, refresh_token(&second)).await;
    assert_eq!(newest.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_serves_its_client_and_its_scope_only() {
    let world = world();
    let tokens = token_set(&world, "ada").await;
    let token = refresh_token(&tokens);
    let base = [("grant_type", "refresh_token"), ("refresh_token", token)];

    let mut stranger = base.to_vec();
    stranger.extend([("client_id", "other"), ("client_secret", "other-secret")]);
    let answer = client_post(&world, "/token", &stranger).await;
    assert_eq!(answer.json()["error"], "invalid_grant");

    let mut more = base.to_vec();
    more.push(("scope", "openid groups"));
    let answer = client_post(&world, "/token", &more).await;
    assert_eq!(answer.json()["error"], "invalid_scope");

    let mut less = base.to_vec();
    less.push(("scope", "openid email"));
    let answer = client_post(&world, "/token", &less).await.json();
    assert_eq!(answer["scope"], "openid email");
    assert!(claims(&answer["id_token"]).get("name").is_none());
}

#[tokio::test]
async fn revocation_ends_the_family_and_keeps_strangers_out() {
    let world = world();
    let tokens = token_set(&world, "ada").await;
    let token = refresh_token(&tokens);
    let stranger = [("token", token), ("client_id", "other"), ("client_secret", "other-secret")];
    let answer = client_post(&world, "/revoke", &stranger).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);

    let access = [("token", tokens["access_token"].as_str().unwrap())];
    let answer = client_post(&world, "/revoke", &access).await;
    assert_eq!(answer.json()["error"], "unsupported_token_type");

    for pairs in [[("token", token)], [("token", token)], [("token", "unknown")]] {
        let answer = client_post(&world, "/revoke", &pairs).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(refresh(&world, token).await.json()["error"], "invalid_grant");
}

/// Authorization header, more parameters, error.
type Case<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)], &'a str);

#[tokio::test]
async fn clients_authenticate_in_one_way() {
    let basic = |credentials: &str| format!("Basic {}", STANDARD.encode(credentials));
    let right = basic("web:web-secret");
    let wrong = basic("web:other-secret");
    let posted = ("client_secret", "web-secret");
    let cases: [Case<'_>; 6] = [
        (Some(&right), &[], "invalid_grant"),
        (Some(&wrong), &[], "invalid_client"),
        (Some("Bearer x"), &[], "invalid_client"),
        (Some(&right), &[posted], "invalid_request"),
        (Some(&right), &[("client_id", "other")], "invalid_client"),
        (None, &[("client_id", "web")], "invalid_client"),
    ];
    let world = world();
    for (authorization, more, error) in cases {
        let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", "unknown")];
        pairs.extend(more);
        let mut request = Request::post("/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(Body::from(form(&pairs))).unwrap();
        let answer = send(router(Arc::clone(&world.provider)), request).await;
        assert_eq!(answer.json()["error"], error, "{authorization:?} {more:?}");
        let challenged = answer.headers.contains_key(header::WWW_AUTHENTICATE);
        assert_eq!(challenged, error == "invalid_client");
    }
}

#[tokio::test]
async fn userinfo_answers_by_scope_and_refuses_without_a_token() {
    let world = world();
    let tokens = token_set(&world, "olga").await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let ask = |authorization: Option<&str>| {
        let mut request = Request::get("/userinfo");
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        send(router(Arc::clone(&world.provider)), request.body(Body::empty()).unwrap())
    };
    let answer = ask(Some(&bearer)).await.json();
    assert_eq!(answer["sub"], "sub-olga");
    assert_eq!(answer["email"], "olga@example.com");
    for refused in [None, Some("Bearer x"), Some("Basic x")] {
        let answer = ask(refused).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
    }
}
