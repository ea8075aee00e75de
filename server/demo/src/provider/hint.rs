//! `id_token_hint`: an ID token of ours that comes back, perhaps long after its end.

use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;

use super::Provider;

/// Media type in the header of ID tokens.
pub(super) const ID_TOKEN_TYPE: &str = "JWT";

/// What the hint tells.
#[derive(Debug, Deserialize)]
pub(super) struct Hint {
    pub(super) sub: String,
    /// The client it was issued to.
    pub(super) aud: String,
}

/// Signature, issuer and type are checked, expiry is not: an ended ID token is still a good hint
/// (RP-Initiated Logout 1.0, 2).
pub(super) fn read(provider: &Provider, token: &str) -> Option<Hint> {
    let mut rules = Validation::new(Algorithm::ES256);
    rules.validate_exp = false;
    // The caller compares the audience with the client it has at hand.
    rules.validate_aud = false;
    rules.set_issuer(&[&provider.issuer]);
    rules.set_required_spec_claims(&["iss", "aud", "sub"]);
    let data = jsonwebtoken::decode::<Hint>(token, &provider.key.verifying_key(), &rules).ok()?;
    (data.header.typ.as_deref() == Some(ID_TOKEN_TYPE)).then_some(data.claims)
}
