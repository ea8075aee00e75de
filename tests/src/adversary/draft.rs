//! A token before it is signed: what a test bends about it.

use super::Moment;
use super::keys::{Key, hmac_of};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Value, json};

/// Who signs.
pub enum Signer {
    /// The published key of this name.
    Published(String),
    /// A key that nobody publishes, under a published key's name.
    Stranger,
    /// Nobody: the signature is empty.
    Nobody,
    /// HS256 with these bytes as the secret.
    Secret(Vec<u8>),
}

/// A token to be.
pub struct Draft {
    /// Its header.
    pub header: Value,
    /// Its claims.
    pub claims: Value,
    /// The claims, where JSON values cannot say them.
    claims_text: Option<String>,
    signer: Signer,
    finish: fn(String) -> String,
}

impl Draft {
    /// The ID token that a good provider would give.
    pub fn id_token(moment: &Moment, nonce: Option<&str>) -> Self {
        let mut claims = json!({
            "iss": moment.issuer, "sub": "alice", "aud": moment.client_id, "iat": moment.now, "exp": moment.now + 300,
            "auth_time": moment.now, "name": "Alice Example", "sid": "provider-session",
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        Self::of(moment, claims)
    }

    /// Any claims, signed with the first key.
    pub fn of(moment: &Moment, claims: Value) -> Self {
        let key = &moment.keys[0];
        let header = json!({ "alg": key.algorithm(), "kid": key.kid, "typ": "JWT" });
        let signer = Signer::Published(key.kid.clone());
        Self { header, claims, claims_text: None, signer, finish: |text| text }
    }

    /// With a claim of this value.
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// Without a claim.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().expect("claims").remove(name);
        self
    }

    /// With a member of this value in the header.
    pub fn head(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// Without a member of the header.
    pub fn headless(mut self, name: &str) -> Self {
        self.header.as_object_mut().expect("a header").remove(name);
        self
    }

    /// Signed by somebody else, whatever the header says.
    pub fn signed_by(mut self, signer: Signer) -> Self {
        self.signer = signer;
        self
    }

    /// Signed with another key, as the header then says.
    pub fn signed_with(self, moment: &Moment, kid: &str) -> Self {
        let algorithm = moment.key(kid).algorithm();
        self.signed_by(Signer::Published(kid.to_owned())).head("kid", kid).head("alg", algorithm)
    }

    /// With claims that JSON values cannot say: duplicates, no object at all.
    pub fn with_text(mut self, text: &str) -> Self {
        self.claims_text = Some(text.to_owned());
        self
    }

    /// With a last change to the finished token.
    pub fn finished(mut self, finish: fn(String) -> String) -> Self {
        self.finish = finish;
        self
    }

    /// The token.
    pub fn text(&self, keys: &[Key]) -> String {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let claims = self.claims_text.clone().unwrap_or_else(|| self.claims.to_string());
        let message = format!("{}.{}", part(&self.header.to_string()), part(&claims));
        let algorithm = self.header["alg"].as_str().unwrap_or_default();
        let signature = match &self.signer {
            Signer::Published(kid) => {
                let key = keys.iter().find(|key| key.kid == *kid).expect("a key of this name");
                key.sign(algorithm, message.as_bytes())
            }
            Signer::Stranger => Key::ec("stranger").sign(algorithm, message.as_bytes()),
            Signer::Nobody => Vec::new(),
            Signer::Secret(secret) => hmac_of(secret, message.as_bytes()),
        };
        (self.finish)(format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}
