//! A mobile app as the gateway sees one: a system browser for the sign-in, and plain requests for everything else.

use crate::wire::{Answer, Request};
use crate::{Browser, Gateway};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;
use url::form_urlencoded::Serializer;

/// The redirect URI that phones use unless told otherwise.
pub const REDIRECT: &str = "com.example.phone:/callback";

/// An installed app.
pub struct Phone {
    port: u16,
    /// The person's system browser.
    pub browser: Browser,
    /// `client_id`.
    pub client_id: String,
    /// Where codes go.
    pub redirect_uri: String,
    verifier: String,
    /// The device key, where the app has one.
    pub key: Option<DeviceKey>,
}

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// `crs_at_…`
    pub access: String,
    /// `crs_rt_…`
    pub refresh: String,
    /// The whole answer.
    pub answer: Value,
}

impl Tokens {
    /// Reads a successful answer.
    #[track_caller]
    pub fn of(answer: Answer) -> Self {
        let answer = answer.expect(200).json();
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token"), answer }
    }
}

impl Phone {
    /// An app on a device of its own.
    pub fn new(gateway: &Gateway) -> Self {
        Self {
            port: gateway.port(),
            browser: Browser::new(),
            client_id: "phone".into(),
            redirect_uri: REDIRECT.into(),
            verifier: unique("verifier-0123456789-0123456789-0123456789"),
            key: None,
        }
    }

    /// With a device key.
    #[must_use]
    pub fn with_key(mut self) -> Self {
        self.key = Some(DeviceKey::new());
        self
    }

    /// The PKCE challenge of this app's verifier.
    pub fn challenge(&self) -> String {
        hash(&self.verifier)
    }

    /// An address of the app's site.
    pub fn url(&self, path: &str) -> String {
        format!("http://app.localhost:{}{path}", self.port)
    }

    /// The parameters of an authorization request; an empty value leaves one out.
    pub fn request(&self, changed: &[(&str, &str)]) -> Vec<(String, String)> {
        let challenge = self.challenge();
        let usual = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("state", "the app's state"),
            ("scope", "openid profile email"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
        let all = kept.chain(changed.iter().copied().filter(|(_, value)| !value.is_empty()));
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The authorization request as an address.
    pub fn authorize_url(&self, changed: &[(&str, &str)]) -> String {
        let query = Serializer::new(String::new()).extend_pairs(self.request(changed)).finish();
        self.url(&format!("/oauth/authorize?{query}"))
    }

    /// Opens an authorization request in the browser, goes through consent and login, and gives back what the app hears.
    pub async fn authorize(&mut self, user: &str, changed: &[(&str, &str)]) -> Url {
        let url = self.authorize_url(changed);
        self.follow(user, &url).await
    }

    /// The same for an address that is there already.
    pub async fn follow(&mut self, user: &str, url: &str) -> Url {
        self.browser.hold_at("/callback");
        self.browser.navigate(url).await;
        if self.browser.page().forms().iter().any(|form| form.has("request_query")) {
            self.browser.submit_form(&[]).await;
        }
        if self.browser.page().forms().iter().any(|form| form.has("username")) {
            self.browser.submit_form(&[("username", user), ("password", &format!("{user}-password"))]).await;
        }
        self.browser.held().url().clone()
    }

    /// A code for this person.
    pub async fn code(&mut self, user: &str) -> String {
        let back = self.authorize(user, &[]).await;
        parameter(&back, "code").unwrap_or_else(|| panic!("no code: {back}"))
    }

    /// The form that redeems a code; an empty value leaves a field out.
    pub fn redemption(&self, code: &str, changed: &[(&str, &str)]) -> Vec<(String, String)> {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("code", code),
            ("code_verifier", &self.verifier),
        ];
        let kept = usual.into_iter().filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
        let all = kept.chain(changed.iter().copied().filter(|(_, value)| !value.is_empty()));
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str) -> Answer {
        self.post("/oauth/token", &self.redemption(code, &[])).await
    }

    /// Refreshes.
    pub async fn refresh(&self, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("client_id", &self.client_id), ("refresh_token", token)];
        self.post("/oauth/token", &owned(&form)).await
    }

    /// Signs in: authorization, code, tokens.
    pub async fn sign_in(&mut self, user: &str) -> Tokens {
        let code = self.code(user).await;
        Tokens::of(self.redeem(&code).await)
    }

    /// Sends a form, with a proof where the app has a key.
    pub async fn post(&self, path: &str, form: &[(String, String)]) -> Answer {
        self.send(self.form(path, form)).await
    }

    /// The request that sends a form, with a proof where the app has a key.
    pub fn form(&self, path: &str, form: &[(String, String)]) -> Request {
        let proof = self.key.as_ref().map(|key| key.proof("POST", &self.url(path), None, &json!({})));
        self.form_with(path, form, proof.as_deref())
    }

    /// Sends a form with this proof.
    pub async fn post_with(&self, path: &str, form: &[(String, String)], proof: Option<&str>) -> Answer {
        self.send(self.form_with(path, form, proof)).await
    }

    fn form_with(&self, path: &str, form: &[(String, String)], proof: Option<&str>) -> Request {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.bare("POST", path).header("Content-Type", "application/x-www-form-urlencoded").body(body);
        match proof {
            Some(proof) => request.header("DPoP", proof),
            None => request,
        }
    }

    /// A call with the access token: by proof where the app has a key.
    pub async fn call(&self, method: &str, path: &str, token: &str) -> Answer {
        let request = self.bare(method, path);
        let request = match &self.key {
            None => request.header("Authorization", &format!("Bearer {token}")),
            Some(key) => {
                let proof = key.proof(method, &self.url(path), Some(token), &json!({}));
                request.header("Authorization", &format!("DPoP {token}")).header("DPoP", &proof)
            }
        };
        self.send(request).await
    }

    /// A request without anything.
    pub fn bare(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("app.localhost:{}", self.port), path)
    }

    /// Sends a request.
    pub async fn send(&self, request: Request) -> Answer {
        request.send(self.port).await.expect("the gateway answers")
    }
}

/// Pairs of one's own.
pub fn owned(form: &[(&str, &str)]) -> Vec<(String, String)> {
    form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A parameter of an address, custom schemes included.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn unique(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn hash(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// A key that never leaves its device (RFC 9449).
pub struct DeviceKey(EcdsaKeyPair);

impl DeviceKey {
    /// A fresh one.
    #[expect(clippy::new_without_default, reason = "a key is made, not defaulted")]
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        json!({ "crv": "P-256", "kty": "EC", "x": BASE64_URL_SAFE_NO_PAD.encode(x), "y": BASE64_URL_SAFE_NO_PAD.encode(y) })
    }

    /// Its thumbprint (RFC 7638).
    pub fn thumbprint(&self) -> String {
        hash(&self.jwk().to_string())
    }

    /// A proof for one request; `changed` replaces claims.
    pub fn proof(&self, method: &str, url: &str, token: Option<&str>, changed: &Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let mut claims = json!({ "jti": unique("proof"), "htm": method, "htu": url, "iat": now });
        if let Some(token) = token {
            claims["ath"] = hash(token).into();
        }
        for (name, value) in changed.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(&claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).expect("signed");
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}
