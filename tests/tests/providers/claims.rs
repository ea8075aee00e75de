//! Claims under other names, from the ID token and from userinfo.

use cloakroom_tests::adversary::{Adversary, Bend, Draft, Moment, sign_in, sign_in_at};
use cloakroom_tests::{Browser, Setup};
use serde_json::{Value, json};

const ROUTE: &str = r#"
[[routes]]
site = "app"
path = "/editors/"
upstream = "api"
token = "user"
policy = { roles = ["editor"], groups = ["news"] }
"#;

fn nested(draft: Draft, _: &Moment) -> Draft {
    let draft = draft.set("realm_access", json!({ "roles": ["editor"] })).set("roles", json!(["owner"]));
    draft.set("https://x.example/y.z", json!(["news"])).set("org.id", "acme").set("unit", "the provider's own")
}

fn demoted(draft: Draft, _: &Moment) -> Draft {
    draft.set("realm_access", json!({ "roles": [] })).set("https://x.example/y.z", json!(["news"]))
}

async fn claims(browser: &Browser, user: &str) -> Value {
    browser.fetch("GET", user).send().await.expect(200).json()["claims"].clone()
}

#[tokio::test]
async fn claims_are_where_policies_and_apps_look_for_them() {
    let adversary = Adversary::start().await;
    let map =
        "{ roles = \"realm_access.roles\", groups = \"https://x.example/y.z\", org = [\"org.id\"], unit = \"gone\" }";
    let gateway = Setup::default().issuer(&adversary.issuer).provider(&format!("claims = {map}")).section(ROUTE);
    let gateway = gateway.start().await;
    adversary.bend(&[Bend::IdToken(nested)]);
    let browser = sign_in(&gateway, "").await.browser;
    let said = claims(&browser, &gateway.app("/bff/user")).await;
    assert_eq!((&said["roles"], &said["groups"], &said["org"]), (&json!(["editor"]), &json!(["news"]), &json!("acme")));
    assert_eq!(said.get("unit"), None, "a mapped claim says what its source says: {said}");
    browser.fetch("GET", &gateway.app("/editors/x")).csrf().send().await.expect(200);
}

#[tokio::test]
async fn u21_group_that_is_gone_at_the_provider_is_gone_under_its_other_name() {
    let adversary = Adversary::start().await;
    let map = "claims = { roles = \"realm_access.roles\", groups = \"https://x.example/y.z\" }";
    let gateway = Setup::default().issuer(&adversary.issuer).provider(map).section(ROUTE).start().await;
    adversary.bend(&[Bend::IdToken(nested), Bend::Token(|answer, _| answer["expires_in"] = 0.into())]);
    let browser = sign_in(&gateway, "").await.browser;
    adversary.bend(&[Bend::RefreshedIdToken(demoted)]);
    browser.fetch("GET", &gateway.app("/api/x")).csrf().send().await.expect(200);
    assert_eq!(claims(&browser, &gateway.app("/bff/user")).await["roles"], json!([]));
    browser.fetch("GET", &gateway.app("/editors/x")).csrf().send().await.expect(403);
}

#[tokio::test]
async fn s13_no_provider_says_by_a_mapping_who_somebody_is() {
    let adversary = Adversary::start().await;
    // Userinfo joins in, and says what only the sign-in may say.
    let setup = Setup::default().issuer(&adversary.issuer).registration("userinfo = true");
    let gateway = setup.provider("claims = { groups = \"team.names\" }").start().await;
    adversary.bend(&[Bend::Userinfo(|claims, _| {
        claims["team"] = json!({ "names": ["news"] });
        claims["acr"] = "highest".into();
        claims["sid"] = "another".into();
    })]);
    let browser = sign_in(&gateway, "").await.browser;
    let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    assert_eq!((&user["sub"], &user["claims"]["groups"]), (&json!("alice"), &json!(["news"])));
    assert_eq!((&user["session"]["acr"], user["claims"].get("acr")), (&Value::Null, None), "{user}");
    // The file cannot have it otherwise.
    for name in ["sub", "iss", "sid", "acr", "amr", "auth_time", "azp"] {
        let mut bad = Setup::default().issuer(&adversary.issuer);
        bad = bad.provider(&format!("claims = {{ {name} = \"email\" }}"));
        let checked = bad.prepare().await.run(&["check"]);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.code(), Some(78), "{said}");
        assert!(said.contains(&format!("providers.main.claims.{name} is set by the sign-in itself")), "{said}");
    }
}

#[tokio::test]
async fn roles_of_the_console_stand_in_a_claim_that_is_named_by_a_url() {
    let adversary = Adversary::start().await;
    let mut gateway = Setup::default().issuer(&adversary.issuer).prepare().await;
    gateway.environment("CLOAKROOM__ADMIN__ROLE_CLAIM", "https://x.example/y.z");
    gateway.environment("CLOAKROOM__ADMIN__ROLES__VIEWER", "[\"news\"]");
    gateway.launch().await;
    adversary.bend(&[Bend::IdToken(nested)]);
    let outcome = sign_in_at(Browser::new(), &gateway.console("/bff/login?return_to=/admin/")).await;
    let sessions = gateway.console("/admin/api/v1/sessions");
    outcome.browser.fetch("GET", &sessions).csrf().send().await.expect(200);
    adversary.bend(&[Bend::IdToken(demoted_elsewhere)]);
    let outcome = sign_in_at(Browser::new(), &gateway.console("/bff/login?return_to=/admin/")).await;
    outcome.browser.fetch("GET", &sessions).csrf().send().await.expect(403);
}

/// The parts of the URL as a path lead nowhere.
fn demoted_elsewhere(draft: Draft, _: &Moment) -> Draft {
    draft.set("https://x.example/y", json!({ "z": ["news"] }))
}
