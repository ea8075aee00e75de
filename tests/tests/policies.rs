//! What routes ask of their callers.

mod explain;
mod identity;
mod machines;
mod tokens;

use cloakroom_tests::{Browser, Gateway, Provider, Setup};
use serde_json::{Value, json};

/// A user of the shared provider whom no other test has, by the claims given beside the usual ones.
async fn user(name: &str, claims: Value) -> String {
    let name = format!("{name}-{}", std::process::id());
    let mut all = json!({ "name": name, "email": "a@example.com", "email_verified": true });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    Provider::shared().user(&name, all).await;
    name
}

fn route(path: &str, lines: &str) -> String {
    format!("[[routes]]\nsite = \"app\"\nupstream = \"api\"\npath = \"{path}\"\n{lines}\n")
}

async fn status(gateway: &Gateway, browser: &Browser, path: &str) -> u16 {
    browser.fetch("GET", &gateway.app(path)).send().await.status
}

#[tokio::test]
async fn s16_policies_compare_whole_values_and_name_what_is_missing() {
    let setup = [
        "[policies.staff]\ngroups = [\"staff\", \"it\"]\n".to_owned(),
        route("/staff/", "policy = \"staff\""),
        route("/roles/", "policy = { roles = [\"editor\"] }"),
        route("/dept/", "policy = { claims = [{ claim = \"department\", equals = \"it\" }] }"),
        route("/scope/", "policy = { scopes = [\"notes:write\"] }"),
        route("/mail/", "policy = { mail_domains = [\"example.com\"] }"),
        route("/either/", "policy = { any = [{ groups = [\"none\"] }, { scopes = [\"email\"] }] }"),
        route("/net/", "policy = { networks = [\"192.0.2.0/24\"] }"),
        route("/lan/", "access = \"anonymous\"\npolicy = { networks = [\"127.0.0.0/8\"] }"),
        route("/wan/", "access = \"anonymous\"\npolicy = { networks = [\"192.0.2.0/24\"] }"),
        route("/issuer/", "policy = { providers = [\"main\"], tenant = \"default\" }"),
    ];
    let gateway = Setup::default().section(&setup.concat()).start().await;
    let insider = user("insider", json!({ "groups": ["staff"], "roles": ["editor"], "department": "it" })).await;
    let claims = json!({
        "groups": ["staffing", "its"],
        "roles": "editors",
        "department": ["it"],
        "email": "a@example.com.evil.test",
    });
    let outsider = user("outsider", claims).await;
    let insider = gateway.signed_in(&insider).await;
    let outsider = gateway.signed_in(&outsider).await;
    for (path, inside, outside, word) in [
        ("/staff/x", 200, 403, "group"),
        ("/roles/x", 200, 403, "role"),
        ("/dept/x", 200, 403, "claim"),
        ("/scope/x", 403, 403, "scope"),
        ("/mail/x", 200, 403, "mail"),
        ("/either/x", 200, 200, ""),
        ("/net/x", 403, 403, "network"),
        ("/lan/x", 200, 200, ""),
        ("/wan/x", 403, 403, "network"),
        ("/issuer/x", 200, 200, ""),
    ] {
        assert_eq!(status(&gateway, &insider, path).await, inside, "{path} insider");
        let answer = outsider.fetch("GET", &gateway.app(path)).send().await;
        assert_eq!(answer.status, outside, "{path} outsider");
        if outside == 403 {
            let problem = answer.problem();
            assert_eq!(problem["type"], "urn:cloakroom:problem:not-permitted", "{problem}");
            assert_eq!(problem["needs"][0]["kind"], word, "{problem}");
        }
    }
    assert!(gateway.upstream.calls().iter().all(|call| !call.target.starts_with("/scope")), "a refused call went up");
    let problem = outsider.fetch("GET", &gateway.app("/staff/x")).send().await.problem();
    assert_eq!(problem["needs"][0]["any_of"], json!(["staff", "it"]), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("one of the groups staff, it"), "{problem}");
    // Networks are nobody's business.
    let problem = outsider.fetch("GET", &gateway.app("/wan/x")).send().await.problem();
    assert!(!problem.to_string().contains("192.0.2"), "{problem}");
    assert_eq!(status(&gateway, &Browser::new(), "/staff/x").await, 401, "nobody is asked to sign in first");
}

