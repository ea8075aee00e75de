//! `/oauth/logout`: out of the app, and where asked out of the provider.

use super::{assert_error, gateway};
use cloakroom_tests::phone::{Tokens, parameter};
use cloakroom_tests::{Gateway, Phone};
use url::Url;

const BACK: &str = "com.example.phone:/signed-out";

fn address(gateway: &Gateway, parameters: &[(&str, &str)]) -> String {
    Url::parse_with_params(&gateway.app("/oauth/logout"), parameters).unwrap().to_string()
}

fn hint(tokens: &Tokens) -> String {
    tokens.answer["logout_hint"].as_str().expect("a logout hint").to_owned()
}

#[tokio::test]
async fn sign_out_ends_the_session_and_by_wish_the_providers() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    for end_provider_session in ["false", "true"] {
        let tokens = phone.sign_in("alice").await;
        let hint = hint(&tokens);
        let asked = [
            ("client_id", "phone"),
            ("logout_hint", &*hint),
            ("post_logout_redirect_uri", BACK),
            ("state", "a & b"),
            ("end_provider_session", end_provider_session),
        ];
        phone.browser.hold_at("/signed-out");
        phone.browser.navigate(&address(&gateway, &asked)).await;
        let back = phone.browser.held().url().clone();
        assert!(back.as_str().starts_with(BACK), "{back}");
        assert_eq!(parameter(&back, "state").as_deref(), Some("a & b"), "{back}");
        phone.call("GET", "/api/x", &tokens.access).await.expect(401);
        assert_error("over", phone.refresh(&tokens.refresh).await, 400, "invalid_grant");
        // Pressed twice, it leads to the same place.
        phone.browser.hold_at("/signed-out");
        phone.browser.navigate(&address(&gateway, &asked)).await;
        assert!(phone.browser.held().url().as_str().starts_with(BACK));
        // Without the wish, the provider still knows the person: the next sign-in asks for no password.
        phone.browser.hold_at("/callback");
        let url = phone.authorize_url(&[]);
        phone.browser.navigate(&url).await;
        phone.browser.submit_form(&[]).await;
        let asks = phone.browser.page().forms().iter().any(|form| form.has("password"));
        assert_eq!(asks, end_provider_session == "true", "{:?}", phone.browser.page());
    }
    let granted = gateway.seen().await;
    let refresh = granted.granted("authorization_code")[0]["refresh"].as_str().unwrap().to_owned();
    assert!(granted.revoked().contains(&&*refresh), "the provider's refresh token lives on");
}

#[tokio::test]
async fn x05_only_the_app_can_make_a_link_that_signs_out() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let (tokens, other) = (phone.sign_in("alice").await, Phone::new(&gateway).sign_in("bob").await);
    let me = phone.call("GET", "/session/v1/me", &tokens.access).await.expect(200).json();
    assert_eq!(me["session"]["logout_hint"], *hint(&tokens), "{me}");
    let id = me["session"]["id"].as_str().unwrap().to_owned();
    let (mine, theirs) = (hint(&tokens), hint(&other));
    // The session's public id with the proof of another session.
    let mixed = format!("{}{}", &mine[..24], &theirs[24..]);
    for (what, client, hint) in [
        ("public id", "phone", &*id),
        ("another session's proof", "phone", &mixed),
        ("cut", "phone", &mine[..30]),
        ("empty", "phone", ""),
        ("another app", "other-phone", &mine),
        ("no app", "nobody", &mine),
        ("a token", "phone", &tokens.access),
    ] {
        let page = phone.browser.navigate(&address(&gateway, &[("client_id", client), ("logout_hint", hint)])).await;
        assert_eq!((page.status, page.hops.len()), (400, 1), "{what}: {page:?}");
        phone.call("GET", "/api/x", &tokens.access).await.expect(200);
    }
    // The hint is worth nothing elsewhere, and is no token.
    for path in ["/api/x", "/session/v1/me"] {
        phone.call("GET", path, &mine).await.expect(401);
    }
    // Without an address to go back to, the browser rests.
    let page = phone.browser.navigate(&address(&gateway, &[("client_id", "phone"), ("logout_hint", &mine)])).await;
    assert_eq!((page.status, page.hops.len()), (200, 1), "{page:?}");
    assert!(page.body.contains("signed out"), "{page:?}");
    phone.call("GET", "/api/x", &tokens.access).await.expect(401);
}

#[tokio::test]
async fn s09_sign_out_leads_to_registered_addresses_alone() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    let hint = hint(&tokens);
    for bad in [
        "com.example.phone:/signed-out/",
        "com.example.phone:/signed-out?x=1",
        "com.example.phone:/callback",
        "https://evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
    ] {
        let asked = [("client_id", "phone"), ("logout_hint", &*hint), ("post_logout_redirect_uri", bad)];
        let page = phone.browser.navigate(&address(&gateway, &asked)).await;
        assert_eq!((page.status, page.hops.len()), (400, 1), "{bad}: {page:?}");
        assert!(!page.body.contains("evil.example"), "{page:?}");
        phone.call("GET", "/api/x", &tokens.access).await.expect(200);
    }
    // What comes back from the provider leads nowhere unless the gateway sent it.
    for state in ["", "made-up", &hint] {
        let page = phone.browser.navigate(&gateway.app(&format!("/oauth/signed-out?state={state}"))).await;
        assert_eq!((page.status, page.hops.len()), (400, 1), "{state}: {page:?}");
    }
}
