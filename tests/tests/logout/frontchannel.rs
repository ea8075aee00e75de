//! The provider's own logout page frames an address of the gateway's.

use super::backchannel::{lives, newest_sid, registered};
use cloakroom_tests::{Browser, Gateway};
use url::form_urlencoded::Serializer;

fn address(gateway: &Gateway, parameters: &[(&str, &str)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    gateway.app(&format!("/bff/frontchannel-logout?{query}"))
}

#[tokio::test]
async fn b02_front_channel_logout_ends_the_session_that_it_names() {
    let gateway = registered().await;
    let phone = gateway.signed_in("alice").await;
    let sid = newest_sid(&gateway).await;
    let laptop = gateway.signed_in("alice").await;
    let issuer = gateway.issuer().to_owned();
    // The frame is another site's: no Strict cookie comes along, and whose browser it is does not matter.
    let frame = |url: &str| {
        let url = url.to_owned();
        let (browser, issuer) = (Browser::new(), issuer.clone());
        async move { browser.fetch("GET", &url).from(&issuer).element("iframe").send().await }
    };
    let wrong = [
        ("another issuer", vec![("iss", "https://evil.example.com"), ("sid", &sid)], 400),
        ("no issuer", vec![("sid", &sid)], 400),
        ("no sid", vec![("iss", &issuer)], 400),
        ("an empty sid", vec![("iss", &issuer), ("sid", "")], 400),
        ("two sids", vec![("iss", &issuer), ("sid", "x"), ("sid", &sid)], 400),
        ("an unknown sid", vec![("iss", &issuer), ("sid", "unknown")], 200),
    ];
    for (what, parameters, status) in wrong {
        let answer = frame(&address(&gateway, &parameters)).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert!(lives(&gateway, &phone).await && lives(&gateway, &laptop).await, "{what}");
    }
    let good = address(&gateway, &[("iss", &issuer), ("sid", &sid)]);
    let answer = frame(&good).await.expect(200);
    assert!(!lives(&gateway, &phone).await);
    assert!(lives(&gateway, &laptop).await);
    assert!(answer.header("cache-control").unwrap_or_default().contains("no-store"), "{answer:?}");
    assert!(answer.header("set-cookie").is_none(), "{answer:?}");
    frame(&good).await.expect(200);
    let problem = phone.fetch("GET", &gateway.app("/api/x")).send().await.expect(401).problem();
    assert!(problem["detail"].as_str().unwrap().contains("identity provider signed you out"), "{problem}");
}

#[tokio::test]
async fn x05_front_channel_logout_is_for_frames_not_for_images_scripts_or_links() {
    let gateway = registered().await;
    let browser = gateway.signed_in("alice").await;
    let good = address(&gateway, &[("iss", gateway.issuer()), ("sid", &newest_sid(&gateway).await)]);
    for element in ["image", "script", "document", "empty", "style"] {
        let answer = browser.fetch("GET", &good).from("http://evil.localhost:1/").element(element).send().await;
        assert_eq!(answer.status, 403, "{element}: {answer:?}");
        assert!(lives(&gateway, &browser).await, "{element}");
    }
}

#[tokio::test]
async fn x06_s09_only_the_provider_may_frame_the_answer_and_it_leads_nowhere() {
    let gateway = registered().await;
    gateway.signed_in("alice").await;
    let url = address(
        &gateway,
        &[
            ("iss", gateway.issuer()),
            ("sid", "x"),
            ("post_logout_redirect_uri", "https://evil.example.com"),
            ("redirect", "//evil.example.com"),
        ],
    );
    let answer = Browser::new().fetch("GET", &url).from(gateway.issuer()).element("iframe").send().await.expect(200);
    assert!(answer.header("location").is_none() && !answer.text().contains("evil"), "{answer:?}");
    assert!(answer.header("x-frame-options").is_none(), "{answer:?}");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains(&format!("frame-ancestors {}", gateway.issuer())), "{policy}");
    assert!(!policy.contains('*') && policy.contains("default-src 'none'"), "{policy}");
    // Nothing else may be framed, a refusal of this very address included.
    for path in ["/bff/frontchannel-logout", "/bff/signed-out", "/bff/logout"] {
        let answer =
            Browser::new().fetch("GET", &gateway.app(path)).from(gateway.issuer()).element("iframe").send().await;
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {answer:?}");
    }
}
