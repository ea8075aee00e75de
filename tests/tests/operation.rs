//! What an operator does with it: check, start, watch, stop.

use cloakroom_tests::wire::answer_framing;
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Script, Setup};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::time::Duration;

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

#[tokio::test]
async fn management_listener_answers_health_and_metrics_and_changes_nothing() {
    let gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    gateway.management("/healthz").await.expect(200);
    gateway.management("/readyz").await.expect(200);
    let metrics = gateway.management("/metrics").await.expect(200);
    let text = metrics.text();
    assert!(text.contains("# TYPE ") && text.contains("cloakroom_"), "{text}");
    for path in ["/", "/bff/user", "/admin/", "/admin/api/v1/sessions", "/api/x", "/healthz/x"] {
        assert_eq!(gateway.management(path).await.status, 404, "{path}");
    }
    // The public listener answers none of it.
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = browser.fetch("GET", &gateway.app(path)).send().await;
        assert!(answer.text().contains("\"path\"") || answer.status != 200, "{path} is public: {answer:?}");
    }
    let healthy = gateway.run(&["healthcheck"]);
    assert!(healthy.status.success(), "{healthy:?}");
}

#[tokio::test]
async fn healthcheck_of_a_stopped_gateway_fails() {
    let mut gateway = Gateway::start().await;
    gateway.stop().await;
    assert!(!gateway.run(&["healthcheck"]).status.success());
}

#[tokio::test]
async fn check_accepts_a_good_file() {
    let gateway = Setup::default().prepare().await;
    let check = gateway.run(&["check"]);
    assert!(check.status.success(), "{check:?}");
}

#[tokio::test]
async fn u24_check_shows_every_mistake_with_its_line_and_what_is_allowed() {
    let gateway = Setup::default().prepare().await;
    let text = fs::read_to_string(gateway.config()).unwrap();
    let mistakes = [
        ("idle_sec = 5", "[clients.app]\n", "idle_secs"),
        ("same_site = \"strickt\"", "[clients.app]\n", "strict"),
        ("drain_seconds = 3", "[server]\n", "drain_secs"),
    ];
    let mut bad = text.clone();
    for (line, after, _) in &mistakes {
        bad = bad.replacen(after, &format!("{after}{line}\n"), 1);
    }
    fs::write(gateway.config(), &bad).unwrap();
    let check = gateway.run(&["check"]);
    let said = said(&check);
    assert!(!check.status.success(), "{said}");
    for (line, _, hint) in mistakes {
        let number = bad.lines().position(|found| found == line).unwrap() + 1;
        assert!(said.contains(&number.to_string()), "line {number} ({line}) is not named:\n{said}");
        assert!(said.contains(hint), "{hint} is not offered for {line}:\n{said}");
    }
}

/// What is wrong, and how the good file becomes so.
const UNSAFE: &[(&str, &str, &str)] = &[
    ("a literal secret", "\"env:TESTS_APP_SECRET\"", "\"a-literal-secret-of-mine\""),
    ("an unset variable", "env:TESTS_APP_SECRET", "env:TESTS_NOT_SET"),
    ("a missing file", "file:console.secret", "file:nowhere.secret"),
    ("a missing root key", "file:root.key", "file:nowhere.key"),
    ("two sites of one host", "http://console.localhost:", "http://app.localhost:"),
    ("an unknown client", "client = \"app\"", "client = \"nobody\""),
    ("an unknown upstream", "upstream = \"api\"", "upstream = \"nowhere\""),
    ("an unknown registration", "\"main.web\"", "\"main.nothing\""),
    ("a route over /bff", "path = \"/api/\"", "path = \"/bff/api/\""),
    ("a route over /admin", "path = \"/api/\"", "path = \"/admin/\""),
    ("an issuer in clear text", "idp.localhost", "idp.example.com"),
    ("broken TOML", "[store]", "[store"),
    ("no store", "url = \"sqlite:cloakroom.db\"", ""),
];

#[tokio::test]
async fn check_refuses_what_would_be_unsafe() {
    let gateway = Setup::default().prepare().await;
    let good = fs::read_to_string(gateway.config()).unwrap();
    for (what, from, to) in UNSAFE {
        assert!(good.contains(from), "{what}");
        fs::write(gateway.config(), good.replace(from, to)).unwrap();
        let check = gateway.run(&["check"]);
        let said = said(&check);
        assert!(!check.status.success(), "{what} is accepted: {said}");
        assert!(said.len() > 20, "{what}: {said}");
        assert!(!said.contains("panicked"), "{what}: {said}");
        assert!(!said.contains("a-literal-secret-of-mine"), "{what}: the secret is echoed: {said}");
    }
}

#[tokio::test]
async fn environment_overrides_the_file() {
    let mut gateway = Setup::default().prepare().await;
    gateway.environment("CLOAKROOM__CLIENTS__APP__NAME", "Named by the environment");
    gateway.environment("CLOAKROOM__LOG__FILTER", "info");
    gateway.launch().await;
    gateway.environment("CLOAKROOM__CLIENTS__APP__IDLE_SECS", "not a number");
    let check = gateway.run(&["check"]);
    let said = said(&check);
    assert!(!check.status.success() && said.to_uppercase().contains("IDLE_SECS"), "{said}");
}

