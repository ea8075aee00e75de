//! Tokens for upstreams that are not the session's own access token: the gateway's (client credentials, RFC 6749 section
//! 4.4), or the session's exchanged for another (RFC 8693).

use http::{StatusCode, header};
use serde_json::Value;

use super::json::strict_object;
use super::{Provider, ProviderError};
use crate::clock::UnixMs;
use crate::session::record::Token;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What a token is to be good for. Two that differ in any part never share one (S4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantAsk {
    /// `audience` (RFC 8693 section 2.1).
    pub audience: Option<String>,
    /// `resource` (RFC 8707 section 2).
    pub resource: Option<String>,
    /// Scopes.
    pub scopes: Vec<String>,
}

/// A token that was granted.
#[derive(Debug)]
pub struct Granted {
    /// The access token.
    pub access_token: Token,
    /// When it expires, where the provider said so.
    pub expires_at: Option<UnixMs>,
    /// When it came.
    pub received_at: UnixMs,
    /// The granted scopes; where the answer names none, those that were asked for (RFC 6749 section 5.1).
    pub scopes: Vec<String>,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantFailure {
    /// Trying again later may help.
    #[error("the identity provider cannot be reached now")]
    Unavailable {
        /// When to try again.
        retry_after_secs: u64,
    },
    /// The provider refused (RFC 6749 section 5.2).
    #[error("the identity provider gives no token for this address: {0}")]
    Refused(String),
    /// The gateway's own token cannot stand in a header.
    #[error(transparent)]
    TooLong(#[from] crate::identity::TooLong),
    /// Its answer is not usable.
    #[error("the identity provider's answer is not usable: {0}")]
    BadAnswer(&'static str),
}

impl Provider {
    /// A token of the gateway's own.
    ///
    /// # Errors
    /// [`GrantFailure`].
    pub async fn client_credentials(&self, registration: &str, ask: &GrantAsk) -> Result<Granted, GrantFailure> {
        self.grant(registration, ask, vec![("grant_type", "client_credentials")]).await
    }

    /// Another token for an access token of a session.
    ///
    /// # Errors
    /// [`GrantFailure`]. There is nothing to fall back on then: the session's own token is for somebody else (S19).
    pub async fn exchange_token(
        &self,
        registration: &str,
        subject: &Token,
        ask: &GrantAsk,
    ) -> Result<Granted, GrantFailure> {
        let fields = vec![
            ("grant_type", EXCHANGE),
            ("subject_token", subject.reveal()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
        ];
        self.grant(registration, ask, fields).await
    }

    async fn grant(
        &self,
        registration: &str,
        ask: &GrantAsk,
        mut fields: Vec<(&str, &str)>,
    ) -> Result<Granted, GrantFailure> {
        let exchange = fields.first().is_some_and(|(_, grant)| *grant == EXCHANGE);
        let scope = ask.scopes.join(" ");
        let asked = [("audience", ask.audience.as_deref()), ("resource", ask.resource.as_deref())];
        fields.extend(asked.into_iter().filter_map(|(name, value)| Some((name, value?))));
        if !scope.is_empty() {
            fields.push(("scope", &scope));
        }
        let registration = self.registration(registration).map_err(|error| unavailable(&error))?;
        let known = self.known().await.map_err(|error| unavailable(&error))?;
        let endpoint = known.metadata.token_endpoint().ok_or(GrantFailure::BadAnswer("no token_endpoint"))?;
        let request = self.authenticated(registration, &known, endpoint.url().as_str(), &fields);
        let request = request.map_err(|error| unavailable(&error))?;
        let answer = self.http.send(request).await.map_err(|error| unavailable(&error.into()))?;
        let received_at = self.clock.now();
        read(&answer, received_at, ask, exchange)
    }
}

fn unavailable(error: &ProviderError) -> GrantFailure {
    tracing::warn!(%error, "no token for an upstream");
    GrantFailure::Unavailable { retry_after_secs: 5 }
}

fn read(
    answer: &http::Response<Vec<u8>>,
    received_at: UnixMs,
    ask: &GrantAsk,
    exchange: bool,
) -> Result<Granted, GrantFailure> {
    let status = answer.status();
    if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) {
        let wait = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        return Err(GrantFailure::Unavailable { retry_after_secs: wait.unwrap_or(5) });
    }
    let body = strict_object(answer.body()).map_err(|_| GrantFailure::BadAnswer("it is no JSON object"))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    if status != StatusCode::OK {
        let code = text("error").filter(|code| code.len() <= 80 && code.bytes().all(|b| b.is_ascii_graphic()));
        return Err(GrantFailure::Refused(code.unwrap_or("an error code that is none").to_owned()));
    }
    if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(GrantFailure::BadAnswer("its token_type is not bearer"));
    }
    // RFC 8693 section 2.2.1: required, and an ID token or a refresh token is nothing to send to an upstream.
    if exchange && text("issued_token_type") != Some(ACCESS_TOKEN) {
        return Err(GrantFailure::BadAnswer("its issued_token_type is not an access token's"));
    }
    let token = text("access_token").and_then(|token| Token::parse(token).ok());
    let scopes = match body.get("scope") {
        None => ask.scopes.clone(),
        Some(Value::String(scope)) => scope.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        Some(_) => return Err(GrantFailure::BadAnswer("its scope is no text")),
    };
    let expires_at = match body.get("expires_in") {
        None => None,
        Some(secs) => {
            let secs = secs.as_i64().filter(|secs| *secs > 0);
            Some(received_at.plus_secs(secs.ok_or(GrantFailure::BadAnswer("its expires_in is no number of seconds"))?))
        }
    };
    Ok(Granted {
        access_token: token.ok_or(GrantFailure::BadAnswer("its access_token is no token"))?,
        expires_at,
        received_at,
        scopes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, body: &Value) -> http::Response<Vec<u8>> {
        http::Response::builder().status(status).body(body.to_string().into_bytes()).expect("an answer")
    }

    #[test]
    fn t08_answers_that_are_not_what_was_asked_for_are_refused() {
        let good = json!({
            "access_token": "t", "token_type": "Bearer", "issued_token_type": ACCESS_TOKEN, "expires_in": 60,
        });
        let ask = GrantAsk { scopes: vec!["a".into()], ..GrantAsk::default() };
        let read = |status, body: &Value, exchange| read(&answer(status, body), UnixMs(0), &ask, exchange);
        let granted = read(200, &good, true).expect("granted");
        assert_eq!((granted.expires_at, granted.scopes.as_slice()), (Some(UnixMs(60_000)), &["a".to_owned()][..]));
        for (name, value) in [
            ("token_type", json!("N_A")),
            ("token_type", json!("DPoP")),
            ("issued_token_type", json!("urn:ietf:params:oauth:token-type:id_token")),
            ("issued_token_type", json!(null)),
            ("access_token", json!("a b")),
            ("access_token", json!("")),
            ("expires_in", json!("60")),
            ("expires_in", json!(0)),
            ("scope", json!(["a"])),
        ] {
            let mut body = good.clone();
            body[name] = value.clone();
            assert!(matches!(read(200, &body, true), Err(GrantFailure::BadAnswer(_))), "{name} {value}");
        }
        let refused = read(400, &json!({ "error": "invalid_target" }), true);
        assert_eq!(refused.expect_err("refused"), GrantFailure::Refused("invalid_target".into()));
        assert!(matches!(read(503, &json!({}), true), Err(GrantFailure::Unavailable { .. })));
    }
}
