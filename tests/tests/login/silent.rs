//! Silent login: it asks the person nothing, and never puts another in their place.

use cloakroom_tests::{Browser, Gateway, TRANSACTION_PREFIX, eventually};

const EVIL: &str = "http://evil.localhost:1/";

fn silently(gateway: &Gateway, return_to: &str) -> String {
    gateway.app(&format!("/bff/silent-login?mode=redirect&return_to={return_to}"))
}

#[tokio::test]
async fn x07_window_comes_back_signed_in_or_not_and_nobody_is_asked() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    // Nobody at the provider: back where it wanted to go, as anonymous as before.
    let page = browser.navigate_from(&gateway.app("/"), &silently(&gateway, "/public/home%3Fa%3Db%23c")).await.clone();
    assert_eq!((page.status, page.url.as_str()), (200, &*gateway.app("/public/home?a=b#c")), "{page:?}");
    assert!(browser.session_cookie().is_none());
    assert!(
        browser.cookies().iter().all(|cookie| !cookie.name.starts_with(TRANSACTION_PREFIX)),
        "{:?}",
        browser.cookies()
    );
    let seen = gateway.seen().await;
    assert_eq!(seen.authorize().last().unwrap()["prompt"], "none");

    // Signed in there, and the session here forgotten: it comes back signed in.
    browser.sign_in(&gateway.app(""), "alice", "/pages/home").await;
    browser.jar().clear_host("app.localhost");
    let page = browser.navigate_from(&gateway.app("/"), &silently(&gateway, "/public/home")).await.clone();
    assert_eq!((page.status, page.path()), (200, "/public/home"), "{page:?}");
    assert!(page.hops.iter().all(|hop| !hop.body.contains("password")), "{page:?}");
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    assert_eq!(user["sub"], "alice");

    // With a session here: a new one of the same person takes its place.
    let before = browser.session_cookie().unwrap().value;
    browser.navigate_from(&gateway.app("/"), &silently(&gateway, "/public/home")).await;
    assert_ne!(browser.session_cookie().unwrap().value, before);
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn l17_silent_login_never_puts_another_person_in_ones_place() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    // At the provider, somebody else has signed in meanwhile.
    browser.jar().clear_host("idp.localhost");
    let mut tab = browser.new_tab();
    tab.navigate(&gateway.console("/bff/login?return_to=/")).await;
    tab.submit_form(&[("username", "bob"), ("password", "bob-password")]).await;
    let page = browser.navigate_from(&gateway.app("/"), &silently(&gateway, "/pages/home")).await.clone();
    assert_eq!(page.status, 400, "{page:?}");
    assert!(page.body.contains("somebody else"), "{page:?}");
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    assert_eq!(user["sub"], "alice");
    let unused = gateway.seen().await.granted("authorization_code").last().unwrap()["refresh"].clone();
    eventually("the tokens of the other person are revoked", async || {
        gateway.seen().await.revoked().contains(&unused.as_str().unwrap()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn x07_only_pages_of_the_own_origin_begin_a_silent_login() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let frame = "/bff/silent-login";
    let window = "/bff/silent-login?mode=redirect&return_to=/";
    let sibling = "http://www.app.localhost:3000/";
    let own = gateway.app("/");
    for (from, element, path, status) in [
        (own.as_str(), "iframe", frame, 303),
        (own.as_str(), "document", window, 303),
        (EVIL, "iframe", frame, 403),
        (sibling, "iframe", frame, 403),
        (EVIL, "document", window, 403),
        (sibling, "document", window, 403),
        (own.as_str(), "document", frame, 400),
        (own.as_str(), "image", frame, 400),
        (own.as_str(), "empty", frame, 400),
        (own.as_str(), "iframe", window, 400),
        (own.as_str(), "empty", window, 400),
        (own.as_str(), "iframe", "/bff/silent-login?mode=popup", 400),
        (own.as_str(), "document", "/bff/silent-login?mode=redirect&return_to=//evil", 400),
    ] {
        let before = gateway.seen().await.authorize().len();
        let fetch = browser.fetch("GET", &gateway.app(path)).from(from).element(element);
        let answer = fetch.send().await.expect(status);
        assert_eq!(answer.header("set-cookie").is_some(), status == 303, "{from} {element} {path}: {answer:?}");
        assert_eq!(gateway.seen().await.authorize().len(), before);
        if status == 303 {
            let location = answer.header("location").unwrap();
            assert!(location.starts_with(gateway.issuer()) && location.contains("prompt=none"), "{location}");
        }
    }
    let unsaid = gateway.request("GET", frame).send(gateway.port()).await.expect("an answer");
    assert_eq!(unsaid.status, 403, "a browser that does not say where it comes from: {unsaid:?}");
}

#[tokio::test]
async fn x07_answer_of_a_frame_is_for_the_own_origin_alone() {
    let gateway = Gateway::start().await;
    let browser = Browser::new();
    let begun = browser.fetch("GET", &gateway.app("/bff/silent-login")).element("iframe").send().await.expect(303);
    let location: url::Url = begun.header("location").unwrap().parse().unwrap();
    let state = location.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let issuer = gateway.issuer();
    for (said, expected) in [("login_required", "login_required"), ("<script>'\"", "login-refused-by-provider")] {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("error", said), ("state", &state), ("iss", issuer)])
            .finish();
        // As the provider leads the frame back, in a browser whose Lax cookies come along.
        let cookies =
            browser.cookies().iter().map(|c| format!("{}={}", c.name, c.value)).collect::<Vec<_>>().join("; ");
        let request = gateway.request("GET", &format!("/bff/callback?{query}")).header("Cookie", &cookies);
        let request = request.header("Sec-Fetch-Site", "cross-site").header("Sec-Fetch-Mode", "navigate");
        let answer = request.header("Sec-Fetch-Dest", "iframe").send(gateway.port()).await.unwrap().expect(200);
        let policy = answer.header("content-security-policy").unwrap_or_default().to_owned();
        assert!(policy.contains("frame-ancestors 'self'") && policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), Some("SAMEORIGIN"), "{answer:?}");
        let page = answer.text();
        assert!(
            page.contains("data-signed-in=\"false\"") && page.contains(&format!("data-error=\"{expected}\"")),
            "{page}"
        );
        assert!(page.contains("postMessage(message, location.origin)"), "{page}");
        assert!(!page.contains("'*'") && page.matches("<script>").count() == 1, "{page}");
    }
    // A browser that sends no Lax cookie along is asked once more by a page of the own origin, and then told.
    for (site, expected) in [("cross-site", "/bff/callback"), ("same-origin", "data-error=\"login-unknown\"")] {
        let request = gateway.request("GET", &format!("/bff/callback?code=x&state={state}"));
        let request = request.header("Sec-Fetch-Site", site).header("Sec-Fetch-Mode", "navigate");
        let answer = request.header("Sec-Fetch-Dest", "iframe").send(gateway.port()).await.unwrap().expect(200);
        let page = answer.text().replace("&#x2f;", "/");
        assert!(page.contains(expected), "{site}: {page}");
        assert!(answer.header("content-security-policy").unwrap_or_default().contains("frame-ancestors 'self'"));
    }
}
