//! A provider that does what a good one never does. Straight, it is a plain OpenID provider that signs everybody in as
//! `alice` without asking; each of its answers can be bent, one login at a time.

mod draft;
mod endpoints;
pub mod keys;
mod story;

pub use draft::{Draft, Signer};
pub use endpoints::{Reply, Way};
pub use story::{Case, Expect, Outcome, run, sign_in, sign_in_at, sign_in_from};

use crate::wire::{Conn, Headers, framing};
use keys::Key;
use serde_json::Value;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use url::form_urlencoded;

/// The name of the key that signs unless a test says otherwise (P-256).
pub const EC: &str = "ec";
/// The name of the published RSA key.
pub const RSA: &str = "rsa";

/// An endpoint of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The discovery document.
    Discovery,
    /// The key set.
    Keys,
    /// Where browsers are sent to sign in.
    Authorize,
    /// The token endpoint.
    Token,
    /// Claims by access token.
    Userinfo,
    /// Revocation.
    Revoke,
    /// Where browsers are sent to sign out.
    EndSession,
    /// Anything else: nobody should ever ask there.
    Elsewhere,
}

/// One way to bend an answer.
#[derive(Clone, Copy)]
pub enum Bend {
    /// The parameters that the browser brings back.
    Redirect(fn(&mut Vec<(String, String)>, &Moment)),
    /// The ID token of a code's answer.
    IdToken(fn(Draft, &Moment) -> Draft),
    /// The ID token of a refresh's answer.
    RefreshedIdToken(fn(Draft, &Moment) -> Draft),
    /// The token endpoint's answer, once it holds the ID token.
    Token(fn(&mut Value, &Moment)),
    /// The claims at the userinfo endpoint.
    Userinfo(fn(&mut Value, &Moment)),
    /// Userinfo as a signed token (OpenID Connect Core section 5.3.2).
    SignedUserinfo(fn(Draft, &Moment) -> Draft),
    /// The discovery document.
    Discovery(fn(&mut Value)),
    /// The published keys.
    Keys(fn(&mut Vec<Value>)),
    /// Any endpoint's whole answer.
    Answer(Endpoint, fn(&mut Reply)),
}

/// What is known while an answer is made.
pub struct Moment<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The client that asked.
    pub client_id: &'a str,
    /// The code that is redeemed, or empty.
    pub code: &'a str,
    /// The access token that is given, or was presented.
    pub access_token: &'a str,
    /// Seconds since 1970.
    pub now: i64,
    /// Every key, published or not.
    pub keys: &'a [Key],
}

impl Moment<'_> {
    /// A key by its name.
    pub fn key(&self, kid: &str) -> &Key {
        self.keys.iter().find(|key| key.kid == kid).expect("a key of this name")
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where.
    pub endpoint: Endpoint,
    /// Path and query.
    pub target: String,
    /// Fields.
    pub headers: Headers,
    /// Parameters of the query, then of the body.
    pub parameters: Vec<(String, String)>,
}

impl Seen {
    /// A parameter's value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What was remembered of an authorization request.
#[derive(Clone, Debug)]
struct Asked {
    client_id: String,
    nonce: String,
    challenge: String,
}

struct State {
    bends: Vec<Bend>,
    seen: Vec<Seen>,
    codes: HashMap<String, Asked>,
    keys: Arc<Vec<Key>>,
    /// Names of the keys in the key set.
    published: Vec<String>,
    given: u32,
    /// Whether a code is good more than once.
    codes_last: bool,
    /// How many bytes its codes have beyond the usual.
    padding: usize,
    /// Every token, code and ID token that was given out.
    secrets: Vec<String>,
    /// Where browsers are sent, where that is not the issuer's own origin.
    authorize_at: Option<String>,
}

/// The provider. Its tasks end with the test's runtime.
#[derive(Clone)]
pub struct Adversary {
    state: Arc<Mutex<State>>,
    /// Its issuer.
    pub issuer: String,
}

impl Adversary {
    /// Starts it, straight, on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        Self::serving(listener, format!("http://idp.localhost:{port}"))
    }

