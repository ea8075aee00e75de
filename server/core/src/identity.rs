//! Identity tokens: the gateway's own word to an upstream about who calls, in which session, by which app. Short-lived
//! JWTs (RFC 7519) for one audience, signed with keys of their own; nothing here ever takes one in (T8).
//!
//! The signing keys are derived from the key ring: they turn with it, and are the same on every node. A key is published
//! before it signs, so that an upstream which keeps the key set for a while never meets a token that it cannot check.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

use crate::clock::UnixMs;
use crate::session::open::{Access, Live};
use crate::vault::{Bound, Key, KeyRing};

/// What a token's header calls it: no access token (RFC 9068), no ID token, no logout token.
pub const TYP: &str = "identity+jwt";
/// How long a token is good, at most.
pub const LIFE_SECS: i64 = 60;
/// A token is used for so long, so that one on its way has as much left.
const USE_SECS: i64 = 30;
/// How long an upstream may keep the key set.
pub const KEYS_KEPT_SECS: i64 = 300;
/// A key signs once it has been published for twice as long.
const PUBLISHED_MS: i64 = KEYS_KEPT_SECS * 2 * 1000;
/// A token beyond this would not pass most servers' limit for a header line.
const TOKEN_BYTES: usize = 8_000;
/// Tokens of one session; routes are few.
const MOST: usize = 16;

/// Claims that the gateway itself sets.
pub const RESERVED: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "idp",
    "idp_sub",
    "sid",
    "client_id",
    "tenant",
    "auth_time",
    "acr",
    "amr",
];

/// What a route's tokens say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityAsk {
    /// The one audience (`aud`).
    pub audience: String,
    /// Claims about the person that go along.
    pub claims: Vec<String>,
}

/// The identity tokens of one session: for each site and purpose, until when it is used.
pub(crate) type Kept = parking_lot::Mutex<Vec<(Box<str>, Arc<IdentityAsk>, UnixMs, Arc<Access>)>>;

/// The token would be too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity token would be longer than {TOKEN_BYTES} bytes: name fewer claims")]
pub struct TooLong;

/// Signs.
pub struct Identity {
    ring: Arc<KeyRing>,
    keys: ArcSwapOption<Keys>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// The keys of one state of the ring, oldest first.
struct Keys {
    generation: u64,
    list: Vec<Signing>,
}

struct Signing {
    kid: String,
    since: UnixMs,
    key: EncodingKey,
    /// The public half (RFC 7517).
    published: Value,
}

impl Identity {
    /// A signer over the key ring.
    #[must_use]
    pub fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring, keys: ArcSwapOption::empty() }
    }

    /// The published keys, as a JWK set (RFC 7517 section 5).
    #[must_use]
    pub fn key_set(&self) -> Value {
        json!({ "keys": self.keys().list.iter().map(|one| one.published.clone()).collect::<Vec<_>>() })
    }

    /// The header with a token about this session's person, by `issuer`, for a route's upstream. From memory where one
    /// is there that has enough of its life left and says what the session says now.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn token(
        &self,
        live: &Live,
        issuer: &str,
        ask: &Arc<IdentityAsk>,
        now: UnixMs,
    ) -> Result<Arc<Access>, TooLong> {
        let generation = live.values().generation;
        {
            let kept = live.identities.lock();
            let same =
                |(by, of, ..): &&(Box<str>, Arc<IdentityAsk>, UnixMs, Arc<Access>)| **by == *issuer && *of == *ask;
            if let Some((.., until, access)) = kept.iter().find(same)
                && now < *until
                && access.generation == generation
            {
                return Ok(Arc::clone(access));
            }
        }
        let access = Arc::new(self.sign(live, issuer, ask, now)?);
        let mut kept = live.identities.lock();
        kept.retain(|(by, of, until, _)| now < *until && !(**by == *issuer && *of == *ask));
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push((issuer.into(), Arc::clone(ask), now.plus_secs(USE_SECS), Arc::clone(&access)));
        Ok(access)
    }

    fn sign(&self, live: &Live, issuer: &str, ask: &IdentityAsk, now: UnixMs) -> Result<Access, TooLong> {
        let values = live.values();
        let mut claims = Map::new();
        for name in &ask.claims {
            if let Some(value) = values.claims.get(name) {
                claims.insert(name.clone(), value.clone());
            }
        }
        let expires = now.plus_secs(LIFE_SECS).secs().min(values.expires_at.secs());
        for (name, value) in [
            ("iss", json!(issuer)),
            ("aud", json!(ask.audience)),
            ("sub", json!(person(&values.issuer, &values.sub))),
            ("idp", json!(values.issuer)),
            ("idp_sub", json!(values.sub)),
            ("sid", json!(live.id.to_string())),
            ("client_id", json!(live.client_id)),
            ("tenant", json!(live.tenant)),
            ("iat", json!(now.secs())),
            ("exp", json!(expires)),
        ] {
            claims.insert(name.to_owned(), value);
        }
        for (name, value) in [
            ("auth_time", values.auth_time.map(Value::from)),
            ("acr", values.acr.clone().map(Value::from)),
            ("amr", Some(values.amr.clone()).filter(|amr| !amr.is_empty()).map(Value::from)),
        ] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value);
            }
        }
        let keys = self.keys();
        let text = keys.signing(now).and_then(|one| {
            let header =
                Header { typ: Some(TYP.to_owned()), kid: Some(one.kid.clone()), ..Header::new(Algorithm::ES256) };
            jsonwebtoken::encode(&header, &claims, &one.key).ok()
        });
        let text = text.filter(|text| text.len() <= TOKEN_BYTES).ok_or(TooLong)?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| TooLong)?;
        authorization.set_sensitive(true);
        let expires_at = Some(UnixMs::from_secs(expires));
        Ok(Access {
            authorization,
            expires_at,
            renew_from: expires_at,
            generation: values.generation,
            scopes: Box::default(),
        })
    }

    fn keys(&self) -> Arc<Keys> {
        let generation = self.ring.generation();
        if let Some(keys) = self.keys.load_full().filter(|keys| keys.generation == generation) {
            return keys;
        }
        let ring = self.ring.current();
        let list = ring.dated_keys().filter_map(|(id, key, since)| Signing::derive(id.as_str(), key, since)).collect();
        let keys = Arc::new(Keys { generation, list });
        self.keys.store(Some(Arc::clone(&keys)));
        keys
    }
}

