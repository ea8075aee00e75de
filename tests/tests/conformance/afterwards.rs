//! After the login: the answers of a refresh, and the way back from a logout.

use super::gateway_at;
use cloakroom_tests::adversary::Endpoint::{EndSession, Userinfo};
use cloakroom_tests::adversary::{Bend, Draft, Signer, sign_in, sign_in_from};
use cloakroom_tests::browser::Page;
use cloakroom_tests::{Adversary, Browser, Gateway, Script, Setup, eventually};
use serde_json::{Value, json};

/// Signs in with an access token that has expired already, so that the first call refreshes it.
async fn with_stale_token(gateway: &Gateway, adversary: &Adversary) -> Browser {
    adversary.bend(&[Bend::Token(|answer, _| answer["expires_in"] = 0.into())]);
    let outcome = sign_in(gateway, "").await;
    adversary.straighten();
    assert!(outcome.signed_in(), "{:?}", outcome.refusal());
    outcome.browser
}

/// What a bent refresh must come to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// The call is served.
    Served,
    /// The session is over, and whatever came is revoked.
    Over,
    /// The session stays, its token cannot be renewed without a new sign-in, and whatever came is revoked.
    SignInAgain,
}

#[tokio::test]
async fn s06_id_token_of_a_refresh_answer() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    let id = |bend: fn(Draft, &cloakroom_tests::adversary::Moment) -> Draft| Bend::RefreshedIdToken(bend);
    let cases = [
        ("oidcc-client-test-refresh-token", id(|d, _| d), Then::Served),
        (
            "oidcc-client-test-refresh-token-invalid-issuer",
            id(|d, _| d.set("iss", "http://evil.localhost:1")),
            Then::Over,
        ),
        ("oidcc-client-test-refresh-token-invalid-sub", id(|d, _| d.set("sub", "mallory")), Then::Over),
        ("another audience", id(|d, _| d.set("aud", "somebody-else")), Then::Over),
        ("another azp", id(|d, _| d.set("azp", "somebody-else")), Then::Over),
        ("a stranger's signature", id(|d, _| d.signed_by(Signer::Stranger)), Then::SignInAgain),
        (
            "no ID token",
            Bend::Token(|answer, _| drop(answer.as_object_mut().unwrap().remove("id_token"))),
            Then::Served,
        ),
        (
            "no expires_in",
            Bend::Token(|answer, _| drop(answer.as_object_mut().unwrap().remove("expires_in"))),
            Then::Served,
        ),
        (
            "fapi2-security-profile-final-client-test-refresh-token-test",
            id(|d, m| d.set("nonce", "any").set("auth_time", m.now - 9)),
            Then::Served,
        ),
    ];
    for (name, bend, then) in cases {
        let browser = with_stale_token(&gateway, &adversary).await;
        adversary.bend(&[bend]);
        let answer = browser.fetch("GET", &gateway.app("/api/x")).send().await;
        let newest = adversary.secrets().into_iter().rfind(|secret| secret.starts_with("refresh-")).unwrap();
        let (status, code) = match then {
            Then::Served => (200, ""),
            Then::Over => (401, "urn:cloakroom:problem:session-over"),
            Then::SignInAgain => (401, "urn:cloakroom:problem:sign-in-again"),
        };
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        if then != Then::Served {
            assert_eq!(answer.json()["type"], code, "{name}");
            eventually(&format!("{name}: the new token is revoked"), async || {
                adversary.revoked().contains(&newest).then_some(())
            })
            .await;
        }
        let alive = browser.fetch("GET", &gateway.app("/bff/user")).send().await.status == 200;
        assert_eq!(alive, then != Then::Over, "{name}");
        assert!(then != Then::Served || !adversary.revoked().contains(&newest), "{name}: a good token was revoked");
    }
}

