//! Limits of apps: of their sessions, and of what anybody may ask of the session API.

use cloakroom_tests::phone::Tokens;
use cloakroom_tests::{Phone, Setup};

#[tokio::test]
async fn p14_apps_sessions_are_counted_together_and_apart_from_the_sites_own() {
    let gateway = Setup::default()
        .phone("limit = { rate = \"1/h\", burst = 3 }")
        .app("limit = { rate = \"1/h\", burst = 100 }")
        .section("[limits]\nsession = { rate = \"1/h\", burst = 2 }")
        .start()
        .await;
    let (mut phone, mut tablet) = (Phone::new(&gateway), Phone::new(&gateway));
    let (one, other) = (phone.sign_in("alice").await, tablet.sign_in("alice").await);
    for (who, tokens, status, limit) in [
        (&phone, &one, 200, "session"),
        (&phone, &one, 200, "session"),
        (&phone, &one, 429, "session"),
        (&tablet, &other, 200, "client"),
        (&tablet, &other, 429, "client"),
    ] {
        let answer = who.call("GET", "/api/x", &tokens.access).await.expect(status);
        assert!(answer.header("ratelimit").unwrap().starts_with(&format!("\"{limit}\"")), "{answer:?}");
    }
    // The site's own sessions have a count of their own.
    gateway.signed_in("bob").await.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
}

#[tokio::test]
async fn p14_requests_for_tokens_are_limited_by_address() {
    let limits = "[limits]\nlogin = { rate = \"1/h\", burst = 4 }";
    let gateway = Setup::default().phone("").section(limits).start().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("alice").await;
    let mut refreshed = Tokens::of(phone.refresh(&tokens.refresh).await);
    for _ in 0..2 {
        refreshed = Tokens::of(phone.refresh(&refreshed.refresh).await);
    }
    // Four: the code and three refreshes. What waits is good all the same, and the app is told when.
    let refused = phone.refresh(&refreshed.refresh).await.expect(429);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    phone.call("GET", "/api/x", &refreshed.access).await.expect(200);
}
