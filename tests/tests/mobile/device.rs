//! The device grant (RFC 8628): a device without a browser, and a person who types its code elsewhere.

use super::assert_error;
use cloakroom_tests::phone::{Tokens, owned};
use cloakroom_tests::{Answer, Browser, Gateway, Phone, Setup};
use serde_json::Value;
use url::form_urlencoded::Serializer;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn gateway() -> Gateway {
    Setup::default().phone("device_grant = true").start().await
}

async fn ask(device: &Phone) -> Value {
    let form = owned(&[("client_id", "phone"), ("scope", "openid email")]);
    device.post("/oauth/device_authorization", &form).await.expect(200).json()
}

async fn poll(device: &Phone, client: &str, code: &str) -> Answer {
    let form = [("grant_type", GRANT), ("client_id", client), ("device_code", code)];
    device.post("/oauth/token", &owned(&form)).await
}

fn text(asked: &Value, name: &str) -> String {
    asked[name].as_str().unwrap_or_else(|| panic!("no {name}: {asked}")).to_owned()
}

/// The person sends the form of the page with this answer.
async fn say(browser: &Browser, gateway: &Gateway, user_code: &str, mine: &str) -> Answer {
    let form = Serializer::new(String::new()).extend_pairs([("user_code", user_code), ("mine", mine)]).finish();
    let url = gateway.app("/oauth/device");
    browser.fetch("POST", &url).body("application/x-www-form-urlencoded", form).send().await
}

#[tokio::test]
async fn device_gets_its_tokens_when_its_person_has_signed_in_elsewhere() {
    let gateway = gateway().await;
    let device = Phone::new(&gateway);
    let metadata = device.send(device.bare("GET", "/.well-known/oauth-authorization-server")).await.expect(200).json();
    assert_eq!(metadata["device_authorization_endpoint"], gateway.app("/oauth/device_authorization"));
    let asked = ask(&device).await;
    let (device_code, user_code) = (text(&asked, "device_code"), text(&asked, "user_code"));
    assert_error("nobody yet", poll(&device, "phone", &device_code).await, 400, "authorization_pending");
    assert_error("at once again", poll(&device, "phone", &device_code).await, 400, "slow_down");

    let mut browser = Browser::new();
    browser.navigate(&text(&asked, "verification_uri")).await;
    // In any case, with or without the dash.
    browser.submit_form(&[("user_code", &user_code.replace('-', "").to_lowercase())]).await;
    assert!(browser.page().body.contains(&user_code), "{:?}", browser.page());
    browser.submit_form(&[("mine", "yes")]).await;
    browser.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    let page = browser.page();
    assert!(page.status == 200 && page.body.contains("signed in on your device"), "{page:?}");
    assert!(!page.body.contains("crs_") && !page.url.as_str().contains("crs_"), "{page:?}");

    let tokens = Tokens::of(poll(&device, "phone", &device_code).await);
    device.call("GET", "/api/x", &tokens.access).await.expect(200);
    let info = device.call("GET", "/oauth/userinfo", &tokens.access).await.expect(200).json();
    assert_eq!(info["email"], "alice@example.com");
    let tokens = Tokens::of(device.refresh(&tokens.refresh).await);
    // As with any code: whoever shows it again ends what it gave.
    assert_error("again", poll(&device, "phone", &device_code).await, 400, "invalid_grant");
    device.call("GET", "/api/x", &tokens.access).await.expect(401);
}

#[tokio::test]
async fn m12_person_reads_what_waits_and_whence_before_saying_yes() {
    let gateway = gateway().await;
    let device = Phone::new(&gateway);
    let asked = ask(&device).await;
    let (device_code, user_code) = (text(&asked, "device_code"), text(&asked, "user_code"));
    let mut browser = Browser::new();
    // Even the link that carries the code only asks: nothing leaves for the provider before the click.
    let page = browser.navigate(&text(&asked, "verification_uri_complete")).await.clone();
    assert_eq!((page.status, page.hops.len()), (200, 1), "{page:?}");
    for said in ["Phone &amp; &lt;app&gt;", &user_code, "127.0.0.1", "they would get into your account"] {
        assert!(page.body.contains(said), "{said}: {page:?}");
    }
    assert!(page.headers.get("content-security-policy").unwrap().contains("frame-ancestors 'none'"), "{page:?}");
    assert!(gateway.seen().await.authorize().is_empty(), "the provider was asked before the click");
    // No page of another site can click.
    let fields = [("user_code", &*user_code), ("mine", "yes")];
    let foreign =
        browser.new_tab().post_from("http://evil.localhost:1/", &gateway.app("/oauth/device"), &fields).await.status;
    assert_eq!(foreign, 400);
    assert_error("undecided", poll(&device, "phone", &device_code).await, 400, "authorization_pending");
    // No means no, for good.
    let said = say(&browser, &gateway, &user_code, "no").await.expect(200);
    assert!(said.text().contains("Nobody was signed in"), "{said:?}");
    assert_error("no", poll(&device, "phone", &device_code).await, 400, "access_denied");
    let said = say(&browser, &gateway, &user_code, "yes").await.expect(200);
    assert!(said.text().contains("No device waits with this code"), "{said:?}");
}

#[tokio::test]
async fn s19_provider_answer_in_another_browser_signs_no_device_in() {
    let gateway = gateway().await;
    let device = Phone::new(&gateway);
    let asked = ask(&device).await;
    let mut attacker = Browser::new();
    attacker.navigate(&text(&asked, "verification_uri_complete")).await;
    attacker.hold_at("/auth");
    attacker.submit_form(&[("mine", "yes")]).await;
    let link = attacker.held().url().to_string();
    let mut victim = Browser::new();
    victim.navigate(&link).await;
    let page = victim.submit_form(&[("username", "alice"), ("password", "alice-password")]).await;
    assert_eq!((page.url.path(), page.status), ("/oauth/callback", 400), "{page:?}");
    assert_error("nobody", poll(&device, "phone", &text(&asked, "device_code")).await, 400, "authorization_pending");
}

#[tokio::test]
async fn m04_device_codes_are_for_their_app_in_their_time_and_for_apps_that_want_them() {
    let mut gateway = gateway().await;
    let device = Phone::new(&gateway);
    let asked = ask(&device).await;
    let code = text(&asked, "device_code");
    assert_error("another app", poll(&device, "other-phone", &code).await, 400, "invalid_grant");
    let mut forged = code.clone();
    let last = if forged.ends_with('A') { "B" } else { "A" };
    forged.replace_range(20..21, last);
    for guess in [forged.as_str(), "crs_dc_", "odd"] {
        assert_error(guess, poll(&device, "phone", guess).await, 400, "invalid_grant");
    }
    let form = owned(&[("client_id", "other-phone")]);
    assert_error("not asked for", device.post("/oauth/device_authorization", &form).await, 400, "unauthorized_client");
    let page = Browser::new().navigate(&gateway.app("/oauth/device?user_code=BBBB-BBBB")).await.clone();
    assert!(page.status == 200 && page.body.contains("No device waits with this code"), "{page:?}");
    gateway.stop().await;
    let mut database = gateway.database().await;
    assert_eq!(database.execute("UPDATE device_grants SET expires_at = expires_at - 600000").await, 1);
    drop(database);
    gateway.launch().await;
    assert_error("too late", poll(&device, "phone", &code).await, 400, "expired_token");
    let page = Browser::new().navigate(&text(&asked, "verification_uri_complete")).await.clone();
    assert!(page.body.contains("No device waits with this code"), "{page:?}");
}
