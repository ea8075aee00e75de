//! How Cloakroom proves to a provider who it is (RFC 6749 section 2.3, RFC 7523).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use openidconnect::core::CoreJwsSigningAlgorithm as Alg;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::discovery::Known;
use super::{Provider, ProviderError, Registration};

/// How long an assertion is good: long enough for a clock that is a little off, too short to be worth stealing.
const ASSERTION_SECS: i64 = 60;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a client proves who it is.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// The secret, in the `Authorization` header (RFC 6749 section 2.3.1).
    Basic(SecretString),
    /// The secret, in the body (RFC 6749 section 2.3.1).
    Post(SecretString),
    /// A signed assertion (RFC 7523 section 2.2): nothing that is sent can be used again.
    PrivateKeyJwt(Arc<ClientKey>),
}

/// A private key whose public half the provider knows.
pub struct ClientKey {
    key: EncodingKey,
    algorithm: Algorithm,
    kid: Option<String>,
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The text is no key that can sign here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no private key of RSA (2048 bits or more), P-256, P-384 or Ed25519 in PEM (PKCS #8)")]
pub struct NoClientKey;

impl ClientKey {
    /// Reads a private key in PEM. `kid` is its name at the provider, where it has one.
    ///
    /// # Errors
    /// [`NoClientKey`] when nothing can be signed with it.
    pub fn parse(pem: &str, kid: Option<String>) -> Result<Self, NoClientKey> {
        let pem = pem.as_bytes();
        let ec = || EncodingKey::from_ec_pem(pem);
        let candidates = [
            (EncodingKey::from_rsa_pem(pem), Algorithm::RS256),
            (ec(), Algorithm::ES256),
            (ec(), Algorithm::ES384),
            (EncodingKey::from_ed_pem(pem), Algorithm::EdDSA),
        ];
        // The reader of a PEM file does not look at the curve; what signs is right.
        let signs = |key: &EncodingKey, algorithm| jsonwebtoken::crypto::sign(b"try", key, algorithm).is_ok();
        let fits = candidates
            .into_iter()
            .find_map(|(key, algorithm)| Some((key.ok().filter(|key| signs(key, algorithm))?, algorithm)));
        let (key, algorithm) = fits.ok_or(NoClientKey)?;
        Ok(Self { key, algorithm, kid })
    }

    /// `PS256` where the provider takes that and not `RS256`.
    fn algorithm_for(&self, known: &Known) -> Algorithm {
        let taken = known.metadata.token_endpoint_auth_signing_alg_values_supported();
        let takes = |alg| taken.is_some_and(|list| list.contains(&alg));
        let pss =
            self.algorithm == Algorithm::RS256 && takes(Alg::RsaSsaPssSha256) && !takes(Alg::RsaSsaPkcs1V15Sha256);
        if pss { Algorithm::PS256 } else { self.algorithm }
    }
}

impl Provider {
    /// The parameters that prove in a request's body who asks, beside what the `oauth2` crate puts there; none where a
    /// secret does.
    pub(super) fn assertion(
        &self,
        registration: &Registration,
        known: &Known,
    ) -> Result<Vec<(&'static str, String)>, ProviderError> {
        let ClientAuth::PrivateKeyJwt(key) = &registration.auth else { return Ok(Vec::new()) };
        let now = self.clock.now().secs();
        // The issuer alone is the audience: an assertion for an endpoint's address could be turned against another
        // provider that shares it (S6).
        let claims = json!({
            "iss": registration.client_id,
            "sub": registration.client_id,
            "aud": self.settings.issuer,
            "jti": URL_SAFE_NO_PAD.encode(self.random.bytes::<16>()),
            "iat": now,
            "exp": now.saturating_add(ASSERTION_SECS),
        });
        let header = Header { kid: key.kid.clone(), ..Header::new(key.algorithm_for(known)) };
        let signed = jsonwebtoken::encode(&header, &claims, &key.key)
            .map_err(|_| ProviderError::Request("the client's key does not sign".into()))?;
        Ok(vec![("client_assertion_type", ASSERTION_TYPE.to_owned()), ("client_assertion", signed)])
    }

    /// A request to an endpoint that wants to know who asks.
    pub(super) fn authenticated(
        &self,
        registration: &Registration,
        known: &Known,
        endpoint: &str,
        fields: &[(&str, &str)],
    ) -> Result<http::Request<Vec<u8>>, ProviderError> {
        let assertion = self.assertion(registration, known)?;
        form_request((&registration.client_id, &registration.auth), endpoint, fields, assertion)
    }
}

/// A form with the proof of who asks. `assertion` stands for a key's proof.
#[expect(clippy::disallowed_methods, reason = "the secret goes into the request to the provider, and nowhere else")]
pub(crate) fn form_request(
    (id, auth): (&str, &ClientAuth),
    endpoint: &str,
    fields: &[(&str, &str)],
    assertion: Vec<(&'static str, String)>,
) -> Result<http::Request<Vec<u8>>, ProviderError> {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(fields);
    let mut request = http::Request::post(endpoint).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match auth {
        ClientAuth::Basic(secret) => {
            // Both are form-encoded before they are joined (RFC 6749 section 2.3.1).
            let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let joined = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret.expose_secret())));
            request = request.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(joined.as_bytes())));
        }
        ClientAuth::Post(secret) => {
            form.append_pair("client_id", id).append_pair("client_secret", secret.expose_secret());
        }
        ClientAuth::PrivateKeyJwt(_) => {
            form.append_pair("client_id", id).extend_pairs(assertion);
        }
    }
    request.body(form.finish().into_bytes()).map_err(|error| ProviderError::Request(error.to_string()))
}
