//! What a good provider answers, and where each answer is bent on its way out.

use super::keys::{Key, half_hash, pkce_challenge};
use super::{Asked, Bend, Draft, Endpoint, Moment, Seen, State, now};
use crate::wire::Conn;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use url::form_urlencoded::Serializer;

/// An answer on its way out.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Fields beside the framing.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// How it leaves.
    pub way: Way,
}

/// How an answer leaves.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// At once and whole.
    Whole,
    /// Its head, then a byte every 50 ms, without end.
    Drip,
    /// Not at all, and the connection stays open.
    Hang,
    /// Not at all, and the connection closes.
    Close,
    /// Half of it, then the connection closes.
    Cut,
    /// Its body so many times over, by chunks.
    Over(usize),
    /// Whole, after so many milliseconds.
    Late(u64),
}

impl Reply {
    fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("Content-Type".into(), "application/json".into())];
        Self { status, headers, body: body.to_string().into_bytes(), way: Way::Whole }
    }

    fn redirect(url: &Url) -> Self {
        Self { status: 303, headers: vec![("Location".into(), url.to_string())], body: Vec::new(), way: Way::Whole }
    }

    /// Another status and body.
    pub fn say(&mut self, status: u16, content_type: &str, body: &str) {
        self.status = status;
        self.headers = vec![("Content-Type".into(), content_type.into())];
        self.body = body.into();
    }

    /// Sends it; whether the connection can be used again.
    pub(super) async fn send(&self, conn: &mut Conn) -> io::Result<bool> {
        let fields: Vec<_> = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let fields = fields.concat();
        let head = format!("HTTP/1.1 {} X\r\n{fields}", self.status);
        let whole = [format!("{head}Content-Length: {}\r\n\r\n", self.body.len()).into_bytes(), self.body.clone()];
        match self.way {
            Way::Whole => {}
            Way::Late(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Way::Hang => std::future::pending().await,
            Way::Close => return Ok(false),
            Way::Cut => {
                let bytes = whole.concat();
                conn.write(&bytes[..bytes.len() - self.body.len() / 2 - 1]).await?;
                return Ok(false);
            }
            Way::Drip => {
                conn.write(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await?;
                loop {
                    conn.write("1\r\n \r\n").await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Way::Over(times) => {
                conn.write(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await?;
                let chunk = [format!("{:x}\r\n", self.body.len()).as_bytes(), &self.body, b"\r\n"].concat();
                for _ in 0..times {
                    conn.write(&chunk).await?;
                }
                conn.write("0\r\n\r\n").await?;
                return Ok(true);
            }
        }
        conn.write(whole.concat()).await?;
        Ok(true)
    }
}

impl State {
    pub(super) fn answer(&mut self, seen: &Seen, issuer: &str) -> Reply {
        let endpoint = seen.endpoint;
        self.seen.push(seen.clone());
        let mut reply = match endpoint {
            Endpoint::Discovery => self.document(issuer),
            Endpoint::Keys => self.key_set(),
            Endpoint::Authorize => self.authorize(seen, issuer),
            Endpoint::Token => self.token(seen, issuer),
            Endpoint::Userinfo => self.userinfo(seen, issuer),
            Endpoint::Revoke => Reply::json(200, &json!({})),
            Endpoint::EndSession => end_session(seen),
            Endpoint::Elsewhere => Reply::json(404, &json!({ "error": "nothing is here" })),
        };
        for bend in &self.bends {
            if let Bend::Answer(at, bend) = bend
                && *at == endpoint
            {
                bend(&mut reply);
            }
        }
        reply
    }

    fn document(&self, issuer: &str) -> Reply {
        let at = |path: &str| format!("{issuer}{path}");
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": self.authorize_at.clone().unwrap_or_else(|| at("/authorize")),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"),
            "userinfo_endpoint": at("/userinfo"),
            "revocation_endpoint": at("/revoke"),
            "end_session_endpoint": at("/end_session"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": true,
        });
        for bend in &self.bends {
            if let Bend::Discovery(bend) = bend {
                bend(&mut document);
            }
        }
        Reply::json(200, &document)
    }

    fn key_set(&self) -> Reply {
        let published = self.keys.iter().filter(|key| self.published.contains(&key.kid));
        let mut keys: Vec<Value> = published.map(Key::jwk).collect();
        for bend in &self.bends {
            if let Bend::Keys(bend) = bend {
                bend(&mut keys);
            }
        }
        Reply::json(200, &json!({ "keys": keys }))
    }

    fn authorize(&mut self, seen: &Seen, issuer: &str) -> Reply {
        let asked = |name: &str| seen.parameter(name).unwrap_or_default().to_owned();
        let code = format!("{}{}", self.secret("code"), "x".repeat(self.padding));
        let remembered =
            Asked { client_id: asked("client_id"), nonce: asked("nonce"), challenge: asked("code_challenge") };
        self.codes.insert(code.clone(), remembered.clone());
        let mut parameters =
            vec![("code".into(), code.clone()), ("state".into(), asked("state")), ("iss".into(), issuer.to_owned())];
        let keys = Arc::clone(&self.keys);
        let moment = moment(issuer, &remembered.client_id, &code, "", &keys);
        for bend in &self.bends {
            if let Bend::Redirect(bend) = bend {
                bend(&mut parameters, &moment);
            }
        }
        let mut url = Url::parse(&asked("redirect_uri")).expect("a redirect_uri");
        if seen.parameter("response_mode") == Some("form_post") {
            return form(&url, &parameters);
        }
        url.query_pairs_mut().extend_pairs(&parameters);
        Reply::redirect(&url)
    }

    fn token(&mut self, seen: &Seen, issuer: &str) -> Reply {
        let code = seen.parameter("code").unwrap_or_default().to_owned();
        let refresh = seen.parameter("grant_type") == Some("refresh_token");
        let asked = match (refresh, self.codes_last) {
            (true, _) => self.codes.values().next().cloned(),
            (false, true) => self.codes.get(&code).cloned(),
            (false, false) => self.codes.remove(&code),
        };
        let Some(asked) = asked else {
            return Reply::json(400, &json!({ "error": "invalid_grant" }));
        };
        if !refresh && pkce_challenge(seen.parameter("code_verifier").unwrap_or_default()) != asked.challenge {
            return Reply::json(400, &json!({ "error": "invalid_grant", "error_description": "PKCE" }));
        }
        // Any client may refresh: who it is does not matter to what is tried here.
        self.codes.insert(format!("used-{code}"), asked.clone());
        let (access_token, refresh_token) = (self.secret("access"), self.secret("refresh"));
        let keys = Arc::clone(&self.keys);
        let moment = moment(issuer, &asked.client_id, &code, &access_token, &keys);
        let draft = Draft::id_token(&moment, (!refresh).then_some(asked.nonce.as_str()));
        let mut draft = draft.set("at_hash", half_hash(&access_token));
        for bend in &self.bends {
            match bend {
                Bend::IdToken(bend) if !refresh => draft = bend(draft, &moment),
                Bend::RefreshedIdToken(bend) if refresh => draft = bend(draft, &moment),
                _ => {}
            }
        }
        let id_token = draft.text(&keys);
        let mut answer = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": 300,
            "refresh_token": refresh_token, "id_token": id_token,
        });
        for bend in &self.bends {
            if let Bend::Token(bend) = bend {
                bend(&mut answer, &moment);
            }
        }
        // Garbage is no secret.
        if id_token.len() > 60 {
            self.secrets.push(id_token);
        }
        Reply::json(200, &answer)
    }

    fn userinfo(&mut self, seen: &Seen, issuer: &str) -> Reply {
        let presented = seen.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = presented.filter(|token| self.secrets.iter().any(|known| known == token)) else {
            return Reply::json(401, &json!({ "error": "invalid_token" }));
        };
        let client_id = self.codes.values().next().map(|asked| asked.client_id.clone()).unwrap_or_default();
        let keys = Arc::clone(&self.keys);
        let moment = moment(issuer, &client_id, "", token, &keys);
        let mut claims = json!({ "sub": "alice", "email": "alice@example.com", "groups": ["everyone"] });
        for bend in &self.bends {
            if let Bend::Userinfo(bend) = bend {
                bend(&mut claims, &moment);
            }
        }
        let mut signed = None;
        for bend in &self.bends {
            if let Bend::SignedUserinfo(bend) = bend {
                let draft = Draft::of(&moment, claims.clone()).set("iss", issuer).set("aud", client_id.as_str());
                signed = Some(bend(draft, &moment).text(&keys));
            }
        }
        match signed {
            None => Reply::json(200, &claims),
            Some(text) => {
                let headers = vec![("Content-Type".into(), "application/jwt".into())];
                Reply { status: 200, headers, body: text.into_bytes(), way: Way::Whole }
            }
        }
    }

    /// A text that nobody guesses and a test can look for.
    fn secret(&mut self, kind: &str) -> String {
        self.given += 1;
        let mut mark = [0; 16];
        aws_lc_rs::rand::fill(&mut mark).expect("random bytes");
        let mark = BASE64_URL_SAFE_NO_PAD.encode(mark);
        let text = format!("{kind}-{mark}-{}", self.given);
        self.secrets.push(text.clone());
        text
    }
}

