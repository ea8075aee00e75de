//! What is configured, as the API tells it: never a secret, and nothing of another tenant.

use super::get;
use cloakroom_tests::{Gateway, Provider, Setup};
use serde_json::{Value, json};

const API: &str = "/admin/api/v1";

fn ids(page: &Value, name: &str) -> Vec<String> {
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| item[name].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a06_what_is_configured_is_told_without_its_secrets() {
    let gateway = Gateway::start().await;
    let alice = gateway.signed_in("alice").await;
    let viewer = gateway.administrator("vera").await;
    let read = async |path: &str| get(&gateway, &viewer, &format!("{API}{path}")).await.expect(200).json();
    let clients = read("/clients").await;
    assert_eq!(ids(&clients, "id"), ["app", "console"], "{clients}");
    let app = read("/clients/app").await;
    assert_eq!((&app["source"], &app["live_sessions"]), (&json!("file"), &json!(1)), "{app}");
    assert_eq!(app["origins"], json!([gateway.app("").trim_end_matches('/')]), "{app}");
    assert_eq!(app["base_path"], "/bff", "{app}");
    get(&gateway, &viewer, &format!("{API}/clients/nobody")).await.expect(404).problem();
    let upstreams = read("/upstreams").await;
    assert!(upstreams["items"][0]["routes"].as_u64().unwrap() >= 1, "{upstreams}");
    let providers = read("/providers").await;
    let main = &providers["items"][0];
    assert_eq!((&main["issuer"], &main["live_sessions"]), (&json!(gateway.issuer()), &json!(2)), "{main}");
    assert!(main["discovered_at"].is_string() && main.get("last_error").is_none(), "{main}");
    let keys = read("/keys").await;
    assert_eq!((keys["items"][0]["active"].clone(), keys["count"]["n"].clone()), (json!(true), json!(1)), "{keys}");
    let nodes = read("/nodes").await;
    assert_eq!(nodes["items"][0]["store_ready"], true, "{nodes}");
    let configuration = read("/configuration").await;
    assert!(configuration["text"].as_str().unwrap().contains("[clients.app]"), "{configuration}");

    let told = [clients, app, upstreams, providers, keys, nodes, configuration].map(|page| page.to_string());
    let told = told.concat();
    let mut secrets = gateway.secrets(&[&alice, &viewer]).await;
    secrets.push(gateway.client_secret().to_owned());
    for secret in secrets {
        assert!(!told.contains(&secret), "a secret is told: {}…", &secret[..8.min(secret.len())]);
    }
}

#[tokio::test]
async fn a01_what_is_configured_stops_at_the_tenants_fence() {
    let gateway = Setup::default().app("tenant = \"acme\"").section("tenant_claim = \"department\"").start().await;
    for (sub, org) in [("ann", "acme"), ("gus", "globex")] {
        Provider::shared().user(sub, json!({ "roles": ["owner"], "department": org })).await;
    }
    let (acme, globex) = (gateway.administrator("ann").await, gateway.administrator("gus").await);
    for (browser, clients, some) in [(&acme, 1, true), (&globex, 0, false)] {
        let found = get(&gateway, browser, &format!("{API}/clients")).await.expect(200).json();
        assert_eq!(found["count"]["n"], clients, "{found}");
        for list in ["upstreams", "providers"] {
            let found = get(&gateway, browser, &format!("{API}/{list}")).await.expect(200).json();
            assert_eq!(found["count"]["n"].as_u64().unwrap() > 0, some, "{list}: {found}");
        }
        for whole in ["keys", "nodes", "configuration"] {
            let problem = get(&gateway, browser, &format!("{API}/{whole}")).await.expect(403).problem();
            assert_eq!(problem["type"], "urn:cloakroom:problem:not-permitted", "{whole}");
        }
    }
    get(&gateway, &globex, &format!("{API}/clients/app")).await.expect(404).problem();
}
