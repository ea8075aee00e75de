//! How a login starts, and what it costs.

use super::{CALLBACK, login_up_to, parameter};
use cloakroom_tests::{Browser, Gateway, TRANSACTION_PREFIX};
use std::collections::BTreeSet;

#[tokio::test]
async fn l02_l04_each_login_sends_pkce_state_and_nonce_of_its_own() {
    let gateway = Gateway::start().await;
    for _ in 0..3 {
        gateway.signed_in("alice").await;
    }
    let seen = gateway.seen().await;
    assert_eq!(seen.authorize().len(), 3);
    for name in ["state", "nonce", "code_challenge"] {
        let values: BTreeSet<_> = seen.authorize().iter().map(|request| request[name].as_str().expect(name)).collect();
        assert_eq!(values.len(), 3, "{name} was used twice");
        assert!(values.iter().all(|value| value.len() >= 22), "{name} is guessable: {values:?}");
    }
    for request in seen.authorize() {
        assert_eq!(request["code_challenge_method"], "S256");
        assert_eq!(request["response_type"], "code");
        assert_eq!(request["redirect_uri"], gateway.app(CALLBACK));
        assert!(request["scope"].as_str().unwrap().split(' ').any(|scope| scope == "openid"));
    }
    for form in seen.token("authorization_code") {
        let verifier = form["code_verifier"].as_str().expect("a PKCE verifier");
        assert!((43..=128).contains(&verifier.len()), "{verifier}");
        assert!(form.get("client_secret").is_none(), "client_secret_basic sends it in the header");
    }
}

#[tokio::test]
async fn l12_transactions_of_one_browser_are_bounded() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    let mut most = 0;
    for number in 0..60 {
        browser.hold_at("/auth");
        browser.navigate(&gateway.app(&format!("/bff/login?return_to=/pages/{number}/{}", "x".repeat(300)))).await;
        browser.held();
        let cookies: Vec<_> =
            browser.cookies().into_iter().filter(|cookie| cookie.name.starts_with(TRANSACTION_PREFIX)).collect();
        let size: usize = cookies.iter().map(|cookie| cookie.name.len() + cookie.value.len() + 3).sum();
        assert!(size <= 6 * 1024, "{size} bytes of transactions after {number} logins");
        most = most.max(cookies.len());
    }
    assert!(most >= 2, "several tabs may log in at once");
    // The newest of them still works.
    let mut tab = browser.new_tab();
    let held = login_up_to(&mut tab, &gateway, "alice", CALLBACK).await;
    let page = tab.resume(held, None).await;
    assert_eq!((page.path(), page.status), ("/pages/home", 200), "{page:?}");
}

#[tokio::test]
async fn l12_u04_oldest_transaction_gives_way() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    let mut begun = Vec::new();
    for _ in 0..40 {
        let before: BTreeSet<String> = browser.cookies().into_iter().map(|cookie| cookie.name).collect();
        browser.hold_at("/auth");
        browser.navigate(&gateway.app(&format!("/bff/login?return_to=/pages/{}", "x".repeat(400)))).await;
        browser.held();
        let new = browser.cookies().into_iter().map(|cookie| cookie.name).find(|name| !before.contains(name));
        begun.push(new.expect("a transaction"));
        let kept: BTreeSet<String> = browser.cookies().into_iter().map(|cookie| cookie.name).collect();
        let newest: BTreeSet<String> = begun.iter().rev().take(kept.len()).cloned().collect();
        assert_eq!(kept, newest, "another than the oldest gave way");
    }
    assert!(browser.cookies().len() < 40);
}

#[tokio::test]
async fn u04_prefetches_and_scripts_start_no_login_and_set_no_cookie() {
    let gateway = Gateway::start().await;
    let browser = Browser::new();
    for number in 0..100 {
        let path = ["/pages/home", "/api/x", "/bff/user", "/bff/login", "/bff/sessions"][number % 5];
        let url = gateway.app(&format!("{path}?n={number}"));
        let fetch = match number % 4 {
            0 => browser.fetch("GET", &url).element("document").header("Sec-Purpose", "prefetch;prerender"),
            1 => browser.fetch("GET", &url).element("image"),
            2 => browser.fetch("GET", &url).csrf(),
            _ => browser.fetch("GET", &url).from("http://evil.localhost:1/"),
        };
        let answer = fetch.send().await;
        assert!((400..500).contains(&answer.status), "{number} {path}: {answer:?}");
        for name in ["set-cookie", "location"] {
            assert!(answer.header(name).is_none(), "{number} {path}: {answer:?}");
        }
    }
    assert!(browser.cookies().is_empty());
    assert!(gateway.seen().await.authorize().is_empty());
}

