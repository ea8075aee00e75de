//! Discovery: whose document is believed, how often it is fetched, and what happens when it cannot be.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::rig::{ISSUER, Rig, SKEW, answer, document};
use crate::http::{HttpClient, HttpError};
use crate::oidc::{LoginError, Provider, ProviderError, ProviderSettings, RefreshReuse, SettingsError};

const DOCUMENT: &str = "/.well-known/openid-configuration";

fn settings(issuer: &str) -> ProviderSettings {
    ProviderSettings {
        id: "main".into(),
        name: "Main".into(),
        mail_domains: vec![],
        own_callback: false,
        claims: crate::oidc::ClaimMap::default(),
        plain: None,
        issuer: issuer.into(),
        clock_skew_secs: SKEW,
        refresh_reuse: RefreshReuse::Never,
        timeout_secs: 40,
        id_token_hint: true,
        logout_redirect_parameter: "post_logout_redirect_uri".into(),
        registrations: Vec::new(),
    }
}

fn unguessable() -> std::sync::Arc<dyn crate::random::Random> {
    std::sync::Arc::new(crate::random::SystemRandom)
}

/// Whether discovery succeeds: the question about `iss` needs it.
async fn discover(rig: &Rig) -> Result<(), LoginError> {
    rig.provider.check_answer_issuer(None, false).await
}

#[tokio::test]
async fn s06_issuer_in_the_settings_must_be_one() {
    let rig = Rig::new();
    for (issuer, expected) in [
        ("", Some(SettingsError::Issuer)),
        ("id.example.com", Some(SettingsError::Issuer)),
        ("http://id.example.com", Some(SettingsError::PlainHttp)),
        ("http://localhost.example.com", Some(SettingsError::PlainHttp)),
        ("http://10.0.0.1", Some(SettingsError::PlainHttp)),
        ("ftp://localhost", Some(SettingsError::PlainHttp)),
        ("file:///etc/passwd", Some(SettingsError::PlainHttp)),
        ("https://id.example.com?x", Some(SettingsError::Parts)),
        ("https://id.example.com#x", Some(SettingsError::Parts)),
        ("https://me@id.example.com", Some(SettingsError::Parts)),
        ("https://id.example.com/realms/one", None),
        ("http://localhost:8080", None),
        ("http://idp.localhost:8080/", None),
        ("http://127.0.0.1:8080", None),
        ("http://[::1]:8080", None),
    ] {
        let http: std::sync::Arc<dyn HttpClient> = std::sync::Arc::<super::rig::Fake>::clone(&rig.fake);
        let clock = std::sync::Arc::<crate::clock::HeldClock>::clone(&rig.clock);
        assert_eq!(Provider::new(settings(issuer), http, clock, unguessable()).err(), expected, "{issuer}");
    }
    assert_eq!(rig.fake.all_calls(), 0, "nothing is fetched before it is needed");
}

#[tokio::test]
async fn s06_document_of_another_issuer_is_refused() {
    for issuer in
        ["https://evil.example.com", "https://id.example.com/", "https://ID.example.com", "", "id.example.com"]
    {
        let rig = Rig::new();
        let mut odd = document();
        odd["issuer"] = json!(issuer);
        rig.fake.set(DOCUMENT, answer(200, odd));
        let outcome = discover(&rig).await;
        assert!(matches!(outcome, Err(LoginError::Provider(ProviderError::Discovery(_)))), "{issuer}: {outcome:?}");
        assert_eq!(rig.fake.all_calls(), 1, "{issuer}");
    }
}

#[tokio::test]
async fn s06_s12_endpoints_over_plain_http_are_refused_and_never_called() {
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "end_session_endpoint",
        "revocation_endpoint",
    ] {
        for odd in [
            "http://id.example.com/x",
            "http://169.254.169.254/latest",
            "ftp://localhost/x",
            "javascript:alert(1)",
            "/x",
        ] {
            let rig = Rig::new();
            let mut changed = document();
            changed[name] = json!(odd);
            rig.fake.set(DOCUMENT, answer(200, changed));
            assert!(discover(&rig).await.is_err(), "{name} {odd}");
            assert_eq!(rig.fake.all_calls(), rig.fake.calls(DOCUMENT) + rig.fake.calls("/jwks"), "{name} {odd}");
        }
        let rig = Rig::new();
        let mut local = document();
        local[name] = json!("http://idp.localhost:4444/jwks");
        rig.fake.set(DOCUMENT, answer(200, local));
        assert!(discover(&rig).await.is_ok(), "{name} at a loopback name");
    }
}

