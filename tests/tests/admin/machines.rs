//! Service accounts: machines at the admin API.

use super::door::operations;
use super::{get, post, session_of};
use cloakroom_tests::wire::{Answer, Request};
use cloakroom_tests::{Browser, Gateway, Provider, Setup};
use serde_json::{Value, json};

const ACCOUNTS: &str = "/admin/api/v1/service-accounts";
const SESSIONS: &str = "/admin/api/v1/sessions";

/// A new account: its id and its token.
async fn made(gateway: &Gateway, owner: &Browser, scopes: &[&str]) -> (String, String) {
    let asked = json!({ "name": "shipper", "scopes": scopes });
    let made = post(gateway, owner, ACCOUNTS, &asked).await.expect(200).json();
    (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
}

/// A call of a machine.
async fn call(gateway: &Gateway, host: &str, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let mut request = Request::new(method, host, path).header("Authorization", &format!("Bearer {token}"));
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    request.send(gateway.port()).await.unwrap()
}

fn console(gateway: &Gateway) -> String {
    format!("console.localhost:{}", gateway.port())
}

async fn read(gateway: &Gateway, token: &str, path: &str) -> Answer {
    call(gateway, &console(gateway), token, "GET", path, None).await
}

#[tokio::test]
async fn a11_every_operation_by_machines_of_few_and_of_all_scopes() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let reading = ["sessions.read", "audit.read", "settings.read"];
    let writing = ["sessions.revoke", "sessions.revoke_mass", "users.export", "users.erase"];
    let (_, reader) = made(&gateway, &owner, &reading).await;
    let (_, writer) = made(&gateway, &owner, &[&reading[..], &writing].concat()).await;
    let unknown = "018f3e5a-7c00-7000-8000-000000000000";
    for operation in operations(&gateway, &owner).await {
        // A stream of events has no end.
        if operation.path.ends_with("/tail") {
            continue;
        }
        let (path, body) = (operation.about(unknown), operation.body.as_ref());
        let by = async |token: &str, host: &str| call(&gateway, host, token, &operation.method, &path, body).await;
        let answer = by(&reader, &console(&gateway)).await;
        if operation.role == 0 {
            assert!(!matches!(answer.status, 401 | 403 | 405 | 500..), "{operation:?}: {answer:?}");
        } else {
            assert_eq!(answer.status, 403, "{operation:?}: {answer:?}");
            assert!(answer.header("www-authenticate").unwrap_or_default().contains("insufficient_scope"), "{answer:?}");
        }
        let answer = by(&writer, &console(&gateway)).await;
        if operation.writes() && path.starts_with(ACCOUNTS) {
            assert_eq!(answer.status, 403, "machines manage no machines: {operation:?}: {answer:?}");
        } else {
            assert!(!matches!(answer.status, 401 | 403 | 405 | 500..), "{operation:?}: {answer:?}");
        }
        // Elsewhere there is no such address, whoever asks.
        assert_eq!(by(&writer, &gateway.host()).await.status, 404, "{operation:?}");
    }
    // A machine is told apart from an app's token, and opens nothing but the admin API.
    for path in ["/api/x", "/bff/user"] {
        let answer = call(&gateway, &gateway.host(), &writer, "GET", path, None).await;
        assert!(matches!(answer.status, 401 | 403), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a06_a_machines_token_is_shown_once_replaced_and_taken_back() {
    let gateway = Gateway::start().await;
    gateway.signed_in("alice").await;
    let owner = gateway.administrator("olivia").await;
    let (id, first) = made(&gateway, &owner, &["sessions.read", "sessions.revoke"]).await;
    assert!(first.starts_with("crs_sa_"), "scanners find it by its prefix");
    read(&gateway, &first, SESSIONS).await.expect(200);
    let secret = &first["crs_sa_".len()..];
    let list = get(&gateway, &owner, ACCOUNTS).await.expect(200);
    let listed = &list.json()["items"][0];
    assert_eq!(
        (&listed["id"], &listed["active"], &listed["created_by"]),
        (&json!(id), &json!(true), &json!("Olivia Example"))
    );
    assert!(listed["used_at"].is_string() && !list.text().contains(secret), "{listed}");

    let rotate = async |secs: u32| {
        let path = format!("{ACCOUNTS}/{id}/rotate");
        let made = post(&gateway, &owner, &path, &json!({ "overlap_secs": secs })).await.expect(200).json();
        made["token"].as_str().unwrap().to_owned()
    };
    let second = rotate(60).await;
    for token in [&first, &second] {
        read(&gateway, token, SESSIONS).await.expect(200);
    }
    let third = rotate(0).await;
    for token in [&first, &second] {
        let refused = read(&gateway, token, SESSIONS).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        assert!(refused.header("www-authenticate").unwrap_or_default().contains("invalid_token"), "{refused:?}");
    }
    // What it does stands in the log under its name.
    let session = session_of(&gateway, &owner, "alice").await;
    let (path, body) = (format!("{SESSIONS}/{session}/revoke"), json!({ "reason": "by night" }));
    call(&gateway, &console(&gateway), &third, "POST", &path, Some(&body)).await.expect(200);
    let query = format!("/admin/api/v1/audit/events?actor_issuer=service-account&actor={id}");
    let acts = get(&gateway, &owner, &query).await.expect(200).json();
    assert_eq!(
        (&acts["items"][0]["kind"], &acts["items"][0]["actor"]["name"]),
        (&json!("session.revoked"), &json!("shipper"))
    );

    let disable = format!("{ACCOUNTS}/{id}/disable");
    post(&gateway, &owner, &disable, &json!({ "reason": "" })).await.expect(400).problem();
    let disabled = post(&gateway, &owner, &disable, &json!({ "reason": "it leaked" })).await.expect(200).json();
    assert_eq!(
        (&disabled["active"], &disabled["disabled_by"]),
        (&json!(false), &json!("Olivia Example")),
        "{disabled}"
    );
    assert_eq!(read(&gateway, &third, SESSIONS).await.status, 401);
    post(&gateway, &owner, &format!("{ACCOUNTS}/{id}/rotate"), &json!({})).await.expect(400).problem();
    let kinds = "service_account.created,service_account.rotated,service_account.disabled";
    let log = get(&gateway, &owner, &format!("/admin/api/v1/audit/events?kind={kinds}")).await.expect(200);
    assert_eq!(log.json()["count"]["n"], 4, "{}", log.text());

    nowhere(&gateway, &log.text(), &[&first, &second, &third]);
}

/// No token stands in what is told, in the log file or in the store.
fn nowhere(gateway: &Gateway, told: &str, tokens: &[&str]) {
    let bytes = gateway.store_bytes();
    for token in tokens {
        let text = &token["crs_sa_".len()..];
        assert!(!told.contains(text) && !gateway.log().contains(text), "a token is told");
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "a token is kept");
    }
}

#[tokio::test]
async fn a11_machines_are_made_with_a_name_scopes_that_people_give_and_a_time_to_come() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    for bad in [
        json!({ "name": "", "scopes": ["audit.read"] }),
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "x", "scopes": ["everything"] }),
        json!({ "name": "x", "scopes": ["accounts.manage"] }),
        json!({ "name": "x", "scopes": ["audit.read"], "tenant": "nowhere" }),
        json!({ "name": "x", "scopes": ["audit.read"], "expires_at": "2020-01-01T00:00:00Z" }),
    ] {
        post(&gateway, &owner, ACCOUNTS, &bad).await.expect(400).problem();
    }
    assert_eq!(get(&gateway, &owner, ACCOUNTS).await.expect(200).json()["count"]["n"], 0);
}

