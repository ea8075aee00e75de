//! The gateway's own pages: in a client's look, in the person's language, and still nothing runs or loads in them that is
//! not theirs.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use cloakroom_tests::browser::Page;
use cloakroom_tests::{Browser, Gateway, Setup};

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";

async fn branded() -> Gateway {
    let mut gateway = Setup::default().app("logo = \"file:logo.svg\"\ncolour = \"#FFCC00\"").prepare().await;
    std::fs::write(gateway.folder().join("logo.svg"), LOGO).unwrap();
    gateway.launch().await;
    gateway
}

async fn shown(gateway: &Gateway, path: &str, accepted: &str) -> Page {
    let mut browser = Browser::new();
    browser.always("Accept-Language", accepted);
    browser.navigate(&gateway.app(path)).await.clone()
}

fn policy(page: &Page) -> &str {
    page.headers.get("content-security-policy").unwrap()
}

/// The one style and script of a page are those that its policy names.
#[track_caller]
fn holds(page: &Page) {
    for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
        let text =
            page.body.split_once(&format!("<{tag}>")).and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
        let Some((text, _)) = text else { continue };
        let hash = BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()));
        assert!(policy(page).contains(&format!("{directive} 'sha256-{hash}'")), "{tag}: {}", policy(page));
    }
    assert!(policy(page).starts_with("default-src 'none'") && !page.body.contains(" style="), "{page:?}");
}

const PATHS: [(&str, &str, &str); 3] = [
    ("/bff/signed-out", "You are signed out", "Sie sind abgemeldet"),
    ("/bff/login?provider=nobody", "Bad request", "Ungültige Anfrage"),
    ("/bff/callback/finish?t=00000000", "Sign-in did not succeed", "Die Anmeldung ist nicht gelungen"),
];

#[tokio::test]
async fn pages_speak_the_persons_language() {
    let gateway = branded().await;
    for (path, english, german) in PATHS {
        for (accepted, lang, title) in
            [("", "en", english), ("fr, en;q=0.5", "en", english), ("de-DE,de;q=0.9,en;q=0.8", "de", german)]
        {
            let page = shown(&gateway, path, accepted).await;
            assert!(page.body.contains(&format!("<html lang=\"{lang}\"")), "{path} {accepted}: {}", page.body);
            assert!(page.body.contains(title), "{path} {accepted}: {}", page.body);
            assert_eq!(page.headers.get("content-language"), Some(lang), "{path}");
            holds(&page);
        }
    }
    let page = shown(&gateway, "/bff/signed-out?ui_locales=de", "en").await;
    assert!(page.body.contains("Sie sind abgemeldet"), "{}", page.body);
    // Programs get what they always get.
    let answer =
        gateway.request("GET", "/bff/user").header("Accept-Language", "de").send(gateway.port()).await.unwrap();
    assert_eq!(answer.expect(401).json()["detail"], "you are not signed in");
}

#[tokio::test]
async fn l08_words_of_a_provider_stay_text_beside_german_ones() {
    let gateway = branded().await;
    let mut browser = Browser::new();
    browser.always("Accept-Language", "de");
    browser.hold_at("/auth");
    browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    let state = browser.held().url().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let said = "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E";
    let query = format!("error=access_denied&error_description={said}&state={state}&iss={}", gateway.issuer());
    let page = browser.navigate(&gateway.app(&format!("/bff/callback?{query}"))).await;
    assert!(page.body.contains("Der Identitätsanbieter hat die Anmeldung abgelehnt"), "{}", page.body);
    assert!(page.body.contains("&lt;img") && !page.body.contains("<img src=x"), "{}", page.body);
    holds(page);
}

#[tokio::test]
async fn x06_clients_look_opens_nothing() {
    let gateway = branded().await;
    let page = shown(&gateway, "/bff/signed-out", "").await;
    assert!(page.body.contains("Tests &amp; &lt;app&gt;"), "the name is text: {}", page.body);
    // A picture in an img runs no script; nothing but data: is loaded.
    assert!(page.body.contains("<img src=\"data:image"), "{}", page.body);
    assert!(policy(&page).contains("img-src data:;") && !policy(&page).contains("script-src"), "{}", policy(&page));
    assert!(policy(&page).contains("frame-ancestors 'none'"), "{}", policy(&page));
    let own = page.body.rsplit_once(":root { --accent: #").unwrap().0.rsplit_once(":root { --accent: #").unwrap().1;
    assert!(!own.starts_with("FFCC00"), "on white it is made readable: {own}");
    // The console's site has no logo, and its pages load no picture.
    let page = Browser::new().navigate(&gateway.console("/bff/signed-out")).await.clone();
    assert!(!policy(&page).contains("img-src") && !page.body.contains("<img"), "{page:?}");
    holds(&page);
}

#[tokio::test]
async fn pictures_and_colours_that_are_none_are_found_by_check() {
    for (lines, what) in [
        ("logo = \"file:none.svg\"", "cannot be read"),
        ("logo = \"file:root.key\"", "neither SVG, PNG nor WebP"),
        ("logo = \"https://example.com/logo.png\"", "names no file"),
        ("colour = \"red\"", "is no colour"),
    ] {
        let checked = Setup::default().app(lines).prepare().await.run(&["check"]);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.code() == Some(78) && said.contains(what), "{lines}: {said}");
    }
}