#[tokio::test]
async fn l14_documents_that_are_none_are_refused() {
    let long = Err(HttpError::TooLong);
    for (what, reply) in [
        ("garbage", answer(200, "garbage")),
        ("nothing", answer(200, "")),
        ("a list", answer(200, "[]")),
        ("an error", answer(500, document())),
        ("a redirect", answer(302, document())),
        ("too long", long),
        ("no answer", Err(HttpError::Connect("refused".into()))),
    ] {
        let rig = Rig::new();
        rig.fake.set(DOCUMENT, reply.clone());
        assert!(matches!(discover(&rig).await, Err(LoginError::Provider(_))), "document: {what}");
        assert!(rig.provider.facts().last_error.is_some());
        let rig = Rig::new();
        rig.fake.set("/jwks", if what == "a list" { answer(200, "{}") } else { reply });
        assert!(matches!(discover(&rig).await, Err(LoginError::Provider(_))), "keys: {what}");
    }
    for missing in
        ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "id_token_signing_alg_values_supported"]
    {
        let rig = Rig::new();
        let mut odd = document();
        odd[missing] = Value::Null;
        rig.fake.set(DOCUMENT, answer(200, odd));
        assert!(discover(&rig).await.is_err(), "{missing}");
    }
}

#[tokio::test]
async fn discovery_is_made_once_for_all_who_ask_at_once() {
    let rig = Rig::new();
    let outcomes = join_all((0..20).map(|_| discover(&rig))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!((rig.fake.calls(DOCUMENT), rig.fake.calls("/jwks")), (1, 1));
    assert_eq!(rig.provider.facts().discovered_at, Some(crate::clock::UnixMs::from_secs(super::rig::NOW)));
}

#[tokio::test]
async fn discovery_that_fails_fails_once_for_all_who_ask_at_once() {
    let rig = Rig::new();
    rig.fake.set(DOCUMENT, answer(503, ""));
    let outcomes = join_all((0..20).map(|_| discover(&rig))).await;
    for outcome in outcomes {
        let error = outcome.expect_err("no document");
        assert!(matches!(error, LoginError::Provider(ProviderError::Status(503))), "{error:?}");
        assert!(error.retry_helps());
    }
    assert_eq!(rig.fake.calls(DOCUMENT), 1);
    // Whoever asks later tries anew: the provider may be back.
    rig.fake.set(DOCUMENT, answer(200, document()));
    assert!(discover(&rig).await.is_ok());
    assert!(rig.provider.facts().last_error.is_none());
}

#[tokio::test]
async fn document_is_renewed_each_hour_and_outlives_an_outage() {
    let rig = Rig::new();
    assert!(discover(&rig).await.is_ok());
    rig.clock.advance_secs(3_599);
    assert!(discover(&rig).await.is_ok());
    assert_eq!(rig.fake.calls(DOCUMENT), 1);
    rig.fake.set(DOCUMENT, Err(HttpError::Timeout(std::time::Duration::from_secs(40))));
    for (later, calls) in [(1, 2), (1, 2), (58, 2), (1, 3), (59, 3), (1, 4)] {
        rig.clock.advance_secs(later);
        assert!(join_all((0..5).map(|_| discover(&rig))).await.iter().all(Result::is_ok));
        assert_eq!(rig.fake.calls(DOCUMENT), calls, "after {later} s more");
    }
    let facts = rig.provider.facts();
    assert!(facts.discovered_at.is_some() && facts.last_error.is_some());
    // A document that became somebody else's is a failure like any other.
    let mut odd = document();
    odd["issuer"] = json!("https://evil.example.com");
    rig.fake.set(DOCUMENT, answer(200, odd));
    rig.clock.advance_secs(60);
    assert!(discover(&rig).await.is_ok());
    assert_eq!(rig.provider.issuer(), ISSUER);
}

#[tokio::test]
async fn f04_clock_that_is_set_back_does_not_keep_a_document_for_ever() {
    let rig = Rig::new();
    assert!(discover(&rig).await.is_ok());
    rig.clock.advance_secs(-100_000);
    assert!(discover(&rig).await.is_ok());
    assert_eq!(rig.fake.calls(DOCUMENT), 2);
}

#[tokio::test]
async fn renewal_that_hangs_keeps_nobody_long() {
    struct Hanging(std::sync::Arc<super::rig::Fake>, std::sync::atomic::AtomicBool);
    #[async_trait::async_trait]
    impl HttpClient for Hanging {
        async fn send(&self, request: http::Request<Vec<u8>>) -> super::rig::Reply {
            if self.1.load(std::sync::atomic::Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            self.0.send(request).await
        }
    }
    let rig = Rig::new();
    let hanging = std::sync::Arc::new(Hanging(std::sync::Arc::clone(&rig.fake), false.into()));
    let http: std::sync::Arc<dyn HttpClient> = std::sync::Arc::<Hanging>::clone(&hanging);
    let clock = std::sync::Arc::<crate::clock::HeldClock>::clone(&rig.clock);
    let mut provider = Provider::new(settings(ISSUER), http, clock, unguessable()).unwrap();
    provider.discovery.renew_wait = std::time::Duration::from_millis(20);
    assert!(provider.check_answer_issuer(None, false).await.is_ok());
    hanging.1.store(true, std::sync::atomic::Ordering::SeqCst);
    rig.clock.advance_secs(4_000);
    assert!(provider.check_answer_issuer(None, false).await.is_ok());
    assert!(provider.facts().last_error.is_some());
}
