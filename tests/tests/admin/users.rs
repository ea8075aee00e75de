//! People: found, told, taken out as a file, forgotten.

use super::{get, post, session_of};
use cloakroom_tests::{Browser, Gateway, Provider, Setup, eventually};
use serde_json::{Value, json};

const USERS: &str = "/admin/api/v1/users";
const EVENTS: &str = "/admin/api/v1/audit/events";

async fn list(gateway: &Gateway, browser: &Browser, query: &str) -> Vec<Value> {
    let page = get(gateway, browser, &format!("{USERS}?{query}")).await.expect(200).json();
    page["items"].as_array().expect("items").clone()
}

fn subs(users: &[Value]) -> Vec<&str> {
    users.iter().map(|user| user["sub"].as_str().expect("a sub")).collect()
}

/// The path of a person.
async fn path_of(gateway: &Gateway, browser: &Browser, sub: &str) -> String {
    let found = list(gateway, browser, &format!("state=all&sub={sub}")).await;
    format!("{USERS}/{}", found[0]["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a01_people_are_found_with_what_is_kept_of_them_and_of_nobody_else() {
    let gateway = Gateway::start().await;
    let mut phone = gateway.signed_in("alice").await;
    let laptop = gateway.signed_in("alice").await;
    gateway.signed_in("bob").await;
    phone.sign_out(&gateway.app("")).await;
    let operator = gateway.administrator("oscar").await;
    assert_eq!(subs(&list(&gateway, &operator, "").await), ["oscar", "bob", "alice"]);
    assert_eq!(subs(&list(&gateway, &operator, "q=ALI").await), ["alice"]);
    assert_eq!(list(&gateway, &operator, "q=nobody&state=all").await, Vec::<Value>::new());
    let first = get(&gateway, &operator, &format!("{USERS}?limit=2")).await.expect(200).json();
    let next = first["next"].as_str().expect("a next page");
    assert_eq!(subs(&list(&gateway, &operator, &format!("limit=2&cursor={next}")).await), ["alice"]);
    get(&gateway, &operator, &format!("{USERS}?state=all&cursor={next}")).await.expect(400).problem();
    get(&gateway, &operator, &format!("{USERS}?state=dead")).await.expect(400).problem();

    let alice = path_of(&gateway, &operator, "alice").await;
    let whom = json!({ "user": { "issuer": gateway.issuer(), "sub": "alice" }, "reason": "lost" });
    post(&gateway, &operator, "/admin/api/v1/locks", &whom).await.expect(200);
    let told = get(&gateway, &operator, &alice).await.expect(200).json();
    assert_eq!((&told["sub"], &told["live_sessions"], &told["locked"]), (&json!("alice"), &json!(1), &json!(true)));
    let states: Vec<_> = told["sessions"].as_array().unwrap().iter().map(|session| session["state"].clone()).collect();
    assert_eq!(states, [json!("live"), json!("signed_out")], "{told}");
    assert_eq!((&told["devices"][0]["sessions"], &told["devices"][0]["live_sessions"]), (&json!(2), &json!(1)));
    assert_eq!((&told["locks"][0]["reason"], &told["events"][0]["kind"]), (&json!("lost"), &json!("lock.set")));
    assert!(!told.to_string().contains("bob"), "{told}");
    for secret in gateway.secrets(&[&laptop, &operator]).await {
        assert!(!told.to_string().contains(&secret), "a secret is told");
    }
    for odd in [alice.to_uppercase().replace("/ADMIN/API/V1/USERS", USERS), format!("{USERS}/x"), format!("{alice}0")] {
        get(&gateway, &operator, &odd).await.expect(404).problem();
    }
}

#[tokio::test]
async fn a01_people_of_another_tenant_are_not_there() {
    let gateway = Setup::default().app("tenant = \"acme\"").section("tenant_claim = \"department\"").start().await;
    for (sub, org) in [("ann", "acme"), ("gus", "globex")] {
        Provider::shared().user(sub, json!({ "roles": ["owner"], "department": org })).await;
    }
    gateway.signed_in("alice").await;
    let (acme, globex) = (gateway.administrator("ann").await, gateway.administrator("gus").await);
    assert_eq!(subs(&list(&gateway, &acme, "state=all").await), ["alice"]);
    assert_eq!(list(&gateway, &globex, "state=all").await, Vec::<Value>::new());
    let alice = path_of(&gateway, &acme, "alice").await;
    get(&gateway, &globex, &alice).await.expect(404).problem();
    post(&gateway, &globex, &format!("{alice}/exports"), &json!({})).await.expect(404).problem();
    let asked = json!({ "reason": "asked for", "confirm_sub": "alice" });
    post(&gateway, &globex, &format!("{alice}/erase"), &asked).await.expect(404).problem();
    // One key seals a person for every tenant: whoever sees one tenant only does not destroy it.
    let problem = post(&gateway, &acme, &format!("{alice}/erase"), &asked).await.expect(403).problem();
    assert_eq!(problem["type"], "urn:cloakroom:problem:not-permitted");
    assert_eq!(subs(&list(&gateway, &acme, "").await), ["alice"]);
}

#[tokio::test]
async fn a01_a_persons_file_tells_all_that_is_kept_once_and_names_nobody_else() {
    let gateway = Gateway::start().await;
    gateway.signed_in("bob").await;
    let mut oscar = gateway.administrator("oscar").await;
    let id = session_of(&gateway, &oscar, "bob").await;
    super::revoke(&gateway, &oscar, &id).await;
    oscar.sign_out(&gateway.console("")).await;
    let operator = gateway.administrator("olivia").await;
    let path = path_of(&gateway, &operator, "oscar").await;
    let ticket = post(&gateway, &operator, &format!("{path}/exports"), &json!({})).await.expect(200).json();
    let ticket = ticket["path"].as_str().unwrap();
    get(&gateway, &gateway.administrator("olivia").await, ticket).await.expect(404);
    let file = operator.fetch("GET", &gateway.console(ticket)).element("document").send().await.expect(200);
    assert!(file.header("content-disposition").unwrap().starts_with("attachment"));
    let told = file.json();
    assert_eq!((&told["sub"], &told["issuer"]), (&json!("oscar"), &json!(gateway.issuer())), "{told}");
    let (sessions, acts) = (told["sessions"].as_array().unwrap(), told["acts"].as_array().unwrap());
    assert!(sessions.len() == 1 && sessions[0]["claims"].as_array().unwrap().len() > 3, "{told}");
    let kinds: Vec<_> = told["events"].as_array().unwrap().iter().map(|event| event["kind"].clone()).collect();
    assert!(kinds.contains(&json!("session.started")) && kinds.contains(&json!("session.ended")), "{kinds:?}");
    assert!(acts.len() == 1 && acts[0]["kind"] == "session.revoked", "{told}");
    assert!(!told.to_string().to_lowercase().contains("bob"), "{told}");
    get(&gateway, &operator, ticket).await.expect(404).problem();
    let log = get(&gateway, &operator, &format!("{EVENTS}?kind=user.exported")).await.expect(200).json();
    assert_eq!(
        (&log["items"][0]["actor"]["sub"], &log["items"][0]["subject"]["sub"]),
        (&json!("olivia"), &json!("oscar"))
    );
}

#[tokio::test]
async fn a10_an_erased_person_is_nowhere_and_the_chain_still_verifies() {
    let gateway = Gateway::start().await;
    Provider::shared().user("zelda", json!({ "name": "Zelda Zimmer", "email": "zelda@example.com" })).await;
    let mut phone = gateway.signed_in("zelda").await;
    let laptop = gateway.signed_in("zelda").await;
    phone.sign_out(&gateway.app("")).await;
    let carol = gateway.administrator("carol").await;
    let asked = json!({ "user": { "issuer": gateway.issuer(), "sub": "zelda" } });
    let preview = json!({ "filter": asked });
    let preview = post(&gateway, &carol, "/admin/api/v1/revocations/preview", &preview).await.expect(200).json();
    let decided = json!({ "token": preview["token"], "reason": "first" });
    post(&gateway, &carol, "/admin/api/v1/revocations", &decided).await.expect(200);
    let again = gateway.signed_in("zelda").await;
    let path = path_of(&gateway, &carol, "zelda").await;
    let erase = format!("{path}/erase");
    for bad in [json!({ "reason": "", "confirm_sub": "zelda" }), json!({ "reason": "x", "confirm_sub": "bob" })] {
        post(&gateway, &carol, &erase, &bad).await.expect(400).problem();
    }
    again.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);

    let asked = json!({ "reason": "asked for, ticket 4711", "confirm_sub": "zelda" });
    let done = post(&gateway, &carol, &erase, &asked).await.expect(200).json();
    assert_eq!((&done["sessions_ended"], &done["locks_kept"]), (&json!(1), &json!(0)), "{done}");
    for browser in [&laptop, &again] {
        browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
    }
    eventually("their providers were told, and the rest is gone", async || {
        list(&gateway, &carol, "state=all&sub=zelda").await.is_empty().then_some(())
    })
    .await;
    get(&gateway, &carol, &path).await.expect(404).problem();
    let seen = gateway.seen().await;
    let granted = seen.granted("authorization_code");
    let revoked = seen.revoked();
    let of_zelda = granted.iter().filter(|grant| grant["sub"] == "zelda" || grant["sub"].is_null());
    assert!(of_zelda.clone().count() > 0);
    for list in ["sessions?state=all&q=zelda", "revocations", "audit/events", "locks?state=all"] {
        let told = get(&gateway, &carol, &format!("/admin/api/v1/{list}")).await.expect(200).text();
        assert!(!told.to_lowercase().contains("zelda"), "{list}: {told}");
    }
    assert!(!revoked.is_empty(), "the provider was told of the end");
    let events = get(&gateway, &carol, &format!("{EVENTS}?kind=user.erased")).await.expect(200).json();
    let erased = &events["items"][0];
    assert_eq!((&erased["subject_erased"], &erased["actor"]["sub"]), (&json!(true), &json!("carol")), "{erased}");
    let verified = post(&gateway, &carol, "/admin/api/v1/audit/verify", &json!({})).await.expect(200).json();
    assert_eq!(verified["verification"]["state"], "whole", "{verified}");

    // Who comes back is somebody new: what was sealed before stays closed.
    gateway.signed_in("zelda").await;
    let path = path_of(&gateway, &carol, "zelda").await;
    let told = get(&gateway, &carol, &path).await.expect(200).json();
    let named: Vec<_> =
        told["events"].as_array().unwrap().iter().map(|event| event["subject_erased"].clone()).collect();
    assert!(named[0] == false && named[1..].iter().all(|erased| *erased == true) && named.len() > 3, "{named:?}");
}

#[tokio::test]
async fn a10_what_a_lock_goes_on_to_name_can_be_erased_later() {
    let gateway = Gateway::start().await;
    Provider::shared().user("yann", json!({ "name": "Yann Yver" })).await;
    gateway.signed_in("yann").await;
    let carol = gateway.administrator("carol").await;
    let path = path_of(&gateway, &carol, "yann").await;
    let whom = json!({ "user": { "issuer": gateway.issuer(), "sub": "yann" }, "reason": "lost" });
    let lock = post(&gateway, &carol, "/admin/api/v1/locks", &whom).await.expect(200).json();
    assert_eq!(list(&gateway, &carol, "sub=yann").await[0]["locked"], true);
    let asked = json!({ "reason": "ticket 4711", "confirm_sub": "yann" });
    let erase = async || post(&gateway, &carol, &format!("{path}/erase"), &asked).await;
    assert_eq!(erase().await.expect(200).json()["locks_kept"], 1);
    eventually("no session is kept", async || {
        list(&gateway, &carol, "state=all&sub=yann").await.is_empty().then_some(())
    })
    .await;
    let lift = format!("/admin/api/v1/locks/{}/lift", lock["id"].as_str().unwrap());
    post(&gateway, &carol, &lift, &json!({ "reason": "gone" })).await.expect(200);
    assert_eq!(erase().await.expect(200).json()["locks_kept"], 0);
    let locks = get(&gateway, &carol, "/admin/api/v1/locks?state=all").await.expect(200).text();
    assert!(!locks.contains("yann"), "{locks}");
    erase().await.expect(404).problem();
}

#[tokio::test]
async fn a05_no_owner_erases_themselves() {
    let gateway = Gateway::start().await;
    let carol = gateway.administrator("carol").await;
    let own = path_of(&gateway, &carol, "carol").await;
    let asked = json!({ "reason": "x", "confirm_sub": "carol" });
    let problem = post(&gateway, &carol, &format!("{own}/erase"), &asked).await.expect(400).problem();
    assert!(problem["detail"].as_str().unwrap().contains("is you"), "{problem}");
    get(&gateway, &carol, "/admin/api/v1/me").await.expect(200);
}
