//! A proxy in front that forwards by itself, and asks about each request.

use cloakroom_tests::gateway::free_port;
use cloakroom_tests::nginx::Nginx;
use cloakroom_tests::wire::{Answer, Request};
use cloakroom_tests::{Gateway, Setup};

const SECRET: &str = "forward-auth-secret-of-the-tests";
const TRUSTING: &str = "trusted_proxies = [\"127.0.0.1\"]\nforward_auth_secret = \"env:TESTS_FORWARD_AUTH_SECRET\"";
const PAGE: &str = include_str!("../../docs/forward-auth.md");

/// What a 200 says, always.
const SAID: [&str; 5] = [
    "authorization",
    "x-auth-request-user",
    "x-auth-request-preferred-username",
    "x-auth-request-email",
    "x-auth-request-groups",
];

async fn gateway(server: &str) -> Gateway {
    let routes = [
        ("wiki", "kind = \"page\"\ntoken = \"user\""),
        ("rpc", "token = \"user\""),
        ("open", "access = \"anonymous\""),
        ("chiefs", "policy = \"chiefs\""),
    ];
    let route =
        |(path, lines)| format!("[[routes]]\nsite = \"app\"\npath = \"/{path}/\"\nforward_auth = true\n{lines}\n\n");
    let routes = routes.map(route).concat();
    let console = "[[routes]]\nsite = \"console\"\npath = \"/\"\nforward_auth = true\naccess = \"anonymous\"\n\n";
    let policy = "[policies.chiefs]\ngroups = [\"chiefs\"]\n\n";
    let mut gateway = Setup::default().server(server).section(&format!("{policy}{console}{routes}")).prepare().await;
    gateway.environment("TESTS_FORWARD_AUTH_SECRET", SECRET);
    gateway.launch().await;
    gateway
}

/// The question about a request.
fn question(gateway: &Gateway, method: &str, target: &str) -> Request {
    gateway
        .request("GET", "/bff/auth")
        .header("X-Forward-Auth-Secret", SECRET)
        .header("X-Forwarded-Method", method)
        .header("X-Forwarded-Proto", "http")
        .header("X-Forwarded-Host", &gateway.host())
        .header("X-Forwarded-Uri", target)
        .header("X-Forwarded-For", "203.0.113.7")
}

async fn answer(gateway: &Gateway, request: Request) -> Answer {
    request.send(gateway.port()).await.expect("an answer")
}

async fn cookie_of(gateway: &Gateway, user: &str) -> String {
    let cookie = gateway.signed_in(user).await.session_cookie().expect("a session");
    format!("{}={}", cookie.name, cookie.value)
}

#[tokio::test]
async fn s21_s01_only_a_trusted_proxy_with_the_secret_can_ask() {
    let gateway = gateway(TRUSTING).await;
    let cookie = cookie_of(&gateway, "alice").await;
    let asked = async |secrets: &[&str]| {
        let mut request = gateway.request("GET", "/bff/auth").header("Cookie", &cookie);
        for (name, value) in [("Method", "GET"), ("Proto", "http"), ("Host", &*gateway.host()), ("Uri", "/wiki/x")] {
            request = request.header(&format!("X-Forwarded-{name}"), value);
        }
        // As a script of the app's own page asks.
        request =
            request.header("Sec-Fetch-Site", "same-origin").header("Sec-Fetch-Mode", "cors").header("X-CSRF", "1");
        let request = secrets.iter().fold(request, |request, secret| request.header("X-Forward-Auth-Secret", secret));
        let answer = answer(&gateway, request).await;
        (answer.status, answer.header("authorization").map(str::to_owned))
    };
    assert_eq!(asked(&[]).await, (404, None));
    assert_eq!(asked(&[""]).await, (404, None));
    assert_eq!(asked(&["wrong"]).await, (404, None));
    assert_eq!(asked(&[&SECRET[1..]]).await, (404, None));
    assert_eq!(asked(&[SECRET, SECRET]).await, (404, None));
    let (status, token) = asked(&[SECRET]).await;
    assert!(status == 200 && token.is_some_and(|token| token.starts_with("Bearer ")));
    // The proxy is another.
    let server = TRUSTING.replace("127.0.0.1", "10.0.0.0/8");
    let elsewhere = self::gateway(&server).await;
    let request = question(&elsewhere, "GET", "/wiki/x").header("Cookie", &cookie_of(&elsewhere, "alice").await);
    assert_eq!(answer(&elsewhere, request).await.status, 404);
    // Nobody may ask where nothing is configured.
    let none = Gateway::start().await;
    assert_eq!(answer(&none, question(&none, "GET", "/wiki/x")).await.status, 404);
}

