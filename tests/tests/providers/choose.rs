//! Which provider a sign-in goes to, and who says so.

use super::{at_other, with_two};
use cloakroom_tests::adversary::{Adversary, Bend, Endpoint, sign_in_at};
use cloakroom_tests::{Browser, Setup};

/// Two providers that sign everybody in at once; `lines` are the second's.
async fn with_adversaries(lines: &str) -> (cloakroom_tests::Gateway, Adversary, Adversary) {
    let (first, second) = (Adversary::start().await, Adversary::start().await);
    let other = format!("[providers.second]\nissuer = \"{}\"\nname = \"Second & <co>\"\n{lines}\n", second.issuer);
    let registration = "[providers.second.registrations.web]\nclient_id = \"at-second\"\n\
                        client_secret = \"env:TESTS_SECOND_SECRET\"\nscopes = [\"openid\"]\n";
    let setup = Setup::default().issuer(&first.issuer).registrations("\"main.web\", \"second.web\"");
    let gateway = setup.section(&format!("{other}{registration}")).start().await;
    (gateway, first, second)
}

fn no_issuer(parameters: &mut Vec<(String, String)>, _: &cloakroom_tests::adversary::Moment) {
    parameters.retain(|(name, _)| name != "iss");
}

fn silent(document: &mut serde_json::Value) {
    document.as_object_mut().unwrap().remove("authorization_response_iss_parameter_supported");
}

#[tokio::test]
async fn a_person_chooses_where_an_app_has_several_providers() {
    let (gateway, _other) = with_two().await;
    let mut browser = Browser::new();
    let page = browser.navigate(&gateway.app("/bff/login?return_to=/pages/home%3Fa%3D1&login_hint=alice")).await;
    assert_eq!((page.status, page.path()), (200, "/bff/login?return_to=/pages/home%3Fa%3D1&login_hint=alice"));
    assert!(page.body.contains("Tests &amp; &lt;app&gt;"), "{}", page.body);
    assert_eq!(page.links().len(), 2, "{:?}", page.links());
    assert!(browser.cookies().is_empty(), "a choice is no login yet");
    browser.click_link("other").await;
    browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!(browser.page().path(), "/pages/home?a=1", "{:?}", browser.page());
    // Its own provider confirms who is signed in; nobody is asked to choose.
    let page = browser.navigate(&gateway.app("/bff/login?max_age=0&return_to=/pages/home")).await;
    assert!(page.forms().iter().any(|form| form.has("password")), "{page:?}");
}

#[tokio::test]
async fn a_mail_domain_leads_to_its_provider() {
    let (gateway, first, second) = with_adversaries("mail_domains = [\"partner.example\"]").await;
    let login = |hint: &str| gateway.app(&format!("/bff/login?return_to=/pages/home&login_hint={hint}"));
    assert!(sign_in_at(Browser::new(), &login("ann@Partner.Example")).await.signed_in());
    assert_eq!(second.seen(Endpoint::Authorize)[0].parameter("login_hint"), Some("ann@Partner.Example"));
    // Neither below the domain nor in a spelling that two readers could read in two ways.
    for odd in ["ann@x.partner.example", "ann@partner.example.evil.example", "a@b@partner.example", "ann"] {
        let mut browser = Browser::new();
        let page = browser.navigate(&login(odd)).await;
        assert_eq!((page.status, page.links().len()), (200, 2), "{odd}: {page:?}");
    }
    // By the page's own form, which Chromium lets lead nowhere but to the own origin.
    let mut browser = Browser::new();
    browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    let page = browser.submit_form(&[("login_hint", "ann@nobody.example")]).await;
    assert!(page.body.contains("aria-invalid") && page.body.contains("ann@nobody.example"), "{}", page.body);
    browser.submit_form(&[("login_hint", "ann@partner.example")]).await;
    assert_eq!(browser.page().path(), "/pages/home", "{:?}", browser.page());
    assert!(first.seen(Endpoint::Authorize).is_empty());
}

