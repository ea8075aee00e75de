//! `return_to`: a path of the same origin or a registered address, else nothing leaves.

use cloakroom_tests::{Browser, Gateway, Setup, TRANSACTION_PREFIX};
use url::form_urlencoded::byte_serialize;

const BAD: &[&str] = &[
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/%2f/evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "/ /evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example",
    "HTTPS://evil.example",
    "http://app.localhost@evil.example",
    "http://app.localhost.evil.example",
    "http://app.localhost%2eevil.example",
    "http://evil.example#app.localhost",
    "//app.localhost@evil.example/",
    "/a\r\nLocation: https://evil.example",
    "/a%0d%0aLocation:%20https://evil.example",
    "/a\nb",
    "/a\0b",
    "/a%00b",
    "/\u{ff0f}evil.example",
    "/\u{2215}evil.example",
    "//evil\u{3002}example",
    "\u{ff0f}\u{ff0f}evil.example",
    "/%252f/evil.example",
    "/%252f%252fevil.example",
    "/%25252fevil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:http://app.localhost/x",
    "/../evil",
    "/a/../../b",
    "/a/..",
    "/a/%2e%2e/b",
    "/a/.%2e/b",
    "evil.example",
    "evil",
    "?a=b",
    "#a",
    "/%",
    "/%zz",
];

#[tokio::test]
async fn l13_return_to_refuses_whatever_leads_elsewhere() {
    let gateway = Gateway::start().await;
    let long = format!("/{}", "a".repeat(10_000));
    for text in BAD.iter().copied().chain([long.as_str()]) {
        for name in ["return_to", "returnUrl"] {
            let mut browser = Browser::new();
            let query = byte_serialize(text.as_bytes()).collect::<String>();
            let page = browser.navigate(&gateway.app(&format!("/bff/login?{name}={query}"))).await;
            assert_eq!(page.status, 400, "{name}={text:?}: {page:?}");
            assert!(page.headers.get("location").is_none(), "{name}={text:?}: {page:?}");
            assert!(page.links().iter().all(|(href, _)| !href.contains("evil")), "{name}={text:?} is a link: {page:?}");
            assert!(browser.cookies().is_empty(), "{name}={text:?} began a login");
        }
    }
    assert!(gateway.seen().await.authorize().is_empty());
}

#[tokio::test]
async fn l13_return_to_twice_is_refused() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    for query in ["return_to=/a&return_to=/b", "return_to=/a&return_to=//evil.example"] {
        let page = browser.navigate(&gateway.app(&format!("/bff/login?{query}"))).await;
        assert_eq!(page.status, 400, "{query}: {page:?}");
    }
    assert!(browser.cookies().iter().all(|cookie| !cookie.name.starts_with(TRANSACTION_PREFIX)));
}

#[tokio::test]
async fn l13_return_to_accepts_own_paths_as_they_are() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let good = [
        "/",
        "/pages/a",
        "/pages/a?b=c&d=e",
        "/pages/a%20b?q=%C3%A9",
        "/pages/a?next=//evil.example",
        "/pages/:x@y",
        "/pages/a~b!c",
    ];
    for text in good {
        let query = byte_serialize(text.as_bytes()).collect::<String>();
        let page = browser.navigate(&gateway.app(&format!("/bff/login?return_to={query}"))).await;
        assert_eq!((page.path(), page.status), (text, 200), "{page:?}");
        assert!(gateway.owns(&page.url), "{page:?}");
    }
}

#[tokio::test]
async fn l13_return_to_keeps_the_fragment() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    let page = browser.navigate(&gateway.app("/bff/login?return_to=/pages/a%23part")).await;
    assert_eq!((page.path(), page.url.fragment()), ("/pages/a", Some("part")), "{page:?}");
}

#[tokio::test]
async fn u05_ten_tabs_come_back_to_their_own_addresses_with_their_fragments() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let mut tabs = tokio::task::JoinSet::new();
    for number in 0..10 {
        let mut tab = browser.new_tab();
        let address = format!("/pages/{number}?tab={number}#part-{number}/a?b=c");
        let query: String = byte_serialize(address.as_bytes()).collect();
        let (login, wanted) = (gateway.app(&format!("/bff/login?return_to={query}")), gateway.app(&address));
        tabs.spawn(async move {
            let page = tab.navigate(&login).await;
            assert_eq!((page.url.as_str(), page.status), (wanted.as_str(), 200), "{page:?}");
        });
    }
    while let Some(done) = tabs.join_next().await {
        done.unwrap();
    }
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn l13_return_to_accepts_a_registered_address_and_nothing_near_it() {
    let gateway = Setup::default().app(r#"return_urls = ["http://app.localhost:1/landing"]"#).start().await;
    for (text, taken) in [
        ("http://app.localhost:1/landing", true),
        ("http://app.localhost:1/landing/", false),
        ("http://app.localhost:1/landing2", false),
        ("http://app.localhost:1/landing?x=y", false),
        ("http://app.localhost:1/", false),
        ("http://app.localhost:2/landing", false),
        ("https://app.localhost:1/landing", false),
        ("http://evil.localhost:1/landing", false),
        ("http://x@app.localhost:1/landing", false),
    ] {
        let mut browser = Browser::new();
        let query = byte_serialize(text.as_bytes()).collect::<String>();
        let page = browser.navigate(&gateway.app(&format!("/bff/login?return_to={query}"))).await;
        assert_eq!(page.status != 400, taken, "{text}: {page:?}");
    }
}

#[tokio::test]
async fn l13_own_endpoints_are_no_place_to_return_to() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.signed_in("alice").await;
    for path in ["/bff/logout", "/bff/login", "/bff/login?return_to=/bff/login", "/bff/callback"] {
        let query = byte_serialize(path.as_bytes()).collect::<String>();
        browser.navigate(&gateway.app(&format!("/bff/login?return_to={query}"))).await;
        let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await;
        assert_eq!(user.status, 200, "{path} ended the session");
    }
}
