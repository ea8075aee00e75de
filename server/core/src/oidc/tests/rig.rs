//! The scripted provider and its signing keys.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::clock::{HeldClock, UnixMs};
use crate::http::{HttpClient, HttpError};
use crate::oidc::{
    ClientAuth, IdTokenFault, LoginError, Provider, ProviderSettings, Redeem, RefreshReuse, Registration, ResponseMode,
    VerifiedLogin,
};
use crate::random::SystemRandom as Unguessable;
use crate::session::record::Token;

pub(super) const ISSUER: &str = "https://id.example.com";
pub(super) const CLIENT: &str = "cloakroom";
pub(super) const SECRET: &str = "very secret";
pub(super) const NONCE: &str = "the-nonce-of-this-login";
pub(super) const CODE: &str = "the-code-of-this-login";
pub(super) const VERIFIER: &str = "the-verifier-of-this-login-of-43-characters";
pub(super) const ACCESS: &str = "the-access-token";
pub(super) const REFRESH: &str = "the-refresh-token";
pub(super) const NOW: i64 = 1_795_517_665;
pub(super) const SKEW: i64 = 30;

/// What the provider answers at one path.
pub(super) type Reply = Result<http::Response<Vec<u8>>, HttpError>;

/// A call as the provider saw it.
pub(super) struct Seen {
    pub(super) url: String,
    pub(super) authorization: Option<String>,
    pub(super) body: String,
}

#[derive(Default)]
pub(super) struct Fake {
    replies: Mutex<BTreeMap<&'static str, Reply>>,
    seen: Mutex<Vec<Seen>>,
}

impl Fake {
    pub(super) fn set(&self, path: &'static str, reply: Reply) {
        self.replies.lock().insert(path, reply);
    }

    pub(super) fn calls(&self, path: &str) -> usize {
        self.seen.lock().iter().filter(|seen| seen.url == format!("{ISSUER}{path}")).count()
    }

    pub(super) fn all_calls(&self) -> usize {
        self.seen.lock().len()
    }

    pub(super) fn last(&self) -> Seen {
        self.seen.lock().pop().expect("a call")
    }
}

#[async_trait]
impl HttpClient for Fake {
    async fn send(&self, request: http::Request<Vec<u8>>) -> Reply {
        let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        self.seen.lock().push(Seen {
            url: request.uri().to_string(),
            authorization,
            body: String::from_utf8(request.body().clone()).unwrap(),
        });
        // Others get their turn, as they would while a network answers.
        tokio::task::yield_now().await;
        let found = self.replies.lock().get(request.uri().path()).cloned();
        found.unwrap_or_else(|| answer(404, "<html>no such page</html>"))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a script's other replies are errors")]
#[expect(clippy::needless_pass_by_value, reason = "bodies are made on the spot")]
pub(super) fn answer(status: u16, body: impl ToString) -> Reply {
    let builder = http::Response::builder().status(status).header("content-type", "application/json");
    Ok(builder.body(body.to_string().into_bytes()).unwrap())
}

/// A signing key of the provider, or of an attacker.
pub(super) struct Key {
    pub(super) kid: &'static str,
    pub(super) alg: &'static str,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(Arc<RsaKeyPair>),
}

/// Making one takes a while.
static RSA: LazyLock<Arc<RsaKeyPair>> =
    LazyLock::new(|| Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")));

impl Key {
    pub(super) fn new(kid: &'static str, alg: &'static str) -> Self {
        let pair = match alg {
            "ES256" => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "ES384" => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
            "EdDSA" => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
            _ => Pair::Rsa(Arc::clone(&RSA)),
        };
        Self { kid, alg, pair }
    }

    pub(super) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.pair {
            Pair::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if self.alg == "ES256" { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
            }
            Pair::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }),
            // RFC 8017 appendix A.1.1: two sequence headers and a sign byte stand before the modulus.
            Pair::Rsa(pair) => {
                json!({ "kty": "RSA", "n": text(&pair.public_key().as_ref()[9..][..256]), "e": "AQAB" })
            }
        };
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding = if self.alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    pub(super) fn header(&self) -> Value {
        json!({ "alg": self.alg, "kid": self.kid, "typ": "JWT" })
    }

    /// A token of any header and payload, signed with this key whatever they say.
    #[expect(clippy::needless_pass_by_value, reason = "headers and claims are made on the spot")]
    pub(super) fn token(&self, header: impl ToString, claims: impl ToString) -> String {
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes())))
    }
}

pub(super) fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": "alice", "aud": CLIENT, "iat": NOW, "exp": NOW + 300, "nonce": NONCE })
}

