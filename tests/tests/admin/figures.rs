//! Figures by the minute.

use super::{get, revoke, session_of};
use cloakroom_tests::{Browser, Gateway, Provider, Setup, eventually};
use serde_json::{Value, json};

const FIGURES: &str = "/admin/api/v1/figures";

async fn read(gateway: &Gateway, browser: &Browser, query: &str) -> Value {
    get(gateway, browser, &format!("{FIGURES}?{query}")).await.expect(200).json()
}

fn sum(figures: &Value, name: &str) -> u64 {
    figures[name].as_array().expect("numbers").iter().map(|n| n.as_u64().expect("a number")).sum()
}

/// Logins, refused logins, refreshes, revocations.
fn sums(figures: &Value) -> [u64; 4] {
    ["logins", "login_failures", "refreshes", "revocations"].map(|name| sum(figures, name))
}

#[tokio::test]
async fn a01_figures_tell_what_happened_and_nothing_of_another_tenant() {
    let setup = Setup::default().app("tenant = \"acme\"").section("tenant_claim = \"department\"");
    let mut gateway = setup.access_ttl_secs(2).start().await;
    for (sub, org) in [("ann", "acme"), ("gus", "globex")] {
        Provider::shared().user(sub, json!({ "roles": ["owner"], "department": org })).await;
    }
    let alice = gateway.signed_in("alice").await;
    gateway.signed_in("bob").await;
    let (acme, globex) = (gateway.administrator("ann").await, gateway.administrator("gus").await);
    let carol = gateway.administrator("carol").await;
    let id = session_of(&gateway, &acme, "bob").await;
    revoke(&gateway, &acme, &id).await;
    let all = eventually("what happened is told, a refresh among it", async || {
        alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
        let all = read(&gateway, &acme, "").await;
        (sum(&all, "refreshes") > 0).then_some(all)
    })
    .await;
    assert_eq!((sum(&all, "logins"), sum(&all, "revocations"), &all["live_sessions"]), (2, 1, &json!(1)), "{all}");
    assert_eq!((all["logins"].as_array().unwrap().len(), &all["step_secs"]), (60, &json!(60)));
    assert_eq!(sums(&read(&gateway, &globex, "").await), [0, 0, 0, 0]);
    // Whoever sees every tenant sees the console's logins too.
    assert_eq!(sum(&read(&gateway, &carol, "").await, "logins"), 5);
    assert_eq!(sum(&read(&gateway, &carol, "client=app").await, "logins"), 2);
    for (query, steps, secs) in [("range=24h", 96, 900), ("range=7d&client=app&provider=main", 168, 3_600)] {
        let told = read(&gateway, &acme, query).await;
        assert_eq!((told["logins"].as_array().unwrap().len(), &told["step_secs"]), (steps, &json!(secs)), "{query}");
        assert_eq!((sum(&told, "logins"), sum(&told, "revocations")), (2, 1), "{query}: {told}");
    }
    assert_eq!(sums(&read(&gateway, &carol, "provider=nobody").await), [0, 0, 0, 0]);
    for bad in ["range=1y", "client=a&client=b", "tenant=acme"] {
        get(&gateway, &acme, &format!("{FIGURES}?{bad}")).await.expect(400).problem();
    }
    // They are the store's, and not this process's.
    gateway.stop().await;
    gateway.launch().await;
    let after = read(&gateway, &acme, "").await;
    assert_eq!((sum(&after, "logins"), sum(&after, "revocations")), (2, 1), "{after}");
}