impl Keys {
    /// The newest key that every upstream can know, else the oldest there is.
    fn signing(&self, now: UnixMs) -> Option<&Signing> {
        let known = |one: &&Signing| now.0.saturating_sub(one.since.0) >= PUBLISHED_MS;
        self.list.iter().rev().find(known).or(self.list.first())
    }
}

impl Signing {
    /// The signing key beside a ring key. A scalar of P-256 must be below the curve's order, which one derivation in
    /// 2^32 is not.
    fn derive(id: &str, key: &Key, since: UnixMs) -> Option<Self> {
        (0..8_u8).find_map(|n| {
            let seed = key.derive_key(&Bound::new(&[b"identity token", &[n]]));
            let private = PrivateKey::from_private_key(&ECDH_P256, seed.bytes()).ok()?;
            let public = private.compute_public_key().ok()?;
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, seed.bytes(), public.as_ref()).ok()?;
            let document = pair.to_pkcs8v1().ok()?;
            // RFC 7518 section 6.2.1: the two halves of the uncompressed point.
            let (x, y) = public.as_ref().get(1..)?.split_at_checked(32)?;
            let kid = format!("identity-{id}");
            let published = json!({
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
                "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
            });
            Some(Self { kid, since, key: EncodingKey::from_ec_der(document.as_ref()), published })
        })
    }
}

/// A person, told apart from those of other providers (S7): the issuer, a bar, their `sub` there. A bar in an issuer is
/// written as an address writes it, so that no two people share a text.
fn person(issuer: &str, sub: &str) -> String {
    format!("{}|{sub}", issuer.replace('|', "%7C"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::vault::RootKey;

    #[test]
    fn t08_new_key_signs_once_every_upstream_can_know_it() {
        let root = RootKey::parse("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").expect("a key");
        let start = UnixMs::from_secs(1_000_000);
        let rows = [root.new_ring_key(start, &SystemRandom), root.new_ring_key(start.plus_secs(5_000), &SystemRandom)];
        let kid = |row: &crate::store::WrappedKeyRow| format!("identity-{}", row.id);
        let signs = |rows: &[crate::store::WrappedKeyRow], secs: i64| {
            let ring = KeyRing::open(root.clone(), rows).expect("opens");
            let identity = Identity::new(Arc::new(ring));
            let keys = identity.keys();
            assert_eq!(identity.key_set()["keys"].as_array().map(Vec::len), Some(rows.len()));
            keys.signing(start.plus_secs(secs)).map(|one| one.kid.clone())
        };
        assert_eq!(signs(&rows[..1], 0), Some(kid(&rows[0])), "the first one at once");
        assert_eq!(signs(&rows, 5_000 + 599), Some(kid(&rows[0])));
        assert_eq!(signs(&rows, 5_000 + 600), Some(kid(&rows[1])));
        assert_eq!(signs(&rows[1..], 5_000), Some(kid(&rows[1])), "a burnt key signs nothing more");
    }

    #[test]
    fn s07_no_two_people_share_a_name() {
        assert_ne!(person("https://a.example/x|y", "z"), person("https://a.example/x", "y|z"));
        assert_ne!(person("https://a.example", "z"), person("https://b.example", "z"));
    }
}