#[tokio::test]
async fn s01_every_header_about_the_caller_is_always_there() {
    let gateway = gateway(TRUSTING).await;
    let cookie = cookie_of(&gateway, "alice").await;
    let page = question(&gateway, "GET", "/wiki/x?y=1").header("Sec-Fetch-Site", "none");
    let page = page.header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "document");
    let answer_to_alice = answer(&gateway, page.header("Cookie", &cookie)).await.expect(200);
    let seen = |name: &str| answer_to_alice.header(name).unwrap_or("?").to_owned();
    assert!(seen("authorization").starts_with("Bearer "), "{answer_to_alice:?}");
    assert_eq!(seen("x-auth-request-user"), "alice");
    assert_eq!(seen("x-auth-request-preferred-username"), "alice");
    assert_eq!(seen("x-auth-request-email"), "alice@example.com");
    assert_eq!(seen("x-auth-request-groups"), "everyone");
    assert_eq!(seen("cache-control"), "no-store");
    let anybody = answer(&gateway, question(&gateway, "GET", "/open/x").header("X-Auth-Request-User", "root")).await;
    let anybody = anybody.expect(200);
    for name in SAID {
        assert_eq!(anybody.headers.all(name), [""], "{name}");
    }
    assert!(gateway.upstream.calls().iter().all(|call| !call.target.starts_with("/wiki")), "nothing is forwarded");
}

#[tokio::test]
async fn s01_what_cannot_be_read_or_is_not_the_proxys_to_ask_is_refused() {
    let gateway = gateway(TRUSTING).await;
    let cookie = cookie_of(&gateway, "alice").await;
    let own = |name: &str| name.starts_with("X-Forwarded-") && name != "X-Forwarded-For";
    let good = question(&gateway, "GET", "/rpc/x").header("X-CSRF", "1").header("Cookie", &cookie);
    assert_eq!(answer(&gateway, good.clone()).await.status, 200);
    // Each header: not there, twice, malformed.
    for (name, _) in good.headers.0.iter().filter(|(name, _)| own(name)) {
        assert_eq!(answer(&gateway, good.clone().without(name)).await.status, 403, "{name} is not there");
        assert_eq!(answer(&gateway, good.clone().header(name, "GET")).await.status, 403, "{name} is there twice");
    }
    for (name, value) in [
        ("X-Forwarded-Method", "G E T"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "other.example"),
        ("X-Forwarded-Uri", ""),
        ("X-Forwarded-Uri", "rpc/x"),
        ("X-Forwarded-Uri", "http://app.localhost/rpc/x"),
        ("X-Forwarded-Uri", "/rpc/x#/open/"),
        ("X-Forwarded-Uri", "/open/../rpc/x"),
        ("X-Forwarded-Uri", "/open/%2e%2e/rpc/x"),
        ("X-Forwarded-Uri", "/rpc//x"),
        ("X-Forwarded-Uri", "/rpc/a b"),
        ("X-Forwarded-Uri", "/nothing"),
        ("X-Forwarded-Uri", "/api/x"),
    ] {
        let answer = answer(&gateway, good.clone().without(name).header(name, value)).await;
        assert!(matches!(answer.status, 403), "{name}: {value}: {answer:?}");
        assert_eq!(answer.header("authorization"), None);
    }
    // The gateway's own addresses, whatever route stands around them.
    let around = |target: &str| question(&gateway, "GET", target).without("X-Forwarded-Host");
    for (target, status) in
        [("/x", 200), ("/bff/user", 403), ("/bff/auth", 403), ("/admin/", 403), ("/oauth/token", 403)]
    {
        let request = around(target).header("X-Forwarded-Host", "console.localhost");
        assert_eq!(answer(&gateway, request).await.status, status, "{target}");
    }
    // What reaches the gateway itself on such a route goes nowhere.
    let direct = gateway.request("GET", "/rpc/x").header("X-CSRF", "1").header("Cookie", &cookie);
    assert_eq!(answer(&gateway, direct).await.status, 404);
}