#[tokio::test]
async fn l06_u21_userinfo_is_read_anew_with_each_refresh() {
    let adversary = Adversary::start().await;
    let gateway = Setup::default().issuer(&adversary.issuer).registration("userinfo = true").start().await;
    let groups = async |browser: &Browser| -> Value {
        let user = browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json();
        user["claims"]["groups"].clone()
    };
    let browser = with_stale_token(&gateway, &adversary).await;
    assert_eq!(groups(&browser).await, json!(["everyone"]));
    adversary.bend(&[Bend::Userinfo(|claims, _| claims["groups"] = json!(["few"]))]);
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    assert_eq!(groups(&browser).await, json!(["few"]));

    // A claim that is not said any more is gone.
    let browser = with_stale_token(&gateway, &adversary).await;
    adversary.bend(&[Bend::Userinfo(|claims, _| drop(claims.as_object_mut().unwrap().remove("groups")))]);
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    assert_eq!(groups(&browser).await, Value::Null);

    // An endpoint that is away takes nothing from the session.
    let browser = with_stale_token(&gateway, &adversary).await;
    adversary.bend(&[Bend::Answer(Userinfo, |reply| reply.say(500, "text/html", ""))]);
    browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    assert_eq!(groups(&browser).await, json!(["everyone"]));

    // One that speaks of somebody else ends it.
    let browser = with_stale_token(&gateway, &adversary).await;
    adversary.bend(&[Bend::Userinfo(|claims, _| claims["sub"] = "mallory".into())]);
    let answer = browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
    assert_eq!(answer.json()["type"], "urn:cloakroom:problem:session-over");
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
}

const MAYBE: &str = "may still be signed in";

async fn signed_out(gateway: &Gateway, adversary: &Adversary, bend: &[Bend]) -> Page {
    let mut browser = sign_in(gateway, "").await.browser;
    adversary.bend(bend);
    let page = browser.sign_out(&gateway.app("")).await.clone();
    adversary.straighten();
    assert_eq!((page.url.path(), page.status), ("/bff/signed-out", 200), "{page:?}");
    assert!(browser.cookies().is_empty(), "{:?}", browser.cookies());
    browser.fetch("GET", &gateway.app("/bff/user")).send().await.expect(401);
    page
}

fn leads_to(reply: &mut cloakroom_tests::adversary::Reply, change: fn(&str) -> String) {
    for (name, value) in &mut reply.headers {
        if name == "Location" {
            *value = change(value);
        }
    }
}

#[tokio::test]
async fn u07_state_on_the_way_back_from_logout_is_checked() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    let page = signed_out(&gateway, &adversary, &[]).await;
    assert!(!page.body.contains(MAYBE), "oidcc-client-test-rp-init-logout: {}", page.body);
    for (name, bend) in [
        (
            "oidcc-client-test-rp-init-logout-no-state",
            Bend::Answer(EndSession, |r| leads_to(r, |url| url.split('?').next().unwrap().to_owned())),
        ),
        (
            "oidcc-client-test-rp-init-logout-other-state",
            Bend::Answer(EndSession, |r| leads_to(r, |url| format!("{url}x"))),
        ),
    ] {
        let page = signed_out(&gateway, &adversary, &[bend]).await;
        assert!(page.body.contains(MAYBE), "{name}: {}", page.body);
    }
    let states: Vec<_> =
        adversary.seen(EndSession).iter().map(|seen| seen.parameter("state").unwrap().to_owned()).collect();
    assert!(states.iter().all(|state| state.len() >= 43) && states[0] != states[1], "{states:?}");
    // A state that nobody began with changes nothing and is not repeated.
    let mut stranger = Browser::new();
    let page = stranger.navigate(&gateway.app("/bff/signed-out?state=%3Cb%3Ex")).await;
    assert!(page.status == 200 && !page.body.contains("<b>x"), "{page:?}");
}

#[tokio::test]
async fn u08_s18_long_or_unwanted_id_token_is_no_hint() {
    let adversary = Adversary::start().await;
    let mut gateway = gateway_at(&adversary).await;
    let hint = async |gateway: &Gateway, bend: &[Bend]| {
        adversary.bend(bend);
        let mut browser = sign_in(gateway, "").await.browser;
        adversary.straighten();
        browser.sign_out(&gateway.app("")).await;
        adversary.seen(EndSession).pop().expect("the provider was told")
    };
    let short = hint(&gateway, &[]).await;
    assert!(short.parameter("id_token_hint").is_some() && short.parameter("logout_hint").is_none());
    let long = hint(&gateway, &[Bend::IdToken(|d, _| d.set("groups", json!(vec!["a-long-group"; 200])))]).await;
    assert!(long.target.len() < 2_000, "{} bytes", long.target.len());
    assert_eq!(long.parameter("id_token_hint"), None);
    assert_eq!(long.parameter("client_id"), Some(gateway.client_id()));
    assert_eq!(long.parameter("logout_hint"), Some("provider-session"));
    let by_sub = hint(&gateway, &[Bend::IdToken(|d, _| d.without("sid").set("name", "x".repeat(2_000)))]).await;
    assert_eq!(by_sub.parameter("logout_hint"), Some("alice"));
    let wanted =
        hint(&gateway, &[Bend::IdToken(|d, _| d.set("login_hint", "O.abc").set("name", "x".repeat(2_000)))]).await;
    assert_eq!(wanted.parameter("logout_hint"), Some("O.abc"));

    gateway.stop().await;
    gateway.environment("CLOAKROOM__PROVIDERS__MAIN__ID_TOKEN_HINT", "false");
    gateway.launch().await;
    let never = hint(&gateway, &[]).await;
    assert_eq!((never.parameter("id_token_hint"), never.parameter("logout_hint")), (None, Some("provider-session")));
}

