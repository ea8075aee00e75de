//! The leg that comes back from the provider.

use super::{CALLBACK, assert_refused, login_up_to, parameter, signed_in_up_to, with_parameter};
use cloakroom_tests::{Browser, Gateway};

#[tokio::test]
async fn l01_callback_refuses_a_state_that_is_not_this_browsers() {
    let gateway = Gateway::start().await;
    let (mut browser, held) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
    let (_, foreign) = signed_in_up_to(&gateway, "bob", CALLBACK).await;
    let good = held.url().clone();
    let state = parameter(&good, "state");
    let cases = [
        ("missing", with_parameter(&good, "state", None)),
        ("empty", with_parameter(&good, "state", Some(""))),
        ("wrong", with_parameter(&good, "state", Some("wrong"))),
        ("cut short", with_parameter(&good, "state", Some(&state[..state.len() - 1]))),
        ("longer", with_parameter(&good, "state", Some(&format!("{state}A")))),
        ("another browser's", foreign.url().clone()),
        ("twice", with_two(&good, "state", &state, "wrong")),
        ("10 kB", with_parameter(&good, "state", Some(&"a".repeat(10_000)))),
        ("with a NUL", with_parameter(&good, "state", Some("a\0b"))),
    ];
    for (what, url) in cases {
        let page = browser.resume(held.clone(), Some(url)).await.clone();
        assert_refused(what, &browser, &page);
    }
    assert!(gateway.seen().await.token("authorization_code").is_empty(), "a code was sent to the provider");
    // None of it has cost this browser its own login.
    let page = browser.resume(held, None).await;
    assert_eq!((page.path(), page.status), ("/pages/home", 200), "{page:?}");
}

#[tokio::test]
async fn l01_callback_used_twice_starts_nothing_more() {
    let gateway = Gateway::start().await;
    let (mut browser, held) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
    browser.resume(held.clone(), None).await;
    let first = browser.session_cookie().expect("a session");
    browser.resume(held, None).await;
    assert_eq!(browser.session_cookie().expect("still a session").value, first.value);
    assert_eq!(gateway.seen().await.token("authorization_code").len(), 1);
    assert_eq!(browser.fetch("GET", &gateway.app("/bff/user")).send().await.status, 200);
}

#[tokio::test]
async fn u05_late_callback_with_a_live_session_offers_to_continue() {
    let gateway = Gateway::start().await;
    let (mut browser, held) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
    browser.resume(held.clone(), None).await;
    browser.resume(held, None).await;
    // Some browsers show the page that says so, others go on by themselves.
    if browser.page().links().iter().any(|(_, text)| text == "Continue") {
        browser.click_link("Continue").await;
    }
    let page = browser.page();
    assert_eq!(page.status, 200, "{page:?}");
    assert!(gateway.owns(&page.url), "{page:?}");
}

#[tokio::test]
async fn l03_issuer_of_the_answer_must_be_the_providers() {
    let gateway = Gateway::start().await;
    let cases = [
        ("another's", Some("http://evil.localhost:1")),
        ("empty", Some("")),
        ("missing although advertised", None),
        ("with a slash at the end", Some("slash")),
    ];
    for (what, issuer) in cases {
        let (mut browser, held) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
        let slash = format!("{}/", gateway.issuer());
        let issuer = if issuer == Some("slash") { Some(slash.as_str()) } else { issuer };
        let url = with_parameter(held.url(), "iss", issuer);
        let page = browser.resume(held, Some(url)).await.clone();
        assert_refused(what, &browser, &page);
    }
    assert!(gateway.seen().await.token("authorization_code").is_empty(), "a code was sent to the provider");
}

#[tokio::test]
async fn l07_code_of_another_login_is_refused() {
    let gateway = Gateway::start().await;
    let (_, stolen) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
    let (mut browser, held) = signed_in_up_to(&gateway, "bob", CALLBACK).await;
    let url = with_parameter(held.url(), "code", Some(&parameter(stolen.url(), "code")));
    let page = browser.resume(held, Some(url)).await.clone();
    assert!(page.status >= 400, "{page:?}");
    assert!(browser.session_cookie().is_none());
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await;
    assert_eq!(user.status, 401);
}

