//! Signatures of the tokens that `openidconnect` does not know: `jsonwebtoken` checks them, with the provider's keys.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize as _;
use serde_json::Value;

use super::Provider;
use super::discovery::Known;
use super::error::IdTokenFault;
use super::id_token::Signed;

/// A token that names no key is tried with at most so many.
const KEYS_TRIED: usize = 8;

impl Provider {
    /// Checks a signature with the keys that are known, and where none fits, with those that the provider has now (L15).
    pub(super) async fn check_signature(
        &self,
        text: &str,
        signed: &Signed,
        known: &std::sync::Arc<Known>,
    ) -> Result<(), IdTokenFault> {
        let checked = check(text, signed, known);
        if matches!(checked, Err(IdTokenFault::UnknownKey | IdTokenFault::Signature))
            && let Some(renewed) = self.discovery.renewed_keys(&self.http, self.clock.now(), known).await
        {
            return check(text, signed, &renewed);
        }
        checked
    }
}

fn check(text: &str, signed: &Signed, known: &Known) -> Result<(), IdTokenFault> {
    if !known.metadata.id_token_signing_alg_values_supported().contains(signed.algorithm) {
        return Err(IdTokenFault::Algorithm);
    }
    let keys = known.metadata.jwks().keys().iter().filter_map(|key| serde_json::to_value(key).ok());
    signed_by_one_of(text, signed, keys.filter_map(|key| Jwk::deserialize(key).ok()))
}

/// Whether one of these published keys has signed a token.
pub(crate) fn signed_by_one_of(
    text: &str,
    signed: &Signed,
    keys: impl Iterator<Item = Jwk>,
) -> Result<(), IdTokenFault> {
    let named = signed.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let algorithm: Algorithm = named.parse().map_err(|_| IdTokenFault::Algorithm)?;
    let kid = signed.header.get("kid").map(|kid| kid.as_str().ok_or(IdTokenFault::UnknownKey)).transpose()?;
    let (message, signature) = text.rsplit_once('.').ok_or(IdTokenFault::Unreadable("it has not three parts"))?;
    let mut fault = IdTokenFault::UnknownKey;
    for key in keys.filter(|key| fits(key, kid, algorithm)).take(KEYS_TRIED) {
        let key = DecodingKey::from_jwk(&key).map_err(|_| IdTokenFault::Key);
        match key.map(|key| jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm)) {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => fault = IdTokenFault::Signature,
            Ok(Err(_)) | Err(_) if fault == IdTokenFault::UnknownKey => fault = IdTokenFault::Key,
            Ok(Err(_)) | Err(_) => {}
        }
    }
    Err(fault)
}

/// Whether a published key may have signed: by its name, its use, its type and curve.
fn fits(key: &Jwk, kid: Option<&str>, algorithm: Algorithm) -> bool {
    let common = &key.common;
    let named = kid.is_none_or(|kid| common.key_id.as_deref() == Some(kid));
    let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let same = common.key_algorithm.is_none_or(|said| said.to_string() == format!("{algorithm:?}"));
    let typed = match (&key.algorithm, algorithm) {
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512,
        ) => true,
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES256) => ec.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES384) => ec.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(pair), Algorithm::EdDSA) => pair.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    named && signs && same && typed
}
