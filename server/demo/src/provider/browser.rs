//! For tests: a provider with a held clock, a browser with a cookie jar, and a client.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

use super::{LogoutNotice, Provider, ProviderConfig, RegisteredClient, User, router};
use crate::sources::held::{self, Clock};

pub(crate) const CALLBACK: &str = "http://app.localhost:8080/bff/callback";
pub(crate) const SIGNED_OUT: &str = "http://app.localhost:8080/bff/signed-out";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The world of a test.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) provider: Arc<Provider>,
    pub(crate) notices: Arc<Mutex<Vec<LogoutNotice>>>,
}

pub(crate) fn world() -> World {
    let (sources, clock) = held::sources();
    let client = |client_id: &str| RegisteredClient {
        client_id: client_id.to_owned(),
        client_secret: format!("{client_id}-secret"),
        redirect_uris: vec![Url::parse(CALLBACK).unwrap()],
        post_logout_redirect_uris: vec![Url::parse(SIGNED_OUT).unwrap()],
        backchannel_logout_uri: Url::parse("http://app.localhost:8080/bff/backchannel-logout").ok(),
    };
    let user = |name: &str, roles: &[&str]| User {
        name: name.to_owned(),
        password: format!("{name}-password"),
        sub: format!("sub-{name}"),
        email: format!("{name}@example.com"),
        display_name: format!("<{name}>"),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        groups: vec!["staff".to_owned()],
    };
    let config = ProviderConfig {
        issuer: Url::parse("http://idp.localhost:8081").unwrap(),
        clients: vec![client("web"), client("other")],
        users: vec![user("ada", &[]), user("olga", &["owner"])],
        access_token_secs: 60,
        audience: "http://api.localhost:8082".to_owned(),
        onward: Vec::new(),
    };
    let notices = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&notices);
    let provider =
        Provider::new(config, sources).unwrap().with_logout_sender(move |notice| sink.lock().unwrap().push(notice));
    World { clock, provider: Arc::new(provider), notices }
}

/// An answer, read whole.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn location(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// A parameter of the redirect's query.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let base = Url::parse("http://idp.localhost:8081").unwrap();
        let url = base.join(self.location()).unwrap();
        let found = url.query_pairs().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// The value of a hidden field.
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&start).expect(name);
        rest.split_once('"').unwrap().0.to_owned()
    }
}

pub(crate) async fn send(app: Router, request: Request<Body>) -> Answered {
    let response = app.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answered { status: parts.status, headers: parts.headers, body: String::from_utf8(bytes.to_vec()).unwrap() }
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A browser at the provider.
pub(crate) struct Browser {
    app: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(world: &World) -> Self {
        Self { app: router(Arc::clone(&world.provider)), cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answered {
        self.send("GET", path, String::new()).await
    }

    pub(crate) async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answered {
        self.send("POST", path, form(pairs)).await
    }

    async fn send(&mut self, method: &str, path: &str, body: String) -> Answered {
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(path);
        if !jar.is_empty() {
            request = request.header(header::COOKIE, jar.join("; "));
        }
        if method == "POST" {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let answered = send(self.app.clone(), request.body(Body::from(body)).unwrap()).await;
        for line in answered.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answered
    }

    /// The authorization request, with `changes` over the usual parameters (empty: left out).
    pub(crate) async fn authorize(&mut self, changes: &[(&str, &str)]) -> Answered {
        self.get(&format!("/authorize?{}", authorize_query(changes))).await
    }

    /// Goes through the login page of an authorization request that leads to it.
    pub(crate) async fn log_in(&mut self, name: &str, changes: &[(&str, &str)]) -> Answered {
        let start = self.authorize(changes).await;
        assert!(start.location().starts_with("/login?"), "{}", start.location());
        let page = self.get(start.location()).await;
        assert_eq!(page.status, StatusCode::OK);
        let (interaction, csrf) = (page.field("interaction"), page.field("csrf"));
        let password = format!("{name}-password");
        self.post(
            "/login",
            &[("interaction", &interaction), ("csrf", &csrf), ("username", name), ("password", &password)],
        )
        .await
    }
}

pub(crate) fn authorize_query(changes: &[(&str, &str)]) -> String {
    let mut params = BTreeMap::from([
        ("client_id", "web"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid profile email offline_access"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    for (name, value) in changes {
        params.insert(name, value);
    }
    params.retain(|_, value| !value.is_empty());
    form(&params.into_iter().collect::<Vec<_>>())
}

/// A client at the token or revocation endpoint, authenticated by `client_secret_post`.
pub(crate) async fn client_post(world: &World, path: &str, pairs: &[(&str, &str)]) -> Answered {
    let mut all = pairs.to_vec();
    if !pairs.iter().any(|(name, _)| *name == "client_id") {
        all.extend([("client_id", "web"), ("client_secret", "web-secret")]);
    }
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form(&all)))
        .unwrap();
    send(router(Arc::clone(&world.provider)), request).await
}

pub(crate) async fn redeem(world: &World, code: &str) -> Answered {
    client_post(
        world,
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ],
    )
    .await
}

pub(crate) async fn refresh(world: &World, token: &str) -> Answered {
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
    client_post(world, "/token", &pairs).await
}

/// A whole login: the token endpoint's answer.
pub(crate) async fn token_set(world: &World, name: &str) -> Value {
    let code = Browser::new(world).log_in(name, &[]).await.param("code");
    let answered = redeem(world, &code.unwrap()).await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.body);
    answered.json()
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &Value) -> Value {
    let body = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}