/// The usual claims with some changed, and those that are null here left out.
pub(super) fn claims_with(changes: &Value) -> Value {
    let mut all = claims();
    let members: &mut Map<String, Value> = all.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        members.remove(name);
        if !value.is_null() {
            members.insert(name.clone(), value.clone());
        }
    }
    all
}

pub(super) fn document() -> Value {
    let at = |path: &str| format!("{ISSUER}{path}");
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": at("/authorize?audience=x"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"),
        "revocation_endpoint": at("/revoke"),
        "end_session_endpoint": at("/logout"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported":
            ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "HS256", "none", "XX1"],
    })
}

/// A provider that works, with one ES256 key, at a held clock.
pub(super) struct Rig {
    pub(super) provider: Provider,
    pub(super) fake: Arc<Fake>,
    pub(super) clock: Arc<HeldClock>,
    pub(super) key: Key,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Registration)) -> Self {
        let mut registration = Registration {
            id: "web".into(),
            client_id: CLIENT.into(),
            auth: ClientAuth::Basic(SECRET.into()),
            scopes: vec!["profile".into(), "openid".into(), "offline_access".into()],
            extra_authorize: Vec::new(),
            login_parameters: Vec::new(),
            response_mode: ResponseMode::Query,
            userinfo: false,
        };
        change(&mut registration);
        let settings = ProviderSettings {
            id: "main".into(),
            name: "Main".into(),
            mail_domains: vec![],
            own_callback: false,
            claims: crate::oidc::ClaimMap::default(),
            plain: None,
            issuer: ISSUER.into(),
            clock_skew_secs: SKEW,
            refresh_reuse: RefreshReuse::Never,
            timeout_secs: 40,
            id_token_hint: true,
            logout_redirect_parameter: "post_logout_redirect_uri".into(),
            registrations: vec![registration],
        };
        let (fake, clock) = (Arc::new(Fake::default()), Arc::new(HeldClock::at(UnixMs::from_secs(NOW))));
        let http: Arc<dyn HttpClient> = Arc::<Fake>::clone(&fake);
        let provider = Provider::new(settings, http, Arc::<HeldClock>::clone(&clock), Arc::new(Unguessable)).unwrap();
        let rig = Self { provider, fake, clock, key: Key::new("k1", "ES256") };
        rig.fake.set("/.well-known/openid-configuration", answer(200, document()));
        rig.publish(&[&rig.key]);
        rig
    }

    pub(super) fn publish(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.fake.set("/jwks", answer(200, json!({ "keys": keys })));
    }

    pub(super) fn good_token(&self) -> String {
        self.key.token(self.key.header(), claims())
    }

    /// What redeeming comes to when the token endpoint answers this.
    pub(super) async fn redeem_at(&self, reply: Reply) -> Result<VerifiedLogin, LoginError> {
        self.redeem_asking(reply, None, None).await
    }

    pub(super) async fn redeem_asking(
        &self,
        reply: Reply,
        max_age_secs: Option<u64>,
        acr_values: Option<&str>,
    ) -> Result<VerifiedLogin, LoginError> {
        self.fake.set("/token", reply);
        let outcome = self
            .provider
            .redeem(Redeem {
                registration: "web",
                code: CODE,
                redirect_uri: "https://app.example.com/bff/callback",
                pkce_verifier: &Token::parse(VERIFIER).unwrap(),
                nonce: NONCE,
                max_age_secs,
                acr_values,
            })
            .await;
        if let Err(error) = &outcome {
            tells_no_secret(&format!("{error} {error:?}"));
        }
        outcome
    }

    /// What redeeming comes to with this ID token.
    pub(super) async fn redeem(&self, id_token: &str) -> Result<VerifiedLogin, LoginError> {
        self.redeem_at(token_answer(&json!({ "id_token": id_token }))).await
    }

    pub(super) async fn fault(&self, id_token: &str) -> Option<IdTokenFault> {
        match self.redeem(id_token).await {
            Ok(_) => None,
            Err(LoginError::IdToken(fault)) => Some(fault),
            Err(other) => panic!("{other}"),
        }
    }
}

/// A token endpoint's answer with some members changed, and those that are null here left out.
pub(super) fn token_answer(changes: &Value) -> Reply {
    let mut all = json!({ "access_token": ACCESS, "token_type": "Bearer", "expires_in": 60, "refresh_token": REFRESH });
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    answer(200, all)
}

/// C8: whatever went wrong, no error tells a secret.
pub(super) fn tells_no_secret(text: &str) {
    for secret in [SECRET, CODE, VERIFIER, NONCE, ACCESS, REFRESH, "eyJ"] {
        assert!(!text.contains(secret), "{secret} stands in: {text}");
    }
}