#[tokio::test]
async fn l17_choice_on_the_way_from_another_site_is_no_consent() {
    let (gateway, _first, _second) = with_adversaries("").await;
    let mut browser = Browser::new();
    browser.navigate(&gateway.app("/bff/login?provider=main&return_to=/pages/home")).await;
    let before = browser.session_cookie().unwrap();
    browser.navigate_from("http://evil.localhost:1/", &gateway.app("/bff/login?return_to=/pages/home")).await;
    let page = browser.click_link("Second & <co>").await;
    assert!(page.body.contains("A page of another site started a sign-in"), "{page:?}");
    assert_eq!(browser.session_cookie().unwrap().value, before.value);
}

#[tokio::test]
async fn l03_s07_answer_that_names_no_provider_is_refused_where_an_app_has_several() {
    let (gateway, first, second) = with_adversaries("").await;
    second.bend(&[Bend::Redirect(no_issuer), Bend::Discovery(silent)]);
    let login = gateway.app("/bff/login?provider=second&return_to=/pages/home");
    let outcome = sign_in_at(Browser::new(), &login).await;
    assert_eq!(outcome.refusal().0, "login-no-issuer");
    assert!(second.granted("authorization_code").is_empty() && first.granted("authorization_code").is_empty());
}

#[tokio::test]
async fn l03_s07_provider_with_an_address_of_its_own_is_told_apart_by_it() {
    let (gateway, first, second) = with_adversaries("callback = \"own\"").await;
    for adversary in [&first, &second] {
        adversary.bend(&[Bend::Redirect(no_issuer), Bend::Discovery(silent)]);
    }
    let mut browser = Browser::new();
    browser.navigate(&gateway.app("/bff/login?provider=second&return_to=/pages/home")).await;
    assert_eq!(browser.page().path(), "/pages/home", "{:?}", browser.page());
    let own = gateway.app("/bff/callback/second");
    assert_eq!(second.seen(Endpoint::Authorize)[0].parameter("redirect_uri"), Some(own.as_str()));
    assert_eq!(second.granted("authorization_code")[0].parameter("redirect_uri"), Some(own.as_str()));
    // The only one that shares the address is known by it as well.
    let login = |provider: &str| gateway.app(&format!("/bff/login?provider={provider}&return_to=/pages/home"));
    assert!(sign_in_at(Browser::new(), &login("main")).await.signed_in());
    // A code of one, sent to the address of the other: it never reaches a token endpoint.
    let redeemed = first.granted("authorization_code").len() + second.granted("authorization_code").len();
    for (provider, begun_at, elsewhere) in
        [("main", "/bff/callback", "/bff/callback/second"), ("second", "/bff/callback/second", "/bff/callback")]
    {
        for wrong in [elsewhere, "/bff/callback/main", "/bff/callback/nobody"] {
            let mut browser = Browser::new();
            browser.hold_at(begun_at);
            browser.navigate(&login(provider)).await;
            let mut url = browser.held().url().clone();
            url.set_path(wrong);
            let answer = browser.fetch("GET", url.as_str()).send().await.expect(400);
            assert!(answer.text().contains("login-other-issuer"), "{wrong}: {}", answer.text());
            assert!(browser.session_cookie().is_none());
        }
    }
    let now = first.granted("authorization_code").len() + second.granted("authorization_code").len();
    assert_eq!(now, redeemed);
}

#[tokio::test]
async fn provider_that_is_not_the_apps_is_not_to_be_had() {
    let (gateway, _other) = with_two().await;
    let browser = at_other(&gateway.app(""), "alice", "/pages/home").await;
    for query in ["provider=none", "iss=https://evil.example", "provider=main&iss=https://evil.example"] {
        let mut browser = browser.new_tab();
        let page = browser.navigate(&gateway.app(&format!("/bff/login?{query}"))).await;
        assert_eq!(page.status, 400, "{query}: {page:?}");
    }
}