#[tokio::test]
async fn s16_mail_counts_only_verified_and_by_its_whole_domain() {
    let routes = route("/mail/", "policy = { mail_domains = [\"example.com\"] }");
    let gateway = Setup::default().section(&routes).start().await;
    for (name, claims, expected) in [
        ("verified", json!({}), 200),
        ("upper", json!({ "email": "a@EXAMPLE.com" }), 200),
        ("unverified", json!({ "email_verified": false }), 403),
        ("unsaid", json!({ "email_verified": null }), 403),
        ("below", json!({ "email": "a@sub.example.com" }), 403),
        ("ending", json!({ "email": "a@evilexample.com" }), 403),
        ("two", json!({ "email": "a@example.com@evil.test" }), 403),
        ("quoted", json!({ "email": "\"a@example.com\"@evil.test" }), 403),
        ("list", json!({ "email": "a@evil.test,b@example.com" }), 403),
    ] {
        let browser = gateway.signed_in(&user(name, claims).await).await;
        assert_eq!(status(&gateway, &browser, "/mail/x").await, expected, "{name}");
    }
}

#[tokio::test]
async fn s16_scopes_are_those_of_the_token_answer() {
    let routes = route("/email/", "policy = { scopes = [\"email\"] }");
    // The provider gives what was asked for, and says so; what was not asked for is not there.
    let gateway = Setup::default().section(&routes).start().await;
    let browser = gateway.signed_in("alice").await;
    assert_eq!(status(&gateway, &browser, "/email/x").await, 200);
    let answers = [
        // (fields of the token answer changed, the policy's verdict): missing means as asked for, empty means none.
        (json!({ "scope": null }), 200),
        (json!({ "scope": "" }), 403),
        (json!({ "scope": "openid emails" }), 403),
        (json!({ "scope": "openid email" }), 200),
    ];
    for (change, expected) in answers {
        Provider::shared()
            .fault(gateway.client_id(), json!({ "endpoint": "token", "mode": "change", "set": change, "times": 1 }))
            .await;
        let browser = gateway.signed_in("alice").await;
        assert_eq!(status(&gateway, &browser, "/email/x").await, expected, "{change}");
        Provider::shared().heal(gateway.client_id()).await;
    }
}

#[tokio::test]
async fn p15_better_sign_in_is_challenged_and_reached_by_one_round_trip() {
    let routes = [
        route("/gold/", "policy = { acr = [\"gold\"], max_age_secs = 3600 }"),
        route("/vault/", "kind = \"page\"\npolicy = { acr = [\"gold\"] }"),
        route("/never/", "kind = \"page\"\npolicy = { acr = [\"gold\"], groups = [\"none\"] }"),
    ];
    let gateway = Setup::default().section(&routes.concat()).start().await;
    let mut browser = gateway.signed_in("alice").await;
    // A script is told what is missing (RFC 9470), and where to get it.
    let answer = browser.fetch("GET", &gateway.app("/gold/x")).send().await.expect(401);
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer error=\"insufficient_user_authentication\""), "{challenge}");
    assert!(challenge.contains("acr_values=\"gold\""), "{challenge}");
    let problem = answer.problem();
    assert_eq!(problem["type"], "urn:cloakroom:problem:step-up-needed", "{problem}");
    let step_up = problem["step_up_url"].as_str().unwrap();
    assert!(step_up.starts_with("/bff/login?acr_values=gold&"), "{step_up}");
    // Where signing in would not help, it is not offered.
    browser.navigate(&gateway.app("/never/x")).await;
    assert_eq!(browser.page().status, 403, "{:?}", browser.page());
    // A person is led there once; whoever comes back without it sees why.
    let mut tab = browser.new_tab();
    tab.hold_at("/auth");
    tab.navigate(&gateway.app("/vault/door?x=1")).await;
    let asked = tab.held().url().to_string();
    assert!(asked.contains("acr_values=gold"), "{asked}");
    let page = tab.navigate(&gateway.app("/vault/door?x=1")).await;
    assert_eq!((page.status, page.path()), (401, "/vault/door?x=1"), "{page:?}");
    // The whole trip.
    tab.click_link("Confirm that it is you").await;
    tab.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!((tab.page().status, tab.page().path()), (200, "/vault/door?x=1"), "{:?}", tab.page());
    assert_eq!(gateway.upstream.last().target, "/vault/door?x=1");
    tab.fetch("GET", &gateway.app("/gold/x")).send().await.expect(200);
}

#[tokio::test]
async fn p15_first_sign_in_asks_at_once_for_what_the_page_needs() {
    let routes = route("/vault/", "kind = \"page\"\npolicy = { acr = [\"gold\"], max_age_secs = 600 }");
    let gateway = Setup::default().section(&routes).start().await;
    let mut browser = Browser::new();
    browser.navigate(&gateway.app("/vault/door")).await;
    browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!((browser.page().status, browser.page().path()), (200, "/vault/door"), "{:?}", browser.page());
    let seen = gateway.seen().await;
    assert_eq!(seen.authorize().len(), 1, "one trip is enough");
    assert_eq!((&seen.authorize()[0]["acr_values"], &seen.authorize()[0]["max_age"]), (&json!("gold"), &json!("600")));
}
