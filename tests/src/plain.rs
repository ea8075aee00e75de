//! A provider that knows no OpenID Connect, shaped like GitHub's: people have numbers, addresses are a list of their own,
//! refusals have status 200, scopes are joined by commas, and answers say nothing of who gives them.

use crate::adversary::keys::pkce_challenge;
use crate::wire::{Conn, Headers, framing};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Path.
    pub path: String,
    /// Fields.
    pub headers: Headers,
    /// Parameters of the query, then of the body.
    pub parameters: HashMap<String, String>,
}

struct State {
    user: Value,
    emails: Value,
    /// What the token endpoint adds to its answer.
    extra: Value,
    /// PKCE challenges by code.
    codes: HashMap<String, String>,
    tokens: Vec<String>,
    seen: Vec<Seen>,
}

/// The provider. Its tasks end with the test's runtime.
#[derive(Clone)]
pub struct Plain {
    state: Arc<Mutex<State>>,
    /// Scheme, host and port.
    pub origin: String,
}

/// The secret of its one client, `cloakroom`.
pub const SECRET: &str = crate::gateway::SECOND_SECRET;

impl Plain {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let origin = format!("http://git.localhost:{}", listener.local_addr().expect("bound").port());
        let state = State {
            user: json!({ "id": 583_231, "login": "octo", "name": "Octo Cat", "email": "shown@example.com" }),
            emails: json!([
                { "email": "old@example.com", "primary": false, "verified": true },
                { "email": "octo@example.com", "primary": true, "verified": true, "visibility": null },
            ]),
            extra: json!({}),
            codes: HashMap::new(),
            tokens: Vec::new(),
            seen: Vec::new(),
        };
        let plain = Self { state: Arc::new(Mutex::new(state)), origin };
        let accepting = plain.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = accepting.clone();
                tokio::spawn(async move { serving.serve(Conn::over(socket)?).await });
            }
        });
        plain
    }

    /// The provider `git` with its registration, as a configuration names it.
    pub fn section(&self, more: &str) -> String {
        let at = &self.origin;
        format!(
            "[providers.git]\nissuer = \"{at}\"\nkind = \"oauth2\"\n\
             authorization_endpoint = \"{at}/login/oauth/authorize\"\ntoken_endpoint = \"{at}/login/oauth/access_token\"\n\
             userinfo_endpoint = \"{at}/user\"\nemails_endpoint = \"{at}/user/emails\"\nsubject = \"id\"\n{more}\n\
             [providers.git.registrations.web]\nclient_id = \"cloakroom\"\nclient_secret = \"env:TESTS_SECOND_SECRET\"\n\
             client_auth = \"client_secret_post\"\nscopes = [\"read:user\", \"user:email\"]\n"
        )
    }

    /// Another person signs in from now on.
    pub fn user(&self, user: Value) {
        self.state.lock().unwrap().user = user;
    }

    /// Other addresses are theirs from now on.
    pub fn emails(&self, emails: Value) {
        self.state.lock().unwrap().emails = emails;
    }

    /// The token endpoint's answers have these members too.
    pub fn extra(&self, extra: Value) {
        self.state.lock().unwrap().extra = extra;
    }

    /// Forgets every code.
    pub fn forget_codes(&self) {
        self.state.lock().unwrap().codes.clear();
    }

    /// Requests to a path.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.state.lock().unwrap().seen.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// The last access token that was given.
    pub fn last_token(&self) -> String {
        self.state.lock().unwrap().tokens.last().cloned().expect("a token")
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
            let seen = Seen { path: path.to_owned(), headers, parameters };
            let (status, field, body) = self.state.lock().unwrap().answer(&seen);
            let head = format!("HTTP/1.1 {status} X\r\n{field}\r\nContent-Length: {}\r\n\r\n", body.len());
            conn.write(head + &body).await?;
        }
        Ok(())
    }
}

type Reply = (u16, String, String);

fn said(status: u16, body: &Value) -> Reply {
    (status, "Content-Type: application/json; charset=utf-8".into(), body.to_string())
}

impl State {
    fn answer(&mut self, seen: &Seen) -> Reply {
        self.seen.push(seen.clone());
        let asked = |name: &str| seen.parameters.get(name).cloned().unwrap_or_default();
        let token = seen.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let known = token.is_some_and(|token| self.tokens.iter().any(|one| one == token));
        match seen.path.as_str() {
            "/login/oauth/authorize" => {
                let code = format!("code{}", self.seen.len());
                self.codes.insert(code.clone(), asked("code_challenge"));
                let mut url = Url::parse(&asked("redirect_uri")).expect("a redirect_uri");
                url.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked("state"));
                (302, format!("Location: {url}"), String::new())
            }
            "/login/oauth/access_token" => self.token(&asked),
            "/user" if known => said(200, &self.user),
            "/user/emails" if known => said(200, &self.emails),
            "/user" | "/user/emails" => said(401, &json!({ "message": "Bad credentials" })),
            _ => said(404, &json!({ "message": "Not Found" })),
        }
    }

    fn token(&mut self, asked: &dyn Fn(&str) -> String) -> Reply {
        if asked("client_id") != "cloakroom" || asked("client_secret") != SECRET {
            return said(200, &json!({ "error": "incorrect_client_credentials" }));
        }
        let challenge = self.codes.remove(&asked("code"));
        if challenge != Some(pkce_challenge(&asked("code_verifier"))) {
            return said(
                200,
                &json!({ "error": "bad_verification_code", "error_description": "incorrect or expired" }),
            );
        }
        let token = format!("gho_{}x{}", std::process::id(), self.seen.len());
        self.tokens.push(token.clone());
        let mut answer = json!({ "access_token": token, "token_type": "bearer", "scope": "read:user,user:email" });
        for (name, value) in self.extra.as_object().into_iter().flatten() {
            answer[name] = value.clone();
        }
        said(200, &answer)
    }
}
