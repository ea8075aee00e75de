//! The certified provider: npm `oidc-provider`, started once for all tests; each test has a client of its own there.

use crate::wire::{Answer, Request};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;
use url::Url;

/// How long a provider may take to listen; it usually does within a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running provider. It ends when its standard input closes, so a killed test run leaves nothing behind.
pub struct Provider {
    child: Child,
    /// Its issuer, `http://idp.localhost:PORT`.
    pub issuer: String,
    port: u16,
}

impl Provider {
    /// The provider that all tests share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Provider> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(0))
    }

    /// A provider of one's own, to be stopped in the middle of a story; port 0 lets it choose.
    pub fn start(port: u16) -> Self {
        let folder = crate::folder().join("provider");
        assert!(
            folder.join("node_modules").is_dir(),
            "run `npm ci` in {} first (cargo xtask test does)",
            folder.display()
        );
        // A node under load was once seen to stand still before its first line of ours.
        let (child, line) =
            (0..3).find_map(|_| Self::tried(&folder, port)).expect("the provider says where it listens");
        let ready: Value = serde_json::from_str(&line).expect("the provider's first line is JSON");
        let issuer = ready["issuer"].as_str().expect("an issuer").to_owned();
        let port = Url::parse(&issuer).unwrap().port().expect("a port");
        Self { child, issuer, port }
    }

    /// The process and its first line, if that comes in time.
    fn tried(folder: &Path, port: u16) -> Option<(Child, String)> {
        let mut child = Command::new("node")
            .arg("run.mjs")
            .env("PORT", port.to_string())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let stdout = child.stdout.take().expect("a pipe was asked for");
        let (said, heard) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            said.send(BufReader::new(stdout).read_line(&mut line).map(|_| line))
        });
        if let Ok(Ok(line)) = heard.recv_timeout(PATIENCE)
            && !line.is_empty()
        {
            return Some((child, line));
        }
        drop(child.kill());
        drop(child.wait());
        None
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Registers or replaces a client; `access_ttl` (seconds) beside the usual metadata sets its access tokens' life.
    pub async fn register(&self, metadata: Value) {
        self.control("client", metadata).await;
    }

    /// Adds a user whose password is `NAME-password`.
    pub async fn user(&self, sub: &str, claims: Value) {
        self.control("user", json!({ "sub": sub, "claims": claims })).await;
    }

    /// A token request as a client's own program sends it; the secret goes into the header.
    pub async fn token(&self, client: (&str, &str), form: &[(&str, &str)]) -> Value {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let basic = BASE64_STANDARD.encode(format!("{}:{}", client.0, client.1));
        let request = Request::new("POST", "idp.localhost", "/token")
            .header("Authorization", &format!("Basic {basic}"))
            .header("Content-Type", "application/x-www-form-urlencoded");
        request.body(body).send(self.port).await.expect("the provider answers").expect(200).json()
    }

    /// Changes the life of a client's next access tokens.
    pub async fn access_ttl(&self, client_id: &str, secs: u64) {
        self.control("ttl", json!({ "client_id": client_id, "access_ttl": secs })).await;
    }

    /// Breaks an endpoint for one client. `fault`: `endpoint`, `mode` (delay, late, status, drop, lose, hang) and its details.
    pub async fn fault(&self, client_id: &str, mut fault: Value) {
        fault["client_id"] = client_id.into();
        self.control("fault", fault).await;
    }

    /// Takes every fault of a client away.
    pub async fn heal(&self, client_id: &str) {
        self.control("heal", json!({ "client_id": client_id })).await;
    }

    /// What the provider saw of one client.
    pub async fn seen(&self, client_id: &str) -> Seen {
        let target = format!("/_control/seen?client_id={client_id}");
        Seen(Request::new("GET", "idp.localhost", &target).send(self.port).await.expect("the provider answers").json())
    }

    /// Signs any header and claims: with the provider's `RS256` or `ES256` key, with a `stranger`'s, with the provider's
    /// public key as a shared secret (`HS256`), or not at all (`none`).
    pub async fn sign(&self, key: &str, header: &Value, claims: &Value) -> String {
        let answer = self.control("sign", json!({ "key": key, "header": header, "claims": claims })).await;
        answer.json()["token"].as_str().expect("a token").to_owned()
    }

    async fn control(&self, command: &str, body: Value) -> Answer {
        let request = Request::new("POST", "idp.localhost", &format!("/_control/{command}"));
        request.body(body.to_string()).send(self.port).await.expect("the provider answers").expect(200)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The provider's memory of one client.
#[derive(Debug)]
pub struct Seen(pub Value);

impl Seen {
    /// Authorization requests, as maps of parameters.
    pub fn authorize(&self) -> &[Value] {
        self.list("authorize")
    }

    /// Token requests of a grant type, whatever came of them.
    pub fn token(&self, grant_type: &str) -> Vec<&Value> {
        self.list("token").iter().filter(|form| form["grant_type"] == grant_type).collect()
    }

    /// Token answers of a grant type: `access`, `refresh`, `id`.
    pub fn granted(&self, grant_type: &str) -> Vec<&Value> {
        self.list("granted").iter().filter(|grant| grant["grant_type"] == grant_type).collect()
    }

    /// Token requests that the provider itself refused.
    pub fn refused(&self) -> &[Value] {
        self.list("refused")
    }

    /// Logout tokens that the provider sent by itself: whether each was taken.
    pub fn logouts(&self) -> &[Value] {
        self.list("logouts")
    }

    /// Tokens sent for revocation.
    pub fn revoked(&self) -> Vec<&str> {
        self.list("revocation").iter().filter_map(|form| form["token"].as_str()).collect()
    }

    /// Every secret that passed between the provider and this client.
    pub fn secrets(&self) -> Vec<String> {
        let sent =
            self.list("token").iter().flat_map(|form| [&form["code"], &form["code_verifier"], &form["client_secret"]]);
        let got = self.list("granted").iter().flat_map(|grant| [&grant["access"], &grant["refresh"], &grant["id"]]);
        sent.chain(got).filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    fn list(&self, name: &str) -> &[Value] {
        self.0[name].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}