    fn serving(listener: TcpListener, issuer: String) -> Self {
        let keys = Arc::new(vec![Key::ec(EC), Key::rsa(RSA), Key::ec("next")]);
        let published = vec![EC.to_owned(), RSA.to_owned()];
        let state = State {
            bends: Vec::new(),
            seen: Vec::new(),
            codes: HashMap::new(),
            keys,
            published,
            given: 0,
            codes_last: false,
            padding: 0,
            secrets: Vec::new(),
            authorize_at: None,
        };
        let adversary = Self { state: Arc::new(Mutex::new(state)), issuer };
        let accepting = adversary.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = accepting.clone();
                tokio::spawn(async move { serving.serve(Conn::over(socket)?).await });
            }
        });
        adversary
    }

    /// The same behind TLS with this certificate; browsers are sent to the plain port.
    pub async fn start_over_tls(pair: &crate::secure::Pair) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let plain = listener.local_addr().expect("bound").port();
        let port = crate::relay::over_tls(pair, plain).await;
        let adversary = Self::serving(listener, format!("https://idp.localhost:{port}"));
        adversary.state.lock().unwrap().authorize_at = Some(format!("http://idp.localhost:{plain}/authorize"));
        adversary
    }

    /// Bends its answers, in place of earlier bends.
    pub fn bend(&self, bends: &[Bend]) {
        self.state.lock().unwrap().bends = bends.to_vec();
    }

    /// A good provider again.
    pub fn straighten(&self) {
        self.bend(&[]);
    }

    /// Redeems a code as often as it is sent from now on, which no provider may (RFC 6749 section 4.1.2).
    pub fn honour_codes_again(&self) {
        self.state.lock().unwrap().codes_last = true;
    }

    /// Gives codes that are longer by so many bytes from now on.
    pub fn pad_codes(&self, bytes: usize) {
        self.state.lock().unwrap().padding = bytes;
    }

    /// Which keys are in the key set from now on.
    pub fn publish(&self, kids: &[&str]) {
        self.state.lock().unwrap().published = kids.iter().map(|kid| (*kid).to_owned()).collect();
    }

    /// Requests at an endpoint so far.
    pub fn seen(&self, endpoint: Endpoint) -> Vec<Seen> {
        self.state.lock().unwrap().seen.iter().filter(|seen| seen.endpoint == endpoint).cloned().collect()
    }

    /// Token requests of a grant type.
    pub fn granted(&self, grant_type: &str) -> Vec<Seen> {
        let all = self.seen(Endpoint::Token).into_iter();
        all.filter(|seen| seen.parameter("grant_type") == Some(grant_type)).collect()
    }

    /// Tokens that were sent for revocation.
    pub fn revoked(&self) -> Vec<String> {
        let all = self.seen(Endpoint::Revoke).into_iter();
        all.filter_map(|seen| seen.parameter("token").map(str::to_owned)).collect()
    }

    /// Every code and token that was given out.
    pub fn secrets(&self) -> Vec<String> {
        self.state.lock().unwrap().secrets.clone()
    }

    /// Takes what is said about it back: bends, requests and secrets.
    pub fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        state.bends.clear();
        state.seen.clear();
        state.secrets.clear();
    }

    async fn serve(&self, mut conn: Conn) -> io::Result<()> {
        while let Some((start, headers)) = conn.head().await? {
            let target = start.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = match framing(&headers) {
                Some(framing) => conn.body(framing).await?,
                None => Vec::new(),
            };
            let (path, query) = target.split_once('?').unwrap_or((&target, ""));
            let parameters = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(&body));
            let parameters = parameters.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            let seen = Seen { endpoint: endpoint(path), target: target.clone(), headers, parameters };
            let reply = self.state.lock().unwrap().answer(&seen, &self.issuer);
            if !reply.send(&mut conn).await? {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn endpoint(path: &str) -> Endpoint {
    match path {
        "/.well-known/openid-configuration" => Endpoint::Discovery,
        "/jwks" => Endpoint::Keys,
        "/authorize" => Endpoint::Authorize,
        "/token" => Endpoint::Token,
        "/userinfo" => Endpoint::Userinfo,
        "/revoke" => Endpoint::Revoke,
        "/end_session" => Endpoint::EndSession,
        _ => Endpoint::Elsewhere,
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the year 292 billion")
}
