//! From the authorization request to the code, and the code's one use.

use super::{assert_error, gateway};
use cloakroom_tests::phone::{REDIRECT, Tokens, parameter};
use cloakroom_tests::{Browser, Phone, Setup};
use url::Url;

#[tokio::test]
async fn m01_redirect_uri_is_exact_and_errors_before_it_lead_nowhere() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let port = gateway.port().to_string();
    let own = format!("http://app.localhost:{port}/");
    for bad in [
        "",
        "com.example.phone:/callback/",
        "com.example.phone:/callback?x=1",
        "com.example.phone:/Callback",
        "com.example.other:/callback",
        "https://phone.example.com/callback",
        "https://phone.example.com/callback?from=login&x=1",
        "https://phone.example.com.evil.example/callback?from=login",
        "http://127.0.0.1:8000@evil.example/callback",
        "http://127.0.0.1:8000/callback/../x",
        "http://localhost:8000/callback",
        "https://evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
        &own,
    ] {
        let url = phone.authorize_url(&[("redirect_uri", bad)]);
        let page = phone.browser.navigate(&url).await;
        assert_eq!((page.status, page.hops.len()), (400, 1), "{bad}: {page:?}");
        assert!(!page.body.contains("evil.example"), "{bad}: {page:?}");
    }
    for bad in ["", "nobody", "app", "<script>alert(1)</script>"] {
        let url = phone.authorize_url(&[("client_id", bad)]);
        let page = phone.browser.navigate(&url).await;
        assert_eq!((page.status, page.hops.len()), (400, 1), "{bad}: {page:?}");
        assert!(!page.body.contains("<script>"), "{page:?}");
    }
    let twice = format!("{}&state=again", phone.authorize_url(&[]));
    assert_eq!(phone.browser.navigate(&twice).await.status, 400);
}

#[tokio::test]
async fn m01_errors_after_it_are_told_to_the_app_with_state_and_issuer() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let cases = [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "id_token token", "unsupported_response_type"),
        ("response_type", "", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("request", "e30.e30.", "request_not_supported"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("dpop_jkt", "short", "invalid_request"),
        ("max_age", "soon", "invalid_request"),
        ("provider", "nobody", "invalid_request"),
        ("prompt", "none", "interaction_required"),
    ];
    for (name, value, error) in cases {
        let url = phone.authorize_url(&[(name, value)]);
        let back = phone.follow("alice", &url).await;
        assert!(back.as_str().starts_with(REDIRECT), "{name}={value}: {back}");
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{name}={value}: {back}");
        assert_eq!(parameter(&back, "state").as_deref(), Some("the app's state"), "{back}");
        assert_eq!(parameter(&back, "iss"), Some(gateway.app("")), "{back}");
        assert_eq!(parameter(&back, "code"), None, "{back}");
    }
    assert!(gateway.seen().await.authorize().is_empty(), "nothing reached the provider");
}

#[tokio::test]
async fn m01_loopback_takes_any_port_and_a_query_is_kept() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    for redirect in ["http://127.0.0.1:49200/callback", "https://phone.example.com/callback?from=login"] {
        phone.redirect_uri = redirect.into();
        let code = phone.code("alice").await;
        Tokens::of(phone.redeem(&code).await);
    }
    let back = phone.authorize("alice", &[]).await;
    assert!(back.as_str().starts_with("https://phone.example.com/callback?from=login&code="), "{back}");
}

#[tokio::test]
async fn m02_code_is_worth_nothing_without_the_verifier_of_its_challenge() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let code = phone.code("alice").await;
    let other = "x".repeat(64);
    let challenge = phone.challenge();
    for (verifier, error) in [
        ("", "invalid_request"),
        (other.as_str(), "invalid_grant"),
        (challenge.as_str(), "invalid_grant"),
        ("short", "invalid_grant"),
    ] {
        let answer = phone.post("/oauth/token", &phone.redemption(&code, &[("code_verifier", verifier)])).await;
        assert_error(verifier, answer, 400, error);
    }
    Tokens::of(phone.redeem(&code).await);
}

