//! The proxied call: what goes up, what comes back, and what never gets through.

mod answers;
mod bodies;
mod differential;
mod framing;
mod hosts;
mod idle;
mod limits;
mod origin;
mod paths;
mod slow;
mod trust;
mod websocket;

use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE};

#[tokio::test]
async fn p02_token_is_attached_and_the_cookie_is_not() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let cookie = browser.session_cookie().unwrap().value;
    let answer = browser
        .fetch("POST", &gateway.app("/api/orders?id=1&id=2"))
        .csrf()
        .header("Authorization", "Bearer forged-by-the-page")
        .header("X-Custom", "kept")
        .body("application/json", "{\"a\":1}")
        .send()
        .await
        .expect(200);
    let call = gateway.upstream.last();
    let granted = gateway.seen().await;
    let token = granted.granted("authorization_code")[0]["access"].as_str().unwrap().to_owned();
    assert_eq!((call.method.as_str(), call.target.as_str()), ("POST", "/api/orders?id=1&id=2"));
    assert_eq!(call.body, b"{\"a\":1}");
    assert_eq!(call.headers.all("authorization"), [format!("Bearer {token}")]);
    assert_eq!(call.headers.get("x-custom"), Some("kept"));
    assert_eq!(call.headers.get("content-type"), Some("application/json"));
    assert!(call.headers.all("cookie").is_empty(), "{call:?}");
    assert!(!format!("{:?}", call.headers).contains(&cookie));
    // The echoed answer is the API's own word; nothing of ours carries the token.
    assert!(!format!("{:?}", answer.headers).contains(&token));
}

#[tokio::test]
async fn p02_anonymous_routes_carry_no_token_and_no_authorization() {
    let gateway = Gateway::start().await;
    let signed_in = gateway.signed_in("alice").await;
    for browser in [Browser::new(), signed_in] {
        let fetch = browser.fetch("GET", &gateway.app("/public/x")).header("Authorization", "Bearer forged");
        fetch.send().await.expect(200);
        let call = gateway.upstream.last();
        assert!(call.headers.get("authorization").is_none() && call.headers.get("cookie").is_none(), "{call:?}");
    }
}

#[tokio::test]
async fn p02_session_cookie_never_goes_up_in_any_company() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    for cookies in [
        format!("a=1; {SESSION_COOKIE}={cookie}; b=2"),
        format!("{SESSION_COOKIE}={cookie};{SESSION_COOKIE}={cookie}"),
        format!("{SESSION_COOKIE}=x; {SESSION_COOKIE}={cookie}"),
        format!("__Host-Http-crt-abcd=secret-of-a-login; {SESSION_COOKIE}={cookie}"),
    ] {
        let request = gateway.request("GET", "/api/x").header("X-CSRF", "1").header("Cookie", &cookies);
        request.send(gateway.port()).await.expect("an answer").expect(200);
        let headers = format!("{:?}", gateway.upstream.last().headers);
        assert!(!headers.contains(&cookie) && !headers.contains("secret-of-a-login"), "{cookies}: {headers}");
    }
}

#[tokio::test]
async fn p01_forged_identity_never_reaches_the_api() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let names = [
        "X-Forwarded-User",
        "x-forwarded-user",
        "X_Forwarded_User",
        "X-Forwarded_User",
        "X-Forwarded-Email",
        "X-Forwarded-Preferred-Username",
        "X-Forwarded-Groups",
        "X-Forwarded-Access-Token",
        "X_Forwarded_Access_Token",
        "x-auth-request-email",
        "X-Auth-Request-User",
        "X_Auth_Request_User",
        "X-Auth-Request-Groups",
        "X-Auth-Request-Access-Token",
        "Remote-User",
        "Remote_User",
        "X-Remote-User",
        "X-Forwarded-For",
        "X_Forwarded_For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "Forwarded",
        "X-Real-IP",
        "X-Real_IP",
        "X-Client-IP",
        "Proxy-Authorization",
        "Authorization",
        "authorization",
        "X-Original-URL",
        "X-Rewrite-URL",
    ];
    for route in ["/api/x", "/public/x"] {
        for name in names {
            let fetch =
                browser.fetch("GET", &gateway.app(route)).header(name, "forged-1.2.3.4").header(name, "forged-twice");
            let answer = fetch.send().await;
            assert!(matches!(answer.status, 200 | 400), "{name}: {answer:?}");
            if answer.status == 200 {
                let call = gateway.upstream.last();
                assert!(!format!("{:?}", call.headers).contains("forged"), "{name}: {:?}", call.headers);
            }
        }
    }
}

#[tokio::test]
async fn p01_api_learns_where_the_call_came_from() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let headers = gateway.upstream.last().headers;
    assert_eq!(headers.get("x-forwarded-host"), Some(gateway.host().as_str()), "{headers:?}");
    assert_eq!(headers.get("x-forwarded-proto"), Some("http"), "{headers:?}");
    assert_eq!(headers.get("x-forwarded-for"), Some("127.0.0.1"), "{headers:?}");
    assert!(headers.get("x-request-id").is_some(), "{headers:?}");
}

#[tokio::test]
async fn p03_connection_field_cannot_strip_what_the_gateway_adds() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    for connection in [
        "authorization, x-csrf",
        "close, authorization",
        "x-forwarded-host, x-forwarded-for, x-request-id, authorization",
        "Host",
        "cookie",
        "X-CSRF",
    ] {
        let request = gateway
            .request("GET", "/api/x")
            .header("X-CSRF", "1")
            .header("Connection", connection)
            .header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
        let answer = request.send(gateway.port()).await.expect("an answer");
        assert!(matches!(answer.status, 200 | 400), "{connection}: {answer:?}");
        if answer.status == 200 {
            let call = gateway.upstream.last();
            let token = call.headers.get("authorization").unwrap_or_default();
            assert!(token.starts_with("Bearer "), "{connection}: {call:?}");
            assert!(call.headers.get("x-forwarded-host").is_some(), "{connection}: {call:?}");
            assert!(call.headers.get("cookie").is_none(), "{connection}: {call:?}");
        }
    }
}

#[tokio::test]
async fn p06_method_override_fields_change_nothing() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        browser.fetch("GET", &gateway.app("/api/x?_method=DELETE")).header(name, "DELETE").send().await.expect(200);
        let call = gateway.upstream.last();
        assert_eq!(call.method, "GET");
        assert!(call.headers.get(name).is_none(), "{call:?}");
        // Nor does it lower what a method needs.
        browser.fetch("POST", &gateway.app("/api/x")).header(name, "GET").send().await.expect(403);
    }
}
