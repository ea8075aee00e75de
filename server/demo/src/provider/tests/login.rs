use http::StatusCode;
use serde_json::json;

use crate::provider::{
    browser::{Browser, claims, redeem, world},
    cookies,
};

#[tokio::test]
async fn a_wrong_password_asks_again_and_keeps_the_name() {
    let world = world();
    let mut browser = Browser::new(&world);
    let start = browser.authorize(&[]).await;
    let page = browser.get(start.location()).await;
    let (interaction, csrf) = (page.field("interaction"), page.field("csrf"));
    let attempt = |username, password| {
        [("interaction", interaction.clone()), ("csrf", csrf.clone()), ("username", username), ("password", password)]
    };
    for (name, password) in [("ada", "wrong"), ("nobody", "x"), ("\"><b>", "olga-password")] {
        let pairs = attempt(name.to_owned(), password.to_owned());
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = browser.post("/login", &pairs).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("password is wrong"));
        assert!(!answer.body.contains("<b>"));
        assert!(!browser.cookies.contains_key(cookies::LOGIN));
    }
    let pairs = attempt("ada".to_owned(), "ada-password".to_owned());
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(browser.post("/login", &pairs).await.param("code").is_some());
}

#[tokio::test]
async fn login_csrf_is_refused() {
    let world = world();
    let mut attacker = Browser::new(&world);
    let mut victim = Browser::new(&world);
    let start = attacker.authorize(&[]).await;
    let page = attacker.get(start.location()).await;
    victim.authorize(&[]).await;
    let (interaction, csrf) = (page.field("interaction"), page.field("csrf"));
    let form = |csrf| {
        [("interaction", interaction.as_str()), ("csrf", csrf), ("username", "ada"), ("password", "ada-password")]
    };
    // The attacker's page in the victim's browser, and the right browser with a guessed token.
    let foreign = victim.post("/login", &form(&csrf)).await;
    let guessed = attacker.post("/login", &form("guess")).await;
    for answer in [foreign, guessed] {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(victim.get(start.location()).await.status, StatusCode::BAD_REQUEST);
    assert!(!victim.cookies.contains_key(cookies::LOGIN));
    assert!(attacker.post("/login", &form(&csrf)).await.param("code").is_some());
    // The page is used up.
    let again = attacker.post("/login", &form(&csrf)).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_cookie_is_new_after_each_login_and_the_old_one_is_dead() {
    let world = world();
    let mut browser = Browser::new(&world);
    browser.log_in("ada", &[]).await;
    let before = browser.cookies[cookies::LOGIN].clone();
    browser.log_in("ada", &[("prompt", "login")]).await;
    assert_ne!(browser.cookies[cookies::LOGIN], before);

    let mut thief = Browser::new(&world);
    thief.cookies.insert(cookies::LOGIN.to_owned(), before);
    assert!(thief.authorize(&[]).await.location().starts_with("/login?"));
}

#[tokio::test]
async fn an_open_page_offers_the_present_sign_in_only_where_that_was_asked_for() {
    let world = world();
    let mut browser = Browser::new(&world);
    browser.log_in("ada", &[]).await;
    for (prompt, offered) in [("select_account", true), ("login", false)] {
        let start = browser.authorize(&[("prompt", prompt)]).await;
        let page = browser.get(start.location()).await;
        assert_eq!(page.body.contains("Go on as &lt;ada&gt;"), offered, "{prompt}");
        let pairs = [("interaction", page.field("interaction")), ("csrf", page.field("csrf"))];
        let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.push(("choice", "continue"));
        let answer = browser.post("/login", &pairs).await;
        assert_eq!(answer.status == StatusCode::SEE_OTHER, offered, "{prompt}");
    }
}

#[tokio::test]
async fn several_tabs_can_log_in_at_once() {
    let world = world();
    let mut browser = Browser::new(&world);
    let mut pages = Vec::new();
    for _ in 0..10 {
        let start = browser.authorize(&[]).await;
        pages.push(browser.get(start.location()).await);
    }
    for page in pages {
        let (interaction, csrf) = (page.field("interaction"), page.field("csrf"));
        let pairs = [("interaction", interaction.as_str()), ("csrf", csrf.as_str()), ("demo_user", "olga")];
        assert!(browser.post("/login", &pairs).await.param("code").is_some());
    }
}

#[tokio::test]
async fn pages_are_unframeable_and_never_stored() {
    let world = world();
    let mut browser = Browser::new(&world);
    let start = browser.authorize(&[]).await;
    let page = browser.get(start.location()).await;
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    assert!(policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
}

#[tokio::test]
async fn a_second_factor_is_asked_for_by_acr_values_and_told_in_the_id_token() {
    let world = world();
    let mut browser = Browser::new(&world);
    let of = async |code: Option<String>| claims(&redeem(&world, &code.unwrap()).await.json()["id_token"]);
    // A password alone.
    let first = of(browser.log_in("ada", &[]).await.param("code")).await;
    assert_eq!((&first["acr"], &first["amr"]), (&json!("pwd"), &json!(["pwd"])));

    // That sign-in does not serve where more is asked for.
    let start = browser.authorize(&[("acr_values", "unknown mfa pwd")]).await;
    let page = browser.get(start.location()).await;
    let (_, rest) = page.body.split_once("phone shows <strong>").expect("the code");
    let shown = rest.split_once('<').unwrap().0.to_owned();
    let (interaction, csrf) = (page.field("interaction"), page.field("csrf"));
    for (code, right) in [("", false), ("000 00x", false), (shown.as_str(), true)] {
        let pairs = [
            ("interaction", interaction.as_str()),
            ("csrf", &csrf),
            ("username", "ada"),
            ("password", "ada-password"),
            ("code", code),
        ];
        let answer = browser.post("/login", &pairs).await;
        if !right {
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{code}");
            assert!(answer.body.contains("one-time code is wrong"));
            continue;
        }
        let second = of(answer.param("code")).await;
        assert_eq!((&second["acr"], &second["amr"]), (&json!("mfa"), &json!(["pwd", "otp", "mfa"])));
        assert_eq!(second["sid"], first["sid"], "the same person goes on in the same session");
    }
    // From now on it serves for both.
    assert!(browser.authorize(&[("acr_values", "mfa")]).await.param("code").is_some());
    assert!(browser.authorize(&[("acr_values", "pwd")]).await.param("code").is_some());
}
