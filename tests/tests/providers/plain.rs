//! A provider without ID tokens, in GitHub's shape.

use cloakroom_tests::adversary::{Adversary, Bend, Draft, Moment, sign_in_at};
use cloakroom_tests::plain::Plain;
use cloakroom_tests::{Browser, Gateway, Setup};
use serde_json::{Value, json};

async fn with_plain(more: &str) -> (Gateway, Plain) {
    let plain = Plain::start().await;
    let setup = Setup::default().issuer("http://unused.localhost:1").registrations("\"git.web\"");
    (setup.section(&plain.section(more)).start().await, plain)
}

fn login(gateway: &Gateway, more: &str) -> String {
    gateway.app(&format!("/bff/login?return_to=/pages/home{more}"))
}

async fn user(gateway: &Gateway, browser: &Browser) -> Value {
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json()
}

#[tokio::test]
async fn plain_provider_signs_people_in_by_their_number() {
    let (gateway, plain) = with_plain("callback = \"own\"").await;
    // A token of another protocol changes nothing: it is not looked at.
    plain.extra(json!({ "id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0." }));
    let mut browser = Browser::new();
    browser.navigate(&login(&gateway, "")).await;
    assert_eq!(browser.page().path(), "/pages/home", "{:?}", browser.page());
    let said = user(&gateway, &browser).await;
    assert_eq!(said["sub"], "583231");
    let claims = &said["claims"];
    let got = (&claims["login"], &claims["email"], &claims["email_verified"], &claims["sub"]);
    assert_eq!(got, (&json!("octo"), &json!("octo@example.com"), &json!(true), &json!("583231")));
    assert_eq!(said["session"]["auth_time"], Value::Null);
    let asked = &plain.seen("/login/oauth/authorize")[0].parameters;
    assert_eq!(asked["scope"], "read:user user:email");
    assert_eq!((asked.get("nonce"), asked["code_challenge_method"].as_str()), (None, "S256"));
    assert_eq!(asked["redirect_uri"], gateway.app("/bff/callback/git"));
    browser.fetch("GET", &gateway.app("/api/x")).csrf().send().await.expect(200);
    let sent = gateway.upstream.last().headers.get("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {}", plain.last_token()));
    // There is no logout to lead to: the person reads that the other session lives on.
    let page = browser.sign_out(&gateway.app("")).await;
    assert!(page.path().starts_with("/bff/signed-out") && page.body.contains("may still be signed in"), "{page:?}");
}

#[tokio::test]
async fn s16_only_the_primary_address_and_only_if_verified_is_a_persons() {
    let (gateway, plain) = with_plain("").await;
    for (emails, expected) in [
        (json!([{ "email": "a@example.com", "primary": true, "verified": false }]), Value::Null),
        (json!([{ "email": "a@example.com", "primary": false, "verified": true }]), Value::Null),
        (json!([{ "email": "a@example.com", "primary": "true", "verified": "true" }]), Value::Null),
        (json!([]), Value::Null),
        (json!([{ "email": "a@example.com", "primary": true, "verified": true }]), json!("a@example.com")),
    ] {
        plain.emails(emails.clone());
        let mut browser = Browser::new();
        browser.navigate(&login(&gateway, "")).await;
        let claims = user(&gateway, &browser).await["claims"].clone();
        assert_eq!(claims["email"], expected, "{emails}");
        assert_eq!(claims.get("email_verified").is_some(), expected.is_string(), "{emails}: {claims}");
    }
}

#[tokio::test]
async fn l06_person_without_a_lasting_name_is_nobody() {
    let (gateway, plain) = with_plain("").await;
    for odd in [
        json!({ "login": "octo" }),
        json!({ "id": null }),
        json!({ "id": "" }),
        json!({ "id": 1.5 }),
        json!({ "id": [1] }),
        json!({ "id": { "sub": 1 } }),
        json!({ "id": "x".repeat(256) }),
        json!([{ "id": 1 }]),
    ] {
        plain.user(odd.clone());
        let outcome = sign_in_at(Browser::new(), &login(&gateway, "")).await;
        assert_eq!(outcome.refusal().0, "login-userinfo", "{odd}");
        assert!(outcome.browser.session_cookie().is_none());
    }
    plain.user(json!({ "id": 1 }));
    plain.emails(json!({ "message": "not a list" }));
    assert_eq!(sign_in_at(Browser::new(), &login(&gateway, "")).await.refusal().0, "login-userinfo");
}

#[tokio::test]
async fn l07_code_that_is_refused_with_status_200_starts_nothing() {
    let (gateway, plain) = with_plain("").await;
    let mut browser = Browser::new();
    browser.hold_at("/bff/callback");
    browser.navigate(&login(&gateway, "")).await;
    let held = browser.held();
    plain.forget_codes();
    let page = browser.resume(held, None).await;
    assert!(page.status == 400 && page.body.contains("bad_verification_code"), "{page:?}");
    assert!(browser.session_cookie().is_none());
}

#[tokio::test]
async fn l16_plain_provider_proves_neither_age_nor_strength() {
    let (gateway, _plain) = with_plain("").await;
    for more in ["&max_age=0", "&acr_values=mfa"] {
        let outcome = sign_in_at(Browser::new(), &login(&gateway, more)).await;
        assert_eq!(outcome.refusal().0, "login-not-enough", "{more}");
        assert!(outcome.browser.session_cookie().is_none());
    }
}

fn with_the_number(draft: Draft, _: &Moment) -> Draft {
    draft.set("sub", "583231")
}

#[tokio::test]
async fn s07_number_of_one_provider_is_nobody_at_another() {
    let (plain, adversary) = (Plain::start().await, Adversary::start().await);
    adversary.bend(&[Bend::IdToken(with_the_number)]);
    let setup = Setup::default().issuer(&adversary.issuer).registrations("\"main.web\", \"git.web\"");
    let gateway = setup.section(&plain.section("callback = \"own\"")).start().await;
    let here = sign_in_at(Browser::new(), &login(&gateway, "&provider=main")).await.browser;
    let mut there = Browser::new();
    there.navigate(&login(&gateway, "&provider=git")).await;
    for browser in [&here, &there] {
        assert_eq!(user(&gateway, browser).await["sub"], "583231");
        let list = browser.fetch("GET", &gateway.app("/bff/sessions")).csrf().send().await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    }
}
