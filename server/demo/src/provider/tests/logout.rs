use http::StatusCode;

use crate::provider::{
    browser::{Browser, SIGNED_OUT, World, claims, form, redeem, world},
    cookies,
};

async fn signed_in(world: &World) -> (Browser, String) {
    let mut browser = Browser::new(world);
    let code = browser.log_in("ada", &[]).await.param("code").unwrap();
    let tokens = redeem(world, &code).await.json();
    (browser, tokens["id_token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_hint_and_a_registered_address_sign_out_without_a_click() {
    let world = world();
    let (mut browser, hint) = signed_in(&world).await;
    // The hint may have expired long ago.
    world.clock.forward(3600);
    let query = form(&[("id_token_hint", &hint), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "s 1")]);
    let answer = browser.get(&format!("/logout?{query}")).await;
    assert_eq!(answer.location(), format!("{SIGNED_OUT}?state=s+1"));
    assert!(!browser.cookies.contains_key(cookies::LOGIN));
    assert!(browser.authorize(&[]).await.location().starts_with("/login?"));
}

#[tokio::test]
async fn a_request_that_does_not_add_up_ends_nothing_and_leads_nowhere() {
    let world = world();
    let (mut browser, hint) = signed_in(&world).await;
    let cases: [&[(&str, &str)]; 6] = [
        &[("id_token_hint", "x.y.z")],
        &[("id_token_hint", &hint), ("client_id", "other")],
        &[("post_logout_redirect_uri", SIGNED_OUT)],
        &[("post_logout_redirect_uri", SIGNED_OUT), ("client_id", "unknown")],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "http://evil.example/")],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "http://app.localhost:8080/bff/signed-out/")],
    ];
    for pairs in cases {
        let answer = browser.get(&format!("/logout?{}", form(pairs))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{pairs:?}");
        assert!(browser.authorize(&[]).await.param("code").is_some(), "{pairs:?}");
    }
}

#[tokio::test]
async fn without_a_hint_a_click_is_asked_for() {
    let world = world();
    let (mut browser, _) = signed_in(&world).await;
    let page = browser.get("/logout").await;
    assert!(page.body.contains("Sign out?"));
    let (interaction, csrf) = (page.field("interaction"), page.field("csrf"));
    let click = |csrf| [("interaction", interaction.as_str()), ("csrf", csrf)];

    let forged = browser.post("/logout/confirm", &click("guess")).await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST);
    assert!(browser.authorize(&[]).await.param("code").is_some());

    let done = browser.post("/logout/confirm", &click(&csrf)).await;
    assert!(done.body.contains("You are signed out"));
    assert!(browser.authorize(&[]).await.location().starts_with("/login?"));
}

#[tokio::test]
async fn another_persons_hint_needs_the_click_too() {
    let world = world();
    let (_, hint) = signed_in(&world).await;
    let mut browser = Browser::new(&world);
    browser.log_in("olga", &[]).await;
    let page = browser.get(&format!("/logout?id_token_hint={hint}")).await;
    assert!(page.body.contains("Sign out?"));
}

#[tokio::test]
async fn clients_hear_of_the_logout() {
    let world = world();
    let (mut browser, hint) = signed_in(&world).await;
    browser.get(&format!("/logout?id_token_hint={hint}")).await;
    let notices = world.notices.lock().unwrap();
    assert_eq!(notices.len(), 1, "only the client that took part");
    let token = claims(&notices[0].logout_token.clone().into());
    assert_eq!(token["aud"], "web");
    assert_eq!(token["sub"], "sub-ada");
    assert_eq!(token["sid"], claims(&hint.into())["sid"]);
    assert!(token["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object());
    assert!(token.get("nonce").is_none());
}
