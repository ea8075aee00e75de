//! The same-origin leg: there the code is redeemed, the new session begins and the old one ends.

use super::{CALLBACK, FINISH, login_up_to, parameter, signed_in_up_to};
use cloakroom_tests::browser::{SameSite, Trip};
use cloakroom_tests::{Adversary, Browser, Gateway, Provider, SESSION_COOKIE, Setup, TRANSACTION_PREFIX, eventually};
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::test]
async fn l17_callback_keeps_the_code_and_leads_on_same_origin() {
    let gateway = Gateway::start().await;
    let (mut browser, callback) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
    let code = parameter(callback.url(), "code");
    browser.hold_at(FINISH);
    let page = browser.resume(callback, None).await.clone();
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.headers.get("cache-control").unwrap_or_default().contains("no-store"), "{page:?}");
    assert_eq!(page.headers.get("referrer-policy"), Some("no-referrer"), "{page:?}");
    let finish = browser.held();
    assert!(!finish.url().as_str().contains(&code) && !page.body.contains(&code), "the code lies open: {page:?}");
    assert!(gateway.seen().await.token("authorization_code").is_empty(), "the callback redeemed the code");
    assert!(browser.session_cookie().is_none(), "the callback began a session");

    let page = browser.resume(finish, None).await.clone();
    let hop = &page.hops[0];
    assert_eq!((hop.status, hop.headers.get("location")), (303, Some("/pages/home")), "{hop:?}");
    assert_eq!(hop.sent.get("sec-fetch-site"), Some("same-origin"));
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        browser.cookies().iter().all(|cookie| !cookie.name.starts_with(TRANSACTION_PREFIX)),
        "the transaction stays"
    );
}

#[tokio::test]
async fn l17_finish_is_only_for_the_browser_and_the_moment_it_was_made_for() {
    let gateway = Gateway::start().await;
    let (mut browser, finish) = signed_in_up_to(&gateway, "alice", FINISH).await;

    let mut other = Browser::new();
    let page = other.navigate(finish.url().as_str()).await;
    assert!((400..500).contains(&page.status), "another browser: {page:?}");
    assert!(other.session_cookie().is_none());

    let mut tab = browser.new_tab();
    let page = tab.navigate_from("http://evil.localhost:1/", finish.url().as_str()).await;
    let foreign = page.hops.iter().filter(|hop| hop.sent.get("sec-fetch-site") != Some("same-origin"));
    for hop in foreign {
        let cookies = hop.headers.all("set-cookie");
        assert!(
            cookies.iter().all(|line| !line.starts_with(SESSION_COOKIE)),
            "a cross-site finish began a session: {hop:?}"
        );
    }
    if browser.session_cookie().is_none() {
        browser.resume(finish.clone(), None).await;
    }
    let first = browser.session_cookie().expect("a session").value;
    browser.resume(finish, None).await;
    assert_eq!(browser.session_cookie().expect("a session").value, first, "a finish used twice began another session");
    assert_eq!(gateway.seen().await.token("authorization_code").len(), 1);
}

#[tokio::test]
async fn l10_each_login_is_a_new_session_and_ends_the_browsers_old_one() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let old_id = session_id(&browser, &gateway).await;
    let old_cookie = browser.session_cookie().expect("a session");

    browser.sign_in(&gateway.app(""), "alice", "/pages/again").await;
    assert_ne!(session_id(&browser, &gateway).await, old_id);
    assert_ne!(browser.session_cookie().expect("a session").value, old_cookie.value);

    let thief = Browser::new();
    thief.jar().insert(old_cookie);
    thief.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
    thief.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
}

#[tokio::test]
async fn l10_planted_cookie_is_never_adopted() {
    let gateway = Gateway::start().await;
    let attacker = gateway.signed_in("bob").await;
    let attackers = attacker.session_cookie().expect("a session");
    let mut nonsense = attackers.clone();
    nonsense.value = "planted".to_owned();
    for planted in [nonsense, attackers] {
        let mut victim = Browser::new();
        victim.jar().insert(planted.clone());
        victim.sign_in(&gateway.app(""), "alice", "/pages/home").await;
        assert_ne!(victim.session_cookie().expect("a session").value, planted.value);
        let user = victim.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
        assert_eq!(user.json()["sub"], "alice");
    }
    let user = attacker.fetch("GET", &gateway.app("/bff/user")).send().await;
    assert_ne!(user.status, 200, "the planted session was not ended by the victim's login");
}

#[tokio::test]
async fn l11_ten_tabs_at_once_all_end_signed_in_on_their_own_pages() {
    let gateway = Gateway::start().await;
    let browser = Browser::new();
    let mut tabs = JoinSet::new();
    for number in 0..10 {
        let mut tab = browser.new_tab();
        let url = gateway.app(&format!("/pages/{number}?tab={number}#part-{number}"));
        tabs.spawn(async move {
            tab.navigate(&url).await;
            (tab, url)
        });
    }
    let mut waiting = JoinSet::new();
    while let Some(done) = tabs.join_next().await {
        let (mut tab, url) = done.unwrap();
        waiting.spawn(async move {
            let page = tab.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
            assert_eq!(page.status, 200, "{page:?}");
            assert_eq!(page.url.as_str().split('#').next(), url.split('#').next(), "{page:?}");
        });
    }
    while let Some(done) = waiting.join_next().await {
        done.unwrap();
    }
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}

