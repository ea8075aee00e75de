//! What a registration can ask for beyond the plain login: userinfo, `form_post`, signed client authentication, and a
//! login that somebody else begins.

use super::{gateway_at, together_with};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use cloakroom_tests::adversary::Endpoint::{Authorize, Elsewhere, Keys, Token, Userinfo};
use cloakroom_tests::adversary::Expect::{Refused, SignedIn};
use cloakroom_tests::adversary::{Bend, Case, Draft, Expect, Moment, RSA, Signer, sign_in, sign_in_at};
use cloakroom_tests::{Adversary, Browser, Setup};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn plain(name: &'static str, bend: fn(&mut Value, &Moment), expect: Expect) -> Case {
    Case::new(name, Bend::Userinfo(bend), expect)
}

fn signed(name: &'static str, bend: fn(Draft, &Moment) -> Draft, expect: Expect) -> Case {
    Case::new(name, Bend::SignedUserinfo(bend), expect)
}

const fn because(detail: &'static str) -> Expect {
    Refused("login-userinfo", detail)
}

#[tokio::test]
async fn l06_claims_of_the_userinfo_endpoint() {
    let answer = |name, bend: fn(&mut cloakroom_tests::adversary::Reply), expect| {
        Case::new(name, Bend::Answer(Userinfo, bend), expect)
    };
    let adversary = together_with(
        "userinfo = true",
        vec![
            plain("oidcc-client-test-scope-userinfo-claims", |_, _| {}, SignedIn),
            plain(
                "oidcc-client-test-userinfo-invalid-sub",
                |c, _| c["sub"] = "mallory".into(),
                because("somebody else"),
            ),
            plain("sub in other letters", |c, _| c["sub"] = "Alice".into(), because("somebody else")),
            plain("no sub", |c, _| drop(c.as_object_mut().unwrap().remove("sub")), because("somebody else")),
            plain("sub that is a list", |c, _| c["sub"] = json!(["alice"]), because("somebody else")),
            signed("oidcc-client-test-userinfo-signed", |d, _| d, SignedIn),
            signed("signed with the other key", |d, m| d.signed_with(m, RSA), SignedIn),
            signed("signed by a stranger", |d, _| d.signed_by(Signer::Stranger), because("signature is wrong")),
            signed("signed by nobody", |d, _| d.head("alg", "none").signed_by(Signer::Nobody), because("algorithm")),
            signed("signed for another client", |d, _| d.set("aud", "somebody-else"), because("audience")),
            signed("signed by another issuer", |d, _| d.set("iss", "http://evil.localhost:1"), because("issuer")),
            signed("signed about another person", |d, _| d.set("sub", "mallory"), because("somebody else")),
            answer("a list", |r| r.say(200, "application/json", "[]"), because("neither a JSON object")),
            answer(
                "a member twice",
                |r| r.say(200, "application/json", "{\"sub\":\"x\",\"sub\":\"alice\"}"),
                because("twice"),
            ),
            answer("a page", |r| r.say(200, "text/html", "<h1>hello</h1>"), because("neither a JSON object")),
            answer("401", |r| r.say(401, "application/json", "{}"), because("status 401")),
            answer("302", |r| r.say(302, "application/json", "{}"), because("status 302")),
            answer("500", |r| r.say(500, "text/html", "oops"), Refused("login-provider-unavailable", "status 500")),
        ],
    )
    .await;
    // oidcc-client-test-userinfo-bearer-header: in the header, and never in an address.
    for seen in adversary.seen(Userinfo) {
        assert_eq!(seen.target, "/userinfo");
        assert!(seen.headers.get("authorization").is_some_and(|value| value.starts_with("Bearer access-")));
    }
}