#[tokio::test]
async fn s01_answers_are_never_yes_where_the_call_itself_would_be_refused() {
    let gateway = gateway(TRUSTING).await;
    let cookie = cookie_of(&gateway, "alice").await;
    let signed_in = |method: &str, target: &str| question(&gateway, method, target).header("Cookie", &cookie);
    let page = |request: Request| request.header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "document");
    let link = |request: Request, from: &str| page(request).header("Sec-Fetch-Site", from);
    let handshake = |request: Request, origin: &str| {
        let request = request.header("Connection", "Upgrade").header("Upgrade", "websocket");
        let request = request.header("Sec-WebSocket-Version", "13").header("Origin", origin);
        request.header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    let preflight = question(&gateway, "OPTIONS", "/rpc/x").header("Origin", "https://evil.example");
    let cases = [
        ("nobody", question(&gateway, "GET", "/rpc/x").header("X-CSRF", "1"), 401),
        ("nobody's navigation", link(question(&gateway, "GET", "/wiki/x"), "none"), 401),
        ("nobody's navigation from elsewhere", link(question(&gateway, "GET", "/wiki/x"), "cross-site"), 401),
        ("a link from a sibling", link(signed_in("GET", "/wiki/x"), "same-site"), 403),
        ("a touched cookie", question(&gateway, "GET", "/rpc/x").header("Cookie", &format!("{cookie}A")), 401),
        ("no header against forgery", signed_in("GET", "/rpc/x"), 403),
        ("another site's form", signed_in("POST", "/rpc/x").header("Origin", "https://evil.example"), 403),
        ("a method in a header", signed_in("POST", "/rpc/x").header("X-HTTP-Method-Override", "GET"), 403),
        ("a preflight", preflight.header("Access-Control-Request-Method", "PUT"), 401),
        ("a stranger's WebSocket", handshake(signed_in("GET", "/rpc/x"), "https://evil.example"), 403),
        ("another group's", signed_in("GET", "/chiefs/x").header("X-CSRF", "1"), 403),
    ];
    for (name, request, status) in cases {
        let answer = answer(&gateway, request).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert_eq!(answer.header("authorization"), None, "{name}");
    }
    // The person reads where to sign in, and comes back to the page.
    let told = answer(&gateway, link(question(&gateway, "GET", "/wiki/x"), "none")).await;
    assert!(told.text().replace("&#x2f;", "/").contains("/bff/login?return_to=%2Fwiki%2Fx"), "{}", told.text());
    // Signed out: at once.
    let mut browser = gateway.signed_in("bob").await;
    let bobs = browser.session_cookie().expect("a session");
    let ask = question(&gateway, "GET", "/rpc/x").header("X-CSRF", "1");
    let ask = ask.header("Cookie", &format!("{}={}", bobs.name, bobs.value));
    assert_eq!(answer(&gateway, ask.clone()).await.status, 200);
    browser.sign_out(&gateway.app("")).await;
    assert_eq!(answer(&gateway, ask).await.status, 401);
}