#[tokio::test]
async fn m03_code_used_twice_ends_what_the_first_use_got() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let code = phone.code("alice").await;
    let tokens = Tokens::of(phone.redeem(&code).await);
    phone.call("GET", "/api/x", &tokens.access).await.expect(200);
    assert_error("again", phone.redeem(&code).await, 400, "invalid_grant");
    phone.call("GET", "/api/x", &tokens.access).await.expect(401);
    assert_error("refresh", phone.refresh(&tokens.refresh).await, 400, "invalid_grant");
}

#[tokio::test]
async fn m03_code_used_by_many_at_once_gives_tokens_to_one_at_most() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let code = phone.code("alice").await;
    let (a, b, c, d) = tokio::join!(phone.redeem(&code), phone.redeem(&code), phone.redeem(&code), phone.redeem(&code));
    let given = [a, b, c, d].into_iter().filter(|answer| answer.status == 200).collect::<Vec<_>>();
    assert!(given.len() <= 1, "{given:?}");
    for answer in given {
        phone.call("GET", "/api/x", &Tokens::of(answer).access).await.expect(401);
    }
}

#[tokio::test]
async fn m04_code_and_tokens_are_of_no_use_to_another_client_or_redirect() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let code = phone.code("alice").await;
    for (name, value, status, error) in [
        ("client_id", "other-phone", 400, "invalid_grant"),
        ("client_id", "app", 401, "invalid_client"),
        ("client_id", "", 401, "invalid_client"),
        ("client_secret", "guess", 401, "invalid_client"),
        ("redirect_uri", "https://phone.example.com/callback?from=login", 400, "invalid_grant"),
        ("redirect_uri", "", 400, "invalid_request"),
    ] {
        let answer = phone.post("/oauth/token", &phone.redemption(&code, &[(name, value)])).await;
        assert_error(&format!("{name}={value}"), answer, status, error);
    }
    let tokens = Tokens::of(phone.redeem(&code).await);
    let mut other = Phone::new(&gateway);
    other.client_id = "other-phone".into();
    assert_error("refresh", other.refresh(&tokens.refresh).await, 400, "invalid_grant");
    Tokens::of(phone.refresh(&tokens.refresh).await);
}

#[tokio::test]
async fn m12_person_reads_the_apps_name_and_clicks_before_a_code_is_given() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    phone.code("alice").await;
    // Signed in at the provider now: without the click, any app could get a code unseen.
    let url = phone.authorize_url(&[]);
    let page = phone.browser.navigate(&url).await;
    assert_eq!((page.status, page.hops.len()), (200, 1), "{page:?}");
    assert!(page.body.contains("Phone &amp; &lt;app&gt;"), "{page:?}");
    assert!(page.headers.get("content-security-policy").unwrap().contains("frame-ancestors 'none'"), "{page:?}");
    // No page of another site can click.
    let query = url.split_once('?').unwrap().1.to_owned();
    let mut foreign = phone.browser.new_tab();
    let target = phone.url("/oauth/authorize");
    let page = foreign.post_from("http://evil.localhost:1/", &target, &[("request_query", &query)]).await;
    assert_eq!(page.status, 400, "{page:?}");
    // Cancel tells the app.
    phone.browser.hold_at("/callback");
    phone.browser.click_link("Cancel").await;
    let back = phone.browser.held().url().clone();
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"), "{back}");
    // A claimed https address belongs to the app alone: no page.
    phone.redirect_uri = "https://phone.example.com/callback?from=login".into();
    phone.browser.hold_at("/callback");
    let url = phone.authorize_url(&[("prompt", "none")]);
    phone.browser.navigate(&url).await;
    let back = phone.browser.held().url().clone();
    assert!(parameter(&back, "code").is_some(), "{back}");
}

#[tokio::test]
async fn s19_sign_in_begun_by_one_browser_is_not_finished_in_another() {
    let gateway = gateway().await;
    let mut attacker = Phone::new(&gateway);
    attacker.browser.hold_at("/auth");
    let url = attacker.authorize_url(&[]);
    attacker.browser.navigate(&url).await;
    attacker.browser.submit_form(&[]).await;
    let link = attacker.browser.held().url().to_string();
    let mut victim = Browser::new();
    victim.navigate(&link).await;
    let page = victim.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!((page.url.path(), page.status), ("/oauth/callback", 400), "{page:?}");
    assert!(!page.body.contains("crs_ac_"), "{page:?}");
}

