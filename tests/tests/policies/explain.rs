//! `cloakroom explain` and the admin API's: what becomes of a call, told by the rules that decide it.

use super::route;
use cloakroom_tests::{Browser, Gateway, Setup};
use serde_json::{Value, json};
use std::fs;

async fn gateway() -> Gateway {
    let setup = [
        route("/staff/", "policy = { groups = [\"staff\"], max_age_secs = 3600 }"),
        route("/gold/", "policy = { acr = [\"gold\"] }"),
        route("/scope/", "policy = { scopes = [\"notes\"] }"),
        route("/net/", "access = \"anonymous\"\npolicy = { networks = [\"10.0.0.0/8\"] }"),
        route("/read/", "methods = [\"GET\"]"),
    ];
    Setup::default().section(&setup.concat()).start().await
}

fn told(gateway: &Gateway, arguments: &[&str]) -> Value {
    let arguments = [&["explain", "--json"], arguments].concat();
    let output = gateway.run(&arguments);
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.success(), told["allowed"] == true, "{told}");
    told
}

#[tokio::test]
async fn p15_explain_says_what_calls_then_meet() {
    let gateway = gateway().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = gateway.folder().join("claims.json");
    let claims_of = |claims_json: Value| fs::write(&claims, claims_json.to_string()).expect("a file");
    let file = claims.to_str().unwrap();
    claims_of(json!({ "groups": ["everyone"], "auth_time": now, "scope": "openid profile email" }));
    let alice = gateway.signed_in("alice").await;
    let nobody = Browser::new();
    for (method, path, caller, help) in [
        ("GET", "/staff/x", "session", "groups staff"),
        ("GET", "/staff/x", "anonymous", "/bff/login"),
        ("GET", "/gold/x", "session", "/bff/login"),
        ("GET", "/scope/x", "session", "scope notes"),
        ("GET", "/net/x", "anonymous", "network"),
        ("GET", "/api/x", "session", "X-CSRF"),
        ("GET", "/read/x", "session", "X-CSRF"),
        ("DELETE", "/read/x", "session", "GET"),
        ("GET", "/public/x", "anonymous", ""),
        ("GET", "/public//x", "anonymous", "normal form"),
    ] {
        let url = gateway.app(path);
        let arguments: &[&str] = match caller {
            "session" => &[method, &url, "--claims", file],
            _ => &[method, &url],
        };
        let told = told(&gateway, arguments);
        let browser = if caller == "session" { &alice } else { &nobody };
        let real = browser.fetch(method, &url).csrf().send().await;
        assert_eq!(told["status"], real.status, "{method} {path} by {caller}: {told}");
        assert!(told["helps"].to_string().contains(help), "{method} {path}: {told}");
    }
    let staff = told(&gateway, &["GET", &gateway.app("/staff/x"), "--claims", file]);
    assert_eq!((&staff["route"], &staff["to"], &staff["token"]), (&json!("app/staff/"), &json!("api"), &json!("none")));
    let holds: Vec<_> = staff["tests"].as_array().unwrap().iter().map(|test| test["holds"].clone()).collect();
    assert_eq!(holds, [false, true], "{staff}");
    claims_of(json!({ "groups": ["staff"], "auth_time": now }));
    assert_eq!(told(&gateway, &["GET", &gateway.app("/staff/x"), "--claims", file])["allowed"], true);
    let net = told(&gateway, &["GET", &gateway.app("/net/x"), "--address", "10.1.2.3"]);
    assert_eq!(net["allowed"], true, "{net}");
    let words = gateway.run(&["explain", "GET", &gateway.app("/staff/x")]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.starts_with("refused with 401: ") && words.contains("  route   app/staff/\n"), "{words}");
}

#[tokio::test]
async fn p15_admin_api_explains_to_viewers_and_to_nobody_else() {
    let gateway = gateway().await;
    let viewer = gateway.administrator("vera").await;
    let url = gateway.console("/admin/api/v1/explain");
    let ask = |body: Value| viewer.fetch("POST", &url).csrf().body("application/json", body.to_string()).send();
    let told = ask(json!({ "method": "GET", "url": gateway.app("/staff/x"), "caller": "session", "claims": {} })).await;
    let told = told.expect(200).json();
    assert_eq!((&told["allowed"], &told["status"]), (&json!(false), &json!(403)), "{told}");
    assert!(gateway.upstream.calls().is_empty(), "nobody is called");
    let routes = viewer.fetch("GET", &gateway.console("/admin/api/v1/routes")).csrf().send().await.expect(200).json();
    let staff = routes["items"].as_array().unwrap().iter().find(|route| route["path"] == "/staff/").unwrap();
    assert_eq!((&staff["anonymous"], &staff["callers"]), (&json!(false), &json!(["session"])), "{staff}");
    assert!(!staff["asks"].as_array().unwrap().is_empty(), "what its policy asks is told: {staff}");
    for bad in [
        json!({}),
        json!({ "method": "GET", "url": "/staff/x" }),
        json!({ "method": "GET", "url": gateway.app("/"), "caller": "robot" }),
        json!({ "method": "GET", "url": gateway.app("/"), "address": "office" }),
        json!({ "method": "G T", "url": gateway.app("/") }),
    ] {
        ask(bad).await.expect(400).problem();
    }
}