#[tokio::test]
async fn s01_envoy_tells_of_a_request_by_itself_and_no_header_of_the_callers_counts() {
    let gateway = gateway(TRUSTING).await;
    let cookie = cookie_of(&gateway, "alice").await;
    let ask = |method: &str, target: &str| {
        let request = gateway.request(method, &format!("/bff/auth{target}")).header("X-Forward-Auth-Secret", SECRET);
        request.header("X-Forwarded-Proto", "http").header("Cookie", &cookie).header("X-CSRF", "1")
    };
    let rpc = answer(&gateway, ask("POST", "/rpc/x?y=1").header("Origin", &gateway.app(""))).await.expect(200);
    assert_eq!(rpc.header("x-auth-request-user"), Some("alice"));
    for target in ["/chiefs/x", "/chiefs/auth", "/api/x", "/open/../rpc/x", "/bff/auth", "//rpc/x"] {
        let told = ask("GET", target).header("X-Forwarded-Uri", "/open/x").header("X-Forwarded-Method", "GET");
        assert_eq!(answer(&gateway, told).await.status, 403, "{target}");
    }
    let foreign = ask("POST", "/rpc/x").header("Origin", "https://evil.example");
    assert_eq!(answer(&gateway, foreign.header("X-Forwarded-Method", "GET")).await.status, 403);
}

/// The page's `server` block, as an operator would fill it in.
fn as_documented(port: u16, gateway: &Gateway) -> String {
    let block = PAGE.split("```nginx\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    block
        .replace("listen 8443;", &format!("listen 127.0.0.1:{port};"))
        .replace("app.example.com", "app.localhost")
        .replace("cloakroom.internal", &format!("127.0.0.1:{}", gateway.port()))
        .replace("http://application.internal", &gateway.upstream.origin())
}

#[tokio::test]
async fn s21_the_documented_nginx_asks_and_hands_neither_cookie_nor_forged_identity_on() {
    let gateway = gateway(TRUSTING).await;
    let port = free_port();
    let secret = format!("proxy_set_header X-Forward-Auth-Secret \"{SECRET}\";");
    let _nginx = Nginx::serving(port, &as_documented(port, &gateway), &[("forward-auth-secret.conf", &secret)]).await;
    let cookie = cookie_of(&gateway, "alice").await;
    let send = async |request: Request| request.send(port).await.expect("an answer");
    let page = |target: &str| {
        let request = gateway.request("GET", target).header("Sec-Fetch-Site", "none");
        request.header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "document")
    };
    let forged = page("/wiki/x?y=1").header("X-Auth-Request-Groups", "chiefs").header("Authorization", "Bearer forged");
    send(forged.header("Cookie", &format!("{cookie}; theme=dark"))).await.expect(200);
    let call = gateway.upstream.last();
    assert_eq!(call.target, "/wiki/x?y=1");
    assert_eq!(call.headers.get("x-auth-request-user"), Some("alice"));
    assert_eq!(call.headers.all("x-auth-request-groups"), ["everyone"]);
    assert!(
        call.headers
            .get("authorization")
            .is_some_and(|token| token.starts_with("Bearer ") && !token.contains("forged"))
    );
    assert_eq!((call.headers.get("cookie"), call.headers.get("x-forward-auth-secret")), (None, None));
    // Nobody: the forged words go nowhere, and a person is led to sign in.
    let before = gateway.upstream.calls().len();
    let led = send(page("/wiki/x").header("X-Auth-Request-User", "root")).await.expect(303);
    assert!(led.header("location").is_some_and(|to| to.ends_with("/bff/login?return_to=/wiki/x")), "{led:?}");
    let open = send(gateway.request("GET", "/open/x").header("X-Auth-Request-User", "root")).await.expect(200);
    assert!(!open.text().contains("root"), "{}", open.text());
    // A script of the page asks for itself, by every way there is.
    for target in ["/bff/auth", "/bff/auth/wiki/x", "/forward-auth"] {
        let script = gateway.request("GET", target).header("Cookie", &cookie).header("X-CSRF", "1");
        let script = script.header("X-Forwarded-Uri", "/wiki/x").header("X-Forwarded-Method", "GET");
        let answer = send(script.header("X-Forward-Auth-Secret", SECRET)).await;
        assert!(answer.status == 404 && answer.header("authorization").is_none(), "{target}: {answer:?}");
    }
    assert_eq!(gateway.upstream.calls().len(), before + 1, "the open page alone");
}