#[tokio::test]
async fn s19_provider_that_refuses_is_told_to_the_app() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    phone.redirect_uri = "https://phone.example.com/callback?from=login".into();
    phone.browser.hold_at("/callback");
    let url = phone.authorize_url(&[("prompt", "none")]);
    phone.browser.navigate(&url).await;
    let back = phone.browser.held().url().clone();
    assert_eq!(parameter(&back, "error").as_deref(), Some("login_required"), "{back}");
}

#[tokio::test]
async fn s14_session_ended_before_its_code_is_redeemed_gives_nothing() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let code = phone.code("alice").await;
    let owner = gateway.administrator("carol").await;
    let list = owner.fetch("GET", &gateway.console("/admin/api/v1/sessions?client=phone")).csrf().send().await;
    let list = list.expect(200).json();
    let id = list["items"][0]["id"].as_str().unwrap_or_else(|| panic!("not listed: {list}")).to_owned();
    let url = gateway.console(&format!("/admin/api/v1/sessions/{id}/revoke"));
    let body = r#"{"reason":"lost"}"#;
    let answer = owner.fetch("POST", &url).csrf().body("application/json", body).send().await;
    assert!(answer.status < 300, "{answer:?}");
    assert_error("revoked", phone.redeem(&code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn m09_no_token_lies_in_the_store_the_logs_or_an_address() {
    let mut gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    let next = Tokens::of(phone.refresh(&tokens.refresh).await);
    phone.call("GET", "/api/x", &next.access).await.expect(200);
    let in_address = phone.bare("GET", &format!("/api/x?access_token={}", next.access));
    phone.send(in_address).await.expect(401);
    gateway.stop().await;
    let (store, log) = (gateway.store_bytes(), gateway.log());
    for secret in [&tokens.access, &tokens.refresh, &next.access, &next.refresh] {
        assert!(!log.contains(&secret[..40]), "in the log");
        assert!(!store.windows(40).any(|window| window == &secret.as_bytes()[..40]), "in the store");
    }
    let seen = gateway.upstream.last();
    assert!(!format!("{seen:?}").contains("crs_at_"), "{seen:?}");
}

#[tokio::test]
async fn pushed_request_is_used_once_by_the_app_that_pushed_it() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let pushed = phone.post("/oauth/par", &phone.request(&[])).await.expect(201).json();
    let uri = pushed["request_uri"].as_str().expect("a request URI").to_owned();
    let url = |client: &str| {
        let mut url = Url::parse(&gateway.app("/oauth/authorize")).unwrap();
        url.query_pairs_mut().append_pair("client_id", client).append_pair("request_uri", &uri);
        url.to_string()
    };
    assert_eq!(phone.browser.navigate(&url("other-phone")).await.status, 400);
    let back = phone.follow("alice", &url("phone")).await;
    let code = parameter(&back, "code").unwrap_or_else(|| panic!("{back}"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("the app's state"));
    Tokens::of(phone.redeem(&code).await);
    phone.browser.navigate(&url("phone")).await;
    assert_eq!(phone.browser.submit_form(&[]).await.status, 400, "used before");
    for (name, value, error) in [
        ("redirect_uri", "https://evil.example/", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("request_uri", uri.as_str(), "invalid_request"),
    ] {
        assert_error(name, phone.post("/oauth/par", &phone.request(&[(name, value)])).await, 400, error);
    }
}

#[tokio::test]
async fn code_expires_within_a_minute_by_configuration_of_nobody() {
    // What a session of the configuration lives is another matter: idle_secs = 1 still lets a code be redeemed.
    let gateway = Setup::default().phone("idle_secs = 1\nabsolute_secs = 3600").start().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    phone.call("GET", "/api/x", &tokens.access).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_300)).await;
    phone.call("GET", "/api/x", &tokens.access).await.expect(401);
    assert_error("idle", phone.refresh(&tokens.refresh).await, 400, "invalid_grant");
}
