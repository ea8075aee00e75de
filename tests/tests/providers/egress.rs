//! How calls to a provider leave the machine, and what of a login's address goes along.

use cloakroom_tests::adversary::{Adversary, Endpoint, sign_in};
use cloakroom_tests::relay::ForwardProxy;
use cloakroom_tests::secure::Pair;
use cloakroom_tests::{Browser, Setup};

#[tokio::test]
async fn s17_provider_is_trusted_by_the_configured_certificates_alone() {
    let pair = Pair::of(&["idp.localhost"]);
    let adversary = Adversary::start_over_tls(&pair).await;
    let mut gateway = Setup::default().issuer(&adversary.issuer).provider("ca = \"file:idp.pem\"").prepare().await;
    // No start without the file, with an empty one, with one that is no certificate.
    for text in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")] {
        if let Some(text) = text {
            std::fs::write(gateway.folder().join("idp.pem"), text).unwrap();
        }
        for command in ["check", "serve"] {
            let ended = gateway.run(&[command]);
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert_eq!(ended.status.code(), Some(78), "{command} {text:?}: {said}");
            assert!(said.contains("providers.main.ca"), "{command} {text:?}: {said}");
        }
    }
    pair.write(gateway.folder(), "idp");
    gateway.launch().await;
    let outcome = sign_in(&gateway, "").await;
    assert!(outcome.signed_in(), "{:?}", outcome.refusal());
    // Another certificate of the same name is not trusted.
    gateway.stop().await;
    Pair::of(&["idp.localhost"]).write(gateway.folder(), "idp");
    gateway.launch().await;
    let page = Browser::new().navigate(&gateway.app("/bff/login?return_to=/pages/home")).await.clone();
    assert_eq!(page.status, 503, "{page:?}");
}

#[tokio::test]
async fn s17_calls_to_a_provider_go_through_its_proxy_and_never_round_it() {
    let pair = Pair::of(&["idp.localhost"]);
    let adversary = Adversary::start_over_tls(&pair).await;
    let proxy = ForwardProxy::start().await;
    let lines = format!("ca = \"file:idp.pem\"\nproxy = \"http://127.0.0.1:{}\"", proxy.port);
    let mut gateway = Setup::default().issuer(&adversary.issuer).provider(&lines).prepare().await;
    pair.write(gateway.folder(), "idp");
    gateway.launch().await;
    assert!(sign_in(&gateway, "").await.signed_in());
    let target = adversary.issuer.trim_start_matches("https://");
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|one| one == target), "{asked:?}");
    // Without the proxy there is no other way, whatever the environment says.
    gateway.stop().await;
    let text = std::fs::read_to_string(gateway.config()).unwrap();
    let nobody = cloakroom_tests::gateway::free_port();
    std::fs::write(gateway.config(), text.replace(&format!(":{}\"", proxy.port), &format!(":{nobody}\""))).unwrap();
    gateway.environment("HTTPS_PROXY", &format!("http://127.0.0.1:{}", proxy.port));
    gateway.launch().await;
    let page = Browser::new().navigate(&gateway.app("/bff/login?return_to=/pages/home")).await.clone();
    assert_eq!(page.status, 503, "{page:?}");
    assert_eq!(proxy.asked().len(), asked.len());
}

#[tokio::test]
async fn s09_of_a_logins_address_only_what_is_listed_goes_on() {
    let adversary = Adversary::start().await;
    let lines =
        "extra_authorize = { tenant = \"acme\", level = \"low\" }\nlogin_parameters = [\"idp_hint\", \"level\"]";
    let gateway = Setup::default().issuer(&adversary.issuer).registration(lines).start().await;
    let asked = async |more: &str| {
        let outcome = sign_in(&gateway, more).await;
        assert!(outcome.signed_in(), "{more}: {:?}", outcome.refusal());
        adversary.seen(Endpoint::Authorize).pop().unwrap()
    };
    let seen = asked("").await;
    assert_eq!((seen.parameter("tenant"), seen.parameter("level")), (Some("acme"), Some("low")));
    assert_eq!(seen.parameter("idp_hint"), None);
    let hostile = "&idp_hint=a%26state%3Dx%23f&level=high&tenant=evil&scope=admin&claims=%7B%7D&client_id=evil\
                   &redirect_uri=https%3A%2F%2Fevil.example&response_mode=form_post&request_uri=x&nonce=n&state=s";
    let seen = asked(hostile).await;
    assert_eq!((seen.parameter("idp_hint"), seen.parameter("level")), (Some("a&state=x#f"), Some("high")));
    assert_eq!((seen.parameter("tenant"), seen.parameter("scope")), (Some("acme"), Some("openid profile email")));
    for name in ["claims", "response_mode", "request_uri"] {
        assert_eq!(seen.parameter(name), None, "{name}");
    }
    assert_eq!(seen.parameter("client_id"), Some(gateway.client_id()));
    assert!(seen.parameter("redirect_uri").unwrap().starts_with(&gateway.app("/")));
    assert!(seen.parameter("state").unwrap().len() > 20 && seen.parameter("nonce").unwrap().len() > 20);
    // Neither control characters nor floods.
    for odd in ["&idp_hint=a%0d%0ab".to_owned(), format!("&idp_hint={}", "x".repeat(501))] {
        assert_eq!(asked(&odd).await.parameter("idp_hint"), None);
    }
}