fn moment<'a>(
    issuer: &'a str,
    client_id: &'a str,
    code: &'a str,
    access_token: &'a str,
    keys: &'a [Key],
) -> Moment<'a> {
    Moment { issuer, client_id, code, access_token, now: now(), keys }
}

/// OAuth 2.0 Form Post Response Mode, appendix A.
fn form(action: &Url, parameters: &[(String, String)]) -> Reply {
    let fields: Vec<_> = parameters
        .iter()
        .map(|(name, value)| {
            let value = value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        })
        .collect();
    let page = format!(
        "<html><body onload=\"document.forms[0].submit()\"><form method=\"post\" action=\"{action}\">{}</form></body></html>",
        fields.concat()
    );
    Reply {
        status: 200,
        headers: vec![("Content-Type".into(), "text/html".into())],
        body: page.into_bytes(),
        way: Way::Whole,
    }
}

fn end_session(seen: &Seen) -> Reply {
    let Some(Ok(mut url)) = seen.parameter("post_logout_redirect_uri").map(Url::parse) else {
        return Reply::json(400, &json!({ "error": "invalid_request" }));
    };
    if let Some(state) = seen.parameter("state") {
        let query = Serializer::new(String::new()).append_pair("state", state).finish();
        url.set_query(Some(&query));
    }
    Reply::redirect(&url)
}
