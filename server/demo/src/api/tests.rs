//! The API from outside, by its endpoints.

use axum::body::Body;
use futures_util::StreamExt as _;
use http::{HeaderValue, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

use super::router;
use crate::provider::browser::{Answered, World, send, token_set, world};

async fn bearer(world: &World, name: &str) -> String {
    let tokens = token_set(world, name).await;
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}

async fn call(world: &World, method: &str, path: &str, token: &str, body: &str) -> Answered {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, token);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    send(router(world.provider.access_tokens()), request).await
}

#[tokio::test]
async fn echo_shows_the_request_as_it_arrived() {
    let world = world();
    let token = bearer(&world, "ada").await;
    let mut request = Request::builder()
        .method("PATCH")
        .uri("/api/echo?a=1&a=2")
        .header(header::AUTHORIZATION, &token)
        .header("x-twice", "one")
        .header("x-twice", "two")
        .body(Body::from("12345"))
        .unwrap();
    request.headers_mut().insert("x-latin1", HeaderValue::from_bytes(b"\xe9").unwrap());
    let answer = send(router(world.provider.access_tokens()), request).await.json();
    assert_eq!(answer["method"], "PATCH");
    assert_eq!(answer["path"], "/api/echo");
    assert_eq!(answer["query"], "a=1&a=2");
    assert_eq!(answer["body_bytes"], 5);
    assert_eq!(answer["headers"]["authorization"], token);
    assert_eq!(answer["headers"]["x-twice"], serde_json::json!(["one", "two"]));
    assert_eq!(answer["token"]["valid"], true);
    assert_eq!(answer["token"]["sub"], "sub-ada");
    assert_eq!(answer["token"]["expires_in"], 60);
}

#[tokio::test]
async fn echo_needs_no_token_and_says_what_is_wrong_with_it() {
    let world = world();
    let old = bearer(&world, "ada").await;
    world.clock.forward(60);
    let cases = [
        ("", "no bearer token arrived"),
        ("Basic x", "no bearer token arrived"),
        ("Bearer x", "the token is not one of this issuer's for this API"),
        (old.as_str(), "the token has expired"),
    ];
    for (token, reason) in cases {
        let answer = call(&world, "GET", "/api/echo", token, "").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["token"]["valid"], false);
        assert_eq!(answer.json()["token"]["reason"], reason);
    }
}

#[tokio::test]
async fn me_and_notes_are_401_without_a_valid_token() {
    let (ours, theirs) = (world(), world());
    // Right issuer, audience and time, but signed by another provider's key.
    let forged = bearer(&theirs, "ada").await;
    let valid = bearer(&ours, "ada").await;
    let cut = valid.get(..valid.len() - 2).unwrap();
    for (method, path) in [("GET", "/api/me"), ("GET", "/api/notes"), ("POST", "/api/notes")] {
        for token in ["", "Bearer x", forged.as_str(), cut] {
            let answer = call(&ours, method, path, token, "{\"text\":\"x\"}").await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
            assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
        }
    }
    assert_eq!(call(&ours, "GET", "/api/me", &valid, "").await.json()["sub"], "sub-ada");
}

#[tokio::test]
async fn everybody_has_notes_of_their_own() {
    let world = world();
    let (ada, olga) = (bearer(&world, "ada").await, bearer(&world, "olga").await);
    let app = router(world.provider.access_tokens());
    let call = async |method: &str, token: &str, body: String| {
        let request = Request::builder()
            .method(method)
            .uri("/api/notes")
            .header(header::AUTHORIZATION, token)
            .body(Body::from(body))
            .unwrap();
        send(app.clone(), request).await
    };
    for n in 1..=60 {
        let answer = call("POST", &ada, format!("{{\"text\":\" note {n} \"}}")).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    let items = call("GET", &ada, String::new()).await.json();
    let items = items["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 50, "the oldest make room");
    assert_eq!(items[0]["text"], "note 60");
    let none: [Value; 0] = [];
    assert_eq!(call("GET", &olga, String::new()).await.json()["items"].as_array().unwrap(), &none);

    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(281));
    let huge = format!("{{\"text\":\"{}\"}}", "x".repeat(5000));
    for (bad, status) in [("{\"text\":\"  \"}", 422), (long.as_str(), 422), ("text", 400), (huge.as_str(), 413)] {
        let answer = call("POST", &ada, bad.to_owned()).await;
        assert_eq!(answer.status.as_u16(), status, "{bad}");
    }
}

#[tokio::test]
async fn slow_ends_by_itself() {
    let world = world();
    let slow = call(&world, "GET", "/api/slow?ms=50", "", "").await;
    assert_eq!(slow.body.lines().count(), 10);
    let too_slow = call(&world, "GET", "/api/slow?ms=60001", "", "").await;
    assert_eq!(too_slow.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_stream_starts_at_once() {
    let world = world();
    let request = Request::get("/api/stream").body(Body::empty()).unwrap();
    let app = router(world.provider.access_tokens());
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let first = response.into_body().into_data_stream().next().await;
    let first = first.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&first), "event: tick\nid: 1\ndata: {\"tick\":1,\"of\":60}\n\n");
}
