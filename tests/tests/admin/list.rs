//! The list of sessions: pages, filters, and what it shows.

use super::{SESSIONS, get};
use cloakroom_tests::{Gateway, SESSION_COOKIE};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn s13_list_is_walked_by_its_cursor_without_gaps_or_repeats() {
    let gateway = Gateway::start().await;
    let mut expected = BTreeSet::new();
    for user in ["alice", "bob", "carol", "alice", "bob", "vera", "oscar"] {
        let browser = gateway.signed_in(user).await;
        let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
        expected.insert(user["session"]["id"].as_str().unwrap().to_owned());
    }
    let viewer = gateway.administrator("vera").await;
    let mut seen = Vec::new();
    let mut path = format!("{SESSIONS}?limit=2");
    for _ in 0..20 {
        let page = get(&gateway, &viewer, &path).await.expect(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2, "{page}");
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        // Somebody signs in meanwhile: the walk does not stumble.
        if seen.len() == 4 {
            gateway.signed_in("carol").await;
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!(
            "{SESSIONS}?limit=2&cursor={}",
            url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>()
        );
    }
    let unique: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(unique.len(), seen.len(), "repeated: {seen:?}");
    assert!(unique.is_superset(&expected), "missing: {:?}", expected.difference(&unique));
}

#[tokio::test]
async fn s13_forged_and_foreign_cursors_and_filters_are_a_400() {
    let gateway = Gateway::start().await;
    for _ in 0..3 {
        gateway.signed_in("alice").await;
    }
    let viewer = gateway.administrator("vera").await;
    let page = get(&gateway, &viewer, &format!("{SESSIONS}?limit=1")).await.expect(200).json();
    let cursor = page["next"].as_str().expect("a next page").to_owned();
    let cookie = viewer.cookie("console.localhost", SESSION_COOKIE).unwrap().value;
    let flipped = format!("{}{}", if cursor.starts_with('A') { "B" } else { "A" }, &cursor[1..]);
    for query in [
        "cursor=x".to_owned(),
        format!("cursor={flipped}"),
        format!("cursor={}", &cursor[..cursor.len() / 2]),
        format!("cursor={cursor}AAAA"),
        format!("cursor={cookie}"),
        "cursor=%00".to_owned(),
        format!("cursor={cursor}&cursor={cursor}"),
        "limit=-1".to_owned(),
        "limit=x".to_owned(),
        "limit=1&limit=2".to_owned(),
    ] {
        let answer = get(&gateway, &viewer, &format!("{SESSIONS}?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        answer.problem();
    }
    // A cursor belongs to the filter it was made for.
    let answer = get(&gateway, &viewer, &format!("{SESSIONS}?cursor={cursor}&sub=bob")).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}

#[tokio::test]
async fn a01_list_can_be_filtered_and_shows_no_secret() {
    let gateway = Gateway::start().await;
    let alice = gateway.signed_in("alice").await;
    gateway.signed_in("bob").await;
    let viewer = gateway.administrator("vera").await;
    let answer = get(&gateway, &viewer, &format!("{SESSIONS}?sub=alice")).await.expect(200);
    assert!(answer.header("cache-control").unwrap_or_default().contains("no-store"), "{answer:?}");
    let list = answer.json();
    let items = list["items"].as_array().unwrap();
    assert!(items.len() == 1 && items[0]["sub"] == "alice" && items[0]["client_id"] == "app", "{list}");
    let one = get(&gateway, &viewer, &format!("{SESSIONS}/{}", items[0]["id"].as_str().unwrap())).await.expect(200);
    let text = format!("{list}{}", one.text());
    for secret in gateway.secrets(&[&alice, &viewer]).await {
        assert!(!text.contains(&secret), "a secret is shown: {}…", &secret[..8]);
    }
    let everyone = get(&gateway, &viewer, SESSIONS).await.expect(200).json();
    assert_eq!(everyone["items"].as_array().unwrap().len(), 3, "{everyone}");
}

#[tokio::test]
async fn a03_hostile_claims_and_user_agents_stay_text() {
    let gateway = Gateway::start().await;
    let name = "<script>alert(1)</script>\u{202e}=cmd()\u{7}";
    cloakroom_tests::Provider::shared().user("mallory", json!({ "name": name, "email": "a\"b<c>@example.com" })).await;
    let browser = gateway.signed_in("mallory").await;
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
    let viewer = gateway.administrator("vera").await;
    let answer = get(&gateway, &viewer, SESSIONS).await.expect(200);
    assert_eq!(answer.header("content-type").map(|kind| kind.split(';').next().unwrap()), Some("application/json"));
    assert!(answer.json()["items"].as_array().unwrap().iter().any(|item| item["sub"] == "mallory"));
    for line in gateway.log().lines() {
        assert!(!line.contains('\u{7}') && !line.contains('\u{202e}'), "a control character in the log: {line:?}");
    }
}
