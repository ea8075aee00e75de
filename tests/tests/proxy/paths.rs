//! One normalisation decides both policy and forwarding.

use cloakroom_tests::wire::raw;
use cloakroom_tests::{Gateway, SESSION_COOKIE};

/// Ways to write a way from the anonymous `/public/` to the protected `/api/`.
const WAYS: &[&str] = &[
    "/public/../api/x",
    "/public/./../api/x",
    "/public/%2e%2e/api/x",
    "/public/%2E%2e/api/x",
    "/public/.%2e/api/x",
    "/public/%2e%2e%2fapi/x",
    "/public/..%2fapi/x",
    "/public/..%5capi/x",
    "/public/..\\api/x",
    "/public/..;/api/x",
    "/public/..;a=b/api/x",
    "/public/%2e%2e;/api/x",
    "/public/%252e%252e/api/x",
    "/public//../api/x",
    "/public/a/../../api/x",
    "/public/%c0%ae%c0%ae/api/x",
    "/public/%e0%80%ae%e0%80%ae/api/x",
    "/public/%u002e%u002e/api/x",
    "/public/\u{ff0e}\u{ff0e}/api/x",
    "/public/..%00/api/x",
    "/public/%00",
    "/public/x%00.html",
    "/public/%0d%0aX-Injected:%20x",
    "/public/%",
    "/public/%zz",
    "/public/..",
    "/public/%2e%2e",
    "//api/x",
    "///api/x",
    "/./api/x",
    "/%2e/api/x",
    "/%61pi/x",
    "/api%2fx",
    "/API/x",
    "/Api/x",
    "/api;x=/../x",
    "/api/;/x",
    "/api%00/x",
    "/api%20/x",
    "/api\\x",
    "/api%5cx",
    "\\api/x",
    "/x/..//api/x",
    "*",
    "api/x",
];

#[tokio::test]
async fn p05_no_spelling_of_a_path_gets_round_the_policy() {
    let gateway = Gateway::start().await;
    for way in WAYS {
        let before = gateway.upstream.calls().len();
        let head = format!(
            "GET {way} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n\r\n",
            gateway.host()
        );
        let text = String::from_utf8_lossy(&raw(gateway.port(), head.as_bytes()).await).into_owned();
        assert!(text.starts_with("HTTP/1.1 "), "{way}: no answer: {text:?}");
        assert!(!text.starts_with("HTTP/1.1 5"), "{way}: {text}");
        for call in gateway.upstream.calls().split_off(before) {
            let path = call.target.to_lowercase();
            assert!(call.headers.get("authorization").is_none(), "{way}: {call:?}");
            for mark in ["..", "%2e", "%2f", "%5c", "\\", "%00", "%c0", "%0d", "/./"] {
                assert!(!path.contains(mark), "{way}: {} went up", call.target);
            }
            // The API may fold case, strip `;parameters` or merge slashes: none of it may then spell the protected path.
            let folded = path.replace("//", "/").replace("%61", "a");
            let bare: String =
                folded.split('/').map(|part| part.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("/");
            assert!(
                !bare.starts_with("/api/") || *way == "/API/x" || *way == "/Api/x",
                "{way}: {} went up",
                call.target
            );
        }
    }
}

#[tokio::test]
async fn p05_path_goes_up_as_it_was_judged() {
    let gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    for path in [
        "/api/a%20b",
        "/api/%C3%A9",
        "/api/a:b@c!$&'()*+,;=",
        "/api/x?q=a%2Fb&r=../..",
        "/api/~user",
        "/api/a//b",
        "/api/x?",
        "/api/x?a=%00",
    ] {
        let request =
            gateway.request("GET", path).header("X-CSRF", "1").header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
        let answer = request.send(gateway.port()).await.unwrap();
        if answer.status == 400 {
            continue;
        }
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let target = gateway.upstream.last().target;
        assert_eq!(target.trim_end_matches('?'), path.trim_end_matches('?'), "rewritten on the way");
    }
}

#[tokio::test]
async fn s16_route_matches_on_segment_boundaries() {
    let gateway = Gateway::start().await;
    let anonymous = gateway.request("GET", "/apix").header("Sec-Fetch-Site", "same-origin");
    assert_eq!(anonymous.send(gateway.port()).await.unwrap().status, 200, "/apix is the page route's");
    let anonymous = gateway.request("GET", "/public?x=/api/").header("Sec-Fetch-Site", "same-origin");
    assert!(anonymous.send(gateway.port()).await.unwrap().status < 500);
    assert!(gateway.upstream.calls().iter().all(|call| call.headers.get("authorization").is_none()));
}