#[tokio::test]
async fn l18_anonymous_logins_and_callbacks_cost_no_row() {
    let mut idle = Gateway::start().await;
    let mut busy = Gateway::start().await;
    for _ in 0..20 {
        let mut browser = Browser::new();
        browser.hold_at("/auth");
        browser.navigate(&busy.app("/bff/login?return_to=/pages/home")).await;
        let state = parameter(browser.held().url(), "state");
        browser.navigate(&busy.app(&format!("/bff/callback?code=x&state={state}&iss=wrong"))).await;
        browser.navigate(&busy.app("/bff/callback?code=x&state=y")).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    idle.stop().await;
    busy.stop().await;
    let (idle, busy) = (idle.database().await.counts().await, busy.database().await.counts().await);
    for (before, after) in idle.iter().zip(&busy) {
        assert!(after.1 <= before.1 + 5, "{}: {} rows instead of {}", after.0, after.1, before.1);
    }
}

#[tokio::test]
async fn s09_parameters_of_a_login_cannot_break_out() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    browser.hold_at("/auth");
    let hint = "a%26scope%3Devil%26redirect_uri%3Dhttps%3A%2F%2Fevil.example%26state%3Dx%23y";
    browser
        .navigate(&gateway.app(&format!(
            "/bff/login?return_to=/&login_hint={hint}&prompt=login&scope=evil&redirect_uri=x&client_id=y&nonce=z"
        )))
        .await;
    let url = browser.held().url().clone();
    assert_eq!(parameter(&url, "login_hint"), "a&scope=evil&redirect_uri=https://evil.example&state=x#y");
    assert_eq!(parameter(&url, "prompt"), "login");
    for name in ["scope", "redirect_uri", "client_id", "nonce", "state", "response_type"] {
        let values: Vec<_> = url.query_pairs().filter(|(key, _)| key == name).collect();
        assert_eq!(values.len(), 1, "{url}");
        assert!(!["evil", "x", "y", "z"].contains(&values[0].1.as_ref()), "{url}");
    }
}

#[tokio::test]
async fn login_without_return_to_ends_at_the_apps_root() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    browser.navigate(&gateway.app("/bff/login")).await;
    let page = browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!((page.path(), page.status), ("/", 200), "{page:?}");
}

#[tokio::test]
async fn only_a_top_level_navigation_starts_a_login() {
    let gateway = Gateway::start().await;
    let browser = Browser::new();
    let login = gateway.app("/bff/login?return_to=/pages/home");
    let page = gateway.app("/pages/home");
    for url in [login.as_str(), page.as_str()] {
        let cases = [
            ("fetch", browser.fetch("GET", url)),
            ("image", browser.fetch("GET", url).element("image")),
            ("frame", browser.fetch("GET", url).element("iframe")),
            ("cross-site fetch", browser.fetch("GET", url).from("http://evil.localhost:1/")),
            ("prefetch", browser.fetch("GET", url).element("document").header("Sec-Purpose", "prefetch")),
            ("prerender", browser.fetch("GET", url).element("document").header("Sec-Purpose", "prefetch;prerender")),
            ("old prefetch", browser.fetch("GET", url).element("document").header("Purpose", "prefetch")),
            ("program", browser.fetch("GET", url).without_metadata().header("Accept", "application/json")),
        ];
        for (what, fetch) in cases {
            let answer = fetch.send().await;
            assert!(answer.status >= 400, "{what} {url}: {answer:?}");
            assert!(answer.header("set-cookie").is_none(), "{what} {url}: {answer:?}");
            assert!(answer.header("location").is_none(), "{what} {url}: {answer:?}");
        }
    }
    assert!(gateway.seen().await.authorize().is_empty());
    // A browser that sends no fetch metadata is known by what it accepts.
    let old = browser.fetch("GET", &login).without_metadata().header("Accept", "text/html,*/*;q=0.8").send().await;
    assert_eq!(old.status, 303, "{old:?}");
}