#[tokio::test]
async fn l14_provider_that_misbehaves_at_the_token_endpoint_gives_a_clear_page() {
    let gateway = Gateway::start().await;
    let faults = [
        json!({ "endpoint": "token", "mode": "status", "status": 500, "type": "text/html", "body": "<h1>500 of the provider</h1>" }),
        json!({ "endpoint": "token", "mode": "status", "status": 200, "body": "garbage of the provider" }),
        json!({ "endpoint": "token", "mode": "status", "status": 200, "body": "{}" }),
        json!({ "endpoint": "token", "mode": "status", "status": 400, "body": "{\"error\":\"invalid_grant\"}" }),
        json!({ "endpoint": "token", "mode": "status", "status": 302, "body": "" }),
        json!({ "endpoint": "token", "mode": "drop" }),
        json!({ "endpoint": "token", "mode": "lose" }),
    ];
    for fault in faults {
        let (mut browser, finish) = signed_in_up_to(&gateway, "alice", FINISH).await;
        Provider::shared().fault(gateway.client_id(), fault.clone()).await;
        let page = browser.resume(finish, None).await.clone();
        assert!(page.status >= 400, "{fault}: {page:?}");
        assert!(!page.body.contains("of the provider"), "{fault}: the provider's words are passed on: {page:?}");
        assert!(page.body.contains("<title>"), "{fault}: not a page for people: {page:?}");
        assert!(browser.session_cookie().is_none(), "{fault}");
        Provider::shared().heal(gateway.client_id()).await;
        browser.sign_in(&gateway.app(""), "alice", "/pages/home").await;
    }
}

#[tokio::test]
async fn l17_login_begun_cross_site_does_not_replace_another_users_session() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    // The attacker has signed this browser in at the provider as himself.
    browser.jar().clear_host("idp.localhost");
    let mut tab = browser.new_tab();
    let _abandoned = login_up_to(&mut tab, &gateway, "bob", CALLBACK).await;
    browser.navigate_from("http://evil.localhost:1/", &gateway.app("/bff/login?return_to=/pages/home")).await;
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
    assert_eq!(user.json()["sub"], "alice", "replaced without a click");
}

#[tokio::test]
async fn s03_browser_that_hangs_up_does_not_cancel_the_exchange() {
    let gateway = Gateway::start().await;
    let (browser, finish) = signed_in_up_to(&gateway, "alice", FINISH).await;
    Provider::shared().fault(gateway.client_id(), json!({ "endpoint": "token", "mode": "delay", "ms": 700 })).await;
    let cookies = browser.jar().header(finish.url(), Trip::OwnSite);
    let request = gateway
        .request("GET", &finish.url()[url::Position::BeforePath..])
        .header("Cookie", &cookies)
        .header("Sec-Fetch-Site", "same-origin")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document")
        .header("Accept", "text/html");
    let mut conn = gateway.connect().await;
    conn.write(request.bytes()).await.unwrap();
    eventually("the code is on its way", async || {
        (gateway.seen().await.token("authorization_code").len() == 1).then_some(())
    })
    .await;
    drop(conn);
    let administrator = gateway.administrator("vera").await;
    eventually("the session exists all the same", async || {
        let list = administrator
            .fetch("GET", &gateway.console("/admin/api/v1/sessions"))
            .csrf()
            .send()
            .await
            .expect(200)
            .json();
        list["items"].as_array()?.iter().any(|item| item["sub"] == "alice").then_some(())
    })
    .await;
}

#[tokio::test]
async fn l17_transaction_cookies_are_lax_and_hidden_from_scripts() {
    let gateway = Gateway::start().await;
    let (browser, _) = signed_in_up_to(&gateway, "alice", CALLBACK).await;
    let cookies = browser.cookies();
    let transactions: Vec<_> = cookies.iter().filter(|cookie| cookie.name.starts_with(TRANSACTION_PREFIX)).collect();
    assert_eq!(transactions.len(), 1, "{cookies:?}");
    let cookie = transactions[0];
    assert!(cookie.secure && cookie.http_only && cookie.host_only, "{cookie:?}");
    assert_eq!(cookie.same_site, SameSite::Lax);
    assert!(cookie.expires.is_some(), "a transaction that never ends: {cookie:?}");
}

async fn session_id(browser: &Browser, gateway: &Gateway) -> String {
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    user["session"]["id"].as_str().expect("a session id").to_owned()
}

/// The provider would redeem the code as often as it is sent: it is the gateway that knows better.
#[tokio::test]
async fn s08_used_login_is_remembered_over_a_restart() {
    let adversary = Adversary::start().await;
    adversary.honour_codes_again();
    let mut gateway = Setup::default().issuer(&adversary.issuer).start().await;
    let mut browser = Browser::new();
    browser.hold_at(FINISH);
    browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    let finish = browser.held();
    let mut thief = Browser::new();
    for copy in browser.cookies() {
        thief.jar().insert(copy);
    }
    browser.resume(finish.clone(), None).await;
    assert!(browser.session_cookie().is_some());
    for restarts in [false, true] {
        if restarts {
            gateway.stop().await;
            gateway.launch().await;
        }
        let page = thief.resume(finish.clone(), None).await;
        assert!(page.status >= 400 && page.body.contains("login-replayed"), "{page:?}");
        assert!(thief.session_cookie().is_none());
    }
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}
