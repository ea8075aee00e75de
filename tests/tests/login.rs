//! The login: code, PKCE, state, the way back, and everything that tries to slip in between.

mod callback;
mod finish;
mod return_to;
mod silent;
mod start;

use cloakroom_tests::browser::{Navigation, Page};
use cloakroom_tests::{Browser, Gateway};
use url::Url;

const CALLBACK: &str = "/bff/callback";
const FINISH: &str = "/bff/callback/finish";

/// Goes through the provider and stops before this path is asked for.
async fn signed_in_up_to(gateway: &Gateway, user: &str, path: &str) -> (Browser, Navigation) {
    let mut browser = Browser::new();
    let navigation = login_up_to(&mut browser, gateway, user, path).await;
    (browser, navigation)
}

/// The same in a browser that exists.
async fn login_up_to(browser: &mut Browser, gateway: &Gateway, user: &str, path: &str) -> Navigation {
    browser.hold_at(path);
    browser.navigate(&gateway.app("/bff/login?return_to=/pages/home")).await;
    if browser.page().forms().iter().any(|form| form.has("username")) {
        browser.submit_form(&[("username", user), ("password", &format!("{user}-password"))]).await;
    }
    browser.held()
}

/// The address with one parameter changed, or removed.
fn with_parameter(url: &Url, name: &str, value: Option<&str>) -> Url {
    let mut changed = url.clone();
    let kept: Vec<_> =
        url.query_pairs().filter(|(key, _)| key != name).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    changed.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    changed
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no {name} in {url}"))
}

/// A refusal that a person sees: a clear page that leads nowhere by itself, helps no attacker and starts nothing.
#[track_caller]
fn assert_refused(what: &str, browser: &Browser, page: &Page) {
    assert!((400..500).contains(&page.status), "{what}: {page:?}");
    assert!(page.headers.get("content-type").unwrap_or_default().starts_with("text/html"), "{what}: {page:?}");
    assert!(page.headers.get("cache-control").unwrap_or_default().contains("no-store"), "{what}: {page:?}");
    assert!(browser.session_cookie().is_none(), "{what}: a session began");
}
