//! The ID token, verified in full (OpenID Connect Core section 3.1.3.7): signature, issuer, audience, times and nonce
//! by `openidconnect`; what it leaves out, from the token's own bytes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm as Alg};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, AuthorizationCodeHash, ClaimsVerificationError, ClientId, Nonce,
    SignatureVerificationError,
};
use serde::Deserialize;
use serde_json::{Map, Number, Value};

use super::discovery::Known;
use super::error::IdTokenFault as Fault;
use super::json::{NotStrict, strict_object};
use super::{LoginError, Provider};
use crate::clock::UnixMs;

/// The longest ID token that is read.
const TOKEN_BYTES: usize = 64 * 1024;
/// The longest `sub` (OIDC Core section 2).
pub(super) const SUB_BYTES: usize = 255;
/// Asymmetric signatures only: with a shared secret anybody who verifies could sign. ES512 is missing because
/// `openidconnect` does not verify it.
const ALGORITHMS: [(&str, Alg); 9] = [
    ("RS256", Alg::RsaSsaPkcs1V15Sha256),
    ("RS384", Alg::RsaSsaPkcs1V15Sha384),
    ("RS512", Alg::RsaSsaPkcs1V15Sha512),
    ("PS256", Alg::RsaSsaPssSha256),
    ("PS384", Alg::RsaSsaPssSha384),
    ("PS512", Alg::RsaSsaPssSha512),
    ("ES256", Alg::EcdsaP256Sha256),
    ("ES384", Alg::EcdsaP384Sha384),
    ("EdDSA", Alg::EdDsa),
];
/// Claims that serve the protocol and say nothing of the person.
pub(super) const PROTOCOL: [&str; 12] =
    ["iss", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "c_hash", "s_hash", "jti", "sid"];

/// What an ID token must say.
pub(super) struct Expected<'a> {
    pub(super) client_id: &'a str,
    /// `None` for the ID token of a refresh answer.
    pub(super) nonce: Option<&'a str>,
    pub(super) access_token: &'a str,
    pub(super) code: Option<&'a str>,
    pub(super) max_age_secs: Option<u64>,
    pub(super) acr_values: Option<&'a str>,
}

/// What a verified ID token said.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) issuer: String,
    pub(super) sub: String,
    pub(super) sid: Option<String>,
    pub(super) issued_at: i64,
    pub(super) claims: Map<String, Value>,
    pub(super) auth_time: Option<i64>,
    pub(super) acr: Option<String>,
    pub(super) amr: Vec<String>,
}

/// Claims with their types held; a claim of another type is an error, not absent (S6).
#[derive(Deserialize)]
struct Typed {
    // Looked at here so that a token without one is told so; the issuer itself is compared by `openidconnect`.
    #[serde(rename = "iss")]
    _iss: String,
    sub: String,
    aud: OneOrMany,
    iat: NumericDate,
    // Only its type is looked at here: `openidconnect` would take a text for it.
    #[serde(rename = "exp")]
    _exp: NumericDate,
    nbf: Option<NumericDate>,
    azp: Option<String>,
    sid: Option<String>,
    auth_time: Option<NumericDate>,
    acr: Option<String>,
    #[serde(default)]
    amr: Vec<String>,
}

impl Typed {
    fn read(claims: &Map<String, Value>) -> Result<Self, Fault> {
        // Serde takes null for an absent claim. It is a claim of the wrong type.
        let checked = PROTOCOL.iter().chain(&["sub", "auth_time", "acr", "amr"]);
        if let Some(name) = checked.into_iter().find(|name| claims.get(**name).is_some_and(Value::is_null)) {
            return Err(Fault::Claim(format!("{name} is null")));
        }
        Self::deserialize(claims).map_err(|error| Fault::Claim(error.to_string().chars().take(120).collect()))
    }
}

/// Seconds since 1970, with or without a fraction (RFC 7519 section 2).
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Number")]
pub(crate) struct NumericDate(pub(crate) i64);

impl TryFrom<Number> for NumericDate {
    type Error = &'static str;

