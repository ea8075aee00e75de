//! `cloakroom check --online`: what it finds at the providers and upstreams of a configuration.

use cloakroom_tests::adversary::{Adversary, Bend, Endpoint};
use cloakroom_tests::plain::Plain;
use cloakroom_tests::{Gateway, Provider, Setup};

/// What it prints, and its exit code. The bent providers live in this process, and go on answering meanwhile.
fn online(gateway: &Gateway) -> (String, Option<i32>) {
    let ended = tokio::task::block_in_place(|| gateway.run(&["check", "--online"]));
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    for secret in [gateway.client_secret(), cloakroom_tests::gateway::SECOND_SECRET] {
        assert!(!said.contains(secret), "{said}");
    }
    (said, ended.status.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn online_check_says_what_answers_and_what_is_to_be_registered() {
    let gateway = Setup::default().prepare().await;
    let (said, code) = online(&gateway);
    assert_eq!(code, Some(0), "{said}");
    for line in [
        format!("ok    providers.main: {} answers, with ", Provider::shared().issuer),
        "ok    providers.main.registrations.web: the provider knows this client and its proof".into(),
        format!("redirect URI to be registered: {}", gateway.app("/bff/callback")),
        format!("ok    upstreams.api: {}", gateway.upstream.origin()),
        "everything answers".into(),
    ] {
        assert!(said.contains(&line), "{line}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn online_check_finds_what_is_to_be_mended() {
    let (adversary, plain) = (Adversary::start().await, Plain::start().await);
    let nobody = cloakroom_tests::gateway::free_port();
    let away = format!(
        "[providers.away]\nissuer = \"http://idp.localhost:{nobody}\"\n[providers.away.registrations.web]\n\
         client_id = \"x\"\nclient_secret = \"env:TESTS_SECOND_SECRET\"\n\
         [upstreams.away]\nurl = \"http://127.0.0.1:{nobody}\"\n\
         [[routes]]\nsite = \"app\"\npath = \"/away/\"\nupstream = \"away\"\n"
    );
    let setup = Setup::default().issuer(&adversary.issuer).registrations("\"main.web\", \"git.web\", \"away.web\"");
    let git = plain.section("").replace("client_id = \"cloakroom\"", "client_id = \"stranger\"");
    let gateway = setup.section(&git).section(&away).prepare().await;
    adversary.bend(&[
        Bend::Discovery(|document| {
            let document = document.as_object_mut().unwrap();
            document.remove("authorization_response_iss_parameter_supported");
            document.remove("end_session_endpoint");
            document.insert("scopes_supported".into(), serde_json::json!(["openid", "profile"]));
        }),
        Bend::Answer(Endpoint::Token, |reply| reply.say(401, "application/json", "{\"error\":\"invalid_client\"}")),
    ]);
    let (said, code) = online(&gateway);
    assert_eq!(code, Some(69), "{said}");
    for line in [
        "FAIL  providers.main: says nothing of itself in its answers, and clients.app has other providers beside it",
        "note  providers.main: has no logout for browsers",
        "note  providers.main.registrations.web: the provider does not name the scope email",
        "FAIL  providers.main.registrations.web: the provider does not take this client or its proof: invalid_client",
        "FAIL  providers.git.registrations.web: the provider does not take this client or its proof",
        "FAIL  providers.away: the identity provider cannot be reached",
        "FAIL  upstreams.away: http://127.0.0.1",
        "to mend",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[tokio::test]
async fn c08_diagnostics_show_no_secret_and_nothing_unless_they_are_enabled() {
    let mut gateway = Setup::default().start().await;
    let browser = gateway.signed_in("alice").await;
    let url = gateway.app("/bff/diagnostics");
    browser.fetch("GET", &url).send().await.expect(404);
    gateway.stop().await;
    gateway.environment("CLOAKROOM__SITES__APP__DIAGNOSTICS", "true");
    gateway.launch().await;
    let answer = browser.fetch("GET", &url).send().await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let (text, said) = (answer.text(), answer.json());
    assert_eq!((&said["client"], &said["provider"]["issuer"]), (&"app".into(), &gateway.issuer().into()), "{said}");
    assert!(said["session"]["claims"].as_array().unwrap().contains(&"email".into()), "{said}");
    assert!(said["access_token"]["expires_in"].as_i64().unwrap() > 0, "{said}");
    for secret in gateway.secrets(&[&browser]).await {
        assert!(!text.contains(&secret), "{text}");
    }
    // For the person alone, and for pages of the own site.
    cloakroom_tests::Browser::new().fetch("GET", &url).send().await.expect(401);
    browser.fetch("GET", &url).from("http://evil.localhost:1/").send().await.expect(401);
    let elsewhere = gateway.administrator("carol").await;
    elsewhere.fetch("GET", &gateway.console("/bff/diagnostics")).csrf().send().await.expect(404);
}