#[tokio::test]
async fn l06_userinfo_adds_claims_and_nothing_else() {
    let adversary = Adversary::start().await;
    let gateway = Setup::default().issuer(&adversary.issuer).registration("userinfo = true").start().await;
    // oidcc-client-test-aggregated-claims, oidcc-client-test-distributed-claims: nobody is asked elsewhere.
    adversary.bend(&[Bend::Userinfo(|claims, moment| {
        claims["name"] = "Mallory".into();
        claims["acr"] = "gold".into();
        claims["nonce"] = "x".into();
        claims["_claim_names"] = json!({ "rank": "a", "wage": "b" });
        claims["_claim_sources"] = json!({
            "a": { "JWT": "e30.e30." },
            "b": { "endpoint": format!("{}/elsewhere/claims", moment.issuer), "access_token": "theirs" },
        });
    })]);
    let outcome = sign_in(&gateway, "").await;
    assert!(outcome.signed_in(), "{:?}", outcome.refusal());
    let user = outcome.browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
    let claims = user["claims"].as_object().unwrap();
    assert_eq!(claims["email"], "alice@example.com");
    assert_eq!(claims["groups"], json!(["everyone"]));
    assert_eq!(claims["name"], "Alice Example", "the ID token's word counts");
    assert_eq!(user["session"]["acr"], Value::Null);
    for name in ["nonce", "_claim_names", "_claim_sources", "acr", "rank"] {
        assert!(!claims.contains_key(name), "{name}: {user}");
    }
    assert!(adversary.seen(Elsewhere).is_empty());
}

#[tokio::test]
async fn l06_userinfo_is_not_asked_unless_it_is_wanted() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    assert!(sign_in(&gateway, "").await.signed_in());
    assert!(adversary.seen(Userinfo).is_empty());
}

#[tokio::test]
async fn l17_answer_in_a_form() {
    let adversary = Adversary::start().await;
    let setup = Setup::default().issuer(&adversary.issuer).registration("response_mode = \"form_post\"");
    let gateway = setup.start().await;
    let mut browser = Browser::new();
    let page = browser.navigate(&gateway.app("/bff/login?return_to=/pages/home%23part")).await.clone();
    assert_eq!((page.path(), page.url.fragment(), page.status), ("/pages/home", Some("part"), 200), "{page:?}");
    assert_eq!(adversary.seen(Authorize)[0].parameter("response_mode"), Some("form_post"));
    let code = adversary.granted("authorization_code")[0].parameter("code").unwrap().to_owned();
    for hop in page.hops.iter().filter(|hop| gateway.owns(&hop.url)) {
        assert!(!hop.url.as_str().contains(&code), "the code lies open in {}", hop.url);
        assert!(!hop.body.contains(&code), "the code lies open in a page");
    }
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
}

#[tokio::test]
async fn l01_l03_l08_answer_in_a_form_is_judged_like_any_other() {
    let adversary = Adversary::start().await;
    let setup = Setup::default().issuer(&adversary.issuer).registration("response_mode = \"form_post\"");
    let gateway = setup.start().await;
    let cases: [(&str, Bend, &str); 5] = [
        // oidcc-client-test-form-post-error
        (
            "error",
            Bend::Redirect(|p, _| {
                p.retain(|(n, _)| n != "code");
                p.push(("error".into(), "<b>no</b>".into()));
            }),
            "&lt;b&gt;no",
        ),
        (
            "state",
            Bend::Redirect(|p, _| p.iter_mut().filter(|(n, _)| n == "state").for_each(|(_, v)| v.push('x'))),
            "another browser",
        ),
        ("no state", Bend::Redirect(|p, _| p.retain(|(n, _)| n != "state")), "another browser"),
        (
            "issuer",
            Bend::Redirect(|p, _| p.iter_mut().filter(|(n, _)| n == "iss").for_each(|(_, v)| v.push('x'))),
            "another identity provider",
        ),
        (
            "a long code",
            Bend::Redirect(|p, _| p.iter_mut().filter(|(n, _)| n == "code").for_each(|(_, v)| *v = "c".repeat(2100))),
            "too long",
        ),
    ];
    for (name, bend, said) in cases {
        adversary.bend(&[bend]);
        let mut browser = Browser::new();
        let page = browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
        assert!(page.status == 400 && page.body.contains(said), "{name}: {page:?}");
        assert!(browser.session_cookie().is_none(), "{name}");
    }
    assert!(adversary.seen(Token).is_empty(), "a code was sent");
    // An answer that was sealed for one browser is nobody's in another.
    adversary.straighten();
    let mut browser = Browser::new();
    browser.hold_at("/bff/callback/finish");
    let hops = browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await.hops.clone();
    let sealed = hops.iter().find(|hop| hop.url.query().is_some_and(|query| query.starts_with("answer="))).unwrap();
    let mut thief = Browser::new();
    let page = thief.navigate(sealed.url.as_str()).await;
    assert_eq!(page.status, 400, "{page:?}");
    let spoilt = sealed.url.as_str().replace("answer=", "answer=A");
    assert_eq!(thief.navigate(&spoilt).await.status, 400);
}

