//! What an API may answer, and what it may not.

use cloakroom_tests::{Gateway, Script, Setup, Upstream};
use std::time::Duration;

#[tokio::test]
async fn p07_s11_what_an_api_may_not_say_is_taken_out() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let before = browser.session_cookie().unwrap().value;
    let fields = [
        ("Set-Cookie", "__Host-Http-crs=owned; Secure; HttpOnly; Path=/"),
        ("Set-Cookie", "other=1"),
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Authenticate", "Basic"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Clear-Site-Data", "\"*\""),
        ("Service-Worker-Allowed", "/"),
        ("X-Kept", "kept"),
        ("ETag", "\"1\""),
    ];
    gateway.upstream.script("/api/rude", Script::answer("200 OK", &fields, "body"));
    let answer = browser.fetch("GET", &gateway.app("/api/rude")).send().await.expect(200);
    assert_eq!(answer.text(), "body");
    for name in fields.iter().map(|(name, _)| *name).filter(|name| !["X-Kept", "ETag", "Connection"].contains(name)) {
        assert!(answer.header(name).is_none(), "{name}: {answer:?}");
    }
    assert_eq!((answer.header("x-kept"), answer.header("etag")), (Some("kept"), Some("\"1\"")));
    assert_eq!(browser.session_cookie().unwrap().value, before);
}

#[tokio::test]
async fn c12_answers_for_one_user_are_kept_out_of_shared_caches() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    for (said, told) in [
        (None, "private, no-store"),
        (Some("max-age=60"), "private"),
        (Some("no-store"), "no-store"),
        (Some("public, max-age=60"), "private"),
    ] {
        let fields: Vec<_> = said.iter().map(|value| ("Cache-Control", *value)).collect();
        gateway.upstream.script("/api/cached", Script::answer("200 OK", &fields, "x"));
        let answer = browser.fetch("GET", &gateway.app("/api/cached")).send().await.expect(200);
        let cache = answer.headers.all("cache-control").join(", ");
        for directive in told.split(", ") {
            assert!(cache.contains(directive), "{said:?}: {cache}");
        }
        assert!(!cache.contains("public"), "{said:?}: {cache}");
        assert!(
            answer.headers.all("vary").iter().any(|value| value.to_lowercase().contains("cookie")),
            "{said:?}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn p07_redirects_of_an_api_are_handed_on_not_followed() {
    let gateway = Gateway::start().await;
    let other = Upstream::start().await;
    let browser = gateway.signed_in("alice").await;
    let location = format!("{}/elsewhere", other.origin());
    gateway.upstream.script("/api/moved", Script::answer("302 Found", &[("Location", &location)], ""));
    let answer = browser.fetch("GET", &gateway.app("/api/moved")).send().await.expect(302);
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert!(other.calls().is_empty());
}

#[tokio::test]
async fn p07_answers_without_a_body_pass() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    gateway.upstream.script("/api/204", Script::Raw("HTTP/1.1 204 No Content\r\nX-Kept: 1\r\n\r\n".into()));
    gateway.upstream.script("/api/304", Script::Raw("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n".into()));
    assert_eq!(
        browser.fetch("DELETE", &gateway.app("/api/204")).csrf().send().await.expect(204).header("x-kept"),
        Some("1")
    );
    browser.fetch("GET", &gateway.app("/api/304")).header("If-None-Match", "\"1\"").send().await.expect(304);
    browser.fetch("HEAD", &gateway.app("/api/head")).send().await.expect(200);
    assert_eq!(gateway.upstream.last().method, "HEAD");
}

#[tokio::test]
async fn p08_api_that_is_down_is_a_502_and_comes_back_by_itself() {
    let port = cloakroom_tests::gateway::free_port();
    let section = format!(
        "[upstreams.down]\nurl = \"http://127.0.0.1:{port}\"\n\n[[routes]]\nsite = \"app\"\npath = \"/down/\"\nupstream = \"down\"\nkind = \"api\"\ntoken = \"user\"\naccess = \"signed_in\"\n"
    );
    let gateway = Setup::default().section(&section).start().await;
    let browser = gateway.signed_in("alice").await;
    let problem = browser.fetch("GET", &gateway.app("/down/x")).send().await.expect(502).problem();
    assert!(!problem.to_string().contains(&port.to_string()), "the inner address is told: {problem}");
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn p08_rude_answers_of_an_api_are_a_502() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let cases = [
        ("garbage", Script::Raw("garbage\r\n\r\n".into())),
        ("nothing", Script::Close),
        ("half a head", Script::Raw("HTTP/1.1 200 OK\r\nContent-Le".into())),
        ("two lengths", Script::Raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".into())),
        (
            "a 101 that nobody asked for",
            Script::Raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n".into()),
        ),
        ("a header bomb", Script::Raw(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Bomb: boom\r\n".repeat(20_000)))),
    ];
    for (what, script) in cases {
        gateway.upstream.script("/api/rude", script);
        let answer = browser.fetch("GET", &gateway.app("/api/rude")).send().await;
        assert_eq!(answer.status, 502, "{what}: {answer:?}");
        answer.problem();
        browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    }
}

#[tokio::test]
async fn p09_call_that_changes_something_is_never_sent_twice() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    browser.fetch("POST", &gateway.app("/api/warm")).csrf().send().await.expect(200);
    gateway.upstream.script("/api/once", Script::Close);
    browser.fetch("POST", &gateway.app("/api/once")).csrf().body("text/plain", "x").send().await.expect(502);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(gateway.upstream.calls().iter().filter(|call| call.target == "/api/once").count(), 1);
}
