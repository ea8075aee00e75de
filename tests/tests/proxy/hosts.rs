//! Where a call goes: the site by Host, the upstream by the route, and by nothing else.

use cloakroom_tests::wire::raw;
use cloakroom_tests::{Gateway, SESSION_COOKIE, Setup, Upstream};

#[tokio::test]
async fn p10_call_cannot_be_steered_to_another_host() {
    let gateway = Gateway::start().await;
    let other = Upstream::start().await;
    let cookie = format!("{SESSION_COOKIE}={}", gateway.signed_in("alice").await.session_cookie().unwrap().value);
    let (host, evil) = (gateway.host(), other.origin().trim_start_matches("http://").to_owned());
    let targets = [
        format!("http://{evil}/api/x"),
        format!("http://{host}@{evil}/api/x"),
        format!("http://{evil}/api/x#@{host}"),
        format!("/api/@{evil}/x"),
        format!("/api//{evil}/x"),
        format!("//{evil}/api/x"),
        format!("@{evil}/api/x"),
        format!("/api/x?url=http://{evil}"),
        format!("/api\\@{evil}/x"),
        format!(":80@{evil}/api/x"),
    ];
    for target in targets {
        let mut request = gateway.request("GET", &target).header("X-CSRF", "1").header("Cookie", &cookie);
        request = request.header("X-Forwarded-Host", &evil).header("X-Original-URL", &format!("http://{evil}/"));
        let bytes = raw(gateway.port(), &request.bytes()).await;
        assert!(other.calls().is_empty(), "{target}: {}", String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test]
async fn s02_host_gives_the_site_and_nothing_else_does() {
    let gateway = Gateway::start().await;
    let port = gateway.port();
    let answer = async |lines: &str| {
        let head = format!("GET /bff/user HTTP/1.1\r\n{lines}\r\n\r\n");
        String::from_utf8_lossy(&raw(port, head.as_bytes()).await).into_owned()
    };
    for (lines, status) in [
        (format!("Host: app.localhost:{port}"), 401),
        (format!("Host: APP.LocalHost:{port}"), 401),
        (format!("Host: app.localhost.:{port}"), 401),
        ("Host: nowhere.localhost".to_owned(), 421),
        ("Host: 127.0.0.1".to_owned(), 421),
        (format!("Host: x.app.localhost:{port}"), 421),
        (format!("Host: nowhere.localhost\r\nX-Forwarded-Host: app.localhost:{port}"), 421),
        (format!("Host: app.localhost:{port}\r\nHost: console.localhost:{port}"), 400),
        (format!("Host: app.localhost:{port}\r\nHost: app.localhost:{port}"), 400),
        ("X-No-Host: 1".to_owned(), 400),
        ("Host: app.localhost:99999".to_owned(), 400),
        ("Host: app.localhost/x".to_owned(), 400),
        ("Host: user@app.localhost".to_owned(), 400),
    ] {
        let text = answer(&lines).await;
        let bad_host = status == 400 && lines.starts_with("Host") && text.starts_with("HTTP/1.1 421");
        assert!(bad_host || text.starts_with(&format!("HTTP/1.1 {status} ")), "{lines:?}: {text}");
    }
}

#[tokio::test]
async fn s17_routes_never_shadow_the_gateways_own_paths() {
    // The route of `/` takes whatever anybody asks for.
    for base in ["/bff", "/auth/door"] {
        let mut gateway = Setup::default().prepare().await;
        gateway.environment("CLOAKROOM__SITES__APP__BASE_PATH", base);
        gateway.launch().await;
        let own = [
            &format!("{base}/nowhere"),
            base,
            &format!("{base}/"),
            "/admin",
            "/admin/",
            "/admin/api/v1/sessions",
            "/oauth",
            "/oauth/token",
            "/session/v1/nowhere",
            "/.well-known/openid-configuration",
            "/.well-known/nowhere",
        ];
        for path in own {
            let answer = gateway.request("GET", path).send(gateway.port()).await.expect("an answer");
            assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        }
        assert!(gateway.upstream.calls().is_empty(), "{:?}", gateway.upstream.calls());
        gateway.request("GET", "/anything").send(gateway.port()).await.unwrap().expect(200);
    }
}

/// A token leaves this machine over TLS, or where the operator says that the network encrypts by itself.
#[tokio::test]
async fn p12_no_token_travels_over_plain_http_beyond_this_machine() {
    let machine = "[[routes]]\nsite = \"app\"\npath = \"/jobs/\"\nupstream = \"api\"\naccess = \"anonymous\"\n\
                   [routes.token]\nmode = \"client_credentials\"\nregistration = \"main.web\"\n";
    for (section, whose) in [("", "users' access tokens"), (machine, "the gateway's access tokens")] {
        let mut gateway = Setup::default().section(section).prepare().await;
        for (url, taken) in [
            ("http://127.0.0.1:4000", true),
            ("http://[::1]:4000", true),
            ("http://api.localhost:4000", true),
            ("https://api.example.com", true),
            ("http://api.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1:4000", false),
            ("http://0.0.0.0:4000", false),
            ("http://[::ffff:10.0.0.1]", false),
        ] {
            gateway.environment("CLOAKROOM__UPSTREAMS__API__URL", url);
            for command in [&["check"], &["serve"]].into_iter().take(if taken { 1 } else { 2 }) {
                let output = gateway.run(command);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.success(), taken, "{command:?} {url}: {said}");
                let named = said.contains(whose) && said.contains("allow_plain_http");
                assert!(taken || named, "{command:?} {url}: {said}");
            }
            gateway.environment("CLOAKROOM__UPSTREAMS__API__ALLOW_PLAIN_HTTP", "true");
            assert!(gateway.run(&["check"]).status.success(), "{url} where the network encrypts");
            gateway.environment("CLOAKROOM__UPSTREAMS__API__ALLOW_PLAIN_HTTP", "false");
        }
    }
}
