//! The harness itself: a browser that were too lax would let every cross-site story pass.

use cloakroom_tests::browser::{Cookie, Relation, relation};
use cloakroom_tests::{Browser, Provider};
use serde_json::json;
use url::Url;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn sites_are_schemeful_registrable_domains_and_ports_do_not_matter() {
    let cases = [
        ("http://app.localhost:1/a", "http://app.localhost:1/b", Relation::SameOrigin),
        ("http://app.localhost:1", "http://app.localhost:2", Relation::SameSite),
        ("http://a.app.localhost:1", "http://app.localhost:1", Relation::SameSite),
        ("http://idp.localhost:1", "http://app.localhost:1", Relation::CrossSite),
        ("https://app.localhost:1", "http://app.localhost:1", Relation::CrossSite),
        ("http://127.0.0.1:1", "http://app.localhost:1", Relation::CrossSite),
    ];
    for (from, to, expected) in cases {
        assert_eq!(relation(&url(from), &url(to)), expected, "{from} -> {to}");
    }
}

#[test]
fn cookies_obey_their_prefixes() {
    let cases = [
        ("__Host-Http-a=1; Secure; HttpOnly; Path=/", true),
        ("__Host-Http-a=1; Secure; Path=/", false),
        ("__Host-Http-a=1; HttpOnly; Path=/", false),
        ("__Host-Http-a=1; Secure; HttpOnly; Path=/x", false),
        ("__host-a=1; Secure; Path=/; Domain=app.localhost", false),
        ("__Secure-a=1", false),
        ("a=1; SameSite=None", false),
        ("a=1; Domain=localhost", false),
        ("a=1; Domain=app.localhost", true),
        ("a=1; Domain=other.localhost", false),
        ("a=1", true),
    ];
    for (line, taken) in cases {
        assert_eq!(Cookie::parse(line, &url("http://app.localhost:8080/")).is_some(), taken, "{line}");
    }
}

#[test]
fn secure_cookies_need_a_trustworthy_origin() {
    let line = "__Host-a=1; Secure; Path=/";
    assert!(Cookie::parse(line, &url("http://app.example")).is_none());
    assert!(Cookie::parse(line, &url("https://app.example")).is_some());
}

#[tokio::test]
async fn the_provider_signs_a_user_in_by_its_form() {
    let provider = Provider::shared();
    provider
        .register(json!({
            "client_id": "harness",
            "client_secret": "a-secret-of-the-harness",
            "redirect_uris": ["http://app.localhost:1/bff/callback"],
        }))
        .await;
    let mut browser = Browser::new();
    browser.hold_at("/bff/callback");
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let query = "client_id=harness&response_type=code&scope=openid&redirect_uri=http://app.localhost:1/bff/callback";
    let url = format!("{}/auth?{query}&code_challenge={challenge}&code_challenge_method=S256&state=s", provider.issuer);
    browser.navigate(&url).await;
    browser.submit_form(&[("username", "alice"), ("password", "wrong")]).await;
    assert!(browser.page().body.contains("Wrong user name"), "{:?}", browser.page());
    browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    let callback = browser.held().url().clone();
    let parameters: Vec<_> = callback.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(parameters, ["code", "state", "iss"], "{callback}");
    assert_eq!(provider.seen("harness").await.authorize().len(), 1);

    // The second time it knows the user; after a logout, whose form sends itself, it asks again.
    let mut tab = browser.new_tab();
    tab.hold_at("/bff/callback");
    tab.navigate(&url).await;
    tab.held();
    let page = tab.navigate(&format!("{}/session/end", provider.issuer)).await;
    assert!(page.body.contains("Signed out at the provider"), "{page:?}");
    let page = tab.navigate(&url).await;
    assert!(page.forms().iter().any(|form| form.has("password")), "{page:?}");
}
