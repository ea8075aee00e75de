//! Claims from the userinfo endpoint (OpenID Connect Core section 5.3), plain or signed.

use http::header;
use serde_json::{Map, Value};

use super::discovery::{Known, is_safe};
use super::error::{IdTokenFault, UserinfoFault as Fault};
use super::id_token::{PROTOCOL, read};
use super::json::strict_object;
use super::{LoginError, Provider, ProviderError, Registration};
use crate::session::record::Token;

/// Claims that a provider did not say itself, but says where others say them (OIDC Core section 5.6.2): nobody is asked
/// there, and the addresses and access tokens in them are kept from the app.
pub(super) const ELSEWHERE: [&str; 2] = ["_claim_names", "_claim_sources"];
/// What a person proved at the sign-in: the ID token alone says so.
pub(super) const PROVED: [&str; 3] = ["acr", "amr", "auth_time"];

impl Provider {
    /// Asks for claims about `sub`.
    ///
    /// # Errors
    /// [`LoginError::Provider`] when there is no answer, [`LoginError::Userinfo`] when it is not acceptable.
    pub(super) async fn userinfo(
        &self,
        registration: &Registration,
        access_token: &Token,
        sub: &str,
    ) -> Result<Map<String, Value>, LoginError> {
        if let Some(plain) = &self.settings.plain {
            let (holder, claims) = self.profile(plain, access_token).await?;
            return if holder == sub { Ok(claims) } else { Err(Fault::OtherPerson.into()) };
        }
        let known = self.known().await?;
        let endpoint = known.metadata.userinfo_endpoint().ok_or(Fault::NoEndpoint)?.url();
        let answer = self.ask(endpoint, access_token).await?;
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let mut claims = if kind.eq_ignore_ascii_case("application/jwt") {
            self.signed(registration, &known, answer.body()).await?
        } else {
            strict_object(answer.body()).map_err(|_| Fault::Unreadable)?
        };
        // OIDC Core section 5.3.2: without this, one person's claims could be laid over another's.
        if claims.get("sub").and_then(Value::as_str) != Some(sub) {
            return Err(Fault::OtherPerson.into());
        }
        without_protocol(&mut claims);
        Ok(claims)
    }

    /// An answer to the holder of the access token.
    pub(super) async fn ask(
        &self,
        endpoint: &url::Url,
        access_token: &Token,
    ) -> Result<http::Response<Vec<u8>>, LoginError> {
        if !is_safe(endpoint) {
            return Err(ProviderError::Discovery("userinfo_endpoint is not https".into()).into());
        }
        // The token goes into the header, never into the address (RFC 6750 section 2).
        let request = http::Request::get(endpoint.as_str())
            .header(header::ACCEPT, "application/json, application/jwt")
            .header(header::AUTHORIZATION, format!("Bearer {}", access_token.reveal()))
            .body(Vec::new())
            .map_err(|error| ProviderError::Request(error.to_string()))?;
        let answer = self.http.send(request).await.map_err(ProviderError::from)?;
        if answer.status().is_server_error() {
            return Err(ProviderError::Status(answer.status().as_u16()).into());
        }
        if answer.status() != http::StatusCode::OK {
            return Err(Fault::Status(answer.status().as_u16()).into());
        }
        Ok(answer)
    }

    async fn signed(
        &self,
        registration: &Registration,
        known: &std::sync::Arc<Known>,
        body: &[u8],
    ) -> Result<Map<String, Value>, Fault> {
        let text = str::from_utf8(body).map_err(|_| Fault::Unreadable)?.trim();
        let signed = read(text)?;
        if signed.header.contains_key("crit") {
            return Err(IdTokenFault::Unreadable("its header asks for what is not supported").into());
        }
        // A signed answer must say who says it to whom: it is worth nothing else than its signature.
        if signed.claims.get("iss").and_then(Value::as_str) != Some(&self.settings.issuer) {
            return Err(IdTokenFault::Issuer.into());
        }
        let ours = |audience: &Value| audience.as_str() == Some(&registration.client_id);
        let meant = match signed.claims.get("aud") {
            Some(Value::Array(list)) => list.iter().any(ours),
            Some(one) => ours(one),
            None => false,
        };
        if !meant {
            return Err(IdTokenFault::Audience.into());
        }
        self.check_signature(text, &signed, known).await?;
        Ok(signed.claims)
    }
}

/// Takes away what serves the protocol, leads elsewhere, or only an ID token may say.
pub(super) fn without_protocol(claims: &mut Map<String, Value>) {
    claims.retain(|name, _| {
        let name = name.as_str();
        !PROTOCOL.contains(&name) && !ELSEWHERE.contains(&name) && !PROVED.contains(&name)
    });
}
