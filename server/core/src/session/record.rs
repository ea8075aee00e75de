//! What a session keeps under seal.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroize;

use crate::clock::UnixMs;
use crate::oidc::{ClaimMap, TokenKind};

/// The values that decisions about a session read. Sealed with the session's tenant, client, id, secret hash,
/// issuer and sub as associated data, so that a row's columns cannot be edited or swapped.
#[derive(Clone, Serialize, Deserialize)]
pub struct SealedSession {
    /// The provider's issuer.
    pub issuer: String,
    /// The person's id at the provider.
    pub sub: String,
    /// The provider's own session id (OIDC Back-Channel Logout 1.0 section 2.1), where it gave one.
    pub sid: Option<String>,
    /// The ID token's and userinfo's claims, without those that only serve the protocol.
    pub claims: Map<String, Value>,
    /// Names of the claims that the userinfo endpoint said, and the ID token did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_userinfo: Vec<String>,
    /// When the claims were read.
    pub claims_at: UnixMs,
    /// When the person last proved who they are (OIDC Core section 2, `auth_time`), seconds since 1970.
    pub auth_time: Option<i64>,
    /// How well (OIDC Core section 2, `acr`).
    pub acr: Option<String>,
    /// By what means (RFC 8176).
    pub amr: Vec<String>,
    /// Sign-in.
    pub created_at: UnixMs,
    /// Ends the session when it is not used for so long, in seconds.
    pub idle_secs: i64,
    /// Ends the session in any case.
    pub expires_at: UnixMs,
    /// The token set's generation that belongs to these values.
    pub generation: i64,
    /// What a mobile app's session has beside; `None` for a browser's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<MobileValues>,
}

/// What decisions about a mobile app's session read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MobileValues {
    /// The scopes that the app was granted at Cloakroom; they say nothing of the provider's.
    pub scopes: Vec<String>,
    /// The thumbprint of the device key that its tokens are bound to (RFC 9449 section 6).
    pub jkt: Option<String>,
    /// What the authorization code is bound to; `None` once it was redeemed.
    pub code: Option<CodeBinding>,
}

/// What an authorization code is bound to, beside its client and the browser that began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeBinding {
    /// The redirect URI as the app asked for it (RFC 6749 section 4.1.3).
    pub redirect_uri: String,
    /// The PKCE challenge, S256 (RFC 7636 section 4.2).
    pub challenge: String,
    /// The device key that was named beforehand (RFC 9449 section 10).
    pub jkt: Option<String>,
    /// How long the session may go unused once the code is redeemed, in seconds.
    pub idle_secs: i64,
}

impl SealedSession {
    /// Takes claims over: of an ID token, of userinfo, or of both. What was not read anew stays; what was read anew and
    /// does not say a claim any more takes it away. The ID token's word counts where both speak: it is signed.
    /// Then `map` puts claims where apps and policies look for them.
    pub fn take_claims(
        &mut self,
        id_token: Option<Map<String, Value>>,
        userinfo: Option<Map<String, Value>>,
        map: &ClaimMap,
    ) {
        let mut kept = std::mem::take(&mut self.claims);
        let old = self.from_userinfo.drain(..).filter_map(|name| kept.remove_entry(&name)).collect();
        self.claims = id_token.unwrap_or(kept);
        for (name, value) in userinfo.unwrap_or(old) {
            if !self.claims.contains_key(&name) {
                self.from_userinfo.push(name.clone());
                self.claims.insert(name, value);
            }
        }
        map.apply(&mut self.claims);
    }
}

impl fmt::Debug for SealedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSession").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// The provider's tokens of one session. Never printed; wiped from memory when dropped.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenSet {
    /// Access token (RFC 6749 section 1.4).
    pub access_token: Token,
    /// Refresh token (RFC 6749 section 1.5), where the provider gave one.
    pub refresh_token: Option<Token>,
    /// The ID token of the login, kept for `id_token_hint` at logout.
    pub id_token: Option<Token>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// When the access token expires, where the provider said so.
    pub access_expires_at: Option<UnixMs>,
    /// When this access token came.
    pub received_at: UnixMs,
}

impl TokenSet {
    /// The token whose revocation ends the most: the refresh token where there is one.
    #[must_use]
    pub fn most_revocable(&self) -> (&Token, TokenKind) {
        match &self.refresh_token {
            Some(token) => (token, TokenKind::Refresh),
            None => (&self.access_token, TokenKind::Access),
        }
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet").field("access_expires_at", &self.access_expires_at).finish_non_exhaustive()
    }
}

/// A token's text: visible ASCII only (RFC 6749 appendix A.12), so that it can stand in a header.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

/// The text is no token: empty, longer than [`Token::MAX_BYTES`], or with characters outside visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token of 1 to {} visible ASCII characters is expected", Token::MAX_BYTES)]
pub struct NotAToken;

impl Token {
    /// The longest token that is taken. Real ones stay under 8 KiB, the limit of most servers' header lines.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Checks a token as it came from a provider.
    ///
    /// # Errors
    /// [`NotAToken`] when it could not stand in an `Authorization` header.
    pub fn parse(text: impl Into<String>) -> Result<Self, NotAToken> {
        let text = text.into();
        let fits = !text.is_empty() && text.len() <= Self::MAX_BYTES && text.bytes().all(|b| matches!(b, 0x21..=0x7e));
        if fits { Ok(Self(text)) } else { Err(NotAToken) }
    }

    /// The token's text, for the one call that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Token {
    type Error = NotAToken;

    fn try_from(text: String) -> Result<Self, NotAToken> {
        Self::parse(text)
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0.clone()
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn u21_claims_that_are_not_said_any_more_go() {
        let map = |value: Value| value.as_object().cloned();
        let mut session: SealedSession = serde_json::from_value(json!({
            "issuer": "i", "sub": "s", "sid": null, "claims": {}, "claims_at": 0, "auth_time": null, "acr": null,
            "amr": [], "created_at": 0, "idle_secs": 1, "expires_at": 1, "generation": 1,
        }))
        .expect("as an older version wrote it");
        let cases = [
            (json!({ "name": "A" }), json!({ "name": "B", "groups": ["x"] }), json!({ "name": "A", "groups": ["x"] })),
            (json!(null), json!(null), json!({ "name": "A", "groups": ["x"] })),
            (json!({ "name": "C" }), json!(null), json!({ "name": "C", "groups": ["x"] })),
            (json!(null), json!({ "groups": ["y"] }), json!({ "name": "C", "groups": ["y"] })),
            (json!(null), json!({}), json!({ "name": "C" })),
            (json!({ "groups": ["id"] }), json!({ "groups": ["ui"] }), json!({ "groups": ["id"] })),
            (json!(null), json!({}), json!({ "groups": ["id"] })),
        ];
        for (id_token, userinfo, expected) in cases {
            let said = format!("{id_token} {userinfo}");
            session.take_claims(map(id_token), map(userinfo), &ClaimMap::default());
            assert_eq!(Value::Object(session.claims.clone()), expected, "{said}");
        }
    }

    #[test]
    fn c08_debug_shows_no_token() {
        let token = Token::parse("secret-value").expect("a token");
        assert!(!format!("{token:?}").contains("secret"));
    }

    #[test]
    fn l05_a_token_that_cannot_stand_in_a_header_is_refused() {
        for odd in ["", "a b", "a\r\nb", "a\u{0}", "ä", &"x".repeat(Token::MAX_BYTES + 1)] {
            assert!(Token::parse(odd).is_err(), "{odd:.20}");
        }
        assert!(Token::parse("eyJhbGciOiJFUzI1NiJ9.e30.c2ln").is_ok());
    }
}