    #[expect(clippy::cast_possible_truncation, reason = "a fraction is cut off, and what is too large saturates")]
    fn try_from(number: Number) -> Result<Self, Self::Error> {
        let whole = number.as_i64().or_else(|| number.as_f64().map(|secs| secs.floor() as i64));
        whole.map(Self).ok_or("no date")
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(#[expect(dead_code, reason = "only its being one counts; the audience itself is checked by the crate")] String),
    Many(Vec<String>),
}

impl Provider {
    pub(super) async fn verify_id_token(&self, text: &str, expected: &Expected<'_>) -> Result<Verified, LoginError> {
        let Signed { algorithm, claims, .. } = read(text)?;
        let typed = Typed::read(&claims)?;
        let token: CoreIdToken =
            text.parse().map_err(|_| Fault::Unreadable("its header or one of its claims is not understood"))?;
        let now = self.clock.now();
        let known = self.known().await?;
        let mut checked = self.check(&token, algorithm, &known, expected, now);
        // A key that was changed under its old name, or without one, shows as a wrong signature.
        if matches!(checked, Err(Fault::UnknownKey | Fault::Signature))
            && let Some(renewed) = self.discovery.renewed_keys(&self.http, now, &known).await
        {
            checked = self.check(&token, algorithm, &renewed, expected, now);
        }
        checked?;
        check_rest(&typed, expected, now, self.settings.clock_skew_secs)?;
        check_enough(&typed, expected, now, self.settings.clock_skew_secs)?;
        Ok(Verified {
            issuer: self.settings.issuer.clone(),
            sub: typed.sub,
            sid: typed.sid,
            issued_at: typed.iat.0,
            auth_time: typed.auth_time.map(|at| at.0),
            acr: typed.acr,
            amr: typed.amr,
            claims: claims.into_iter().filter(|(name, _)| !PROTOCOL.contains(&name.as_str())).collect(),
        })
    }

    /// What `openidconnect` checks, with our clock and leeway.
    fn check(
        &self,
        token: &CoreIdToken,
        algorithm: &Alg,
        known: &Arc<Known>,
        expected: &Expected<'_>,
        now: UnixMs,
    ) -> Result<(), Fault> {
        if !known.metadata.id_token_signing_alg_values_supported().contains(algorithm) {
            return Err(Fault::Algorithm);
        }
        let skew_ms = self.settings.clock_skew_secs.saturating_mul(1000);
        let earliest = DateTime::from_timestamp_millis(now.0.saturating_sub(skew_ms)).unwrap_or_default();
        let client_id = ClientId::new(expected.client_id.to_owned());
        let keys = known.metadata.jwks().clone();
        let verifier = CoreIdTokenVerifier::new_public_client(client_id, self.discovery.issuer().clone(), keys)
            .set_allowed_algs([algorithm.clone()])
            .set_time_fn(move || earliest)
            // Several audiences are looked at below, together with `azp`.
            .set_other_audience_verifier_fn(|_| true);
        let claims = token.claims(&verifier, |given: Option<&Nonce>| same_nonce(expected.nonce, given))?;
        let key = token.signing_key(&verifier)?;
        if let Some(hash) = claims.access_token_hash() {
            let ours = AccessTokenHash::from_token(&AccessToken::new(expected.access_token.to_owned()), algorithm, key);
            if ours.map_err(|_| Fault::Key)? != *hash {
                return Err(Fault::AccessTokenHash);
            }
        }
        if let (Some(hash), Some(code)) = (claims.code_hash(), expected.code) {
            let ours = AuthorizationCodeHash::from_code(&AuthorizationCode::new(code.to_owned()), algorithm, key);
            if ours.map_err(|_| Fault::Key)? != *hash {
                return Err(Fault::CodeHash);
            }
        }
        Ok(())
    }
}

fn same_nonce(ours: Option<&str>, theirs: Option<&Nonce>) -> Result<(), String> {
    let same = match (ours, theirs) {
        (None, _) => true,
        (Some(ours), Some(theirs)) => {
            bool::from(subtle::ConstantTimeEq::ct_eq(ours.as_bytes(), theirs.secret().as_bytes()))
        }
        (Some(_), None) => false,
    };
    if same { Ok(()) } else { Err("another nonce".to_owned()) }
}

/// What the crate leaves out.
fn check_rest(claims: &Typed, expected: &Expected<'_>, now: UnixMs, skew_secs: i64) -> Result<(), Fault> {
    let several = match &claims.aud {
        OneOrMany::One(_) => false,
        OneOrMany::Many(list) => list.len() > 1,
    };
    match claims.azp.as_deref() {
        Some(azp) if azp != expected.client_id => return Err(Fault::AuthorizedParty),
        None if several => return Err(Fault::AuthorizedParty),
        _ => {}
    }
    let latest = now.secs().saturating_add(skew_secs);
    if claims.nbf.is_some_and(|nbf| nbf.0 > latest) {
        return Err(Fault::NotYet);
    }
    if claims.iat.0 > latest {
        return Err(Fault::FromTheFuture);
    }
    if claims.sub.is_empty() || claims.sub.len() > SUB_BYTES {
        return Err(Fault::Subject);
    }
    Ok(())
}

/// Whether the person proved as much as was asked for (L16).
fn check_enough(claims: &Typed, expected: &Expected<'_>, now: UnixMs, skew_secs: i64) -> Result<(), LoginError> {
    if let Some(max_age) = expected.max_age_secs {
        let oldest = now.secs().saturating_sub(i64::try_from(max_age).unwrap_or(i64::MAX)).saturating_sub(skew_secs);
        let latest = now.secs().saturating_add(skew_secs);
        if !claims.auth_time.is_some_and(|at| (oldest..=latest).contains(&at.0)) {
            return Err(LoginError::NotEnough("the sign-in is older than max_age"));
        }
    }
    if let Some(asked) = expected.acr_values {
        let got = claims.acr.as_deref().unwrap_or_default();
        if !asked.split_ascii_whitespace().any(|one| one == got) {
            return Err(LoginError::NotEnough("acr is none of acr_values"));
        }
    }
    Ok(())
}

impl From<ClaimsVerificationError> for Fault {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::Expired(_) => Self::Expired,
            ClaimsVerificationError::InvalidAudience(_) => Self::Audience,
            ClaimsVerificationError::InvalidIssuer(_) => Self::Issuer,
            ClaimsVerificationError::InvalidNonce(_) => Self::Nonce,
            ClaimsVerificationError::SignatureVerification(error) => error.into(),
            _ => Self::Unreadable("its header asks for what is not supported"),
        }
    }
}

