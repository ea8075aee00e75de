//! One gateway for many: twenty apps on twenty hosts, three providers (pain 22).

use cloakroom_tests::adversary::{Adversary, Bend, Draft, Endpoint, Moment};
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup};
use std::fmt::Write as _;

const APPS: usize = 20;
const PROVIDERS: [&str; 3] = ["red", "green", "blue"];

/// The provider at which this app's people sign in. Each app has one that it may not use.
fn provider_of(app: usize) -> usize {
    app % 3
}

fn text(providers: &[Adversary], port: u16, upstream: &str) -> String {
    let mut text = format!("[upstreams.many]\nurl = \"{upstream}\"\n");
    for (name, provider) in PROVIDERS.iter().zip(providers) {
        write!(text, "[providers.{name}]\nissuer = \"{}\"\nname = \"The {name} one\"\n", provider.issuer).unwrap();
        for app in 0..APPS {
            let secret = "client_secret = \"env:TESTS_SECOND_SECRET\"\nscopes = [\"openid\"]";
            writeln!(text, "[providers.{name}.registrations.a{app}]\nclient_id = \"{name}-{app}\"\n{secret}").unwrap();
        }
    }
    for app in 0..APPS {
        let (own, second) = (PROVIDERS[provider_of(app)], PROVIDERS[(app + 1) % 3]);
        let client = format!("kind = \"web\"\nregistrations = [\"{own}.a{app}\", \"{second}.a{app}\"]");
        writeln!(text, "[clients.many{app}]\n{client}\ntenant = \"t{app}\"").unwrap();
        let origin = format!("http://many{app}.localhost:{port}");
        writeln!(text, "[sites.many{app}]\norigin = \"{origin}\"\nclient = \"many{app}\"").unwrap();
        let route = "path = \"/\"\nupstream = \"many\"\ntoken = \"user\"";
        writeln!(text, "[[routes]]\nsite = \"many{app}\"\n{route}").unwrap();
    }
    text
}

/// One `sub` for everybody: only the issuer tells people apart.
fn one_for_all(draft: Draft, _: &Moment) -> Draft {
    draft.set("sub", "the-same")
}

async fn start() -> (Gateway, Vec<Adversary>) {
    let mut providers = Vec::new();
    for _ in PROVIDERS {
        let provider = Adversary::start().await;
        provider.bend(&[Bend::IdToken(one_for_all)]);
        providers.push(provider);
    }
    let mut gateway = Setup::default().issuer(&providers[0].issuer.replace("idp.", "unused.")).prepare().await;
    let file = std::fs::read_to_string(gateway.config()).unwrap();
    let more = text(&providers, gateway.port(), &gateway.upstream.origin());
    std::fs::write(gateway.config(), format!("{file}\n{more}")).unwrap();
    gateway.launch().await;
    (gateway, providers)
}

fn at(gateway: &Gateway, app: usize, path: &str) -> String {
    format!("http://many{app}.localhost:{}{path}", gateway.port())
}

#[tokio::test]
async fn u22_s07_twenty_apps_on_twenty_hosts_with_three_providers_do_not_touch() {
    let (gateway, providers) = start().await;
    let mut browser = Browser::new();
    for app in 0..APPS {
        let own = PROVIDERS[provider_of(app)];
        let page = browser.navigate(&at(&gateway, app, "/bff/login?return_to=/x")).await;
        let offered: Vec<String> = page.links().into_iter().map(|(_, name)| name).collect();
        assert_eq!(offered, [format!("The {own} one"), format!("The {} one", PROVIDERS[(app + 1) % 3])]);
        browser.click_link(&format!("The {own} one")).await;
        let page = browser.page();
        assert_eq!((page.status, page.url.as_str()), (200, at(&gateway, app, "/x").as_str()), "{page:?}");
        // The token that went up is of this provider, for this app's client there.
        let authorization = gateway.upstream.last().headers.get("authorization").unwrap().to_owned();
        let token = authorization.strip_prefix("Bearer ").unwrap();
        for (name, provider) in PROVIDERS.iter().zip(&providers) {
            assert_eq!(provider.secrets().iter().any(|secret| secret == token), *name == own, "app {app}, {name}");
        }
        let asked = providers[provider_of(app)].seen(Endpoint::Authorize);
        assert_eq!(asked.last().unwrap().parameter("client_id"), Some(format!("{own}-{app}").as_str()));
        let foreign = PROVIDERS[(app + 2) % 3];
        let login = at(&gateway, app, &format!("/bff/login?provider={foreign}"));
        assert_eq!(Browser::new().navigate(&login).await.status, 400);
    }
    // One jar holds twenty cookies; each is its own host's alone, wherever it is carried.
    let cookies: Vec<String> =
        (0..APPS).map(|app| browser.cookie(&format!("many{app}.localhost"), SESSION_COOKIE).unwrap().value).collect();
    for (app, cookie) in cookies.iter().enumerate() {
        for other in [(app + 1) % APPS, (app + 3) % APPS] {
            let host = format!("many{other}.localhost:{}", gateway.port());
            let request = cloakroom_tests::wire::Request::new("GET", &host, "/bff/user");
            let request = request.header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
            let answer = request.header("Sec-Fetch-Site", "same-origin").send(gateway.port()).await.unwrap();
            assert_eq!(answer.status, 401, "the cookie of {app} opens {other}");
        }
    }
    // A device list shows the person of this provider at this app's tenant; an end here ends nothing elsewhere.
    for app in 0..APPS {
        let list = browser.fetch("GET", &at(&gateway, app, "/bff/sessions")).csrf().send().await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "app {app}: {list}");
    }
    browser.sign_out(&at(&gateway, 0, "")).await;
    browser.fetch("GET", &at(&gateway, 0, "/x")).csrf().send().await.expect(401);
    for app in 1..APPS {
        browser.fetch("GET", &at(&gateway, app, "/x")).csrf().send().await.expect(200);
    }
}