#[tokio::test]
async fn u07_provider_without_a_logout_is_said_to_live_on() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    adversary.bend(&[Bend::Discovery(|d| drop(d.as_object_mut().unwrap().remove("end_session_endpoint")))]);
    let page = signed_out(&gateway, &adversary, &[]).await;
    assert!(page.body.contains(MAYBE), "{}", page.body);
}

#[tokio::test]
async fn s18_no_token_ever_reaches_the_browser() {
    let adversary = Adversary::start().await;
    let gateway = Setup::default().issuer(&adversary.issuer).registration("userinfo = true").start().await;
    // The API is told tokens, and would repeat them.
    gateway.upstream.script("/", Script::answer("200 OK", &[("Connection", "close")], "{}"));
    let mut browser = with_stale_token(&gateway, &adversary).await;
    let mut answers = Vec::new();
    for (method, path) in [
        ("GET", "/api/x"),
        ("GET", "/bff/user"),
        ("GET", "/bff/sessions"),
        ("POST", "/bff/sessions/revoke-others"),
        ("GET", "/bff/callback?code=x&state=y"),
        ("GET", "/bff/nothing"),
        ("GET", "/nothing/../here"),
    ] {
        answers.push(browser.fetch(method, &gateway.app(path)).csrf().send().await);
    }
    let login = browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await.clone();
    let logout = browser.sign_out(&gateway.app("")).await.clone();
    let secrets = adversary.secrets();
    assert!(secrets.len() >= 9, "{}", secrets.len());
    let mut hints = 0;
    for hop in login.hops.iter().chain(&logout.hops).filter(|hop| gateway.owns(&hop.url)) {
        let location = hop.headers.get("location").unwrap_or_default();
        for secret in &secrets {
            let hint = location.contains("/end_session?") && location.contains(&format!("id_token_hint={secret}"));
            hints += usize::from(hint);
            assert!(hint || !location.contains(secret.as_str()), "{location}");
            assert!(!hop.body.contains(secret.as_str()), "{}: {}", hop.url, hop.body);
            let others = hop.headers.0.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("location"));
            assert!(others.into_iter().all(|(_, value)| !value.contains(secret.as_str())), "{:?}", hop.headers);
        }
        assert_eq!(hop.headers.get("referrer-policy").is_some(), hop.url.path().starts_with("/bff/"), "{hop:?}");
    }
    assert_eq!(hints, 1, "the ID token, once, in the logout redirect");
    for answer in answers {
        let text = format!("{:?} {}", answer.headers, answer.text());
        assert!(secrets.iter().all(|secret| !text.contains(secret.as_str())), "{text}");
    }
    let log = gateway.log();
    assert!(secrets.iter().all(|secret| !log.contains(secret.as_str())), "a secret stands in the log");
}

#[tokio::test]
async fn s03_browser_that_hangs_up_does_not_cancel_a_logout_half_way() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    // Hung up earlier and later, at last when it has surely begun: whatever has begun is done whole.
    for wait_us in [Some(0), Some(500), Some(1_000), Some(2_000), Some(4_000), Some(8_000), None] {
        let browser = sign_in(&gateway, "").await.browser;
        let refresh = adversary.secrets().into_iter().rfind(|secret| secret.starts_with("refresh-")).unwrap();
        let cookie = browser.session_cookie().expect("a session");
        let request = gateway
            .request("POST", "/bff/logout")
            .header("Cookie", &format!("{}={}", cookie.name, cookie.value))
            .header("Sec-Fetch-Site", "same-origin")
            .header("X-CSRF", "1");
        let mut conn = gateway.connect().await;
        conn.write(request.bytes()).await.unwrap();
        let over = async || browser.fetch("GET", &gateway.app("/bff/user")).send().await.status == 401;
        match wait_us {
            Some(wait_us) => tokio::time::sleep(std::time::Duration::from_micros(wait_us)).await,
            None => eventually("the session is over", async || over().await.then_some(())).await,
        }
        drop(conn);
        // A request that the gateway never read is one that was never made; the next one waits behind what it did read.
        browser.fetch("GET", &gateway.app("/bff/sessions")).csrf().send().await;
        if over().await {
            eventually("its refresh token is revoked", async || adversary.revoked().contains(&refresh).then_some(()))
                .await;
        }
    }
}

