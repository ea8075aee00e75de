//! A session's two names: the public id (safe to show and log) and the secret (never shown, kept as a hash).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::clock::UnixMs;
use crate::random::Random;

/// A session's public id: a UUID version 7 (RFC 9562 section 5.7), so that ids sort by creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// A new id, made at `now`.
    #[must_use]
    pub fn new(now: UnixMs, random: &dyn Random) -> Self {
        Self(uuid_v7(now, random))
    }

    /// The id's 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id that these 16 bytes spell.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// 16 bytes of a UUID version 7 for `now`.
pub(crate) fn uuid_v7(now: UnixMs, random: &dyn Random) -> [u8; 16] {
    let millis = u64::try_from(now.0).unwrap_or_default();
    *uuid::Builder::from_unix_timestamp_millis(millis, &random.bytes()).as_uuid().as_bytes()
}

/// The text is no session id: not a lower-case hyphenated UUID. An id has one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a session id: a lower-case UUID such as 019ab5c4-9d3e-7c1a-8f00-2b6d1c0e4a55 is expected")]
pub struct NotASessionId;

impl FromStr for SessionId {
    type Err = NotASessionId;

    fn from_str(text: &str) -> Result<Self, NotASessionId> {
        let parsed = uuid::Uuid::try_parse(text).map_err(|_| NotASessionId)?;
        let id = Self(*parsed.as_bytes());
        if id.to_string() == text { Ok(id) } else { Err(NotASessionId) }
    }
}

impl TryFrom<String> for SessionId {
    type Error = NotASessionId;

    fn try_from(text: String) -> Result<Self, NotASessionId> {
        text.parse()
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_bytes(self.0).as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A session's secret: 256 random bits that only the browser's sealed cookie carries.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionSecret([u8; 32]);

impl SessionSecret {
    /// A new secret.
    #[must_use]
    pub fn new(random: &dyn Random) -> Self {
        Self(random.bytes())
    }

    /// What the store keeps instead of the secret.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(sha256(&self.0))
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret(..)")
    }
}

/// SHA-256 of a session's secret. The secret has 256 bits, so a plain hash cannot be guessed back.
#[derive(Clone, Copy)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

/// What a browser's ticket carries, inside its seal: which session, and the secret that proves it.
#[derive(Debug)]
pub struct Ticket {
    /// The session's public id.
    pub id: SessionId,
    /// The session's secret.
    pub secret: SessionSecret,
}

impl Ticket {
    /// 64 characters of base64url: id and secret, to be sealed. Never sent as it is.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.to_bytes().as_slice()))
    }

    /// Id and secret, one after the other.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 48]> {
        let mut bytes = Zeroizing::new([0_u8; 48]);
        let (id, secret) = bytes.split_at_mut(16);
        id.copy_from_slice(&self.id.0);
        secret.copy_from_slice(&self.secret.0);
        bytes
    }

    /// Reads what [`Ticket::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8; 48]) -> Option<Self> {
        let (id, secret) = bytes.split_at(16);
        Some(Self { id: SessionId(id.try_into().ok()?), secret: SessionSecret(secret.try_into().ok()?) })
    }

    /// Reads what [`Ticket::to_text`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0_u8; 48]);
        let n = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()).ok()?;
        if n != 48 {
            return None;
        }
        Self::from_bytes(&bytes)
    }
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn s13_an_id_has_one_spelling() {
        let id = SessionId::new(UnixMs(1_795_517_665_042), &SystemRandom);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        for odd in
            [text.to_uppercase(), text.replace('-', ""), format!("{{{text}}}"), format!(" {text}"), String::new()]
        {
            assert_eq!(odd.parse::<SessionId>(), Err(NotASessionId), "{odd}");
        }
    }

    #[test]
    fn a_ticket_survives_its_text_form_and_nothing_else_reads() {
        let ticket = Ticket { id: SessionId::new(UnixMs(1), &SystemRandom), secret: SessionSecret::new(&SystemRandom) };
        let text = ticket.to_text();
        let back = Ticket::from_text(&text).expect("reads back");
        assert_eq!(back.id, ticket.id);
        assert!(back.secret.hash().matches(&ticket.secret.hash()));
        for odd in [
            "",
            "AAAA",
            text.get(1..).unwrap_or_default(),
            &format!("{}=", text.as_str()),
            &format!("{}A", text.as_str()),
        ] {
            assert!(Ticket::from_text(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn c08_debug_shows_no_secret() {
        let ticket = Ticket { id: SessionId::new(UnixMs(1), &SystemRandom), secret: SessionSecret::new(&SystemRandom) };
        assert!(format!("{ticket:?}").contains("SessionSecret(..)"));
    }
}