impl From<SignatureVerificationError> for Fault {
    fn from(error: SignatureVerificationError) -> Self {
        match error {
            SignatureVerificationError::NoMatchingKey => Self::UnknownKey,
            SignatureVerificationError::AmbiguousKeyId(_) => Self::AmbiguousKey,
            SignatureVerificationError::CryptoError(_) => Self::Signature,
            SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::NoSignature
            | SignatureVerificationError::UnsupportedAlg(_) => Self::Algorithm,
            _ => Self::Key,
        }
    }
}

/// A signed token that is not verified yet: its JSON has one meaning only, and its algorithm is a safe one.
pub(crate) struct Signed {
    pub(super) algorithm: &'static Alg,
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
}

/// Takes a token of bounded size apart.
pub(crate) fn read(text: &str) -> Result<Signed, Fault> {
    if text.len() > TOKEN_BYTES {
        return Err(Fault::TooLong);
    }
    let mut parts = text.split('.');
    let (header, claims) = match (parts.next(), parts.next(), parts.next(), parts.count()) {
        (Some(header), Some(claims), Some(_), 0) => (header, claims),
        // RFC 7516 section 3.1.
        (_, _, _, 2) => return Err(Fault::Encrypted),
        _ => return Err(Fault::Unreadable("it has not three parts")),
    };
    let object = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Unreadable("it is not in base64url"))?;
        strict_object(&bytes).map_err(|error| match error {
            NotStrict::Duplicate => Fault::Duplicate,
            NotStrict::NoObject => Fault::Unreadable("it holds no JSON object"),
        })
    };
    let header = object(header)?;
    let named = header.get("alg").and_then(Value::as_str);
    let (_, algorithm) = ALGORITHMS.iter().find(|(name, _)| Some(*name) == named).ok_or(Fault::Algorithm)?;
    Ok(Signed { algorithm, claims: object(claims)?, header })
}