#[tokio::test]
async fn s06_signed_client_authentication_is_for_the_issuer_alone() {
    let adversary = Adversary::start().await;
    let setup = Setup::default().issuer(&adversary.issuer).by_key("private_key_id = \"k-2026\"");
    let gateway = setup.start().await;
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        let outcome = sign_in(&gateway, "").await;
        assert!(outcome.signed_in(), "{:?}", outcome.refusal());
    }
    for seen in adversary.granted("authorization_code") {
        assert_eq!(
            seen.parameter("client_assertion_type"),
            Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        );
        assert_eq!(seen.parameter("client_id"), Some(gateway.client_id()));
        assert!(seen.parameter("client_secret").is_none() && seen.headers.get("authorization").is_none());
        let assertion = seen.parameter("client_assertion").expect("an assertion");
        let part = |n: usize| -> Value {
            let text = assertion.split('.').nth(n).unwrap();
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
        };
        let (header, claims) = (part(0), part(1));
        assert_eq!((header["alg"].as_str(), header["kid"].as_str()), (Some("ES256"), Some("k-2026")), "{header}");
        assert_eq!(claims["aud"], adversary.issuer, "{claims}");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!(gateway.client_id()), &json!(gateway.client_id())));
        assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 60, "{claims}");
        assert!(ids.insert(claims["jti"].as_str().unwrap().to_owned()), "a jti was used twice");
        assert!(gateway.key().verifies(assertion), "the signature is not the configured key's");
    }
    assert_eq!(ids.len(), 2);
}

#[tokio::test]
async fn s09_login_that_a_third_party_initiates() {
    // oidcc-client-test-3rd-party-init-login
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    let iss: String = url::form_urlencoded::byte_serialize(adversary.issuer.as_bytes()).collect();
    let target = |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let own = target(&gateway.app("/pages/deep?a=b#c"));
    let mut browser = Browser::new();
    let login = gateway.app(&format!("/bff/login?iss={iss}&login_hint=al%26ice&target_link_uri={own}"));
    let page = browser.navigate_from("http://portal.localhost:1/", &login).await;
    assert_eq!((page.path(), page.url.fragment(), page.status), ("/pages/deep?a=b", Some("c"), 200), "{page:?}");
    assert_eq!(adversary.seen(Authorize)[0].parameter("login_hint"), Some("al&ice"));
    for bad in [
        "https://evil.example/",
        "//evil.example",
        &format!("{}@evil.example/", gateway.app("")),
        &format!("{}.evil.example/", gateway.app("")),
        &format!("{}//evil.example", gateway.app("")),
        &gateway.app("/%2f/evil.example"),
        &gateway.app("/../evil"),
        &gateway.console("/pages/home"),
        "javascript:alert(1)",
    ] {
        let outcome =
            sign_in_at(Browser::new(), &gateway.app(&format!("/bff/login?iss={iss}&target_link_uri={}", target(bad))))
                .await;
        assert_eq!((outcome.answer.status, outcome.path.as_str()), (400, "/bff/login"), "{bad}");
    }
    for bad in ["http://evil.localhost:1", "", "x"] {
        let login =
            gateway.app(&format!("/bff/login?iss={bad}&provider={}", if bad.is_empty() { "none" } else { "main" }));
        let outcome = sign_in_at(Browser::new(), &login).await;
        assert_eq!(outcome.answer.status, 400, "{bad}");
    }
    assert_eq!(adversary.seen(Authorize).len(), 1, "a login began all the same");
    assert_eq!(adversary.seen(Keys).len(), 1);
}