#[tokio::test]
async fn v01_rights_of_a_machine_that_were_written_into_the_database_do_not_count() {
    let mut gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let (_, token) = made(&gateway, &owner, &["audit.read"]).await;
    assert_eq!(read(&gateway, &token, SESSIONS).await.status, 403);
    read(&gateway, &token, "/admin/api/v1/audit/events").await.expect(200);
    gateway.stop().await;
    assert_eq!(
        gateway.database().await.execute("UPDATE service_accounts SET scopes = 'audit.read sessions.read'").await,
        1
    );
    gateway.launch().await;
    for path in [SESSIONS, "/admin/api/v1/audit/events"] {
        assert_eq!(read(&gateway, &token, path).await.status, 401, "{path}");
    }
    assert!(gateway.log().contains("was altered in the store"));
}

#[tokio::test]
async fn a01_machines_of_a_tenant_see_no_other_and_are_made_within_it() {
    let gateway = Setup::default().app("tenant = \"acme\"").section("tenant_claim = \"department\"").start().await;
    for (sub, org) in [("ann", "acme"), ("gus", "globex")] {
        Provider::shared().user(sub, json!({ "roles": ["owner"], "department": org })).await;
    }
    gateway.signed_in("alice").await;
    let (acme, globex) = (gateway.administrator("ann").await, gateway.administrator("gus").await);
    let (id, own) = made(&gateway, &acme, &["sessions.read"]).await;
    let (_, foreign) = made(&gateway, &globex, &["sessions.read"]).await;
    let told = read(&gateway, &own, SESSIONS).await.expect(200).json();
    assert_eq!((&told["count"]["n"], &told["items"][0]["sub"]), (&json!(1), &json!("alice")), "{told}");
    assert_eq!(read(&gateway, &foreign, SESSIONS).await.expect(200).json()["count"]["n"], 0);
    let wide = json!({ "name": "x", "scopes": ["sessions.read"], "tenant": "acme" });
    post(&gateway, &globex, ACCOUNTS, &wide).await.expect(400).problem();
    assert_eq!(get(&gateway, &globex, ACCOUNTS).await.expect(200).json()["count"]["n"], 1);
    for act in ["rotate", "disable"] {
        let path = format!("{ACCOUNTS}/{id}/{act}");
        let body = if act == "rotate" { json!({}) } else { json!({ "reason": "x" }) };
        post(&gateway, &globex, &path, &body).await.expect(404).problem();
    }
    read(&gateway, &own, SESSIONS).await.expect(200);
}

#[tokio::test]
async fn a05_no_machine_locks_every_administrator_out() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let (_, token) = made(&gateway, &owner, &["sessions.revoke", "sessions.revoke_mass"]).await;
    for whom in ["provider", "client"] {
        let name = if whom == "provider" { "main" } else { "console" };
        let asked = json!({ whom: name, "reason": "x" });
        let answer = call(&gateway, &console(&gateway), &token, "POST", "/admin/api/v1/locks", Some(&asked)).await;
        let problem = answer.expect(400).problem();
        assert!(problem["detail"].as_str().unwrap().contains("administrator"), "{problem}");
    }
    get(&gateway, &owner, "/admin/api/v1/me").await.expect(200);
}