#[tokio::test]
async fn u05_l11_ten_tabs_with_long_codes_all_come_back() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    adversary.pad_codes(1_900);
    let browser = Browser::new();
    // All ten are at the provider's before the first one comes back, and all come back before the first is done.
    let mut tabs: Vec<_> = (0..10).map(|_| browser.new_tab()).collect();
    for stop in ["/bff/callback", "/bff/callback/finish", ""] {
        for (number, tab) in tabs.iter_mut().enumerate() {
            if stop == "/bff/callback" {
                tab.hold_at(stop);
                tab.navigate(&gateway.app(&format!("/bff/login?return_to=/pages/{number}"))).await;
            } else {
                let held = tab.held();
                tab.hold_at(stop);
                tab.resume(held, None).await;
            }
        }
        let size: usize = browser.cookies().iter().map(|cookie| cookie.name.len() + cookie.value.len() + 3).sum();
        assert!(size < 6_200, "{size} bytes of cookies");
    }
    for (number, tab) in tabs.iter().enumerate() {
        let page = tab.page();
        assert_eq!((page.path(), page.status), (format!("/pages/{number}").as_str(), 200), "{page:?}");
    }
}

#[tokio::test]
async fn l17_s07_step_up_that_comes_back_as_another_person_is_refused() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    let signed_in = sign_in(&gateway, "").await.browser;
    let step_up = async |bend: Bend, query: &str| {
        adversary.bend(&[bend]);
        let login = gateway.app(&format!("/bff/login?return_to=/pages/home{query}"));
        sign_in_from(signed_in.new_tab(), &gateway.app("/"), &login).await
    };
    let who = async || signed_in.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200).json()["sub"].clone();
    let other = Bend::IdToken(|d, _| d.set("acr", "gold").set("sub", "mallory"));
    for query in ["&acr_values=gold", "&max_age=60", "&acr_values=gold&prompt=login"] {
        let outcome = step_up(other, query).await;
        assert_eq!(outcome.refusal().0, "login-other-person", "{query}: {:?}", outcome.refusal());
        assert_eq!(who().await, "alice", "{query}: the session was replaced");
    }
    assert_eq!(adversary.revoked().len(), 3, "what was refused is revoked");
    let same = step_up(Bend::IdToken(|d, _| d.set("acr", "gold")), "&acr_values=gold").await;
    assert!(same.signed_in(), "{:?}", same.refusal());
    // Whoever asks for a choice of accounts, or for no more proof, may change the person.
    let chosen = step_up(other, "&acr_values=gold&prompt=select_account").await;
    assert!(chosen.signed_in(), "{:?}", chosen.refusal());
    assert_eq!(who().await, "mallory");
    let plain = step_up(Bend::IdToken(|d, _| d), "").await;
    assert!(plain.signed_in(), "{:?}", plain.refusal());
    assert_eq!(who().await, "alice");
}

#[tokio::test]
async fn s16_role_claim_with_dots_in_its_name() {
    let adversary = Adversary::start().await;
    let mut gateway = Setup::default().issuer(&adversary.issuer).prepare().await;
    let config = std::fs::read_to_string(gateway.config()).unwrap();
    let listed = config.replace("role_claim = \"roles\"", "role_claim = [\"https://example.com/roles\"]");
    assert_ne!(config, listed);
    std::fs::write(gateway.config(), listed).unwrap();
    gateway.launch().await;
    for (bend, status) in [
        (Bend::IdToken(|d, _| d.set("https://example.com/roles", json!(["viewer"]))), 200),
        (Bend::IdToken(|d, _| d.set("https://example", json!({ "com/roles": ["viewer"] }))), 403),
        (Bend::IdToken(|d, _| d.set("roles", json!(["viewer"]))), 403),
    ] {
        adversary.bend(&[bend]);
        let mut browser = Browser::new();
        browser.navigate(&gateway.console("/bff/login?return_to=/admin/")).await;
        let url = gateway.console("/admin/api/v1/sessions");
        browser.fetch("GET", &url).csrf().send().await.expect(status);
    }
}

#[tokio::test]
async fn tokens_of_a_refused_login_are_revoked() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    adversary.bend(&[Bend::IdToken(|d, _| d.set("nonce", "another"))]);
    assert!(!sign_in(&gateway, "").await.signed_in());
    let refresh = adversary.secrets().into_iter().rfind(|secret| secret.starts_with("refresh-")).unwrap();
    assert_eq!(adversary.revoked(), [refresh]);
}