#[tokio::test]
async fn f05_sigterm_lets_running_calls_finish() {
    let mut gateway = Gateway::start().await;
    let browser = gateway.signed_in("alice").await;
    let pieces = (0..8).map(|number| format!("piece {number}\n")).collect();
    gateway.upstream.script("/api/slow", Script::Drip { content_type: "text/plain".into(), pieces, pause_ms: 200 });
    let cookie = browser.session_cookie().unwrap().value;
    let request = gateway
        .request("GET", "/api/slow")
        .header("X-CSRF", "1")
        .header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
    let mut conn = gateway.connect().await;
    conn.write(request.bytes()).await.unwrap();
    let (status, headers) = conn.status().await.unwrap();
    assert_eq!(status, 200);
    gateway.signal("TERM");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let body = conn.body(answer_framing("GET", status, &headers)).await.expect("the call was cut");
    assert!(String::from_utf8(body).unwrap().ends_with("piece 7\n"));
    assert!(gateway.ended().await.success());
    assert!(!gateway.log().contains("panicked"));
}

#[tokio::test]
async fn f05_sigterm_of_an_idle_gateway_ends_it_at_once() {
    let mut gateway = Gateway::start().await;
    let idle = gateway.connect().await;
    let began = tokio::time::Instant::now();
    assert!(gateway.stop().await.success());
    assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());
    drop(idle);
}

#[tokio::test]
async fn f06_bad_file_stops_the_start_with_its_reason() {
    let gateway = Setup::default().prepare().await;
    let text = fs::read_to_string(gateway.config()).unwrap();
    fs::write(gateway.config(), text.replace("file:root.key", "file:nowhere.key")).unwrap();
    let serve = gateway.run(&["serve"]);
    let said = said(&serve);
    assert!(!serve.status.success() && said.contains("nowhere.key"), "{said}");
}

#[tokio::test]
async fn store_is_served_by_one_process_only() {
    let gateway = Gateway::start().await;
    let mut second = gateway.twin();
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Some(status) = second.try_wait().unwrap() {
                break status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let status = ended.await;
    drop(second.kill());
    assert!(!status.expect("a second gateway serves the same store").success());
}

#[tokio::test]
async fn store_is_readable_by_its_owner_only() {
    let gateway = Gateway::start().await;
    let mode = fs::metadata(gateway.folder().join("cloakroom.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[tokio::test]
async fn v02_wrong_root_key_opens_nothing() {
    let mut gateway = Gateway::start().await;
    gateway.signed_in("alice").await;
    gateway.stop().await;
    fs::write(gateway.folder().join("root.key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    let serve = gateway.run(&["serve"]);
    assert!(!serve.status.success(), "it serves with another root key");
}

#[tokio::test]
async fn openapi_document_is_printed_and_served() {
    let gateway = Gateway::start().await;
    let output = std::process::Command::new(cloakroom_tests::gateway::binary()).arg("openapi").output().unwrap();
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"), "{}", printed["openapi"]);
    let viewer = gateway.administrator("vera").await;
    let served = viewer.fetch("GET", &gateway.console("/admin/api/v1/openapi.json")).csrf().send().await.expect(200);
    assert_eq!(served.json()["paths"], printed["paths"]);
}

#[tokio::test]
async fn errors_are_problems_for_programs_and_pages_for_people() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::new();
    let problem = browser.fetch("GET", &gateway.app("/bff/nowhere")).send().await.expect(404).problem();
    assert_eq!(problem["status"], 404);
    let page = browser.navigate(&gateway.app("/bff/nowhere")).await;
    assert_eq!(page.status, 404);
    assert!(page.headers.get("content-type").unwrap().starts_with("text/html"), "{page:?}");
    assert!(page.body.contains("<html lang="), "{page:?}");
    let text = String::from_utf8_lossy(
        &cloakroom_tests::wire::raw(gateway.port(), b"GET / HTTP/1.1\r\nHost: nowhere\r\n\r\n").await,
    )
    .into_owned();
    assert!(text.starts_with("HTTP/1.1 421"), "{text}");
}

#[tokio::test]
async fn s15_refusals_of_the_admin_api_are_problems_with_every_header() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let cases = [
        ("GET", "/admin/api/v1/nowhere", 404),
        ("POST", "/admin/api/v1/nowhere", 404),
        ("POST", "/admin/api/v1/me", 405),
        ("DELETE", "/admin/api/v1/sessions", 405),
        ("GET", "/admin/api/v2/sessions", 404),
    ];
    for (method, path, status) in cases {
        let answer = owner.fetch(method, &gateway.console(path)).csrf().send().await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        answer.problem();
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{method} {path}: {answer:?}");
        assert!(answer.header("cache-control").unwrap_or_default().contains("no-store"), "{method} {path}: {answer:?}");
    }
}
