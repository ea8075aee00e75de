//! Proofs of possession of a device key (RFC 9449): one JWT per request, signed by the key that a token is bound to.
//! Pure: replay and nonces are the caller's to remember.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use url::Url;

use crate::clock::UnixMs;
use crate::session::id::sha256;

/// The algorithms that are taken, as the metadata names them (RFC 9449 section 5.1).
pub const ALGORITHMS: [&str; 2] = ["ES256", "EdDSA"];
/// How far a proof's `iat` may be from now, either way, in seconds (M11).
pub const WINDOW_SECS: i64 = 30;
/// The longest proof that is read.
const MAX_BYTES: usize = 4_096;

/// What a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's URL; query and fragment do not count.
    pub url: &'a str,
    /// The access token that comes with it.
    pub token: Option<&'a str>,
    /// The present moment.
    pub now: UnixMs,
}

/// A proof whose signature and claims hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The key's thumbprint (RFC 7638), base64url.
    pub jkt: String,
    /// SHA-256 over the key and the proof's `jti`: to be used once.
    pub once: [u8; 32],
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// The server's nonce, where it carries one.
    pub nonce: Option<String>,
}

/// Why a proof is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a JWT of type `dpop+jwt` with the claims that it must have.
    #[error("the DPoP proof is no dpop+jwt with jwk, jti, htm, htu and iat")]
    Malformed,
    /// Another algorithm, or a key that does not fit it.
    #[error("the DPoP proof must be signed by ES256 or EdDSA with the key in its header")]
    Algorithm,
    /// The header's key is a private one.
    #[error("the DPoP proof carries a private key")]
    PrivateKey,
    /// The signature does not hold.
    #[error("the DPoP proof's signature does not hold")]
    Signature,
    /// For another method or URL.
    #[error("the DPoP proof is for another method or address (htm, htu)")]
    OtherRequest,
    /// Too old, or from the future.
    #[error("the DPoP proof's iat is more than 30 s away from now, or it has expired")]
    Time,
    /// For another access token.
    #[error("the DPoP proof's ath is not of this access token")]
    OtherToken,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    nbf: Option<i64>,
    exp: Option<i64>,
    ath: Option<String>,
    nonce: Option<String>,
}

/// Checks a proof (RFC 9449 section 4.3, all but replay and nonce).
///
/// # Errors
/// [`Fault`].
pub fn verify(proof: &str, expected: &Expected<'_>) -> Result<Proof, Fault> {
    let mut parts = proof.split('.');
    let (Some(head), Some(body), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Fault::Malformed);
    };
    if proof.len() > MAX_BYTES {
        return Err(Fault::Malformed);
    }
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Malformed);
    let header: Header = serde_json::from_slice(&decode(head)?).map_err(|_| Fault::Malformed)?;
    if header.typ != "dpop+jwt" {
        return Err(Fault::Malformed);
    }
    let jkt = key_holds(&header, head, body, &decode(signature)?)?;
    let claims: Claims = serde_json::from_slice(&decode(body)?).map_err(|_| Fault::Malformed)?;
    if claims.jti.is_empty() || claims.jti.len() > 256 {
        return Err(Fault::Malformed);
    }
    if claims.htm != expected.method || !same_address(&claims.htu, expected.url) {
        return Err(Fault::OtherRequest);
    }
    let now = expected.now.secs();
    let near = (claims.iat - now).abs() <= WINDOW_SECS;
    let begun = claims.nbf.is_none_or(|nbf| nbf <= now + WINDOW_SECS);
    if !near || !begun || claims.exp.is_some_and(|exp| exp <= now) {
        return Err(Fault::Time);
    }
    if let Some(token) = expected.token
        && claims.ath.as_deref() != Some(&URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())))
    {
        return Err(Fault::OtherToken);
    }
    let once = sha256(format!("dpop {jkt} {}", claims.jti).as_bytes());
    Ok(Proof { jkt, once, iat: claims.iat, nonce: claims.nonce })
}

/// Checks the signature by the header's key; answers that key's thumbprint.
fn key_holds(header: &Header, head: &str, body: &str, signature: &[u8]) -> Result<String, Fault> {
    if ["d", "p", "q", "k"].iter().any(|secret| header.jwk.contains_key(*secret)) {
        return Err(Fault::PrivateKey);
    }
    let text = |name: &str| header.jwk.get(name).and_then(|value| value.as_str());
    let coordinate = |name: &str| {
        let bytes = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        bytes.filter(|bytes| bytes.len() == 32).ok_or(Fault::Algorithm)
    };
    let signed = format!("{head}.{body}");
    let (held, thumbprint) = match (header.alg.as_str(), text("kty"), text("crv")) {
        ("ES256", Some("EC"), Some("P-256")) => {
            let (x, y) = (coordinate("x")?, coordinate("y")?);
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            let held = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), signature);
            let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
            (held, format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#))
        }
        ("EdDSA" | "Ed25519", Some("OKP"), Some("Ed25519")) => {
            let x = coordinate("x")?;
            let held = UnparsedPublicKey::new(&ED25519, &x).verify(signed.as_bytes(), signature);
            (held, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(x)))
        }
        _ => return Err(Fault::Algorithm),
    };
    held.map_err(|_| Fault::Signature)?;
    Ok(URL_SAFE_NO_PAD.encode(sha256(thumbprint.as_bytes())))
}