#[tokio::test]
async fn l08_error_of_the_provider_is_shown_escaped() {
    let gateway = Gateway::start().await;
    let texts = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'\"&lt;b&gt;</title></p><h1>owned</h1>",
        "line\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
    ];
    for text in texts {
        let (mut browser, held) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
        let mut url = with_parameter(held.url(), "code", None);
        for (name, value) in
            [("error", "access_denied"), ("error_description", text), ("error_uri", "https://evil.example/")]
        {
            url = with_parameter(&url, name, Some(value));
        }
        let page = browser.resume(held, Some(url)).await.clone();
        assert_refused(text, &browser, &page);
        assert!(page.body.contains("login-refused-by-provider"), "the code that troubleshooting.md explains: {page:?}");
        for tag in ["<script>alert", "<img", "<h1>owned", "<b>"] {
            assert!(!page.body.contains(tag), "{text}: {page:?}");
        }
        assert!(page.headers.get("set-cookie").is_none_or(|line| !line.starts_with("a=b")), "{page:?}");
        assert!(
            page.links().iter().all(|(href, _)| !href.contains("evil.example")),
            "error_uri is a live link: {page:?}"
        );
    }
}

#[tokio::test]
async fn l08_user_who_says_no_sees_why_and_can_try_again() {
    let gateway = Gateway::start().await;
    let (mut browser, held) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
    let url = with_parameter(&with_parameter(held.url(), "code", None), "error", Some("access_denied"));
    let page = browser.resume(held, Some(url)).await.clone();
    assert_refused("access_denied", &browser, &page);
    assert!(page.body.contains("access_denied") || page.body.to_lowercase().contains("denied"), "{page:?}");
    browser.sign_in(&gateway.app(""), "alice", "/pages/home").await;
}

#[tokio::test]
async fn l09_callback_link_of_an_attacker_logs_nobody_in() {
    let gateway = Gateway::start().await;
    let (_, attackers) = signed_in_up_to(&gateway, "bob", CALLBACK).await;
    let mut victim = Browser::new();
    let page = victim.navigate_from("http://evil.localhost:1/", attackers.url().as_str()).await.clone();
    assert_refused("no login of one's own", &victim, &page);

    let (mut busy, _) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
    let page = busy.navigate_from("http://evil.localhost:1/", attackers.url().as_str()).await.clone();
    assert_refused("a login of one's own under way", &busy, &page);
    assert!(gateway.seen().await.token("authorization_code").is_empty(), "the attacker's code was redeemed");
}

#[tokio::test]
async fn l09_attackers_callback_leaves_a_signed_in_user_as_she_is() {
    let gateway = Gateway::start().await;
    let mut victim = gateway.signed_in("alice").await;
    let (_, attackers) = signed_in_up_to(&gateway, "bob", CALLBACK).await;
    victim.navigate_from("http://evil.localhost:1/", attackers.url().as_str()).await;
    assert_eq!(victim.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json()["sub"], "alice");
}

#[tokio::test]
async fn l01_callback_without_a_login_never_reaches_the_store_or_the_provider() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    let targets = [
        "",
        "?",
        "?code=x",
        "?state=x",
        "?code=x&state=y",
        "?code=x&code=y&state=z",
        "?error=x",
        "?%ff=%ff",
        "?code=%00&state=%00",
    ];
    for target in targets {
        let page = browser.navigate(&gateway.app(&format!("{CALLBACK}{target}"))).await.clone();
        assert_refused(target, &browser, &page);
    }
    let mut tab = browser.new_tab();
    let held = login_up_to(&mut tab, &gateway, "alice", CALLBACK).await;
    tab.resume(held, None).await;
    assert!(tab.session_cookie().is_some());
}

fn with_two(url: &url::Url, name: &str, first: &str, second: &str) -> url::Url {
    let mut changed = with_parameter(url, name, Some(first));
    changed.query_pairs_mut().append_pair(name, second);
    changed
}
