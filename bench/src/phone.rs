//! Phones: real sign-ins through `/oauth/authorize`, and device keys whose proofs the gateway checks.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::gateway::{AT_ONCE, Gateway, first_login, location};
use crate::http::{send, send_with};

/// The app's id.
pub(crate) const CLIENT: &str = "phone";
/// A claimed https address: no page asks for a click before it.
pub(crate) const REDIRECT: &str = "https://phone.bench.example/callback";
const VERIFIER: &str = "bench-verifier-bench-verifier-bench-verifier";

/// What the token endpoint gave.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn read(body: &str) -> Result<Self> {
        let answer: Value = serde_json::from_str(body)?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned).context("no tokens");
        Ok(Self { access: text("access_token")?, refresh: text("refresh_token")? })
    }
}

impl Gateway {
    /// Signs one person in on `n` phones, all with the same device key or none.
    pub(crate) fn phones(&self, n: usize, key: Option<&Arc<DeviceKey>>) -> Result<Vec<Tokens>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let known_to_provider = first_login(&self.origin).await?;
            let mut phones = Vec::with_capacity(n);
            while phones.len() < n {
                let batch = AT_ONCE.min(n - phones.len());
                let one = |_| sign_in(self.origin.clone(), known_to_provider.clone(), key.cloned());
                let tasks: Vec<_> = (0..batch).map(one).map(tokio::spawn).collect();
                for task in tasks {
                    phones.push(task.await??);
                }
            }
            Ok(phones)
        })
    }
}

async fn sign_in(origin: String, known_to_provider: Vec<String>, key: Option<Arc<DeviceKey>>) -> Result<Tokens> {
    let challenge = hash(VERIFIER);
    let begin = format!(
        "{origin}/oauth/authorize?response_type=code&client_id={CLIENT}&redirect_uri={REDIRECT}\
         &code_challenge={challenge}&code_challenge_method=S256&scope=openid"
    );
    let begun = send("GET", &begin, &[], None).await?;
    let transaction = begun.cookies();
    let mut url = location(&begun, &origin)?;
    while !url.starts_with(&origin) {
        let answer = send("GET", &url, &known_to_provider, None).await?;
        url = location(&answer, &url)?;
    }
    let back = location(&send("GET", &url, &transaction, None).await?, &origin)?;
    let code = back.split_once("code=").and_then(|(_, rest)| rest.split('&').next()).context("no code")?;
    let form = format!(
        "grant_type=authorization_code&client_id={CLIENT}&redirect_uri={REDIRECT}&code={code}&code_verifier={VERIFIER}"
    );
    let url = format!("{origin}/oauth/token");
    let proof = key.map(|key| format!("DPoP: {}\r\n", key.proof("POST", &url, None))).unwrap_or_default();
    let answer = send_with("POST", &url, &[], Some(&form), &proof).await?;
    ensure!(answer.status == 200, "token: {} {}", answer.status, answer.body);
    Tokens::read(&answer.body)
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// A device key (RFC 9449).
pub(crate) struct DeviceKey {
    pair: EcdsaKeyPair,
    header: String,
    made: AtomicU64,
}

impl DeviceKey {
    pub(crate) fn new() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).context("no key")?;
        let (x, y) = pair.public_key().as_ref().split_at(1).1.split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }).to_string();
        Ok(Self { pair, header: URL_SAFE_NO_PAD.encode(header), made: AtomicU64::new(0) })
    }

    pub(crate) fn proof(&self, method: &str, url: &str, token: Option<&str>) -> String {
        let iat = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let jti = format!("{iat}-{}", self.made.fetch_add(1, Ordering::Relaxed));
        let mut claims = json!({ "jti": jti, "htm": method, "htu": url, "iat": iat });
        if let (Some(token), Some(claims)) = (token, claims.as_object_mut()) {
            claims.insert("ath".into(), hash(token).into());
        }
        let text = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes());
        signature.map_or_else(|_| text.clone(), |signed| format!("{text}.{}", URL_SAFE_NO_PAD.encode(signed)))
    }

    /// What one check of a signature costs on this machine, in microseconds of CPU.
    pub(crate) fn check_us(&self) -> Result<f64> {
        const CHECKS: u32 = 20_000;
        let text = [0x61; 600];
        let signature = self.pair.sign(&SystemRandom::new(), &text).context("not signed")?;
        let before = own_cpu_us()?;
        for _ in 0..CHECKS {
            let held = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
            held.verify(&text, signature.as_ref()).context("does not hold")?;
        }
        Ok((own_cpu_us()? - before) / f64::from(CHECKS))
    }
}

/// This thread's time on a core so far, in microseconds (proc(5): nanoseconds in the first field).
fn own_cpu_us() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: f64 = text.split_whitespace().next().context("no schedstat")?.parse()?;
    Ok(nanos / 1e3)
}