/// Whether two addresses are the same but for query and fragment (RFC 9449 section 4.3 point 9).
fn same_address(theirs: &str, ours: &str) -> bool {
    let plain = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    matches!((plain(theirs), plain(ours)), (Some(theirs), Some(ours)) if theirs == ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::{Value, json};

    const NOW: UnixMs = UnixMs(1_800_000_000_000);

    fn key() -> EcdsaKeyPair {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")
    }

    fn jwk(key: &EcdsaKeyPair) -> Value {
        let point = key.public_key().as_ref();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
    }

    fn signed(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = key.sign(&SystemRandom::new(), text.as_bytes()).expect("signed");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn claims() -> Value {
        let ath = URL_SAFE_NO_PAD.encode(sha256(b"token"));
        json!({ "jti": "one", "htm": "GET", "htu": "https://app.example/api/x", "iat": NOW.secs(), "ath": ath })
    }

    fn expected() -> Expected<'static> {
        Expected { method: "GET", url: "https://app.example/api/x?y=1", token: Some("token"), now: NOW }
    }

    #[test]
    fn m06_each_wrong_part_of_a_proof_is_refused() {
        let (key, other) = (key(), key());
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&key) });
        let good = verify(&signed(&key, &header, &claims()), &expected()).expect("holds");
        assert_eq!((good.jkt.len(), good.nonce), (43, None));
        let changed = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            verify(&signed(&key, &header, &claims), &expected()).err()
        };
        let cases = [
            ("htm", json!("POST"), Fault::OtherRequest),
            ("htm", json!("get"), Fault::OtherRequest),
            ("htu", json!("https://app.example/api/y"), Fault::OtherRequest),
            ("htu", json!("https://evil.example/api/x"), Fault::OtherRequest),
            ("htu", json!("nonsense"), Fault::OtherRequest),
            ("htu", json!(7), Fault::Malformed),
            ("iat", json!(NOW.secs() - 31), Fault::Time),
            ("iat", json!(NOW.secs() + 31), Fault::Time),
            ("exp", json!(NOW.secs() - 1), Fault::Time),
            ("nbf", json!(NOW.secs() + 60), Fault::Time),
            ("ath", json!("x"), Fault::OtherToken),
            ("ath", Value::Null, Fault::OtherToken),
            ("jti", json!(""), Fault::Malformed),
            ("jti", Value::Null, Fault::Malformed),
        ];
        for (name, value, fault) in cases {
            assert_eq!(changed(name, value.clone()), Some(fault), "{name} = {value}");
        }
        let headed = |name: &str, value: Value| {
            let mut header = header.clone();
            header[name] = value;
            verify(&signed(&key, &header, &claims()), &expected()).err()
        };
        let mut private = jwk(&key);
        private["d"] = json!("AAAA");
        assert_eq!(headed("typ", json!("JWT")), Some(Fault::Malformed));
        assert_eq!(headed("alg", json!("none")), Some(Fault::Algorithm));
        assert_eq!(headed("alg", json!("HS256")), Some(Fault::Algorithm));
        assert_eq!(headed("alg", json!("EdDSA")), Some(Fault::Algorithm));
        assert_eq!(headed("jwk", private), Some(Fault::PrivateKey));
        assert_eq!(headed("jwk", jwk(&other)), Some(Fault::Signature));
        for odd in ["", "a.b", "a.b.c", "a.b.c.d", &"x".repeat(5_000)] {
            assert_eq!(verify(odd, &expected()), Err(Fault::Malformed), "{odd:.20}");
        }
    }

    #[test]
    fn ten_seconds_either_way_and_another_spelling_of_the_address_are_taken() {
        let key = key();
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&key) });
        for (name, value) in [
            ("iat", json!(NOW.secs() - 10)),
            ("iat", json!(NOW.secs() + 10)),
            ("exp", json!(NOW.secs() + 10)),
            ("htu", json!("HTTPS://App.example:443/api/x?z=2#f")),
        ] {
            let mut claims = claims();
            claims[name] = value;
            assert!(verify(&signed(&key, &header, &claims), &expected()).is_ok(), "{claims}");
        }
    }
}
