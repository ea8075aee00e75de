//! What a newcomer gets by one command.

use cloakroom_tests::Browser;
use cloakroom_tests::demo::Demo;
use cloakroom_tests::gateway::free_port;
use serde_json::{Value, json};

fn assert_contract(demo: &Demo, port: u16) {
    assert_eq!(demo.origin("gateway"), format!("http://app.localhost:{port}"));
    assert_eq!(demo.origin("phone"), format!("http://app.localhost:{port}/phone"));
    assert_eq!(demo.origin("console"), format!("http://console.localhost:{port}/admin/"));
    assert!(demo.origin("provider").starts_with("http://idp.localhost:"));
    assert!(demo.origin("upstream").starts_with("http://api.localhost:"));
    assert!(demo.origin("management").starts_with("http://127.0.0.1:"));
    for key in ["gateway", "provider", "upstream", "management"] {
        assert!(!demo.origin(key).ends_with('/'), "{key}");
    }
}

/// The owner finds the user's session in the list and ends it.
async fn owner_ends(demo: &Demo, user: &Value) {
    let console = demo.origin("console").trim_end_matches("/admin/").to_owned();
    let mut owner = Browser::new();
    let (name, password) = demo.user(&["owner"]);
    owner.navigate(&format!("{console}/bff/login?return_to=/admin/")).await;
    owner.submit_form(&[("username", name), ("password", password)]).await;
    let list = owner.fetch("GET", &format!("{console}/admin/api/v1/sessions")).csrf().send().await.expect(200).json();
    let items = list["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["sub"] == user["sub"]).unwrap_or_else(|| panic!("not listed: {list}"));
    assert_eq!(found["id"], user["session"]["id"]);
    let url = format!("{console}/admin/api/v1/sessions/{}/revoke", found["id"].as_str().unwrap());
    let body = json!({ "reason": "the demo's story" }).to_string();
    let answer = owner.fetch("POST", &url).csrf().body("application/json", body).send().await;
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
}

#[tokio::test]
async fn demo_keeps_its_contract_from_the_first_line_to_the_revoked_session() {
    let port = free_port();
    let mut demo = Demo::start(port);
    assert_contract(&demo, port);
    let gateway = demo.origin("gateway").to_owned();

    // The plain user signs in and calls the API.
    let mut app = Browser::new();
    let page = app.navigate(&format!("{gateway}/")).await;
    assert_eq!(page.status, 200, "{page:?}");
    let (name, password) = demo.user(&[]);
    app.sign_in_with(&gateway, name, password, "/").await;
    let echo = app.fetch("GET", &format!("{gateway}/api/echo")).send().await.expect(200).json();
    assert_eq!((&echo["method"], &echo["path"]), (&json!("GET"), &json!("/api/echo")), "{echo}");
    let headers = &echo["headers"];
    assert!(headers["authorization"].as_str().is_some_and(|value| value.starts_with("Bearer ")), "{echo}");
    assert!(headers.get("cookie").is_none(), "{echo}");
    let user = app.fetch("GET", &format!("{gateway}/bff/user")).send().await.expect(200).json();

    owner_ends(&demo, &user).await;
    app.fetch("GET", &format!("{gateway}/api/echo")).send().await.expect(401).problem();

    assert_eq!(demo.stop(), "", "more than one line on stdout");
}

#[tokio::test]
async fn demo_has_a_user_of_each_role() {
    let demo = Demo::start(free_port());
    for roles in [&[] as &[&str], &["viewer"], &["operator"], &["owner"]] {
        demo.user(roles);
    }
}

#[tokio::test]
async fn demo_provider_ends_its_session_on_logout() {
    let demo = Demo::start(free_port());
    let gateway = demo.origin("gateway").to_owned();
    let (name, password) = demo.user(&[]);
    let mut app = Browser::new();
    app.sign_in_with(&gateway, name, password, "/").await;
    let page = app.sign_out(&gateway).await.clone();
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.url.as_str().starts_with(&gateway), "{page:?}");
    app.navigate(&format!("{gateway}/bff/login?return_to=/")).await;
    assert!(app.page().forms().iter().any(|form| form.has("password")), "{:?}", app.page());
}

#[tokio::test]
async fn demo_begins_with_a_made_up_week_where_asked() {
    let mut demo = Demo::start_with(free_port(), &["--seed", "300"]);
    let console = demo.origin("console").trim_end_matches("/admin/").to_owned();
    let mut owner = Browser::new();
    let (name, password) = demo.user(&["owner"]);
    owner.navigate(&format!("{console}/bff/login?return_to=/admin/")).await;
    owner.submit_form(&[("username", name), ("password", password)]).await;
    let get = async |path: &str| {
        let url = format!("{console}/admin/api/v1{path}");
        owner.fetch("GET", &url).csrf().send().await.expect(200).json()
    };
    let all = get("/sessions?state=all").await;
    assert_eq!(all["count"]["n"], 301, "the owner's own beside them");
    let live = get("/sessions").await["count"]["n"].as_u64().unwrap();
    assert!((60..200).contains(&live), "{live}");
    // A seeded session opens like any other, with its history.
    let item = all["items"].as_array().unwrap().iter().find(|item| item["sub"] != "demo-oscar").unwrap().clone();
    let one = get(&format!("/sessions/{}", item["id"].as_str().unwrap())).await;
    assert!(one["claims"].as_array().unwrap().iter().any(|claim| claim["name"] == "email"), "{one}");
    let history = get(&format!("/audit/events?subject={}", item["sub"].as_str().unwrap())).await;
    assert!(history["count"]["n"].as_u64().unwrap() >= 1, "{history}");
    let revoked = get("/audit/events?kind=session.revoked&actor=demo-olga").await;
    assert!(revoked["count"]["n"].as_u64().unwrap() > 3, "{revoked}");
    demo.stop();
}
